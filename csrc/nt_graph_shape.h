/* What nt_graph.c and nt_graph_file.c share. */
#ifndef NT_GRAPH_SHAPE_H
#define NT_GRAPH_SHAPE_H

#include <pthread.h>

#include "nt_graph.h"

typedef struct nt_graph_context nt_graph_context;

struct nt_graph {
    uint32_t count, dimension, connectivity, width, level_count, entry;
    uint32_t *block; /* base links first */
    size_t block_bytes;
    nt_graph_level levels[NT_GRAPH_LEVELS_MAX];
    void *mapping; /* of the file, or NULL where block is ours */
    size_t mapping_bytes;
    pthread_mutex_t lock;
    nt_graph_context *idle; /* contexts that no search is using */
};

/* The same as nt_graph_new without a block, for one that is read or mapped; block_bytes is set. */
nt_graph *nt_graph_shaped(uint32_t count, uint32_t dimension, uint32_t connectivity, uint32_t level_count,
                          const uint32_t *level_sizes, uint32_t entry);
void nt_graph_lay(nt_graph *graph, uint32_t *block);

#endif
