/* AVX-512 with VNNI and VPOPCNTDQ. vpdpbusd multiplies unsigned by signed bytes and adds fours into 32 bits without
 * saturating: reading `a` as a + 128 (one xor) gives a . b + 128 * sum(b), and the bias is taken off at the end. */
#include <immintrin.h>
#include <string.h>

#include "nt_quant.h"

static inline __m512i load(const void *bytes) { return _mm512_loadu_si512(bytes); }

static inline __m512i offset_codes(const int8_t *codes) {
    return _mm512_xor_si512(load(codes), _mm512_set1_epi8(-128));
}

static int32_t dot_biased_avx512(const int8_t *a, const int8_t *b, size_t dimension, int32_t bias) {
    __m512i sum_0 = _mm512_setzero_si512(), sum_1 = sum_0;
    size_t j = 0;
    for (; j + 128 <= dimension; j += 128) {
        sum_0 = _mm512_dpbusd_epi32(sum_0, offset_codes(a + j), load(b + j));
        sum_1 = _mm512_dpbusd_epi32(sum_1, offset_codes(a + j + 64), load(b + j + 64));
    }
    if (j < dimension) sum_0 = _mm512_dpbusd_epi32(sum_0, offset_codes(a + j), load(b + j));
    return _mm512_reduce_add_epi32(_mm512_add_epi32(sum_0, sum_1)) - bias;
}

static int32_t dot_avx512(const int8_t *a, const int8_t *b, size_t dimension) {
    const __m512i offset = _mm512_set1_epi8(-128); /* 128 as unsigned */
    __m512i sum = _mm512_setzero_si512(), bias = sum;
    for (size_t j = 0; j < dimension; j += 64) {
        __m512i codes_b = load(b + j);
        sum = _mm512_dpbusd_epi32(sum, offset_codes(a + j), codes_b);
        bias = _mm512_dpbusd_epi32(bias, offset, codes_b);
    }
    return _mm512_reduce_add_epi32(_mm512_sub_epi32(sum, bias));
}

