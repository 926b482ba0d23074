#include "nt_project.h"

#include <math.h>
#include <string.h>

#include "nt_math.h"

enum {
    LANES = 16, /* partial sums of a norm: part of the definition, not of the machine */
    BLOCK = 64, /* outputs kept in registers; a block of the map (features x 64 floats) stays in the first cache */
    ROWS = 64,  /* rows between which a block of the map is reused */
};

/* sums[i][d] += row[i] . map[.][d] for `n` rows; each sum runs over the features in their order. */
static void accumulate(const float *rows, int64_t n, int64_t features, const float *map, int64_t count, float *sums,
                       int64_t stride) {
    int64_t first = 0;
    for (; first + BLOCK <= count; first += BLOCK) {
        for (int64_t i = 0; i < n; i++) {
            const float *row = rows + i * features;
            float *target = sums + i * stride + first;
            float part[BLOCK];
            for (int k = 0; k < BLOCK; k++) part[k] = target[k];
            for (int64_t f = 0; f < features; f++) {
                const float *weights = map + f * count + first;
                for (int k = 0; k < BLOCK; k++) part[k] += row[f] * weights[k];
            }
            for (int k = 0; k < BLOCK; k++) target[k] = part[k];
        }
    }
    for (int64_t i = 0; i < n; i++)
        for (int64_t f = 0; f < features; f++)
            for (int64_t d = first; d < count; d++) sums[i * stride + d] += rows[i * features + f] * map[f * count + d];
}

static float unit_scale(const float *row, int64_t dimension) {
    float lanes[LANES] = {0};
    for (int64_t d = 0; d < dimension; d += LANES)
        for (int64_t k = 0; k < LANES; k++) lanes[k] += row[d + k] * row[d + k];
    double total = 0.0;
    for (int64_t k = 0; k < LANES; k++) total += (double)lanes[k];
    return total > 0.0 ? (float)(1.0 / sqrt(total)) : 0.0f;
}

void nt_unit_rows(float *rows, int64_t n, int64_t dimension) {
    for (int64_t i = 0; i < n; i++) {
        float *row = rows + i * dimension;
        const float scale = unit_scale(row, dimension);
        for (int64_t d = 0; d < dimension; d++) row[d] *= scale;
    }
}

void nt_project_rows(const float *rows, int64_t n, int64_t features, const float *linear, int64_t linear_count,
                     const float *turns, const float *phase, int64_t cosine_count, float gain, float *out) {
    const int64_t dimension = linear_count + cosine_count;
    for (int64_t first = 0; first < n; first += ROWS) {
        const int64_t m = n - first < ROWS ? n - first : ROWS;
        const float *block = rows + first * features;
        float *target = out + first * dimension;
        for (int64_t i = 0; i < m; i++) {
            memset(target + i * dimension, 0, (size_t)linear_count * sizeof(float));
            memcpy(target + i * dimension + linear_count, phase, (size_t)cosine_count * sizeof(float));
        }
        accumulate(block, m, features, linear, linear_count, target, dimension);
        accumulate(block, m, features, turns, cosine_count, target + linear_count, dimension);
        for (int64_t i = 0; i < m; i++) {
            float *cosines = target + i * dimension + linear_count;
            for (int64_t d = 0; d < cosine_count; d++) cosines[d] = gain * nt_cos_turns(cosines[d]);
        }
        nt_unit_rows(target, m, dimension);
    }
}
