/* nt_rows: a growing array of equal rows. Adding is amortised O(1); pointers into it last until the next addition. */
#ifndef NT_ROWS_H
#define NT_ROWS_H

#include <stdint.h>
#include <stdlib.h>

typedef struct nt_rows {
    uint8_t *data;
    int64_t count;
    int64_t capacity;
    int64_t width; /* bytes of a row */
} nt_rows;

/* realloc for tables (nt_rows.c) of `old_bytes`: the first `used_bytes` are kept. NULL: data is untouched. */
void *nt_rows_grow(void *data, int64_t used_bytes, int64_t old_bytes, int64_t bytes);
void nt_rows_free(void *data, int64_t bytes);
int64_t nt_rows_next_capacity(int64_t capacity, int64_t width);

/* Room for `count` rows in all, touched, so that adding them faults on nothing. 0 where memory ran out: rows are unchanged. */
int nt_rows_reserve(nt_rows *rows, int64_t count);

static inline void nt_rows_open(nt_rows *rows, int64_t width)
{
    *rows = (nt_rows){NULL, 0, 0, width};
}

static inline void nt_rows_close(nt_rows *rows)
{
    nt_rows_free(rows->data, rows->capacity * rows->width);
    rows->data = NULL;
    rows->count = rows->capacity = 0;
}

/* Room for one more row, or NULL where memory ran out; rows are unchanged then. The caller fills all of it. */
static inline void *nt_rows_add(nt_rows *rows)
{
    if (rows->count == rows->capacity) {
        int64_t capacity = nt_rows_next_capacity(rows->capacity, rows->width);
        uint8_t *data = (uint8_t *)nt_rows_grow(rows->data, rows->count * rows->width, rows->capacity * rows->width, capacity * rows->width);
        if (data == NULL)
            return NULL;
        rows->data = data;
        rows->capacity = capacity;
    }
    return rows->data + rows->width * rows->count++;
}

#endif
