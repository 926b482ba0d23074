/* nt_recent: orders that passed the gate, kept for as long as its rate and duplicate controls look back.
 *
 * A ring in order of time. The last second is counted by a cursor that only moves on; rows that are alike are chained from the
 * latest back, so that neither question walks the window. Amortised O(1) each; memory grows to the largest window and stays.
 */
#ifndef NT_RECENT_H
#define NT_RECENT_H

#include <stdint.h>

#include "nt_status.h"

typedef struct nt_recent {
    int64_t ts_ns;
    int64_t quantity; /* nano, as the gate saw it */
    int64_t limit;
    int64_t stop;
    int32_t slot;
    int32_t side;
    int64_t alike; /* sequence of an older row of the same chain; -1 = none */
    uint64_t hash; /* nt_recents_hash of it */
} nt_recent;

typedef struct nt_recents {
    nt_recent *rows;  /* the row of sequence s is at s & mask */
    int64_t *chains;  /* sequence of the latest row, by hash */
    int64_t capacity; /* of both: a power of two, or 0 */
    int64_t first;    /* sequences first..next - 1 are kept */
    int64_t next;
    int64_t second; /* of the oldest row of the last second */
} nt_recents;

/* A zeroed nt_recents is open. */
void nt_recents_close(nt_recents *recents);
/* Room for `count` rows at a time. NT_NO_MEMORY: as it was. */
nt_status nt_recents_reserve(nt_recents *recents, int64_t count);

/* Of what makes rows alike. */
static inline uint64_t nt_recents_hash(const nt_recent *row)
{
    uint64_t hash = (uint64_t)row->quantity;
    hash = (hash ^ (uint64_t)row->limit) * UINT64_C(0x9E3779B97F4A7C15);
    hash = (hash ^ hash >> 32 ^ (uint64_t)row->stop) * UINT64_C(0x9E3779B97F4A7C15);
    return (hash ^ hash >> 32 ^ (uint64_t)row->slot << 1 ^ (row->side > 0)) * UINT64_C(0x9E3779B97F4A7C15);
}

/* Add a row at its time, which must not be before the last one's; what is `kept_ns` old by then is dropped. NT_NO_MEMORY. */
nt_status nt_recents_add(nt_recents *recents, const nt_recent *row, int64_t kept_ns);
/* How many rows are less than a second old at `now`. */
int64_t nt_recents_last_second(nt_recents *recents, int64_t now);
/* Whether a row like this one is less than `window_ns` old at row->ts_ns, and the age of the latest. */
int nt_recents_find(const nt_recents *recents, const nt_recent *row, int64_t window_ns, int64_t *age_out);

#endif
