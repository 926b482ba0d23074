/* Transcendental functions that give the same bits on every machine.
 *
 * libm's differ in the last place between versions and between CPUs with and without fused multiply-add, and numpy's
 * choose an instruction set at run time; what must be equal in two processes (embeddings, digests) cannot rest on them.
 * Only + - * / here, correctly rounded by IEEE 754; the build forbids contraction. */
#ifndef NT_MATH_H
#define NT_MATH_H

#include <stdint.h>
#include <string.h>

/* Natural logarithm, within 1 ulp away from 1 and 2 ulp near it; x must be finite and >= 2^-1022 (prices are).
 * x = m * 2^e with m in [sqrt(1/2), sqrt(2)); log m = 2 artanh(s), s = (m - 1) / (m + 1), |s| <= 0.1716, whose series
 * in s^2 is cut where the next term is below 2^-56. */
static inline double nt_log(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    const int64_t shifted = (int64_t)(bits - 0x3FE6A09E667F3BCDull) >> 52; /* exponent relative to sqrt(1/2) */
    bits -= (uint64_t)shifted << 52;
    double m;
    memcpy(&m, &bits, sizeof m);
    const double e = (double)shifted;
    const double f = m - 1.0; /* exact */
    const double s = f / (2.0 + f);
    const double z = s * s;
    double series = 2.0 / 23.0;
    series = series * z + 2.0 / 21.0;
    series = series * z + 2.0 / 19.0;
    series = series * z + 2.0 / 17.0;
    series = series * z + 2.0 / 15.0;
    series = series * z + 2.0 / 13.0;
    series = series * z + 2.0 / 11.0;
    series = series * z + 2.0 / 9.0;
    series = series * z + 2.0 / 7.0;
    series = series * z + 2.0 / 5.0;
    series = series * z + 2.0 / 3.0;
    /* log m = f - s (f - R), R = z * series; ln 2 in two parts, so that e * high is exact */
    const double tail = s * (f - z * series) - e * 1.90821492927058770002e-10;
    return e * 6.93147180369123816490e-01 + (f - tail);
}

/* cos(2 pi u), u in turns, |u| < 2^21; absolute error below 4e-7. 1 - 2 sin^2(pi r), r = u less the nearest integer. */
static inline float nt_cos_turns(float u) {
    const float magic = 12582912.0f; /* 1.5 * 2^23: adding and subtracting rounds to the nearest integer */
    const float r = u - ((u + magic) - magic);
    const float t = 3.14159265358979f * r;
    const float z = t * t;
    float p = -2.50521083854e-08f;
    p = p * z + 2.75573192240e-06f;
    p = p * z - 1.98412698413e-04f;
    p = p * z + 8.33333333333e-03f;
    p = p * z - 1.66666666667e-01f;
    const float sine = t + t * (z * p);
    return 1.0f - 2.0f * sine * sine;
}

#endif
