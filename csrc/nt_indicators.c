#include "nt_indicators.h"

#include <stddef.h>
#include <string.h>

const nt_indicator_kind *nt_indicator_find(const char *name) {
    const nt_indicator_kind *const families[] = {nt_rolling_kinds, nt_rank_kinds, nt_average_kinds,
                                                 nt_oscillator_kinds, nt_channel_kinds,   nt_hurst_kinds};
    for (size_t f = 0; f < sizeof families / sizeof *families; f++)
        for (const nt_indicator_kind *kind = families[f]; kind->name; kind++)
            if (strcmp(kind->name, name) == 0) return kind;
    return NULL;
}
