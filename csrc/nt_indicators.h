/* Technical indicators: one state that is fed any number of rows at a time.
 *
 * Batch is one feed of all rows, streaming is feeds of one; the bits are the same however the rows are cut. Windows are
 * folded trees (nt_window.h) or sorted (nt_ranks.c), so nothing drifts; averages with a memory (nt_average.h) start as
 * TA-Lib's do. Row i of an output is NaN until warm and depends on rows 0..i alone. No allocation, nothing can fail:
 * the caller has checked the parameters. Equal bits on every machine: only + - * / sqrt and nt_math.h.
 *
 * NaN among the inputs: a windowed indicator is NaN while the window holds one. One with a memory gives NaN on that row
 * and leaves it out of its averages. Each family's file says what its own kinds do beyond that.
 *
 * The table of names, ranges, defaults and warm-ups is neuraltrade/core/indicators/table.py. */
#ifndef NT_INDICATORS_H
#define NT_INDICATORS_H

#include <stdint.h>

enum { NT_INDICATOR_SERIES = 4 }; /* inputs, or outputs, of one indicator at most */

typedef struct {
    int64_t window, second, third, fourth;
    double real;
} nt_indicator_parameters;

typedef struct nt_indicator_kind {
    const char *name;
    int inputs, outputs;
    /* Bytes of the state. Where block is not NULL (that many bytes, zeroed, 64-byte aligned) makes the state in it. */
    int64_t (*open)(const struct nt_indicator_kind *kind, void *block, const nt_indicator_parameters *p);
    /* The next n rows: in[k] holds input k, out[k] takes output k. Inputs and outputs must not overlap. */
    void (*feed)(void *block, const double *const *in, int64_t n, double *const *out);
    const void *own; /* the family's */
    int whole;       /* feed goes through its series once and side by side: it is given all rows at once */
} nt_indicator_kind;

/* kind->feed of all rows, or in short passes, each of which asks for the memory of a later one. Kinds take their series in turn, and
 * several of a million rows come from beyond the caches: whole passes of each leave the core waiting for memory and the
 * memory for the core (williams_r 4.8 -> 2.9 ns a row). */
void nt_indicator_feed(const nt_indicator_kind *kind, void *block, const double *const *in, int64_t n,
                       double *const *out);

/* The kind of that name; NULL if there is none. */
const nt_indicator_kind *nt_indicator_find(const char *name);

/* The families, each ended by a kind without a name. */
extern const nt_indicator_kind nt_rolling_kinds[];    /* windows that are folded: averages, deviations, regressions */
extern const nt_indicator_kind nt_rank_kinds[];       /* windows that are sorted: median, rank */
extern const nt_indicator_kind nt_average_kinds[];    /* averages with a memory */
extern const nt_indicator_kind nt_oscillator_kinds[]; /* momentum, strength and direction */
extern const nt_indicator_kind nt_channel_kinds[];    /* ranges, and bands around a price */
extern const nt_indicator_kind nt_hurst_kinds[];      /* how changes grow with time */

#endif
