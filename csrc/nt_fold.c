/* The folds of nt_window.h: for each an element, how two are joined, and from that the passes over rows. */
#include "nt_window.h"

#define EACH_ROW _Pragma("GCC ivdep") for (int64_t i = 0; i < m; i++)

/* How many values each part folds, the older part's share of both, and that share times the newer part's count. */
typedef struct {
    double older, newer, share, weight;
} counts;

static inline counts counts_of(double older, double newer) {
    const double share = older / (older + newer);
    return (counts){older, newer, share, share * newer};
}

typedef struct { double a; } one;
typedef struct { double a, b; } pair;
typedef struct { double x, y, xx, yy, xy; } five;

static inline one one_at(nt_span s, int64_t i) { return (one){s.base[i]}; }
static inline pair pair_at(nt_span s, int64_t i) { return (pair){s.base[i], s.base[s.stride + i]}; }
static inline five five_at(nt_span s, int64_t i) {
    const double *at = s.base + i;
    return (five){at[0], at[s.stride], at[2 * s.stride], at[3 * s.stride], at[4 * s.stride]};
}
static inline void one_put(nt_span s, int64_t i, one v) { s.base[i] = v.a; }
static inline void pair_put(nt_span s, int64_t i, pair v) { s.base[i] = v.a, s.base[s.stride + i] = v.b; }
static inline void five_put(nt_span s, int64_t i, five v) {
    double *at = s.base + i;
    at[0] = v.x, at[s.stride] = v.y, at[2 * s.stride] = v.xx, at[3 * s.stride] = v.yy, at[4 * s.stride] = v.xy;
}

/* nt_fold_NAME over elements TYPE, joined by NAME_join(older, newer, counts); single values are TYPE_LIFT(level, row).
 * The last argument before `repeats` writes what is not given, 0 where all is. */
#define FOLD(NAME, TYPE, LIFT, GIVEN, FIELDS, FILL, REPEATS)                                                           \
    static void NAME##_two(nt_span older, nt_span newer, nt_span out, int64_t m, double older_count,                   \
                           double newer_count) {                                                                       \
        const counts c = counts_of(older_count, newer_count);                                                          \
        EACH_ROW TYPE##_put(out, i, NAME##_join(TYPE##_at(older, i), TYPE##_at(newer, i), c));                         \
    }                                                                                                                  \
    static void NAME##_four(nt_span level, int64_t size, nt_span out, int64_t m) {                                     \
        const counts c = counts_of((double)size, (double)size), d = counts_of(2.0 * (double)size, 2.0 * (double)size); \
        EACH_ROW {                                                                                                     \
            const TYPE older = NAME##_join(TYPE##_at(level, i - 3 * size), TYPE##_at(level, i - 2 * size), c);         \
            const TYPE newer = NAME##_join(TYPE##_at(level, i - size), TYPE##_at(level, i), c);                        \
            TYPE##_put(out, i, NAME##_join(older, newer, d));                                                          \
        }                                                                                                              \
    }                                                                                                                  \
    static void NAME##_first(nt_span level, nt_span out, int64_t m) {                                                  \
        const counts c = counts_of(1.0, 1.0), d = counts_of(2.0, 2.0);                                                 \
        EACH_ROW {                                                                                                     \
            const TYPE older = NAME##_join(LIFT(level, i - 3), LIFT(level, i - 2), c);                                 \
            const TYPE newer = NAME##_join(LIFT(level, i - 1), LIFT(level, i), c);                                     \
            TYPE##_put(out, i, NAME##_join(older, newer, d));                                                          \
        }                                                                                                              \
    }                                                                                                                  \
    const nt_fold nt_fold_##NAME = {NAME##_two, NAME##_four, NAME##_first, FILL, GIVEN, FIELDS, REPEATS};

static inline pair twice_at(nt_span s, int64_t i) { return (pair){s.base[i], s.base[i]}; }
static inline pair alone_at(nt_span s, int64_t i) { return (pair){s.base[i], 0.0}; }
static inline five both_at(nt_span s, int64_t i) { return (five){s.base[i], s.base[s.stride + i], 0.0, 0.0, 0.0}; }

static void fill_twice(nt_span level, int64_t m) {
    memcpy(level.base + level.stride, level.base, (size_t)m * sizeof(double));
}

static void fill_alone(nt_span level, int64_t m) {
    memset(level.base + level.stride, 0, (size_t)m * sizeof(double));
}

static void fill_both(nt_span level, int64_t m) {
    for (int f = 2; f < 5; f++) memset(level.base + f * level.stride, 0, (size_t)m * sizeof(double));
}

static inline one sum_join(one a, one b, counts c) {
    (void)c;
    return (one){a.a + b.a};
}

/* Of the ways to say that a NaN of either part stays, the one that gcc 12 makes vectors of. */
static inline one minimum_join(one a, one b, counts c) {
    (void)c;
    const double x = a.a < b.a ? a.a : b.a;
    return (one){a.a != a.a ? a.a : x};
}

static inline one maximum_join(one a, one b, counts c) {
    (void)c;
    const double x = a.a > b.a ? a.a : b.a;
    return (one){a.a != a.a ? a.a : x};
}

static inline pair sums_join(pair a, pair b, counts c) {
    (void)c;
    return (pair){a.a + b.a, a.b + b.b};
}

static inline pair ramp_join(pair a, pair b, counts c) {
    return (pair){a.a + b.a, (a.b + b.b) + c.older * b.a}; /* newer weights start after the older ones' last */
}

/* The mean row numbers of two adjacent parts lie half of all their rows apart. */
static inline pair trend_join(pair a, pair b, counts c) {
    const double d = a.a - b.a, apart = 0.5 * (c.older + c.newer);
    return (pair){b.a + d * c.share, (a.b + b.b) - d * (apart * c.weight)};
}

static inline pair moments_join(pair a, pair b, counts c) {
    const double d = a.a - b.a;
    return (pair){b.a + d * c.share, (a.b + b.b) + d * d * c.weight};
}

static inline five comoments_join(five a, five b, counts c) {
    const double dx = a.x - b.x, dy = a.y - b.y;
    return (five){b.x + dx * c.share, b.y + dy * c.share, (a.xx + b.xx) + dx * dx * c.weight,
                  (a.yy + b.yy) + dy * dy * c.weight, (a.xy + b.xy) + dx * dy * c.weight};
}

FOLD(sum, one, one_at, 1, 1, 0, 0)
FOLD(minimum, one, one_at, 1, 1, 0, 1)
FOLD(maximum, one, one_at, 1, 1, 0, 1)
FOLD(sums, pair, pair_at, 2, 2, 0, 0)
FOLD(ramp, pair, twice_at, 1, 2, fill_twice, 0)
FOLD(trend, pair, alone_at, 1, 2, fill_alone, 0)
FOLD(moments, pair, alone_at, 1, 2, fill_alone, 0)
FOLD(comoments, five, both_at, 2, 5, fill_both, 0)
