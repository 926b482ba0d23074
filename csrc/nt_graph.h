/* nt_graph: an HNSW graph (Malkov and Yashunin 2018) laid flat: searched, saved and loaded here, built by nt_hnsw.
 *
 * Immutable, so any number of threads may search it. Vectors stay outside, in the caller's memory: row r of the codes is
 * node r. One block of uint32 holds everything, in memory as on disk:
 *
 *   links[count][width]                          neighbours on the base level, NT_GRAPH_NONE after the last
 *   for each upper level: rows[n]                the nodes of that level, as rows
 *                         below[n]               their places on the level below (on the lowest: rows)
 *                         links[n][connectivity] neighbours, as places on this level, NT_GRAPH_NONE after the last
 *
 * width is 2 x connectivity, the usual M0. With connectivity 16 a node's base links fill two cache lines exactly.
 *
 * A file is a header of NT_GRAPH_HEADER_BYTES, checksummed with CRC32C, then the block, checksummed too. It carries the
 * checksum of the vectors it was built on. A loaded graph is checked link by link, so that no file can lead a search
 * out of bounds.
 */
#ifndef NT_GRAPH_H
#define NT_GRAPH_H

#include <stddef.h>
#include <stdint.h>

#include "nt_io.h"
#include "nt_near.h"
#include "nt_quant.h"
#include "nt_scan.h"
#include "nt_status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    NT_GRAPH_VERSION = 1,
    NT_GRAPH_HEADER_BYTES = 4096,
    NT_GRAPH_LEVELS_MAX = 32,
    NT_GRAPH_CONNECTIVITY_MAX = 256,
};
#define NT_GRAPH_NONE 0xFFFFFFFFu

typedef struct nt_graph_level {
    uint32_t count;
    uint32_t *rows;
    uint32_t *below;
    uint32_t *links;
} nt_graph_level;

typedef struct nt_graph nt_graph;

/* What a search found out about itself. */
typedef struct nt_graph_report {
    size_t found;
    size_t visited; /* nodes whose distance was taken on the base level */
    int complete;   /* 0: the visit budget ended it early */
} nt_graph_report;

/* An empty graph of the given shape for nt_hnsw to fill; links are all NT_GRAPH_NONE. entry: a place on the highest
 * level, or a row where there are no upper levels. NULL: no memory. */
nt_graph *nt_graph_new(uint32_t count, uint32_t dimension, uint32_t connectivity, uint32_t level_count,
                       const uint32_t *level_sizes, uint32_t entry);
uint32_t *nt_graph_base_links(nt_graph *graph, uint32_t row);
nt_graph_level *nt_graph_level_at(nt_graph *graph, uint32_t level); /* 1 .. level_count */
void nt_graph_free(nt_graph *graph);                               /* safe on NULL */

uint32_t nt_graph_count(const nt_graph *graph);
uint32_t nt_graph_dimension(const nt_graph *graph);
uint32_t nt_graph_connectivity(const nt_graph *graph);
size_t nt_graph_bytes(const nt_graph *graph);

/* The k nearest rows found, ascending, with `expansion` (>= k is used) as the width of the beam. Rows must pass `choice`
 * (its stop and mask; a list of rows is not allowed) but lead on even where they do not. visit_budget 0: none.
 * NT_OK *report_out; near_out[k]. NT_NO_MEMORY. */
nt_status nt_graph_search(const nt_graph *graph, const nt_kernels *kernels, const nt_vectors *vectors,
                          const nt_query *query, const nt_choice *choice, size_t k, size_t expansion,
                          size_t visit_budget, nt_near *near_out, nt_graph_report *report_out);

/* Checksum that ties a graph to its vectors. */
uint32_t nt_graph_vectors_crc(const nt_vectors *vectors);

/* Durably: temporary file, sync, rename, folder sync. NT_IO errno kept. */
nt_status nt_graph_save(const nt_graph *graph, uint32_t vectors_crc, const nt_io *io, const char *path);

/* Read, or (mapped) map read-only, the graph at `path`. With `mapped` the file must not change while in use.
 * NT_INVALID  not a graph file.   NT_TOO_NEW   NT_CORRUPT   NT_IO errno kept   NT_NO_MEMORY. */
nt_status nt_graph_load(const nt_io *io, const char *path, int mapped, nt_graph **graph_out,
                        uint32_t *vectors_crc_out);

#ifdef __cplusplus
}
#endif
#endif
