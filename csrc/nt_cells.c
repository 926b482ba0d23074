#include "nt_cells.h"

enum { BLOCK = 512 };

void nt_cells_assign(const nt_kernels *kernels, const nt_vectors *centres, const nt_vectors *vectors,
                     const uint32_t *rows, size_t count, int32_t *dots, uint32_t *cells_out) {
    size_t dimension = vectors->dimension;
    for (size_t i = 0; i < count; i++) {
        const int8_t *row = vectors->codes + (rows != NULL ? rows[i] : i) * dimension;
        kernels->dots(centres->codes, centres->count, dimension, row, nt_bias_of(row, dimension), dots);
        /* The row's own length is the same for every centre: the largest dot over a centre's length is the nearest. */
        uint32_t nearest = 0;
        float largest = (float)dots[0] * centres->inverse_norm[0];
        for (uint32_t c = 1; c < centres->count; c++) {
            float along = (float)dots[c] * centres->inverse_norm[c];
            if (along > largest) {
                largest = along;
                nearest = c;
            }
        }
        cells_out[i] = nearest;
    }
}

void nt_cells_sum(const nt_vectors *vectors, const uint32_t *rows, size_t count, const uint32_t *cells,
                  int32_t *sums) {
    size_t dimension = vectors->dimension;
    for (size_t i = 0; i < count; i++) {
        const int8_t *row = vectors->codes + (size_t)rows[i] * dimension;
        int32_t *sum = sums + (size_t)cells[i] * dimension;
        for (size_t j = 0; j < dimension; j++) sum[j] += row[j];
    }
}

/* What is kept of the rows looked at so far: those with the fewest differing bits. */
typedef struct kept {
    uint32_t *candidates;
    uint16_t *bits;
    size_t count, keep;
    uint16_t limit; /* more bits than this are too many */
} kept;

static void shrink(kept *kept) {
    kept->limit = nt_keep_fewest(kept->candidates, kept->bits, kept->count, kept->keep);
    kept->count = kept->keep;
}

static int admitted(const nt_choice *choice, uint32_t row) {
    return row < choice->stop && (choice->mask == NULL || choice->mask[row] != 0);
}

/* Rows of a cell that the choice admits. */
static size_t admitted_in(const nt_cells *cells, uint32_t cell, const nt_vectors *vectors, const nt_choice *choice) {
    size_t from = cells->start[cell], end = cells->start[cell + 1], count = 0;
    if (choice->mask == NULL && choice->stop >= vectors->count) return end - from;
    for (size_t at = from; at < end; at++) count += (size_t)admitted(choice, cells->order[at]);
    return count;
}

static void scan_cell(const nt_kernels *kernels, const nt_cells *cells, uint32_t cell, const nt_query *query,
                      const nt_choice *choice, kept *kept) {
    const size_t words = cells->centres.dimension / 64;
    uint16_t differing[BLOCK], positions[BLOCK];
    for (size_t at = cells->start[cell], end = cells->start[cell + 1]; at < end; at += BLOCK) {
        size_t count = end - at < BLOCK ? end - at : BLOCK;
        kernels->differences(cells->signs + at * words, count, words, query->signs, differing);
        size_t found = kernels->below(differing, count, kept->limit, positions);
        for (size_t i = 0; i < found; i++) {
            uint32_t row = cells->order[at + positions[i]];
            kept->candidates[kept->count] = row;
            kept->bits[kept->count] = differing[positions[i]];
            kept->count += (size_t)admitted(choice, row);
        }
        if (kept->count > kept->keep + NT_SCAN_SLACK - 2 * BLOCK) shrink(kept);
    }
}

size_t nt_scan_cells(const nt_kernels *kernels, const nt_cells *cells, const nt_vectors *vectors, const nt_query *query,
                     const nt_choice *choice, size_t probe, size_t keep, nt_near *nearest_cells, uint32_t *candidates,
                     uint16_t *bits, size_t k, nt_near *near_out, size_t *found_out) {
    const nt_vectors *centres = &cells->centres;
    int32_t dots[BLOCK];
    size_t left = 0, looked = 0;
    for (uint32_t from = 0; from < centres->count; from += BLOCK) {
        size_t count = centres->count - from < BLOCK ? centres->count - from : BLOCK;
        kernels->dots(centres->codes + (size_t)from * centres->dimension, count, centres->dimension, query->codes,
                      query->bias, dots);
        for (uint32_t c = from; c < from + count; c++) {
            if (cells->start[c] == cells->start[c + 1]) continue;
            nt_near cell = {nt_cosine(dots[c - from], centres->inverse_norm[c], query->inverse_norm), c};
            nt_nearest_push(nearest_cells, left++, cell);
        }
    }
    kept kept = {candidates, bits, 0, keep, NT_DIMENSION_MAX + 1};
    while (left > 0 && looked < probe) {
        uint32_t cell = nt_nearest_pop(nearest_cells, left--).row;
        size_t count = admitted_in(cells, cell, vectors, choice);
        looked += count;
        if (count > 0) scan_cell(kernels, cells, cell, query, choice, &kept);
    }
    if (kept.count > keep) shrink(&kept);
    nt_choice best = {UINT32_MAX, NULL, candidates, kept.count};
    nt_scan(kernels, vectors, query, &best, k, near_out, found_out);
    return looked;
}
