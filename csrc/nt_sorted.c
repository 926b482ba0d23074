#include "nt_sorted.h"

#include <string.h>

static double *numbers_of(const nt_sorted *s, int64_t run) {
    return s->values + (int64_t)s->slot[run] * NT_SORTED_RUN;
}

nt_sorted nt_sorted_carve(nt_carve *carve, int64_t most) {
    const int64_t runs = 4 * most / NT_SORTED_RUN + 3;
    nt_sorted s = {0};
    s.values = nt_carve_take(carve, runs * NT_SORTED_RUN * (int64_t)sizeof(double));
    s.largest = nt_carve_take(carve, runs * (int64_t)sizeof(double));
    s.slot = nt_carve_take(carve, runs * (int64_t)sizeof(int32_t));
    s.count = nt_carve_take(carve, runs * (int64_t)sizeof(int32_t));
    s.group = nt_carve_take(carve, (runs / NT_SORTED_GROUP + 1) * (int64_t)sizeof(int64_t));
    s.idle = nt_carve_take(carve, runs * (int64_t)sizeof(int32_t));
    return s;
}

/* Groups from the one of `run` on, after runs came or went there. */
static void regroup(nt_sorted *s, int64_t run) {
    for (int64_t g = run / NT_SORTED_GROUP; g * NT_SORTED_GROUP < s->runs + NT_SORTED_GROUP; g++) {
        const int64_t begin = g * NT_SORTED_GROUP, end = begin + NT_SORTED_GROUP;
        int64_t sum = 0;
        for (int64_t r = begin; r < end && r < s->runs; r++) sum += s->count[r];
        if (begin <= s->runs) s->group[g] = sum;
    }
}

/* Makes or takes away the entry of `run`: what stands from `from` on stands from `to` on. */
static void shift(nt_sorted *s, int64_t from, int64_t to) {
    const size_t left = (size_t)(s->runs - from);
    memmove(s->largest + to, s->largest + from, left * sizeof(double));
    memmove(s->slot + to, s->slot + from, left * sizeof(int32_t));
    memmove(s->count + to, s->count + from, left * sizeof(int32_t));
    s->runs += to - from;
}

static int32_t new_slot(nt_sorted *s) {
    return s->idles ? s->idle[--s->idles] : (int32_t)s->used++;
}

/* The upper half of a full run becomes one of its own. */
static void cut(nt_sorted *s, int64_t run) {
    enum { HALF = NT_SORTED_RUN / 2 };
    shift(s, run, run + 1);
    s->slot[run + 1] = new_slot(s);
    memcpy(numbers_of(s, run + 1), numbers_of(s, run) + HALF, HALF * sizeof(double));
    s->count[run] = s->count[run + 1] = HALF;
    s->largest[run] = numbers_of(s, run)[HALF - 1];
    regroup(s, run);
}

/* A run takes in the next one where both together leave half a run free. */
static void join(nt_sorted *s, int64_t run) {
    if (run < 0 || run + 1 >= s->runs || s->count[run] + s->count[run + 1] > NT_SORTED_RUN / 2) return;
    memcpy(numbers_of(s, run) + s->count[run], numbers_of(s, run + 1), (size_t)s->count[run + 1] * sizeof(double));
    s->count[run + 1] += s->count[run];
    s->idle[s->idles++] = s->slot[run + 1];
    s->slot[run + 1] = s->slot[run];
    shift(s, run + 1, run);
    regroup(s, run);
}

/* The first run whose largest number is not below x; the last where there is none. */
static int64_t run_for(const nt_sorted *s, double x) {
    const int64_t run = nt_count_below(s->largest, s->runs, x);
    return run < s->runs ? run : s->runs - 1;
}

void nt_sorted_enter(nt_sorted *s, double x) {
    if (s->runs == 0) {
        s->runs = 1;
        s->slot[0] = new_slot(s);
        s->count[0] = 0;
        s->group[0] = 0;
        s->largest[0] = x;
    }
    int64_t run = run_for(s, x);
    if (s->count[run] == NT_SORTED_RUN) {
        cut(s, run);
        run += x > s->largest[run];
    }
    double *values = numbers_of(s, run);
    const int64_t at = nt_count_below(values, s->count[run], x), n = s->count[run]++;
    memmove(values + at + 1, values + at, (size_t)(n - at) * sizeof(double));
    values[at] = x;
    s->largest[run] = values[n];
    s->group[run / NT_SORTED_GROUP]++;
    s->held++;
}

void nt_sorted_leave(nt_sorted *s, double x) {
    const int64_t run = run_for(s, x);
    double *values = numbers_of(s, run);
    const int64_t at = nt_count_below(values, s->count[run], x), n = --s->count[run];
    memmove(values + at, values + at + 1, (size_t)(n - at) * sizeof(double));
    s->group[run / NT_SORTED_GROUP]--;
    s->held--;
    if (n == 0) {
        s->idle[s->idles++] = s->slot[run];
        shift(s, run + 1, run);
        regroup(s, run);
        return;
    }
    s->largest[run] = values[n - 1];
    join(s, run);
    join(s, run - 1);
}

/* Numbers in the runs before. */
static int64_t before(const nt_sorted *s, int64_t run) {
    int64_t sum = 0;
    for (int64_t g = 0; g < run / NT_SORTED_GROUP; g++) sum += s->group[g];
    for (int64_t r = run / NT_SORTED_GROUP * NT_SORTED_GROUP; r < run; r++) sum += s->count[r];
    return sum;
}

int64_t nt_sorted_below(const nt_sorted *s, double x) {
    if (s->runs == 0) return 0;
    const int64_t run = run_for(s, x);
    return before(s, run) + nt_count_below(numbers_of(s, run), s->count[run], x);
}

int64_t nt_sorted_not_above(const nt_sorted *s, double x) {
    if (s->runs == 0) return 0;
    const int64_t whole = nt_count_not_above(s->largest, s->runs, x), run = whole < s->runs ? whole : s->runs - 1;
    return before(s, run) + nt_count_not_above(numbers_of(s, run), s->count[run], x);
}

double nt_sorted_at(const nt_sorted *s, int64_t k) {
    int64_t g = 0;
    while (k >= s->group[g]) k -= s->group[g++];
    int64_t run = g * NT_SORTED_GROUP;
    while (k >= s->count[run]) k -= s->count[run++];
    return numbers_of(s, run)[k];
}
