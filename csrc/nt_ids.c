#include "nt_ids.h"

nt_status nt_ids_add(nt_ids *ids, int64_t id, int64_t row)
{
    if (id <= 0)
        return NT_INVALID;
    uint64_t place = nt_ids_home(ids, id);
    while (ids->slots[place].id != 0) {
        if (ids->slots[place].id == id)
            return NT_STATE;
        place = (place + 1) & ids->mask;
    }
    if (ids->count >= ids->capacity)
        return NT_FULL;
    ids->slots[place].id = id;
    ids->slots[place].row = row;
    ids->count++;
    return NT_OK;
}

nt_status nt_ids_remove(nt_ids *ids, int64_t id, int64_t *row_out)
{
    if (nt_ids_find(ids, id) < 0)
        return NT_NOT_FOUND;
    uint64_t hole = nt_ids_home(ids, id);
    while (ids->slots[hole].id != id)
        hole = (hole + 1) & ids->mask;
    *row_out = ids->slots[hole].row;
    for (uint64_t place = (hole + 1) & ids->mask; ids->slots[place].id != 0; place = (place + 1) & ids->mask) {
        uint64_t home = nt_ids_home(ids, ids->slots[place].id);
        /* Does its probe pass the hole on the way from home to where it stands? */
        if (((place - home) & ids->mask) >= ((place - hole) & ids->mask)) {
            ids->slots[hole] = ids->slots[place];
            hole = place;
        }
    }
    ids->slots[hole].id = 0;
    ids->slots[hole].row = 0;
    ids->count--;
    return NT_OK;
}
