#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "nt_graph_shape.h"

struct nt_graph_context {
    nt_graph_context *next;
    uint64_t *visited; /* a bit for each node; all zero between searches */
    uint32_t *touched; /* nodes whose bit is set, up to touched_capacity of them */
    size_t touched_capacity;
    nt_near *frontier, *nearest;
    size_t frontier_capacity, nearest_capacity;
};

/* ---- shape ---- */

nt_graph *nt_graph_shaped(uint32_t count, uint32_t dimension, uint32_t connectivity, uint32_t level_count,
                          const uint32_t *level_sizes, uint32_t entry) {
    nt_graph *graph = calloc(1, sizeof *graph);
    if (graph == NULL) return NULL;
    graph->count = count;
    graph->dimension = dimension;
    graph->connectivity = connectivity;
    graph->width = 2 * connectivity;
    graph->level_count = level_count;
    graph->entry = entry;
    size_t words = (size_t)count * graph->width;
    for (uint32_t i = 0; i < level_count; i++) {
        graph->levels[i].count = level_sizes[i];
        words += (size_t)level_sizes[i] * (2 + connectivity);
    }
    graph->block_bytes = 4 * words;
    pthread_mutex_init(&graph->lock, NULL);
    return graph;
}

void nt_graph_lay(nt_graph *graph, uint32_t *block) {
    graph->block = block;
    uint32_t *at = block + (size_t)graph->count * graph->width;
    for (uint32_t i = 0; i < graph->level_count; i++) {
        nt_graph_level *level = &graph->levels[i];
        level->rows = at;
        level->below = level->rows + level->count;
        level->links = level->below + level->count;
        at = level->links + (size_t)level->count * graph->connectivity;
    }
}

nt_graph *nt_graph_new(uint32_t count, uint32_t dimension, uint32_t connectivity, uint32_t level_count,
                       const uint32_t *level_sizes, uint32_t entry) {
    nt_graph *graph = nt_graph_shaped(count, dimension, connectivity, level_count, level_sizes, entry);
    if (graph == NULL) return NULL;
    uint32_t *block = aligned_alloc(64, (graph->block_bytes + 64) & ~(size_t)63);
    if (block == NULL) {
        nt_graph_free(graph);
        return NULL;
    }
    memset(block, 0xFF, graph->block_bytes);
    nt_graph_lay(graph, block);
    return graph;
}

uint32_t *nt_graph_base_links(nt_graph *graph, uint32_t row) { return graph->block + (size_t)row * graph->width; }

nt_graph_level *nt_graph_level_at(nt_graph *graph, uint32_t level) { return &graph->levels[level - 1]; }

static void context_free(nt_graph_context *context) {
    free(context->visited);
    free(context->touched);
    free(context->frontier);
    free(context->nearest);
    free(context);
}

void nt_graph_free(nt_graph *graph) {
    if (graph == NULL) return;
    for (nt_graph_context *context = graph->idle, *next; context != NULL; context = next) {
        next = context->next;
        context_free(context);
    }
    pthread_mutex_destroy(&graph->lock);
    if (graph->mapping != NULL) munmap(graph->mapping, graph->mapping_bytes);
    else free(graph->block);
    free(graph);
}

uint32_t nt_graph_count(const nt_graph *graph) { return graph->count; }
uint32_t nt_graph_dimension(const nt_graph *graph) { return graph->dimension; }
uint32_t nt_graph_connectivity(const nt_graph *graph) { return graph->connectivity; }
size_t nt_graph_bytes(const nt_graph *graph) { return sizeof *graph + graph->block_bytes; }

/* ---- contexts: one for each search under way, kept for the next ---- */

static nt_graph_context *context_make(const nt_graph *graph) {
    nt_graph_context *context = calloc(1, sizeof *context);
    if (context == NULL) return NULL;
    /* Beyond this many visits, clearing all bits is cheaper than one by one. */
    context->touched_capacity = graph->count / 64 + 1;
    context->visited = calloc((size_t)graph->count / 64 + 1, 8);
    context->touched = malloc(context->touched_capacity * sizeof *context->touched);
    if (context->visited == NULL || context->touched == NULL) {
        context_free(context);
        return NULL;
    }
    return context;
}

