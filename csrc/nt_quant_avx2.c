/* AVX2. Codes are widened to 16 bits before they are multiplied: maddubs on 8 bits would need |code| <= 127. */
#include <immintrin.h>
#include <string.h>

#include "nt_quant.h"

static inline int32_t sum_lanes(__m256i sum_i32x8) {
    __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(sum_i32x8), _mm256_extracti128_si256(sum_i32x8, 1));
    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4E));
    return _mm_cvtsi128_si32(_mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xB1)));
}

static inline __m256i widen(const int8_t *codes) {
    return _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)codes));
}

static int32_t dot_avx2(const int8_t *a, const int8_t *b, size_t dimension) {
    __m256i sum_0 = _mm256_setzero_si256(), sum_1 = sum_0, sum_2 = sum_0, sum_3 = sum_0;
    for (size_t j = 0; j < dimension; j += 64) {
        sum_0 = _mm256_add_epi32(sum_0, _mm256_madd_epi16(widen(a + j), widen(b + j)));
        sum_1 = _mm256_add_epi32(sum_1, _mm256_madd_epi16(widen(a + j + 16), widen(b + j + 16)));
        sum_2 = _mm256_add_epi32(sum_2, _mm256_madd_epi16(widen(a + j + 32), widen(b + j + 32)));
        sum_3 = _mm256_add_epi32(sum_3, _mm256_madd_epi16(widen(a + j + 48), widen(b + j + 48)));
    }
    return sum_lanes(_mm256_add_epi32(_mm256_add_epi32(sum_0, sum_1), _mm256_add_epi32(sum_2, sum_3)));
}

static int32_t dot_biased_avx2(const int8_t *a, const int8_t *b, size_t dimension, int32_t bias) {
    (void)bias;
    return dot_avx2(a, b, dimension);
}

static void dots_avx2(const int8_t *rows, size_t count, size_t dimension, const int8_t *query, int32_t bias,
                        int32_t *dots_out) {
    (void)bias;
    for (size_t i = 0; i < count; i++) dots_out[i] = dot_avx2(rows + i * dimension, query, dimension);
}

static void dots_at_avx2(const int8_t *rows, const uint32_t *index, size_t count, size_t dimension,
                           const int8_t *query, int32_t bias, int32_t *dots_out) {
    (void)bias;
    enum { AHEAD = 4 };
    for (size_t i = 0; i < count; i++) {
        if (i + AHEAD < count)
            for (size_t j = 0; j < dimension; j += 64)
                _mm_prefetch(rows + index[i + AHEAD] * dimension + j, _MM_HINT_T0);
        dots_out[i] = dot_avx2(rows + index[i] * dimension, query, dimension);
    }
}

static inline uint16_t difference(const uint64_t *a, const uint64_t *b, size_t words) {
    uint64_t bits_0 = 0, bits_1 = 0;
    size_t w = 0;
    for (; w + 2 <= words; w += 2) {
        bits_0 += (uint64_t)_mm_popcnt_u64(a[w] ^ b[w]);
        bits_1 += (uint64_t)_mm_popcnt_u64(a[w + 1] ^ b[w + 1]);
    }
    if (w < words) bits_0 += (uint64_t)_mm_popcnt_u64(a[w] ^ b[w]);
    return (uint16_t)(bits_0 + bits_1);
}

static void differences_avx2(const uint64_t *signs, size_t count, size_t words, const uint64_t *query,
                             uint16_t *bits_out) {
    for (size_t i = 0; i < count; i++) bits_out[i] = difference(signs + i * words, query, words);
}

static void differences_at_avx2(const uint64_t *signs, const uint32_t *index, size_t count, size_t words,
                                const uint64_t *query, uint16_t *bits_out) {
    enum { AHEAD = 8 };
    for (size_t i = 0; i < count; i++) {
        if (i + AHEAD < count) _mm_prefetch((const char *)(signs + index[i + AHEAD] * words), _MM_HINT_T0);
        bits_out[i] = difference(signs + index[i] * words, query, words);
    }
}

static size_t below_avx2(const uint16_t *values, size_t count, uint16_t limit, uint16_t *positions_out) {
    if (limit == 0) return 0;
    const __m256i last = _mm256_set1_epi16((short)(limit - 1));
    size_t found = 0, i = 0;
    for (; i + 16 <= count; i += 16) {
        __m256i value = _mm256_loadu_si256((const __m256i *)(values + i));
        __m256i is_below = _mm256_cmpeq_epi16(_mm256_min_epu16(value, last), value);
        uint32_t bits = (uint32_t)_mm256_movemask_epi8(is_below) & 0x55555555u;
        for (; bits; bits &= bits - 1) positions_out[found++] = (uint16_t)(i + (size_t)__builtin_ctz(bits) / 2);
    }
    for (; i < count; i++)
        if (values[i] < limit) positions_out[found++] = (uint16_t)i;
    return found;
}

static inline __m256i rounded(const float *vector, __m256 scale) {
    return _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(vector), scale));
}

static nt_status quantize_avx2(const float *vector, size_t dimension, int8_t *codes_out) {
    const __m256i magnitude = _mm256_set1_epi32(0x7FFFFFFF);
    __m256i largest_u32x8 = _mm256_setzero_si256();
    for (size_t j = 0; j < dimension; j += 8) {
        __m256i bits = _mm256_and_si256(_mm256_loadu_si256((const __m256i *)(vector + j)), magnitude);
        largest_u32x8 = _mm256_max_epu32(largest_u32x8, bits);
    }
    uint32_t lanes[8], largest_bits = 0;
    _mm256_storeu_si256((__m256i *)lanes, largest_u32x8);
    for (int i = 0; i < 8; i++) largest_bits = lanes[i] > largest_bits ? lanes[i] : largest_bits;
    float largest;
    memcpy(&largest, &largest_bits, 4);
    if (largest_bits >= 0x7F800000u || largest < NT_MAGNITUDE_MIN) return NT_INVALID;
    const __m256 scale = _mm256_set1_ps(127.0f / largest);
    const __m256i in_order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7); /* packs work within halves */
    for (size_t j = 0; j < dimension; j += 32) {
        __m256i low = _mm256_packs_epi32(rounded(vector + j, scale), rounded(vector + j + 8, scale));
        __m256i high = _mm256_packs_epi32(rounded(vector + j + 16, scale), rounded(vector + j + 24, scale));
        __m256i codes = _mm256_permutevar8x32_epi32(_mm256_packs_epi16(low, high), in_order);
        _mm256_storeu_si256((__m256i *)(codes_out + j), codes);
    }
    return NT_OK;
}

static void signs_avx2(const int8_t *codes, size_t dimension, uint64_t *signs_out) {
    for (size_t w = 0; w < dimension / 64; w++) {
        __m256i low = _mm256_loadu_si256((const __m256i *)(codes + 64 * w));
        __m256i high = _mm256_loadu_si256((const __m256i *)(codes + 64 * w + 32));
        signs_out[w] = (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32 | (uint32_t)_mm256_movemask_epi8(low);
    }
}

const nt_kernels nt_kernels_avx2 = {"avx2",           dot_avx2,            dot_biased_avx2, dots_avx2,     dots_at_avx2,
                                    differences_avx2, differences_at_avx2, below_avx2,      quantize_avx2, signs_avx2};
