#include "nt_indicators.h"

#include <stddef.h>
#include <string.h>

#include "nt_history.h"

const nt_indicator_kind *nt_indicator_find(const char *name) {
    const nt_indicator_kind *const families[] = {nt_rolling_kinds, nt_rank_kinds, nt_average_kinds,
                                                 nt_oscillator_kinds, nt_channel_kinds,   nt_hurst_kinds};
    for (size_t f = 0; f < sizeof families / sizeof *families; f++)
        for (const nt_indicator_kind *kind = families[f]; kind->name; kind++)
            if (strcmp(kind->name, name) == 0) return kind;
    return NULL;
}

static void fetch(const double *rows, int64_t n, int to_write) {
    for (int64_t k = 0; k < n; k += 64 / (int64_t)sizeof(double)) {
        if (to_write) __builtin_prefetch(rows + k, 1);
        else __builtin_prefetch(rows + k, 0);
    }
}

void nt_indicator_feed(const nt_indicator_kind *kind, void *block, const double *const *in, int64_t n,
                       double *const *out) {
    if (kind->whole) {
        kind->feed(block, in, n, out);
        return;
    }
    const int ahead = kind->inputs + kind->outputs > 2; /* two streams the processor foresees by itself */
    const int64_t rows = ahead ? NT_PASS / 4 : NT_PASS;
    const double *from[NT_INDICATOR_SERIES];
    double *to[NT_INDICATOR_SERIES];
    for (int64_t i = 0; i < n; i += rows) {
        const int64_t m = n - i < rows ? n - i : rows, left = n - i - NT_PASS, next = left < rows ? left : rows;
        for (int k = 0; k < kind->inputs; k++) {
            from[k] = in[k] + i;
            if (ahead && left > 0) fetch(from[k] + NT_PASS, next, 0);
        }
        for (int k = 0; k < kind->outputs; k++) {
            to[k] = out[k] + i;
            if (ahead && left > 0) fetch(to[k] + NT_PASS, next, 1);
        }
        kind->feed(block, from, m, to);
    }
}
