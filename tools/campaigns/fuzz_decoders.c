/* fuzz_decoders: mutated logs and graphs through the readers of the core, with AddressSanitizer and UBSan around them.
 *
 *   fuzz_decoders log|graph SEED FIRST COUNT     prints how many inputs were read to their end
 *
 * Half of the mutations put the checksums right again, so that what lies behind them is tried too. Input n is a function
 * of seed and n: `fuzz_decoders log 1 4711 1` runs one. What the readers promise is checked; a broken promise aborts.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nt_crc32c.h"
#include "nt_graph.h"
#include "nt_wal.h"

enum { BYTES_MAX = 1 << 16 };

typedef struct memory {
    uint8_t *bytes;
    size_t size;
} memory;

static uint64_t state;
static uint64_t next(void) { /* splitmix64 */
    uint64_t z = state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}
static uint32_t below(uint32_t limit) { return (uint32_t)(next() % limit); }
static uint32_t odd_value(void) {
    static const uint32_t values[] = {0, 1, 7, 8, 24, 255, 4096, 65535, 1u << 30, (1u << 30) + 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF};
    return below(2) ? values[below(sizeof values / sizeof *values)] : (uint32_t)next();
}
#define MUST(what) do { if (!(what)) { fprintf(stderr, "not so: %s\n", #what); abort(); } } while (0)

static int memory_open(void *user, const char *path, int flags, int mode) { (void)user, (void)path, (void)flags, (void)mode; return 3; }
static int memory_close(void *user, int file) { (void)user; return file == 3 ? 0 : -1; }
static ssize_t memory_read(void *user, int file, void *bytes, size_t count, int64_t offset) {
    const memory *whole = user;
    (void)file;
    if (offset < 0 || (uint64_t)offset >= whole->size) return 0;
    size_t left = whole->size - (size_t)offset, step = count < left ? count : left;
    memcpy(bytes, whole->bytes + offset, step);
    return (ssize_t)step;
}
static ssize_t memory_write(void *user, int file, const struct iovec *parts, int count, int64_t offset) {
    memory *whole = user;
    size_t at = (size_t)offset;
    (void)file;
    for (int i = 0; i < count; i++) {
        MUST(at + parts[i].iov_len <= BYTES_MAX);
        memcpy(whole->bytes + at, parts[i].iov_base, parts[i].iov_len);
        at += parts[i].iov_len;
    }
    if (at > whole->size) whole->size = at;
    return (ssize_t)(at - (size_t)offset);
}
static int memory_sync(void *user, int file) { (void)user, (void)file; return 0; }
static int memory_truncate(void *user, int file, int64_t bytes) { (void)file; ((memory *)user)->size = (size_t)bytes; return 0; }
static int memory_rename(void *user, const char *from, const char *to, int replace) { (void)user, (void)from, (void)to, (void)replace; return 0; }
static int64_t memory_size(void *user, int file) { (void)file; return (int64_t)((memory *)user)->size; }

static nt_io table(memory *whole) {
    return (nt_io){memory_open, memory_close, memory_read, memory_write, memory_sync, memory_truncate, memory_rename, memory_size, whole};
}

static void garble(memory *whole) {
    if (whole->size == 0) return;
    uint32_t at = below((uint32_t)whole->size);
    switch (below(5)) {
    case 0: whole->bytes[at] ^= (uint8_t)(1u << below(8)); break;
    case 1: whole->size = at; break;
    case 2: for (uint32_t i = at; i < whole->size && i < at + 40; i++) whole->bytes[i] = (uint8_t)next(); break;
    case 3: memset(whole->bytes + at, 0, whole->size - at < 512 ? whole->size - at : 512); break;
    default: /* what stands here moves */
        if (at + 16 < whole->size && whole->size + 8 <= BYTES_MAX) {
            memmove(whole->bytes + at + 8, whole->bytes + at, whole->size - at);
            whole->size += 8;
        }
    }
}

