#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "nt_crc32c.h"
#include "nt_graph_shape.h"

typedef struct graph_header {
    uint8_t magic[8];
    uint32_t version;
    uint32_t header_bytes;
    uint32_t count;
    uint32_t dimension;
    uint32_t connectivity;
    uint32_t level_count;
    uint32_t entry;
    uint32_t vectors_crc;
    uint64_t block_bytes;
    uint32_t block_crc;
    uint32_t level_sizes[NT_GRAPH_LEVELS_MAX];
    uint8_t zeros[NT_GRAPH_HEADER_BYTES - 4 - 52 - 4 * NT_GRAPH_LEVELS_MAX];
    uint32_t crc; /* of all before it */
} graph_header;

_Static_assert(sizeof(graph_header) == NT_GRAPH_HEADER_BYTES, "on disk");

static const uint8_t MAGIC[8] = {'N', 'T', 'G', 'R', 'A', 'P', 'H', '\n'};

uint32_t nt_graph_vectors_crc(const nt_vectors *vectors) {
    uint32_t crc = nt_crc32c(vectors->dimension, vectors->codes, (size_t)vectors->count * vectors->dimension);
    return nt_crc32c(crc, vectors->inverse_norm, (size_t)vectors->count * sizeof *vectors->inverse_norm);
}

