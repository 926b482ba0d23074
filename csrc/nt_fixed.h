/* nt_fixed: checked fixed-point maths. Prices and quantities are int64 at 1e-9 ("nano"), cash is int64 in minor units of
 * its currency (10^-digits), rates are int64 at 1e-12 ("pico"). Products are taken in 128 bits and rounded once, half to
 * even. A result that does not fit is NT_OVERFLOW and leaves its out-pointer alone; nothing wraps.
 */
#ifndef NT_FIXED_H
#define NT_FIXED_H

#include <math.h>
#include <stdint.h>

#include "nt_status.h"

#define NT_NANO INT64_C(1000000000)
#define NT_PICO INT64_C(1000000000000)
#define NT_CASH_DIGITS_MAX 9

__extension__ typedef __int128 nt_wide;

/* value / divisor, half to even. divisor > 0. */
static inline nt_status nt_divide_half_even(nt_wide value, int64_t divisor, int64_t *out)
{
    nt_wide quotient = value / divisor;
    int64_t rest = (int64_t)(value % divisor);
    uint64_t distance = rest < 0 ? -(uint64_t)rest : (uint64_t)rest;
    uint64_t other = (uint64_t)divisor - distance;
    if (distance > other || (distance == other && (quotient & 1)))
        quotient += value < 0 ? -1 : 1;
    if (quotient > INT64_MAX || quotient < INT64_MIN)
        return NT_OVERFLOW;
    *out = (int64_t)quotient;
    return NT_OK;
}

/* a * b / divisor, half to even. divisor > 0. */
static inline nt_status nt_multiply_divide(int64_t a, int64_t b, int64_t divisor, int64_t *out)
{
    return nt_divide_half_even((nt_wide)a * b, divisor, out);
}

static inline nt_status nt_add(int64_t a, int64_t b, int64_t *out)
{
    int64_t sum;
    if (__builtin_add_overflow(a, b, &sum))
        return NT_OVERFLOW;
    *out = sum;
    return NT_OK;
}

/* x at `scale` units per one, to the nearest, ties to even. NaN, infinities and what does not fit are NT_OVERFLOW.
 * Float face. */
static inline nt_status nt_fixed_from_double(double x, double scale, int64_t *out)
{
    double scaled = x * scale;
    if (!(fabs(scaled) < 9.2e18))
        return NT_OVERFLOW;
    *out = (int64_t)__builtin_llrint(scaled);
    return NT_OK;
}

/* Float face. */
static inline nt_status nt_nano_from_double(double x, int64_t *out)
{
    return nt_fixed_from_double(x, 1e9, out);
}

/* Dividing by a power of ten rounds correctly, so a price of at most 9 decimals comes back as the float it was. Float face. */
static inline double nt_double_from_nano(int64_t nano)
{
    return (double)nano / 1e9;
}

static inline int64_t nt_absolute(int64_t x)
{
    return x < 0 ? -x : x;
}

static inline int64_t nt_sign(int64_t x)
{
    return (x > 0) - (x < 0);
}

static inline int64_t nt_smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* What 10^exponent is; exponent 0..18. */
static inline int64_t nt_power_of_ten(int exponent)
{
    int64_t power = 1;
    while (exponent-- > 0)
        power *= 10;
    return power;
}

#endif
