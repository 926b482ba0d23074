/* Neighbouring rows in one register: as many as the machine compiled for takes at once, four at most in a file that
 * defines NT_LANES_NARROW. What is computed does not depend on how many those are. */
#ifndef NT_LANES_H
#define NT_LANES_H

#include <stdint.h>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__) && !defined(NT_LANES_NARROW)
enum { NT_LANES = 8 };
#define NT_LANES_BYTES 64
#define NT_LANES_EACH(first) first, first + 1, first + 2, first + 3, first + 4, first + 5, first + 6, first + 7
#elif defined(__AVX2__)
enum { NT_LANES = 4 };
#define NT_LANES_BYTES 32
#define NT_LANES_EACH(first) first, first + 1, first + 2, first + 3
#else
enum { NT_LANES = 2 };
#define NT_LANES_BYTES 16
#define NT_LANES_EACH(first) first, first + 1
#endif

typedef double nt_lanes __attribute__((vector_size(NT_LANES_BYTES)));
typedef double nt_lanes_anywhere __attribute__((vector_size(NT_LANES_BYTES), aligned(8), may_alias));
typedef int64_t nt_places __attribute__((vector_size(NT_LANES_BYTES)));

#define NT_LANES_INLINE static inline __attribute__((always_inline))

NT_LANES_INLINE nt_lanes nt_lanes_at(const double *rows) { return *(const nt_lanes_anywhere *)rows; }
NT_LANES_INLINE void nt_lanes_put(double *rows, nt_lanes x) { *(nt_lanes_anywhere *)rows = x; }

/* a where the mask is set, b elsewhere. */
NT_LANES_INLINE nt_lanes nt_lanes_where(nt_places mask, nt_lanes a, nt_lanes b) {
    return (nt_lanes)((mask & (nt_places)a) | (~mask & (nt_places)b));
}

/* The rows that stand `rows` before those of `now`, rows < NT_LANES a constant; `before` comes right before `now`. */
#define NT_LANES_BACK(before, now, rows)                                                                               \
    __builtin_shuffle(before, now, (nt_places){NT_LANES_EACH(NT_LANES - (rows))})

/* Greater and smaller of two rows, the second where they are equal, NaN where either is. */
#if NT_LANES_BYTES == 64
NT_LANES_INLINE nt_lanes nt_lanes_greater(nt_lanes a, nt_lanes b) {
    return _mm512_mask_max_pd(a, _mm512_cmp_pd_mask(a, a, _CMP_ORD_Q), a, b);
}
NT_LANES_INLINE nt_lanes nt_lanes_smaller(nt_lanes a, nt_lanes b) {
    return _mm512_mask_min_pd(a, _mm512_cmp_pd_mask(a, a, _CMP_ORD_Q), a, b);
}
#elif NT_LANES_BYTES == 32
NT_LANES_INLINE nt_lanes nt_lanes_greater(nt_lanes a, nt_lanes b) {
    return _mm256_blendv_pd(_mm256_max_pd(a, b), a, _mm256_cmp_pd(a, a, _CMP_UNORD_Q));
}
NT_LANES_INLINE nt_lanes nt_lanes_smaller(nt_lanes a, nt_lanes b) {
    return _mm256_blendv_pd(_mm256_min_pd(a, b), a, _mm256_cmp_pd(a, a, _CMP_UNORD_Q));
}
#else
NT_LANES_INLINE nt_lanes nt_lanes_greater(nt_lanes a, nt_lanes b) {
    return nt_lanes_where((a > b) | (a != a), a, b);
}
NT_LANES_INLINE nt_lanes nt_lanes_smaller(nt_lanes a, nt_lanes b) {
    return nt_lanes_where((a < b) | (a != a), a, b);
}
#endif

/* Whether a lane is not 0; NaN is not. */
NT_LANES_INLINE int nt_lanes_any(nt_lanes x) {
    int any = 0;
    for (int k = 0; k < NT_LANES; k++) any |= x[k] != 0.0;
    return any;
}

/* Eight rows, in as many registers as that takes. */
enum { NT_EIGHT_PARTS = 8 / NT_LANES };
typedef struct {
    nt_lanes part[NT_EIGHT_PARTS];
} nt_eight;
#define NT_EACH_PART for (int p = 0; p < NT_EIGHT_PARTS; p++)

NT_LANES_INLINE nt_eight nt_eight_at(const double *rows) {
    nt_eight x;
    NT_EACH_PART x.part[p] = nt_lanes_at(rows + p * NT_LANES);
    return x;
}
NT_LANES_INLINE void nt_eight_put(double *rows, nt_eight x) {
    NT_EACH_PART nt_lanes_put(rows + p * NT_LANES, x.part[p]);
}
NT_LANES_INLINE double nt_eight_last(nt_eight x) { return x.part[NT_EIGHT_PARTS - 1][NT_LANES - 1]; }

/* Row j is x's row j - rows, `before` where that has none; rows 1, 2 or 4. */
#define NT_EIGHT_BACK(NAME, ROWS)                                                                                      \
    NT_LANES_INLINE nt_eight NAME(nt_lanes before, nt_eight x) {                                                       \
        nt_eight y;                                                                                                    \
        NT_EACH_PART {                                                                                                 \
            const int whole = (ROWS) / NT_LANES;                                                                       \
            const nt_lanes now = p >= whole ? x.part[p - whole] : before;                                              \
            const nt_lanes past = p > whole ? x.part[p - whole - 1] : before;                                          \
            y.part[p] = (ROWS) % NT_LANES ? NT_LANES_BACK(past, now, (ROWS) % NT_LANES) : now;                         \
        }                                                                                                              \
        return y;                                                                                                      \
    }
NT_EIGHT_BACK(nt_eight_back_1, 1)
NT_EIGHT_BACK(nt_eight_back_2, 2)
NT_EIGHT_BACK(nt_eight_back_4, 4)

#endif