static nt_status write_file(const nt_graph *graph, const graph_header *header, const nt_io *io, const char *path) {
    int file = io->open(io->user, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (file < 0) return NT_IO;
    struct iovec parts[2] = {{(void *)(uintptr_t)header, sizeof *header}, {graph->block, graph->block_bytes}};
    nt_status status = nt_io_write_full(io, file, parts, 2, 0);
    if (status == NT_OK && io->sync(io->user, file) != 0) status = NT_IO;
    int error = errno;
    io->close(io->user, file);
    errno = error;
    return status;
}

nt_status nt_graph_save(const nt_graph *graph, uint32_t vectors_crc, const nt_io *io, const char *path) {
    char temporary[PATH_MAX];
    if (snprintf(temporary, sizeof temporary, "%s.new", path) >= (int)sizeof temporary) {
        errno = ENAMETOOLONG;
        return NT_IO;
    }
    graph_header *header = calloc(1, sizeof *header);
    if (header == NULL) return NT_NO_MEMORY;
    memcpy(header->magic, MAGIC, 8);
    header->version = NT_GRAPH_VERSION;
    header->header_bytes = NT_GRAPH_HEADER_BYTES;
    header->count = graph->count;
    header->dimension = graph->dimension;
    header->connectivity = graph->connectivity;
    header->level_count = graph->level_count;
    header->entry = graph->entry;
    header->vectors_crc = vectors_crc;
    header->block_bytes = graph->block_bytes;
    header->block_crc = nt_crc32c(0, graph->block, graph->block_bytes);
    for (uint32_t i = 0; i < graph->level_count; i++) header->level_sizes[i] = graph->levels[i].count;
    header->crc = nt_crc32c(0, header, sizeof *header - 4);
    nt_status status = write_file(graph, header, io, temporary);
    free(header);
    if (status == NT_OK && io->rename(io->user, temporary, path, 1) != 0) status = NT_IO;
    if (status != NT_OK) {
        int error = errno;
        unlink(temporary);
        errno = error;
        return status;
    }
    return nt_io_sync_folder(io, path);
}

/* Links are below `limit`, and nothing follows the first NT_GRAPH_NONE. */
static int links_hold(const uint32_t *links, uint32_t width, uint32_t limit) {
    uint32_t i = 0;
    while (i < width && links[i] < limit) i++;
    while (i < width && links[i] == NT_GRAPH_NONE) i++;
    return i == width;
}

static int graph_holds(const nt_graph *graph) {
    uint32_t entries = graph->level_count > 0 ? graph->levels[graph->level_count - 1].count : graph->count;
    if (graph->count > 0 && graph->entry >= entries) return 0;
    for (size_t row = 0; row < graph->count; row++)
        if (!links_hold(graph->block + row * graph->width, graph->width, graph->count)) return 0;
    for (uint32_t i = 0; i < graph->level_count; i++) {
        const nt_graph_level *level = &graph->levels[i];
        uint32_t below = i > 0 ? graph->levels[i - 1].count : graph->count;
        for (size_t place = 0; place < level->count; place++) {
            if (level->rows[place] >= graph->count || level->below[place] >= below) return 0;
            if (!links_hold(level->links + place * graph->connectivity, graph->connectivity, level->count)) return 0;
        }
    }
    return 1;
}

static nt_status check_header(const graph_header *header, size_t got, int64_t size) {
    if (got < 8 || memcmp(header->magic, MAGIC, 8) != 0) return NT_INVALID;
    if (got < sizeof *header || header->crc != nt_crc32c(0, header, sizeof *header - 4)) return NT_CORRUPT;
    if (header->version > NT_GRAPH_VERSION) return NT_TOO_NEW;
    if (header->header_bytes != NT_GRAPH_HEADER_BYTES || header->connectivity < 2 ||
        header->connectivity > NT_GRAPH_CONNECTIVITY_MAX || header->level_count > NT_GRAPH_LEVELS_MAX ||
        header->count == UINT32_MAX || header->block_bytes > (uint64_t)INT64_MAX - NT_GRAPH_HEADER_BYTES ||
        size != (int64_t)(header->block_bytes + NT_GRAPH_HEADER_BYTES))
        return NT_CORRUPT;
    return NT_OK;
}

static nt_status fill(nt_graph *graph, const nt_io *io, int file, int mapped) {
    if (mapped) {
        graph->mapping_bytes = NT_GRAPH_HEADER_BYTES + graph->block_bytes;
        void *mapping = mmap(NULL, graph->mapping_bytes, PROT_READ, MAP_SHARED, file, 0);
        if (mapping == MAP_FAILED) return NT_IO;
        graph->mapping = mapping;
        nt_graph_lay(graph, (uint32_t *)((char *)mapping + NT_GRAPH_HEADER_BYTES));
        return NT_OK;
    }
    uint32_t *block = aligned_alloc(64, (graph->block_bytes + 64) & ~(size_t)63);
    if (block == NULL) return NT_NO_MEMORY;
    nt_graph_lay(graph, block);
    size_t got = 0;
    nt_status status = nt_io_read_full(io, file, block, graph->block_bytes, NT_GRAPH_HEADER_BYTES, &got);
    return status == NT_OK && got < graph->block_bytes ? NT_CORRUPT : status;
}

static nt_status load(const nt_io *io, int file, int mapped, graph_header *header, nt_graph **graph_out) {
    int64_t size = io->size(io->user, file);
    if (size < 0) return NT_IO;
    size_t got = 0;
    nt_status status = nt_io_read_full(io, file, header, sizeof *header, 0, &got);
    if (status == NT_OK) status = check_header(header, got, size);
    if (status != NT_OK) return status;
    nt_graph *graph = nt_graph_shaped(header->count, header->dimension, header->connectivity, header->level_count,
                                      header->level_sizes, header->entry);
    if (graph == NULL) return NT_NO_MEMORY;
    status = graph->block_bytes == header->block_bytes ? fill(graph, io, file, mapped) : NT_CORRUPT;
    if (status == NT_OK && header->block_crc != nt_crc32c(0, graph->block, graph->block_bytes)) status = NT_CORRUPT;
    if (status == NT_OK && !graph_holds(graph)) status = NT_CORRUPT;
    if (status != NT_OK) nt_graph_free(graph);
    else *graph_out = graph;
    return status;
}

nt_status nt_graph_load(const nt_io *io, const char *path, int mapped, nt_graph **graph_out,
                        uint32_t *vectors_crc_out) {
    graph_header *header = calloc(1, sizeof *header);
    if (header == NULL) return NT_NO_MEMORY;
    int file = io->open(io->user, path, O_RDONLY, 0);
    nt_status status = file < 0 ? NT_IO : load(io, file, mapped, header, graph_out);
    int error = errno;
    if (file >= 0) io->close(io->user, file);
    if (status == NT_OK) *vectors_crc_out = header->vectors_crc;
    free(header);
    errno = error;
    return status;
}
