#include "nt_recent.h"

#include <stdlib.h>

#include "nt_fixed.h"

void nt_recents_close(nt_recents *recents)
{
    free(recents->rows);
    free(recents->chains);
    *recents = (nt_recents){0};
}

static nt_recent *row_at(const nt_recents *recents, int64_t sequence)
{
    return &recents->rows[sequence & (recents->capacity - 1)];
}

static int64_t *chain_of(const nt_recents *recents, const nt_recent *row)
{
    return &recents->chains[row->hash >> 32 & (uint64_t)(recents->capacity - 1)];
}

/* The first sequence from `from` on whose row is less than `window_ns` old at `now`, which no row is after. */
static int64_t within(const nt_recents *recents, int64_t from, int64_t now, int64_t window_ns)
{
    uint64_t window = (uint64_t)window_ns;
    if (from < recents->next && (uint64_t)now - (uint64_t)row_at(recents, recents->next - 1)->ts_ns >= window)
        return recents->next;
    while (from < recents->next && (uint64_t)now - (uint64_t)row_at(recents, from)->ts_ns >= window)
        from++;
    return from;
}

static void link_row(nt_recents *recents, int64_t sequence)
{
    nt_recent *row = row_at(recents, sequence);
    int64_t *chain = chain_of(recents, row);
    row->alike = *chain;
    *chain = sequence;
}

nt_status nt_recents_reserve(nt_recents *recents, int64_t count)
{
    int64_t capacity = recents->capacity ? recents->capacity : 64;
    while (capacity < count && capacity < INT64_MAX / 128)
        capacity *= 2;
    if (capacity == recents->capacity)
        return NT_OK;
    nt_recents grown = *recents;
    grown.capacity = capacity;
    grown.rows = calloc((size_t)capacity, sizeof *grown.rows);
    grown.chains = malloc((size_t)capacity * sizeof *grown.chains);
    if (grown.rows == NULL || grown.chains == NULL) {
        free(grown.rows);
        free(grown.chains);
        return NT_NO_MEMORY;
    }
    for (int64_t k = 0; k < capacity; k++)
        grown.chains[k] = -1;
    for (int64_t sequence = grown.first; sequence < grown.next; sequence++) {
        *row_at(&grown, sequence) = *row_at(recents, sequence);
        link_row(&grown, sequence);
    }
    free(recents->rows);
    free(recents->chains);
    *recents = grown;
    return NT_OK;
}

nt_status nt_recents_add(nt_recents *recents, const nt_recent *row, int64_t kept_ns)
{
    recents->first = within(recents, recents->first, row->ts_ns, kept_ns);
    if (recents->next - recents->first == recents->capacity && nt_recents_reserve(recents, recents->capacity + 1) != NT_OK)
        return NT_NO_MEMORY;
    *row_at(recents, recents->next) = *row;
    link_row(recents, recents->next++);
    return NT_OK;
}

int64_t nt_recents_last_second(nt_recents *recents, int64_t now)
{
    if (recents->second < recents->first)
        recents->second = recents->first;
    recents->second = within(recents, recents->second, now, NT_NANO);
    return recents->next - recents->second;
}

int nt_recents_find(const nt_recents *recents, const nt_recent *row, int64_t window_ns, int64_t *age_out)
{
    if (recents->capacity == 0)
        return 0;
    for (int64_t sequence = *chain_of(recents, row); sequence >= recents->first; sequence = row_at(recents, sequence)->alike) {
        const nt_recent *other = row_at(recents, sequence);
        nt_wide age = (nt_wide)row->ts_ns - other->ts_ns;
        if (age >= window_ns)
            return 0;
        if (other->quantity == row->quantity && other->limit == row->limit && other->stop == row->stop && other->slot == row->slot &&
            other->side == row->side) {
            *age_out = (int64_t)age;
            return 1;
        }
    }
    return 0;
}
