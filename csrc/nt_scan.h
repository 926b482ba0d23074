/* nt_scan: exact nearest rows by scanning, over int8 codes, or over sign bits first and codes for the best of them.
 *
 * Distances are cosine (nt_cosine), results ascend by (distance, row): equal distances go to the lower row, so an answer
 * depends on nothing but the input. Rows whose distance is not below infinity (a NaN inverse norm) are never found.
 */
#ifndef NT_SCAN_H
#define NT_SCAN_H

#include <stddef.h>
#include <stdint.h>

#include "nt_near.h"
#include "nt_quant.h"
#include "nt_status.h"

typedef struct nt_vectors {
    const int8_t *codes; /* [count, dimension] */
    const float *inverse_norm;
    const uint64_t *signs; /* [count, dimension / 64], NULL where not needed */
    uint32_t count;
    uint32_t dimension;
} nt_vectors;

typedef struct nt_query {
    const int8_t *codes; /* [dimension], 64-byte aligned is fastest */
    const uint64_t *signs;
    float inverse_norm;
    int32_t bias; /* nt_bias_of(codes) */
} nt_query;

/* Which rows take part: those below `stop`, whose mask byte is not 0 (NULL: all), out of `rows` (NULL: all). Listed rows
 * must be below the count of vectors; each is visited as often as it is listed. */
typedef struct nt_choice {
    uint32_t stop;
    const uint8_t *mask;
    const uint32_t *rows;
    size_t row_count;
} nt_choice;

/* The k nearest rows into near_out[k]; *found_out <= k of them. Allocates nothing. */
void nt_scan(const nt_kernels *kernels, const nt_vectors *vectors, const nt_query *query, const nt_choice *choice,
             size_t k, nt_near *near_out, size_t *found_out);

/* Two stages: the `keep` rows with the fewest differing signs (ties to the lower row where rows ascend), then the k
 * nearest of those by codes. candidates: uint32[keep + NT_SCAN_SLACK], scratch. bits: uint16, as long, scratch. */
enum { NT_SCAN_SLACK = 4096 };
void nt_scan_signs(const nt_kernels *kernels, const nt_vectors *vectors, const nt_query *query, const nt_choice *choice,
                   size_t keep, uint32_t *candidates, uint16_t *bits, size_t k, nt_near *near_out, size_t *found_out);

/* Keep the first `keep` by (bits, order of arrival) out of `count` > keep; returns the bits that a later one must be
 * below. */
uint16_t nt_keep_fewest(uint32_t *candidates, uint16_t *bits, size_t count, size_t keep);

/* Distances of `count` rows, listed or (rows NULL) the first ones. */
void nt_scan_distances(const nt_kernels *kernels, const nt_vectors *vectors, const nt_query *query,
                       const uint32_t *rows, size_t count, float *distances_out);

#endif
