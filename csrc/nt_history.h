/* The last rows of some fields, contiguous: what came before a pass stands right before it.
 *
 * Use: nt_history_room() rows may be written at nt_history_here(), where row i of field f is base[f * stride + i] and
 * rows -1 .. -kept are those fed before (zeros until there were any); nt_history_advance() keeps them. Moving what is
 * kept to the front costs at most one copy a row. */
#ifndef NT_HISTORY_H
#define NT_HISTORY_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "nt_carve.h"

enum {
    NT_PASS = 256,       /* rows a pass: all that a usual window touches stays in the first cache */
    NT_HISTORY_PAST = 8, /* rows past the last that may be written, and read, by whoever takes several at once */
};

/* Elements of some fields: field f of row i at base[f * stride + i]. */
typedef struct {
    double *base;
    int64_t stride;
} nt_span;

typedef struct {
    double *slots;
    int64_t kept, rows, at; /* kept: a multiple of 8, so that passes start on cache lines; at: rows written */
    int fields;
} nt_history;

/* `kept` rows at least can be looked back at. */
static inline nt_history nt_history_carve(nt_carve *carve, int64_t kept, int fields) {
    nt_history h = {.kept = (kept + 7) / 8 * 8, .rows = NT_PASS, .fields = fields};
    while (h.rows < h.kept) h.rows *= 2;
    h.slots = nt_carve_take(carve, (h.kept + h.rows + NT_HISTORY_PAST) * fields * (int64_t)sizeof(double));
    return h;
}

/* As if rows without a value came before. */
static inline void nt_history_forget(nt_history *h) {
    for (int64_t k = 0; k < (h->kept + h->rows + NT_HISTORY_PAST) * h->fields; k++) h->slots[k] = NAN;
}

/* How many of `wanted` rows fit, 1..wanted. Invalidates earlier spans. */
static inline int64_t nt_history_room(nt_history *h, int64_t wanted) {
    if (h->at == h->rows) {
        double *base = h->slots;
        for (int f = 0; f < h->fields; f++, base += h->kept + h->rows + NT_HISTORY_PAST)
            memcpy(base, base + h->rows, (size_t)h->kept * sizeof(double));
        h->at = 0;
    }
    const int64_t room = NT_PASS - (h->at & (NT_PASS - 1));
    return wanted < room ? wanted : room;
}

static inline nt_span nt_history_here(const nt_history *h) {
    return (nt_span){h->slots + h->kept + h->at, h->kept + h->rows + NT_HISTORY_PAST};
}

static inline void nt_history_advance(nt_history *h, int64_t m) {
    h->at += m;
}

/* As if `count` <= kept rows of one field, at x, had been the last that were fed. */
static inline void nt_history_restart(nt_history *h, const double *x, int64_t count) {
    h->at = 0;
    memcpy(h->slots + h->kept - count, x, (size_t)count * sizeof(double));
}

#endif
