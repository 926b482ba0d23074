/* race_core: the parts of the core that several threads may use at once, under ThreadSanitizer.
 *
 *   race_core FOLDER SEED FIRST COUNT      a round: writers, a syncer, readers and a close on one log; searches of one graph
 *
 * What each thread was told is held against the log afterwards: all that was acknowledged, in each thread's order, whole.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nt_graph.h"
#include "nt_wal.h"

enum { WRITERS = 3, APPENDS = 60, SEARCHERS = 3, SEARCHES = 40, ROWS = 200, DIMENSION = 64, LINKS = 8 };
#define MUST(what) do { if (!(what)) { fprintf(stderr, "not so: %s (line %d)\n", #what, __LINE__); exit(3); } } while (0)

typedef struct entry { /* a record's body */
    uint32_t writer, number;
    uint8_t filler[48];
} entry;
typedef struct job {
    nt_wal *wal;
    const char *path;
    uint64_t seed;
    uint32_t writer, acknowledged;
    atomic_int *stop;
} job;

static uint64_t mix(uint64_t *state) {
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    return z ^ (z >> 27);
}

static void *writes(void *given) {
    job *mine = given;
    uint64_t offsets[4], state = mine->seed;
    while (mine->acknowledged < APPENDS) {
        entry bodies[4];
        const void *places[4];
        size_t sizes[4], count = 1 + mix(&state) % 4;
        uint32_t kinds[4] = {1, 1, 1, 1};
        for (size_t i = 0; i < count; i++) {
            bodies[i] = (entry){.writer = mine->writer, .number = mine->acknowledged + (uint32_t)i};
            memset(bodies[i].filler, (int)(bodies[i].number & 255), sizeof bodies[i].filler);
            places[i] = &bodies[i];
            sizes[i] = sizeof bodies[i];
        }
        nt_status status = nt_wal_append_many(mine->wal, count, kinds, places, sizes, offsets);
        if (status == NT_STATE) break; /* closed meanwhile */
        MUST(status == NT_OK);
        mine->acknowledged += (uint32_t)count;
    }
    return NULL;
}

static void *syncs(void *given) {
    job *mine = given;
    while (!atomic_load(mine->stop)) {
        nt_status status = nt_wal_sync(mine->wal);
        MUST(status == NT_OK || status == NT_STATE);
        nt_wal_end where;
        nt_wal_where(mine->wal, &where);
        MUST(where.synced <= where.offset && !nt_wal_poisoned(mine->wal));
    }
    return NULL;
}

static void *reads(void *given) {
    job *mine = given;
    while (!atomic_load(mine->stop)) {
        nt_wal_reader *reader;
        nt_wal_header header;
        nt_wal_record record;
        uint32_t next[WRITERS] = {0};
        MUST(nt_wal_reader_open(&nt_io_posix, mine->path, 0, &reader, &header) == NT_OK);
        nt_status status;
        while ((status = nt_wal_next(reader, &record)) == NT_OK) {
            entry found;
            memcpy(&found, record.body, sizeof found);
            MUST(found.writer < WRITERS && found.number == next[found.writer]++);
        }
        MUST(status == NT_END || status == NT_TORN); /* a write under way */
        nt_wal_reader_close(reader);
    }
    return NULL;
}