static nt_graph_context *context_take(nt_graph *graph) {
    pthread_mutex_lock(&graph->lock);
    nt_graph_context *context = graph->idle;
    if (context != NULL) graph->idle = context->next;
    pthread_mutex_unlock(&graph->lock);
    return context != NULL ? context : context_make(graph);
}

static void context_give(nt_graph *graph, nt_graph_context *context, size_t visited) {
    if (visited > context->touched_capacity) memset(context->visited, 0, ((size_t)graph->count / 64 + 1) * 8);
    else
        for (size_t i = 0; i < visited; i++) context->visited[context->touched[i] / 64] = 0;
    pthread_mutex_lock(&graph->lock);
    context->next = graph->idle;
    graph->idle = context;
    pthread_mutex_unlock(&graph->lock);
}

static int grow(nt_near **near, size_t *capacity, size_t wanted) {
    if (wanted <= *capacity) return 1;
    size_t bigger = wanted > 2 * *capacity ? wanted : 2 * *capacity;
    nt_near *grown = realloc(*near, bigger * sizeof **near);
    if (grown == NULL) return 0;
    *near = grown;
    *capacity = bigger;
    return 1;
}

/* ---- search ---- */

typedef struct search {
    const nt_graph *graph;
    const nt_kernels *kernels;
    const nt_vectors *vectors;
    const nt_query *query;
    const nt_choice *choice;
    nt_graph_context *context;
    size_t expansion, visited, frontier_count, nearest_count;
} search;

static float distance_to(const search *search, uint32_t row) {
    size_t dimension = search->vectors->dimension;
    int32_t dot = search->kernels->dot_biased(search->vectors->codes + row * dimension, search->query->codes, dimension,
                                              search->query->bias);
    return nt_cosine(dot, search->vectors->inverse_norm[row], search->query->inverse_norm);
}

static void distances_to(const search *search, const uint32_t *rows, size_t count, float *distances_out) {
    int32_t dots[2 * NT_GRAPH_CONNECTIVITY_MAX];
    search->kernels->dots_at(search->vectors->codes, rows, count, search->vectors->dimension, search->query->codes,
                             search->query->bias, dots);
    for (size_t i = 0; i < count; i++)
        distances_out[i] = nt_cosine(dots[i], search->vectors->inverse_norm[rows[i]], search->query->inverse_norm);
}

/* Walk down the upper levels, each time to the nearest neighbour; returns the row to start from on the base level. */
static uint32_t descend(const search *search) {
    const nt_graph *graph = search->graph;
    uint32_t place = graph->entry;
    if (graph->level_count == 0) return place;
    float nearest = distance_to(search, graph->levels[graph->level_count - 1].rows[place]);
    for (uint32_t i = graph->level_count; i-- > 0;) {
        const nt_graph_level *level = &graph->levels[i];
        for (uint32_t from = NT_GRAPH_NONE; from != place;) {
            const uint32_t *links = level->links + (size_t)(from = place) * graph->connectivity;
            uint32_t rows[NT_GRAPH_CONNECTIVITY_MAX];
            float distances[NT_GRAPH_CONNECTIVITY_MAX];
            size_t count = 0;
            for (; count < graph->connectivity && links[count] != NT_GRAPH_NONE; count++)
                rows[count] = level->rows[links[count]];
            distances_to(search, rows, count, distances);
            for (size_t j = 0; j < count; j++)
                if (distances[j] < nearest) {
                    nearest = distances[j];
                    place = links[j];
                }
        }
        place = level->below[place];
    }
    return place;
}

static int first_visit(search *search, uint32_t row) {
    nt_graph_context *context = search->context;
    uint64_t *word = &context->visited[row / 64], bit = (uint64_t)1 << (row % 64);
    if (*word & bit) return 0;
    *word |= bit;
    if (search->visited < context->touched_capacity) context->touched[search->visited] = row;
    search->visited++;
    return 1;
}

static int admitted(const nt_choice *choice, uint32_t row) {
    return row < choice->stop && (choice->mask == NULL || choice->mask[row] != 0);
}

