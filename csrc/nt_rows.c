#include "nt_rows.h"

#include <string.h>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#define HUGE_BYTES (INT64_C(2) << 20)

/* Tables double. From half a huge page on they live in huge pages and step up to two of them: faulting 4 KB at a time cost
 * 3 ns a bar of a run with 27,000 fills in 1,000,000 bars. */
int64_t nt_rows_next_capacity(int64_t capacity, int64_t width)
{
    if (capacity == 0)
        return 256;
    int64_t stepped = 2 * HUGE_BYTES / width;
    return capacity * width >= HUGE_BYTES / 2 && capacity < stepped ? stepped : capacity * 2;
}

void *nt_rows_grow(void *data, int64_t used_bytes, int64_t bytes)
{
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    if (bytes >= 2 * HUGE_BYTES - HUGE_BYTES / 2) {
        int64_t whole = (bytes + HUGE_BYTES - 1) / HUGE_BYTES * HUGE_BYTES;
        void *moved = aligned_alloc((size_t)HUGE_BYTES, (size_t)whole);
        if (moved == NULL)
            return NULL;
        (void)madvise(moved, (size_t)whole, MADV_HUGEPAGE); /* a hint: it may fail */
        memcpy(moved, data, (size_t)used_bytes);
        free(data);
        return moved;
    }
#endif
    (void)used_bytes;
    return realloc(data, (size_t)bytes);
}

int nt_rows_reserve(nt_rows *rows, int64_t count)
{
    if (count <= rows->capacity)
        return 1;
    if (count > INT64_MAX / 2 / rows->width)
        return 0;
    uint8_t *data = nt_rows_grow(rows->data, rows->count * rows->width, count * rows->width);
    if (data == NULL)
        return 0;
    memset(data + rows->count * rows->width, 0, (size_t)((count - rows->count) * rows->width));
    rows->data = data;
    rows->capacity = count;
    return 1;
}
