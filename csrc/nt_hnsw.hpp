/* nt_hnsw: builds an nt_graph with USearch's index_gt (2.26, Apache-2.0), over vectors that stay the caller's.
 *
 * One thread adds rows in ascending order and levels come from a fixed seed, so equal vectors give equal graphs, bit for
 * bit, whatever the kernels. (Concurrent adds strand nodes, unum-cloud/usearch issue 735.) USearch's own search, file
 * and visited set are not used: nt_graph lays the links flat, batches distances, stops at a visit budget, and checks
 * its file.
 */
#ifndef NT_HNSW_HPP
#define NT_HNSW_HPP

#include "nt_graph.h"
#include "nt_quant.h"
#include "nt_scan.h"
#include "nt_status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nt_hnsw_builder nt_hnsw_builder;

/* Start a graph of vectors->count rows; borrows the vectors until the builder is freed.
 * NT_INVALID  connectivity outside 2..NT_GRAPH_CONNECTIVITY_MAX.   NT_NO_MEMORY. */
nt_status nt_hnsw_begin(const nt_kernels *kernels, const nt_vectors *vectors, uint32_t connectivity, uint32_t expansion,
                        nt_hnsw_builder **builder_out);

/* Add the next rows, up to row `stop`. NT_NO_MEMORY: only nt_hnsw_free may follow. */
nt_status nt_hnsw_add(nt_hnsw_builder *builder, uint32_t stop);

/* Lay flat what was built; all rows must have been added. */
nt_status nt_hnsw_finish(nt_hnsw_builder *builder, nt_graph **graph_out);

void nt_hnsw_free(nt_hnsw_builder *builder); /* safe on NULL */

#ifdef __cplusplus
}
#endif
#endif