/* A log, */
static void put_record(memory *log, uint32_t seed, uint32_t kind, uint64_t sequence, const uint8_t *body, uint32_t count) {
    nt_wal_head head = {.body_bytes = count, .kind = kind, .sequence = sequence};
    uint8_t *at = log->bytes + log->size;
    size_t extent = nt_wal_extent(count);
    memset(at, 0, extent);
    if (count) memcpy(at + sizeof head, body, count);
    head.body_crc = nt_crc32c(seed, at + sizeof head, extent - sizeof head);
    switch (below(40)) { /* wrong, and with a checksum that says it is right */
    case 0: head.body_bytes = odd_value(); break;
    case 1: head.sequence = below(2) ? next() : sequence + 1; break;
    case 2: head.kind = NT_WAL_MARK; break;
    default: break;
    }
    head.head_crc = nt_wal_head_crc(seed, log->size, &head);
    memcpy(at, &head, sizeof head);
    log->size += extent;
}

static void make_log(memory *log) {
    nt_wal_header header = {.magic = {'N', 'T', 'W', 'A', 'L', 0, 0x1A, '\n'}, .version = 1, .header_bytes = 64, .first_sequence = 1};
    for (int i = 0; i < 16; i++) header.identity[i] = (uint8_t)next();
    uint32_t seed = nt_wal_seed(header.identity), records = below(12);
    if (below(8) == 0) header.version = odd_value();
    if (below(8) == 0) header.header_bytes = odd_value();
    if (below(8) == 0) header.first_sequence = next();
    header.crc = nt_crc32c(0, &header, sizeof header - 4);
    memcpy(log->bytes, &header, sizeof header);
    log->size = sizeof header;
    uint64_t sequence = header.first_sequence;
    for (uint32_t i = 0; i < records; i++) {
        uint8_t body[200];
        uint32_t count = below(4) ? below(64) : below(sizeof body);
        for (uint32_t j = 0; j < count; j++) body[j] = (uint8_t)next();
        put_record(log, seed, below(5), sequence++, body, count);
        if (below(3) == 0) {
            uint64_t synced = below(6) ? log->size : (below(2) ? next() : log->size + 8);
            put_record(log, seed, NT_WAL_MARK, sequence, (const uint8_t *)&synced, 8);
        }
    }
}

static int read_log(memory *log) {
    nt_io io = table(log);
    nt_wal_reader *reader;
    nt_wal_header header;
    nt_wal_record record;
    nt_wal_end end;
    uint64_t start = below(4) ? 0 : 8 * below((uint32_t)log->size / 8 + 3), last = 0, sum = 0;
    nt_status status = nt_wal_reader_open(&io, "log", start, &reader, &header);
    if (status != NT_OK) return 0;
    for (size_t count = 0; (status = nt_wal_next(reader, &record)) == NT_OK; count++) {
        MUST(count <= log->size / NT_WAL_RECORD_BYTES);
        MUST(record.offset >= last && record.offset + nt_wal_extent(record.body_bytes) <= log->size);
        last = record.offset + nt_wal_extent(record.body_bytes);
        for (uint32_t i = 0; i < record.body_bytes; i++) sum += record.body[i];
    }
    MUST(nt_wal_next(reader, &record) == status);
    nt_wal_reader_end(reader, &end);
    MUST(end.offset <= log->size && end.offset >= last && sum != UINT64_MAX);
    MUST(status != NT_END || end.offset == log->size);
    MUST(status != NT_TORN || end.torn_bytes == log->size - end.offset);
    nt_wal_reader_close(reader);
    return status == NT_END;
}

/* and a graph: any links will do. Kept outside: its vectors. */
enum { ROWS = 40, DIMENSION = 64 };
static int8_t codes[ROWS * DIMENSION] __attribute__((aligned(64)));
static float norms[ROWS];

static void link_up(uint32_t *links, uint32_t width, uint32_t count) {
    uint32_t used = below(width + 1);
    for (uint32_t i = 0; i < used; i++) links[i] = below(count);
}

