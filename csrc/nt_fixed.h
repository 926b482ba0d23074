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

/* (high, low) / divisor for high < divisor, so that the quotient fits. gcc calls __udivmodti4 for it, which costs three times the
 * one instruction that x86-64 has. */
static inline uint64_t nt_divide_wide(uint64_t high, uint64_t low, uint64_t divisor, uint64_t *rest_out)
{
#if defined(__x86_64__)
    uint64_t quotient, rest;
    __asm__("divq %4" : "=a"(quotient), "=d"(rest) : "0"(low), "1"(high), "rm"(divisor) : "cc");
    *rest_out = rest;
    return quotient;
#else
    __extension__ unsigned __int128 value = (unsigned __int128)high << 64 | low;
    *rest_out = (uint64_t)(value % divisor);
    return (uint64_t)(value / divisor);
#endif
}

/* value / divisor, half to even. divisor > 0. */
static inline nt_status nt_divide_half_even(nt_wide value, int64_t divisor, int64_t *out)
{
    __extension__ unsigned __int128 size = value < 0 ? -(unsigned __int128)value : (unsigned __int128)value;
    uint64_t high = (uint64_t)(size >> 64), by = (uint64_t)divisor, rest;
    if (high >= by)
        return NT_OVERFLOW;
    uint64_t quotient = nt_divide_wide(high, (uint64_t)size, by, &rest), other = by - rest;
    if (quotient > INT64_MAX)
        return NT_OVERFLOW;
    quotient += rest > other || (rest == other && (quotient & 1));
    if (quotient > INT64_MAX)
        return NT_OVERFLOW;
    *out = value < 0 ? -(int64_t)quotient : (int64_t)quotient;
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
