/* The folds of nt_window.h: for each an element, how two are joined, and from that the passes over rows. */
#include "nt_lanes.h"
#include "nt_window.h"

/* How many values each part folds, the older part's share of both, and that share times the newer part's count. */
typedef struct {
    double older, newer, share, weight;
} counts;

static inline counts counts_of(double older, double newer) {
    const double share = older / (older + newer);
    return (counts){older, newer, share, share * newer};
}

/* Elements: of one row, and of as many rows as a register holds. */
#define ELEMENTS(D, ONE, PAIR, FIVE)                                                                                   \
    typedef struct { D a; } ONE;                                                                                       \
    typedef struct { D a, b; } PAIR;                                                                                   \
    typedef struct { D x, y, xx, yy, xy; } FIVE;
ELEMENTS(double, one, pair, five)
ELEMENTS(nt_lanes, ones, pairs, fives)

#define INLINE NT_LANES_INLINE

INLINE one one_at(nt_span s, int64_t i) { return (one){s.base[i]}; }
INLINE pair pair_at(nt_span s, int64_t i) { return (pair){s.base[i], s.base[s.stride + i]}; }
INLINE five five_at(nt_span s, int64_t i) {
    const double *at = s.base + i;
    return (five){at[0], at[s.stride], at[2 * s.stride], at[3 * s.stride], at[4 * s.stride]};
}
INLINE void one_put(nt_span s, int64_t i, one v) { s.base[i] = v.a; }
INLINE void pair_put(nt_span s, int64_t i, pair v) { s.base[i] = v.a, s.base[s.stride + i] = v.b; }
INLINE void five_put(nt_span s, int64_t i, five v) {
    double *at = s.base + i;
    at[0] = v.x, at[s.stride] = v.y, at[2 * s.stride] = v.xx, at[3 * s.stride] = v.yy, at[4 * s.stride] = v.xy;
}

INLINE void ones_put(nt_span s, int64_t i, ones v) { nt_lanes_put(s.base + i, v.a); }
INLINE void pairs_put(nt_span s, int64_t i, pairs v) {
    nt_lanes_put(s.base + i, v.a), nt_lanes_put(s.base + s.stride + i, v.b);
}
INLINE void fives_put(nt_span s, int64_t i, fives v) {
    const nt_lanes fields[5] = {v.x, v.y, v.xx, v.yy, v.xy};
    for (int f = 0; f < 5; f++) nt_lanes_put(s.base + f * s.stride + i, fields[f]);
}

#define ones_back(past, now, n) ((ones){NT_LANES_BACK(past.a, now.a, n)})
#define pairs_back(past, now, n) ((pairs){NT_LANES_BACK(past.a, now.a, n), NT_LANES_BACK(past.b, now.b, n)})
#define fives_back(past, now, n)                                                                                       \
    ((fives){NT_LANES_BACK(past.x, now.x, n), NT_LANES_BACK(past.y, now.y, n), NT_LANES_BACK(past.xx, now.xx, n),      \
             NT_LANES_BACK(past.yy, now.yy, n), NT_LANES_BACK(past.xy, now.xy, n)})

INLINE ones ones_at(nt_span s, int64_t i) { return (ones){nt_lanes_at(s.base + i)}; }
INLINE pairs pairs_at(nt_span s, int64_t i) {
    return (pairs){nt_lanes_at(s.base + i), nt_lanes_at(s.base + s.stride + i)};
}
INLINE fives fives_at(nt_span s, int64_t i) {
    const double *at = s.base + i;
    return (fives){nt_lanes_at(at), nt_lanes_at(at + s.stride), nt_lanes_at(at + 2 * s.stride),
                   nt_lanes_at(at + 3 * s.stride), nt_lanes_at(at + 4 * s.stride)};
}

/* Single values as folds of one; ones_at and pairs_at where all their fields are given. */
INLINE pairs lift_twice(nt_span s, int64_t i) {
    const nt_lanes x = nt_lanes_at(s.base + i);
    return (pairs){x, x};
}
INLINE pairs lift_alone(nt_span s, int64_t i) { return (pairs){nt_lanes_at(s.base + i), (nt_lanes){0}}; }
INLINE fives lift_both(nt_span s, int64_t i) {
    const nt_lanes none = {0};
    return (fives){nt_lanes_at(s.base + i), nt_lanes_at(s.base + s.stride + i), none, none, none};
}

/* One level above `now`, from the last KEPT registers of it. */
#define STEP(NAME, TYPE, K)                                                                                            \
    if (top > K) {                                                                                                     \
        enum { SIZE = 1 << K, AGO = SIZE / NT_LANES };                                                                 \
        const counts c = {SIZE, SIZE, 0.5, 0.5 * SIZE};                                                                \
        const TYPE##s back = AGO ? past[K][AGO ? AGO - 1 : 0] : TYPE##s_back(past[K][0], now, SIZE % NT_LANES);        \
        for (int j = KEPT - 1; j > 0; j--) past[K][j] = past[K][j - 1];                                                \
        past[K][0] = now;                                                                                              \
        now = NAME##_joins(back, now, c);                                                                              \
        if (i >= 0 && to[K + 1].base) TYPE##s_put(to[K + 1], i, now);                                                  \
    }