/* A node whose distance is known: worth following? worth keeping? */
static void meet(search *search, uint32_t row, float distance) {
    nt_graph_context *context = search->context;
    nt_near value = {distance, row};
    int full = search->nearest_count == search->expansion;
    if (full && !nt_nearer(value, context->nearest[0])) return;
    nt_nearest_push(context->frontier, search->frontier_count++, value);
    if (!admitted(search->choice, row)) return;
    if (full) nt_farthest_sift(context->nearest, search->nearest_count, 0, value);
    else nt_farthest_push(context->nearest, search->nearest_count++, value);
}

/* The unvisited neighbours of `row` on the base level; their vectors and norms are on their way to the cache. */
static size_t unvisited(search *search, uint32_t row, uint32_t *rows_out) {
    const nt_graph *graph = search->graph;
    const uint32_t *links = graph->block + (size_t)row * graph->width;
    const nt_vectors *vectors = search->vectors;
    size_t count = 0;
    for (uint32_t i = 0; i < graph->width && links[i] != NT_GRAPH_NONE; i++) {
        if (!first_visit(search, links[i])) continue;
        rows_out[count++] = links[i];
        __builtin_prefetch(vectors->codes + (size_t)links[i] * vectors->dimension);
        __builtin_prefetch(vectors->inverse_norm + links[i]);
    }
    return count;
}

static nt_status walk(search *search, uint32_t start, size_t visit_budget, int *complete_out) {
    nt_graph_context *context = search->context;
    const nt_graph *graph = search->graph;
    uint32_t rows[2 * NT_GRAPH_CONNECTIVITY_MAX];
    float distances[2 * NT_GRAPH_CONNECTIVITY_MAX];
    first_visit(search, start);
    if (!grow(&context->frontier, &context->frontier_capacity, graph->width + 1)) return NT_NO_MEMORY;
    meet(search, start, distance_to(search, start));
    while (search->frontier_count > 0) {
        nt_near next = nt_nearest_pop(context->frontier, search->frontier_count--);
        if (search->nearest_count == search->expansion && nt_nearer(context->nearest[0], next)) break;
        if (visit_budget > 0 && search->visited >= visit_budget) {
            *complete_out = 0;
            break;
        }
        size_t count = unvisited(search, next.row, rows);
        distances_to(search, rows, count, distances);
        if (!grow(&context->frontier, &context->frontier_capacity, search->frontier_count + count)) return NT_NO_MEMORY;
        for (size_t i = 0; i < count; i++) meet(search, rows[i], distances[i]);
        if (search->frontier_count > 0)
            __builtin_prefetch(graph->block + (size_t)context->frontier[0].row * graph->width);
    }
    return NT_OK;
}

nt_status nt_graph_search(const nt_graph *graph, const nt_kernels *kernels, const nt_vectors *vectors,
                          const nt_query *query, const nt_choice *choice, size_t k, size_t expansion,
                          size_t visit_budget, nt_near *near_out, nt_graph_report *report_out) {
    *report_out = (nt_graph_report){0, 0, 1};
    if (graph->count == 0 || k == 0) return NT_OK;
    nt_graph *shared = (nt_graph *)graph; /* only its pool of contexts changes, under its lock */
    nt_graph_context *context = context_take(shared);
    if (context == NULL) return NT_NO_MEMORY;
    if (expansion < k) expansion = k;
    if (expansion > graph->count) expansion = graph->count;
    search search = {graph, kernels, vectors, query, choice, context, expansion, 0, 0, 0};
    nt_status status = NT_NO_MEMORY;
    if (grow(&context->nearest, &context->nearest_capacity, expansion))
        status = walk(&search, descend(&search), visit_budget, &report_out->complete);
    if (status == NT_OK) {
        nt_farthest_sort(context->nearest, search.nearest_count);
        report_out->found = search.nearest_count < k ? search.nearest_count : k;
        report_out->visited = search.visited;
        memcpy(near_out, context->nearest, report_out->found * sizeof *near_out);
    }
    context_give(shared, context, search.visited);
    return status;
}
