#include "nt_scan.h"

#include <math.h>
#include <string.h>

enum { BLOCK = 512 };

_Static_assert(NT_SCAN_SLACK >= 2 * BLOCK, "a block fits beyond what is kept");

/* ---- choice of rows, one block at a time ---- */

typedef struct walk {
    const nt_choice *choice;
    size_t next, end; /* rows, or places in the list */
} walk;

typedef struct block {
    size_t count;
    uint32_t first;        /* of consecutive rows, where index is NULL */
    const uint32_t *index; /* the rows, or NULL */
    uint32_t own[BLOCK];
} block;

static walk walk_over(const nt_vectors *vectors, const nt_choice *choice) {
    size_t stop = choice->stop < vectors->count ? choice->stop : vectors->count;
    return (walk){choice, 0, choice->rows != NULL ? choice->row_count : stop};
}

static uint32_t row_of(const block *block, size_t i) {
    return block->index != NULL ? block->index[i] : block->first + (uint32_t)i;
}

/* The next rows that take part; 0 at the end. */
static int next_block(walk *walk, block *block) {
    const nt_choice *choice = walk->choice;
    while (walk->next < walk->end) {
        size_t from = walk->next, count = walk->end - from < BLOCK ? walk->end - from : BLOCK, taken = 0;
        walk->next = from + count;
        block->index = choice->rows != NULL ? choice->rows + from : NULL;
        block->first = (uint32_t)from;
        block->count = count;
        if (choice->mask == NULL && choice->rows == NULL) return 1;
        for (size_t i = 0; i < count; i++) {
            uint32_t row = row_of(block, i);
            block->own[taken] = row;
            taken += row < choice->stop && (choice->mask == NULL || choice->mask[row] != 0);
        }
        if (taken == 0) continue;
        if (taken < count) block->index = block->own;
        block->count = taken;
        return 1;
    }
    return 0;
}

static void block_dots(const nt_kernels *kernels, const nt_vectors *vectors, const nt_query *query, const block *block,
                       int32_t *dots_out) {
    const int8_t *codes = vectors->codes;
    size_t dimension = vectors->dimension, count = block->count;
    if (block->index != NULL)
        kernels->dots_at(codes, block->index, count, dimension, query->codes, query->bias, dots_out);
    else
        kernels->dots(codes + block->first * dimension, count, dimension, query->codes, query->bias, dots_out);
}

/* ---- the k nearest so far: a heap with the farthest on top ---- */

typedef struct heap {
    nt_near *near;
    size_t count, capacity;
    float bound; /* a distance above it cannot enter */
} heap;

static void heap_offer(heap *heap, float distance, uint32_t row) {
    nt_near value = {distance, row};
    if (heap->count < heap->capacity) {
        if (distance < INFINITY) nt_farthest_push(heap->near, heap->count++, value);
    } else if (nt_nearer(value, heap->near[0])) {
        nt_farthest_sift(heap->near, heap->count, 0, value);
    }
    if (heap->count == heap->capacity) heap->bound = heap->near[0].distance;
}

void nt_scan(const nt_kernels *kernels, const nt_vectors *vectors, const nt_query *query, const nt_choice *choice,
             size_t k, nt_near *near_out, size_t *found_out) {
    heap nearest = {near_out, 0, k, INFINITY};
    walk rows = walk_over(vectors, choice);
    block block;
    int32_t dots[BLOCK];
    while (k > 0 && next_block(&rows, &block)) {
        block_dots(kernels, vectors, query, &block, dots);
        for (size_t i = 0; i < block.count; i++) {
            uint32_t row = row_of(&block, i);
            float distance = nt_cosine(dots[i], vectors->inverse_norm[row], query->inverse_norm);
            if (distance <= nearest.bound) heap_offer(&nearest, distance, row);
        }
    }
    nt_farthest_sort(near_out, nearest.count);
    *found_out = nearest.count;
}

void nt_scan_distances(const nt_kernels *kernels, const nt_vectors *vectors, const nt_query *query,
                       const uint32_t *rows, size_t count, float *distances_out) {
    nt_choice all = {UINT32_MAX, NULL, rows, count};
    walk walk = {&all, 0, count};
    block block;
    int32_t dots[BLOCK];
    while (next_block(&walk, &block)) {
        block_dots(kernels, vectors, query, &block, dots);
        for (size_t i = 0; i < block.count; i++)
            *distances_out++ = nt_cosine(dots[i], vectors->inverse_norm[row_of(&block, i)], query->inverse_norm);
    }
}

uint16_t nt_keep_fewest(uint32_t *candidates, uint16_t *bits, size_t count, size_t keep) {
    uint32_t histogram[NT_DIMENSION_MAX + 1];
    memset(histogram, 0, sizeof histogram);
    for (size_t i = 0; i < count; i++) histogram[bits[i]]++;
    size_t below = 0, limit = 0;
    while (below + histogram[limit] < keep) below += histogram[limit++];
    size_t kept = 0, at_limit = keep - below;
    for (size_t i = 0; i < count; i++) {
        int take = bits[i] < limit || (bits[i] == limit && at_limit > 0);
        at_limit -= take && bits[i] == limit;
        candidates[kept] = candidates[i];
        bits[kept] = bits[i];
        kept += (size_t)take;
    }
    return (uint16_t)limit;
}

static size_t collect(const nt_kernels *kernels, const nt_vectors *vectors, const nt_query *query,
                      const nt_choice *choice, size_t keep, uint32_t *candidates, uint16_t *bits) {
    const size_t words = vectors->dimension / 64;
    walk rows = walk_over(vectors, choice);
    block block;
    uint16_t differing[BLOCK], positions[BLOCK];
    uint16_t limit = NT_DIMENSION_MAX + 1;
    size_t count = 0;
    while (next_block(&rows, &block)) {
        const uint64_t *signs = vectors->signs;
        if (block.index != NULL)
            kernels->differences_at(signs, block.index, block.count, words, query->signs, differing);
        else
            kernels->differences(signs + block.first * words, block.count, words, query->signs, differing);
        size_t found = kernels->below(differing, block.count, limit, positions);
        for (size_t i = 0; i < found; i++) {
            candidates[count] = row_of(&block, positions[i]);
            bits[count++] = differing[positions[i]];
        }
        if (count > keep + NT_SCAN_SLACK - BLOCK) {
            limit = nt_keep_fewest(candidates, bits, count, keep);
            count = keep;
        }
    }
    if (count > keep) {
        nt_keep_fewest(candidates, bits, count, keep);
        count = keep;
    }
    return count;
}

void nt_scan_signs(const nt_kernels *kernels, const nt_vectors *vectors, const nt_query *query, const nt_choice *choice,
                   size_t keep, uint32_t *candidates, uint16_t *bits, size_t k, nt_near *near_out, size_t *found_out) {
    size_t count = collect(kernels, vectors, query, choice, keep, candidates, bits);
    nt_choice best = {UINT32_MAX, NULL, candidates, count};
    nt_scan(kernels, vectors, query, &best, k, near_out, found_out);
}