/* The folds of the last 1, 2, 4 .. 2^top values of m rows, each made of two of the one before. */
#define RISE(NAME, TYPE, LIFT)                                                                                         \
    INLINE void NAME##_rise_to(nt_span values, const nt_span *to, int64_t m, const int top) {                          \
        enum { KEPT = 8 / NT_LANES };                                                                                  \
        TYPE##s past[NT_WINDOW_RISE][KEPT] = {0};                                                                      \
        for (int64_t i = -NT_WINDOW_BEHIND; i < m; i += NT_LANES) {                                                    \
            TYPE##s now = LIFT(values, i);                                                                             \
            if (i >= 0 && to[0].base) TYPE##s_put(to[0], i, now);                                                      \
            STEP(NAME, TYPE, 0) STEP(NAME, TYPE, 1) STEP(NAME, TYPE, 2) STEP(NAME, TYPE, 3)                            \
        }                                                                                                              \
    }                                                                                                                  \
    static void NAME##_rise(nt_span values, const nt_span *to, int64_t m, int top) {                                   \
        if (top == 4) NAME##_rise_to(values, to, m, 4);                                                                \
        else if (top == 3) NAME##_rise_to(values, to, m, 3);                                                           \
        else if (top == 2) NAME##_rise_to(values, to, m, 2);                                                           \
        else if (top == 1) NAME##_rise_to(values, to, m, 1);                                                           \
        else NAME##_rise_to(values, to, m, 0);                                                                         \
    }

/* nt_fold_NAME over elements TYPE, joined by NAME_join(older, newer, counts). */
#define FOLD(NAME, TYPE, LIFT, GIVEN, FIELDS, REPEATS)                                                                 \
    RISE(NAME, TYPE, LIFT)                                                                                             \
    static void NAME##_two(nt_span older, nt_span newer, nt_span out, int64_t m, double older_count,                   \
                           double newer_count) {                                                                       \
        const counts c = counts_of(older_count, newer_count);                                                          \
        int64_t i = 0;                                                                                                 \
        for (; i + NT_LANES <= m; i += NT_LANES)                                                                       \
            TYPE##s_put(out, i, NAME##_joins(TYPE##s_at(older, i), TYPE##s_at(newer, i), c));                          \
        for (; i < m; i++) TYPE##_put(out, i, NAME##_join(TYPE##_at(older, i), TYPE##_at(newer, i), c));               \
    }                                                                                                                  \
    static void NAME##_four(nt_span level, int64_t size, nt_span out, int64_t m) {                                     \
        const counts c = counts_of((double)size, (double)size), d = counts_of(2.0 * (double)size, 2.0 * (double)size); \
        for (int64_t i = 0; i < m; i += NT_LANES) {                                                                    \
            const TYPE##s older = NAME##_joins(TYPE##s_at(level, i - 3 * size), TYPE##s_at(level, i - 2 * size), c);   \
            const TYPE##s newer = NAME##_joins(TYPE##s_at(level, i - size), TYPE##s_at(level, i), c);                  \
            TYPE##s_put(out, i, NAME##_joins(older, newer, d));                                                        \
        }                                                                                                              \
    }                                                                                                                  \
    const nt_fold nt_fold_##NAME = {NAME##_rise, NAME##_two, NAME##_four, GIVEN, FIELDS, REPEATS};

/* NAME_join of single rows and NAME_joins of several, by the same operations. */
#define JOIN(NAME, TYPE, ...)                                                                                          \
    INLINE TYPE NAME##_join(TYPE a, TYPE b, counts c) __VA_ARGS__                                                      \
    INLINE TYPE##s NAME##_joins(TYPE##s a, TYPE##s b, counts c) __VA_ARGS__
#define FOLDED (__typeof__(a))

JOIN(sum, one, {
    (void)c;
    return FOLDED{a.a + b.a};
})

JOIN(sums, pair, {
    (void)c;
    return FOLDED{a.a + b.a, a.b + b.b};
})

JOIN(ramp, pair, { /* newer weights start after the older ones' last */
    return FOLDED{a.a + b.a, (a.b + b.b) + c.older * b.a};
})

JOIN(trend, pair, { /* the mean row numbers of two adjacent parts lie half of all their rows apart */
    const double apart = 0.5 * (c.older + c.newer) * c.weight;
    const __typeof__(a.a) d = a.a - b.a;
    return FOLDED{b.a + d * c.share, (a.b + b.b) - d * apart};
})

JOIN(moments, pair, {
    const __typeof__(a.a) d = a.a - b.a;
    return FOLDED{b.a + d * c.share, (a.b + b.b) + d * d * c.weight};
})

JOIN(comoments, five, {
    const __typeof__(a.x) dx = a.x - b.x;
    const __typeof__(a.x) dy = a.y - b.y;
    return FOLDED{b.x + dx * c.share, b.y + dy * c.share, (a.xx + b.xx) + dx * dx * c.weight,
                  (a.yy + b.yy) + dy * dy * c.weight, (a.xy + b.xy) + dx * dy * c.weight};
})

/* The greater or the smaller, NaN if either is. */
INLINE one minimum_join(one a, one b, counts c) {
    (void)c;
    return (one){a.a < b.a || a.a != a.a ? a.a : b.a};
}
INLINE ones minimum_joins(ones a, ones b, counts c) {
    (void)c;
    return (ones){nt_lanes_smaller(a.a, b.a)};
}
INLINE one maximum_join(one a, one b, counts c) {
    (void)c;
    return (one){a.a > b.a || a.a != a.a ? a.a : b.a};
}
INLINE ones maximum_joins(ones a, ones b, counts c) {
    (void)c;
    return (ones){nt_lanes_greater(a.a, b.a)};
}

FOLD(sum, one, ones_at, 1, 1, 0)
FOLD(minimum, one, ones_at, 1, 1, 1)
FOLD(maximum, one, ones_at, 1, 1, 1)
FOLD(sums, pair, pairs_at, 2, 2, 0)
FOLD(ramp, pair, lift_twice, 1, 2, 0)
FOLD(trend, pair, lift_alone, 1, 2, 0)
FOLD(moments, pair, lift_alone, 1, 2, 0)
FOLD(comoments, five, lift_both, 2, 5, 0)