static void log_round(const char *folder, uint64_t seed, uint64_t round) {
    char path[4096];
    snprintf(path, sizeof path, "%s/race-%llu.log", folder, (unsigned long long)round);
    uint8_t identity[16] = {1, 2, 3, (uint8_t)round}, label[16] = "race";
    nt_wal_header header;
    nt_wal_end end;
    nt_wal *wal;
    atomic_int stop = 0;
    MUST(nt_wal_create(&nt_io_posix, path, identity, label, 1) == NT_OK);
    MUST(nt_wal_open(&nt_io_posix, path, &wal, &header, &end) == NT_OK);
    job jobs[WRITERS + 2];
    pthread_t threads[WRITERS + 2];
    for (uint32_t i = 0; i < WRITERS + 2; i++) {
        jobs[i] = (job){wal, path, seed * 1000 + round * 10 + i, i, 0, &stop};
        pthread_create(&threads[i], NULL, i < WRITERS ? writes : i == WRITERS ? syncs : reads, &jobs[i]);
    }
    if (round % 2) { /* close while they write */
        uint64_t state = seed + round;
        usleep((useconds_t)(mix(&state) % 2000));
        MUST(nt_wal_close(wal) == NT_OK);
    }
    for (uint32_t i = 0; i < WRITERS; i++) pthread_join(threads[i], NULL);
    atomic_store(&stop, 1);
    for (uint32_t i = WRITERS; i < WRITERS + 2; i++) pthread_join(threads[i], NULL);
    MUST(nt_wal_close(wal) == NT_OK);
    nt_wal_free(wal);
    nt_wal_reader *reader;
    nt_wal_record record;
    uint32_t next[WRITERS] = {0};
    MUST(nt_wal_reader_open(&nt_io_posix, path, 0, &reader, &header) == NT_OK);
    nt_status status;
    while ((status = nt_wal_next(reader, &record)) == NT_OK) {
        entry found;
        memcpy(&found, record.body, sizeof found);
        MUST(found.writer < WRITERS && found.number == next[found.writer]++);
        for (size_t i = 0; i < sizeof found.filler; i++) MUST(found.filler[i] == (found.number & 255));
    }
    MUST(status == NT_END);
    for (uint32_t i = 0; i < WRITERS; i++) MUST(next[i] == jobs[i].acknowledged);
    nt_wal_reader_close(reader);
    unlink(path);
}

/* One graph, any links, searched by all at once: each answer is the one that a thread alone gets. */
static int8_t codes[ROWS * DIMENSION] __attribute__((aligned(64)));
static float norms[ROWS];
static nt_graph *graph;
static nt_near answers[SEARCHES][5];

static size_t ask(uint32_t number, nt_near near[5]) {
    nt_vectors vectors = {.codes = codes, .inverse_norm = norms, .count = ROWS, .dimension = DIMENSION};
    nt_query query = {.codes = codes + DIMENSION * (number * 7 % ROWS), .inverse_norm = 0.01f};
    nt_choice choice = {.stop = ROWS - number % 3};
    nt_graph_report report;
    memset(near, 0, 5 * sizeof *near);
    MUST(nt_graph_search(graph, &nt_kernels_serial, &vectors, &query, &choice, 5, 10 + number, 0, near, &report) == NT_OK);
    return report.found;
}

static void *searches(void *given) {
    (void)given;
    for (uint32_t i = 0; i < SEARCHES; i++) {
        nt_near near[5];
        ask(i, near);
        MUST(memcmp(near, answers[i], sizeof near) == 0);
    }
    return NULL;
}

static void graph_round(uint64_t seed, uint64_t round) {
    uint64_t state = seed ^ round * 77;
    for (size_t i = 0; i < sizeof codes; i++) codes[i] = (int8_t)mix(&state);
    for (size_t i = 0; i < ROWS; i++) norms[i] = 0.01f;
    graph = nt_graph_new(ROWS, DIMENSION, LINKS / 2, 0, NULL, 0);
    MUST(graph != NULL);
    for (uint32_t row = 0; row < ROWS; row++)
        for (uint32_t i = 0; i < LINKS; i++) nt_graph_base_links(graph, row)[i] = (uint32_t)(mix(&state) % ROWS);
    for (uint32_t i = 0; i < SEARCHES; i++) ask(i, answers[i]);
    pthread_t threads[SEARCHERS];
    for (int i = 0; i < SEARCHERS; i++) pthread_create(&threads[i], NULL, searches, NULL);
    for (int i = 0; i < SEARCHERS; i++) pthread_join(threads[i], NULL);
    nt_graph_free(graph);
}

int main(int count, char **words) {
    if (count != 5) return 2;
    uint64_t seed = strtoull(words[2], NULL, 10), first = strtoull(words[3], NULL, 10), rounds = strtoull(words[4], NULL, 10);
    for (uint64_t round = first; round < first + rounds; round++) {
        log_round(words[1], seed, round);
        graph_round(seed, round);
    }
    return 0;
}