static void make_graph(memory *file) {
    uint32_t connectivity = 2 + below(3), sizes[2] = {8, 2}, level_count = below(3);
    nt_graph *graph = nt_graph_new(ROWS, DIMENSION, connectivity, level_count, sizes, 0);
    MUST(graph != NULL);
    for (uint32_t row = 0; row < ROWS; row++) link_up(nt_graph_base_links(graph, row), 2 * connectivity, ROWS);
    for (uint32_t i = 1; i <= level_count; i++) {
        nt_graph_level *level = nt_graph_level_at(graph, i);
        for (uint32_t place = 0; place < level->count; place++) {
            level->rows[place] = below(ROWS);
            level->below[place] = below(i > 1 ? sizes[i - 2] : ROWS);
            link_up(level->links + place * connectivity, connectivity, level->count);
        }
    }
    nt_io io = table(file);
    file->size = 0;
    MUST(nt_graph_save(graph, 7, &io, "graph") == NT_OK);
    nt_graph_free(graph);
}

static void change_graph(memory *file) {
    uint32_t *words = (uint32_t *)file->bytes;
    size_t block = (file->size - NT_GRAPH_HEADER_BYTES) / 4;
    for (uint32_t i = below(4); i > 0; i--) { /* version .. block_bytes, or the sizes of levels */
        uint32_t at = below(3) ? 2 + below(12) : 15 + below(32);
        words[at] = below(2) ? odd_value() : words[at] + below(3) - 1;
    }
    for (uint32_t i = below(4); i > 0; i--)
        words[NT_GRAPH_HEADER_BYTES / 4 + below((uint32_t)block)] = below(2) ? odd_value() : below(2 * ROWS);
    words[14] = nt_crc32c(0, file->bytes + NT_GRAPH_HEADER_BYTES, file->size - NT_GRAPH_HEADER_BYTES);
    words[NT_GRAPH_HEADER_BYTES / 4 - 1] = nt_crc32c(0, file->bytes, NT_GRAPH_HEADER_BYTES - 4);
}

static int read_graph(memory *file) {
    nt_io io = table(file);
    nt_graph *graph;
    uint32_t crc;
    if (nt_graph_load(&io, "graph", 0, &graph, &crc) != NT_OK) return 0;
    if (nt_graph_count(graph) == ROWS && nt_graph_dimension(graph) == DIMENSION) {
        nt_vectors vectors = {.codes = codes, .inverse_norm = norms, .count = ROWS, .dimension = DIMENSION};
        nt_query query = {.codes = codes + DIMENSION * below(ROWS), .inverse_norm = 1.0f};
        nt_choice choice = {.stop = ROWS};
        nt_near near[8];
        nt_graph_report report;
        MUST(nt_graph_search(graph, &nt_kernels_serial, &vectors, &query, &choice, 5, 12, 0, near, &report) == NT_OK);
        MUST(report.found <= 5);
        for (size_t i = 0; i < report.found; i++) MUST(near[i].row < ROWS);
    }
    nt_graph_free(graph);
    return 1;
}

int main(int count, char **words) {
    if (count != 5) return 2;
    int is_log = strcmp(words[1], "log") == 0;
    uint64_t seed = strtoull(words[2], NULL, 10), first = strtoull(words[3], NULL, 10), inputs = strtoull(words[4], NULL, 10), whole = 0;
    static uint8_t bytes[BYTES_MAX] __attribute__((aligned(64)));
    state = 5;
    for (size_t i = 0; i < sizeof codes; i++) codes[i] = (int8_t)next();
    for (size_t i = 0; i < ROWS; i++) norms[i] = 0.01f;
    for (uint64_t input = first; input < first + inputs; input++) {
        memory file = {bytes, 0};
        state = seed * 0x9E3779B97F4A7C15u + input * 0xD1B54A32D192ED03u;
        if (is_log) make_log(&file);
        else make_graph(&file);
        if (!is_log && below(4)) change_graph(&file);
        else for (uint32_t i = below(3); i > 0; i--) garble(&file);
        memory exact = {malloc(file.size + 1), file.size}; /* so that a byte too far is seen */
        memcpy(exact.bytes, file.bytes, file.size);
        whole += (uint64_t)(is_log ? read_log(&exact) : read_graph(&exact));
        free(exact.bytes);
    }
    printf("%llu\n", (unsigned long long)whole);
    return 0;
}
