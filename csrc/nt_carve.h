/* One block of memory cut into aligned parts: first measured, then made, by the same function.
 *
 * With a NULL block every part is NULL and only `used` grows; with a block of that many bytes, zeroed and aligned to
 * NT_CARVE_ALIGN, each part lies where the measure put it. */
#ifndef NT_CARVE_H
#define NT_CARVE_H

#include <stdint.h>

enum { NT_CARVE_ALIGN = 64 };

typedef struct {
    char *block;
    int64_t used;
} nt_carve;

static inline void *nt_carve_take(nt_carve *carve, int64_t bytes) {
    char *part = carve->block ? carve->block + carve->used : 0;
    carve->used += (bytes + NT_CARVE_ALIGN - 1) / NT_CARVE_ALIGN * NT_CARVE_ALIGN;
    return part;
}

#endif