/* Sixteen 32-bit lanes of four vectors to four sums. */
static inline __m128i sum_four(__m512i a, __m512i b, __m512i c, __m512i d) {
    __m512i ab = _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
    __m512i cd = _mm512_add_epi32(_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
    __m512i abcd = _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
    __m256i half = _mm256_add_epi32(_mm512_castsi512_si256(abcd), _mm512_extracti64x4_epi64(abcd, 1));
    return _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}

static inline __m128i dots_of_four(const int8_t *a, const int8_t *b, const int8_t *c, const int8_t *d, size_t dimension,
                                   const int8_t *query) {
    __m512i sum_a = _mm512_setzero_si512(), sum_b = sum_a, sum_c = sum_a, sum_d = sum_a;
    for (size_t j = 0; j < dimension; j += 64) {
        __m512i codes = load(query + j);
        sum_a = _mm512_dpbusd_epi32(sum_a, offset_codes(a + j), codes);
        sum_b = _mm512_dpbusd_epi32(sum_b, offset_codes(b + j), codes);
        sum_c = _mm512_dpbusd_epi32(sum_c, offset_codes(c + j), codes);
        sum_d = _mm512_dpbusd_epi32(sum_d, offset_codes(d + j), codes);
    }
    return sum_four(sum_a, sum_b, sum_c, sum_d);
}

/* Row by row: reading four rows abreast defeats the hardware prefetcher (11 instead of 29 GB/s from memory). */
static void dots_avx512(const int8_t *rows, size_t count, size_t dimension, const int8_t *query, int32_t bias,
                        int32_t *dots_out) {
    for (size_t i = 0; i < count; i++) dots_out[i] = dot_biased_avx512(rows + i * dimension, query, dimension, bias);
}

static void dots_at_avx512(const int8_t *rows, const uint32_t *index, size_t count, size_t dimension,
                           const int8_t *query, int32_t bias, int32_t *dots_out) {
    size_t i = 0;
    for (; i + 4 <= count; i += 4) {
        for (size_t ahead = i + 4; ahead < i + 8 && ahead < count; ahead++)
            for (size_t j = 0; j < dimension; j += 64) _mm_prefetch(rows + index[ahead] * dimension + j, _MM_HINT_T0);
        __m128i dots = dots_of_four(rows + index[i] * dimension, rows + index[i + 1] * dimension,
                                    rows + index[i + 2] * dimension, rows + index[i + 3] * dimension, dimension, query);
        _mm_storeu_si128((__m128i *)(dots_out + i), _mm_sub_epi32(dots, _mm_set1_epi32(bias)));
    }
    for (; i < count; i++) dots_out[i] = dot_biased_avx512(rows + index[i] * dimension, query, dimension, bias);
}

/* Differing bits in eight 64-bit lanes; the words beyond the last full eight are masked in. */
static inline __m512i difference_lanes(const uint64_t *a, const uint64_t *b, size_t words) {
    __m512i bits = _mm512_setzero_si512();
    size_t w = 0;
    for (; w + 8 <= words; w += 8)
        bits = _mm512_add_epi64(bits, _mm512_popcnt_epi64(_mm512_xor_si512(load(a + w), load(b + w))));
    if (w < words) {
        __mmask8 rest = (__mmask8)((1u << (words - w)) - 1);
        __m512i left = _mm512_maskz_loadu_epi64(rest, a + w), right = _mm512_maskz_loadu_epi64(rest, b + w);
        bits = _mm512_add_epi64(bits, _mm512_popcnt_epi64(_mm512_xor_si512(left, right)));
    }
    return bits;
}

static inline __m512i add_pairs(__m512i a, __m512i b) {
    return _mm512_add_epi64(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
}

static inline __m512i add_quarters(__m512i a, __m512i b) {
    return _mm512_add_epi64(_mm512_shuffle_i64x2(a, b, 0x88), _mm512_shuffle_i64x2(a, b, 0xDD));
}

/* Eight rows at once, so that the sums over lanes are shared: 14 shuffles for eight rows. */
static inline __attribute__((always_inline)) void differences_of_eight(const uint64_t *const *row, size_t words,
                                                                       const uint64_t *query, uint16_t *bits_out) {
    __m512i pairs[4];
    for (int i = 0; i < 4; i++) {
        __m512i even = difference_lanes(row[2 * i], query, words), odd = difference_lanes(row[2 * i + 1], query, words);
        pairs[i] = add_pairs(even, odd);
    }
    __m512i sums = add_quarters(add_quarters(pairs[0], pairs[1]), add_quarters(pairs[2], pairs[3]));
    _mm_storeu_si128((__m128i *)bits_out, _mm512_cvtepi64_epi16(sums));
}

static inline __attribute__((always_inline)) void differences_of(const uint64_t *signs, size_t count, size_t words,
                                                                 const uint64_t *query, uint16_t *bits_out) {
    size_t i = 0;
    for (; i + 8 <= count; i += 8) {
        const uint64_t *row[8];
        for (size_t r = 0; r < 8; r++) row[r] = signs + (i + r) * words;
        differences_of_eight(row, words, query, bits_out + i);
    }
    for (; i < count; i++)
        bits_out[i] = (uint16_t)_mm512_reduce_add_epi64(difference_lanes(signs + i * words, query, words));
}

static void differences_avx512(const uint64_t *signs, size_t count, size_t words, const uint64_t *query,
                               uint16_t *bits_out) {
    if (words == 8) differences_of(signs, count, 8, query, bits_out); /* the query stays in a register */
    else differences_of(signs, count, words, query, bits_out);
}

static void differences_at_avx512(const uint64_t *signs, const uint32_t *index, size_t count, size_t words,
                                  const uint64_t *query, uint16_t *bits_out) {
    enum { AHEAD = 16 };
    size_t i = 0;
    for (; i + 8 <= count; i += 8) {
        const uint64_t *row[8];
        for (size_t r = 0; r < 8; r++) {
            row[r] = signs + index[i + r] * words;
            if (i + r + AHEAD < count) _mm_prefetch((const char *)(signs + index[i + r + AHEAD] * words), _MM_HINT_T0);
        }
        differences_of_eight(row, words, query, bits_out + i);
    }
    for (; i < count; i++)
        bits_out[i] = (uint16_t)_mm512_reduce_add_epi64(difference_lanes(signs + index[i] * words, query, words));
}

static size_t below_avx512(const uint16_t *values, size_t count, uint16_t limit, uint16_t *positions_out) {
    const __m512i limit_u16x32 = _mm512_set1_epi16((short)limit);
    size_t found = 0;
    for (size_t i = 0; i < count; i += 32) {
        __mmask32 there = count - i >= 32 ? 0xFFFFFFFFu : (1u << (count - i)) - 1;
        uint32_t bits = _mm512_mask_cmplt_epu16_mask(there, _mm512_maskz_loadu_epi16(there, values + i), limit_u16x32);
        for (; bits; bits &= bits - 1) positions_out[found++] = (uint16_t)(i + (size_t)__builtin_ctz(bits));
    }
    return found;
}

static nt_status quantize_avx512(const float *vector, size_t dimension, int8_t *codes_out) {
    const __m512i magnitude = _mm512_set1_epi32(0x7FFFFFFF);
    __m512i largest_u32x16 = _mm512_setzero_si512();
    for (size_t j = 0; j < dimension; j += 16)
        largest_u32x16 = _mm512_max_epu32(largest_u32x16, _mm512_and_si512(load(vector + j), magnitude));
    uint32_t largest_bits = _mm512_reduce_max_epu32(largest_u32x16);
    float largest;
    memcpy(&largest, &largest_bits, 4);
    if (largest_bits >= 0x7F800000u || largest < NT_MAGNITUDE_MIN) return NT_INVALID;
    const __m512 scale = _mm512_set1_ps(127.0f / largest);
    for (size_t j = 0; j < dimension; j += 16) {
        __m512i codes_i32x16 = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_loadu_ps(vector + j), scale));
        _mm_storeu_si128((__m128i *)(codes_out + j), _mm512_cvtepi32_epi8(codes_i32x16));
    }
    return NT_OK;
}

static void signs_avx512(const int8_t *codes, size_t dimension, uint64_t *signs_out) {
    for (size_t w = 0; w < dimension / 64; w++) signs_out[w] = _mm512_movepi8_mask(load(codes + 64 * w));
}

const nt_kernels nt_kernels_avx512 = {
    "avx512",           dot_avx512,            dot_biased_avx512, dots_avx512,     dots_at_avx512,
    differences_avx512, differences_at_avx512, below_avx512,      quantize_avx512, signs_avx512};
