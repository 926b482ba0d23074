/* nt_ids: a bounded set of positive int64 ids, each with a row number; open addressing, one cache line per probe.
 *
 * The owner supplies `slots`, zeroed, slot_count a power of two and at least twice `capacity`, so that a probe for an
 * absent id ends after 1.5 slots on average and always ends. Removing shifts back what would lose its way: no tombstones.
 * Nothing allocates. One writer; readers only while no writer is inside.
 */
#ifndef NT_IDS_H
#define NT_IDS_H

#include <stdint.h>

#include "nt_status.h"

typedef struct nt_id_slot {
    int64_t id; /* 0 = empty */
    int64_t row;
} nt_id_slot;

typedef struct nt_ids {
    nt_id_slot *slots; /* borrowed */
    uint64_t mask;     /* slot_count - 1 */
    int64_t count;
    int64_t capacity;
} nt_ids;

/* Ids come in sequence; multiplying by 2^64 / golden ratio spreads them over the high bits. */
static inline uint64_t nt_ids_home(const nt_ids *ids, int64_t id)
{
    return ((uint64_t)id * UINT64_C(0x9E3779B97F4A7C15) >> 32) & ids->mask;
}

/* Row of an id, -1 if it is not in the set (zero and negative ids never are). */
static inline int64_t nt_ids_find(const nt_ids *ids, int64_t id)
{
    if (id <= 0)
        return -1;
    for (uint64_t place = nt_ids_home(ids, id);; place = (place + 1) & ids->mask) {
        if (ids->slots[place].id == id)
            return ids->slots[place].row;
        if (ids->slots[place].id == 0)
            return -1;
    }
}

/* NT_FULL: `capacity` ids are in it. NT_STATE: this one already is. NT_INVALID: id <= 0. The set is unchanged then. */
nt_status nt_ids_add(nt_ids *ids, int64_t id, int64_t row);

/* NT_NOT_FOUND: unchanged. *row_out = the row it had. */
nt_status nt_ids_remove(nt_ids *ids, int64_t id, int64_t *row_out);

#endif
