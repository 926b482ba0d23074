/* nt_cells: rows in cells around centres, searched by the signs of the cells nearest to a query, then by codes.
 *
 * Between a scan of all signs and a graph: a hundred times faster to make than a graph, and a search reads a twentieth
 * of the signs. Rows stand in the order of their cells, ascending within each, so that the signs of a cell lie side by
 * side and "rows below stop" needs no other order. Everything is integers until the last distances: any kernels give
 * the same cells and the same answers.
 */
#ifndef NT_CELLS_H
#define NT_CELLS_H

#include <stddef.h>
#include <stdint.h>

#include "nt_near.h"
#include "nt_quant.h"
#include "nt_scan.h"

typedef struct nt_cells {
    nt_vectors centres;    /* one a cell; count >= 1 */
    const uint32_t *start; /* [centres.count + 1]: where each cell begins in `order` */
    const uint32_t *order; /* every row once */
    const uint64_t *signs; /* [rows, dimension / 64], of order[i] at i */
} nt_cells;

/* cells_out[i] = the centre nearest to row rows[i], or to row i where `rows` is NULL; the lower of two as near.
 * About 8 ns a row and centre of 512. dots: int32[centres->count], scratch. */
void nt_cells_assign(const nt_kernels *kernels, const nt_vectors *centres, const nt_vectors *vectors,
                     const uint32_t *rows, size_t count, int32_t *dots, uint32_t *cells_out);

/* sums[cells[i]][j] += code j of row rows[i]; exact. */
void nt_cells_sum(const nt_vectors *vectors, const uint32_t *rows, size_t count, const uint32_t *cells,
                  int32_t *sums);

/* The k nearest rows of the cells nearest to the query: whole cells until `probe` rows of the choice were looked at (so
 * rows far from the query are found where a filter lets none nearer pass), of which the `keep` with the fewest differing
 * signs are compared by codes. choice: stop and mask (a list of rows is not allowed). Scratch:
 * nearest_cells[centres.count + 1], candidates and bits as nt_scan_signs. Returns how many rows of the choice it saw. */
size_t nt_scan_cells(const nt_kernels *kernels, const nt_cells *cells, const nt_vectors *vectors, const nt_query *query,
                     const nt_choice *choice, size_t probe, size_t keep, nt_near *nearest_cells, uint32_t *candidates,
                     uint16_t *bits, size_t k, nt_near *near_out, size_t *found_out);

#endif
