/* What an average (nt_average.h) does to whole blocks of eight rows, for passes that keep the rows of several averages in
 * registers: the same operations as nt_average_push. Values must be finite; a pass finds out by what it yields, and where
 * that is not finite takes its rows again with nt_average_feed, nothing having been returned. */
#ifndef NT_CHAIN_H
#define NT_CHAIN_H

#define NT_LANES_NARROW /* waits for its own results more than for room: tema 1.9 -> 1.6 ns a row */

#include "nt_average.h"
#include "nt_history.h"
#include "nt_lanes.h"

enum { NT_CHAIN_GROUP = 4 };
#define NT_EACH_BLOCK(group) _Pragma("GCC unroll 4") for (int b = 0; b < (group); b++)

typedef struct {
    nt_eight powers;
    double alpha, keep, keep_2, keep_4, whole;
} nt_weights;

typedef struct {
    double about, carry;
} nt_chain;

/* Whether m rows may be taken as blocks. Of averages that are fed together the one that is warm last answers for all. */
NT_LANES_INLINE int nt_chain_ready(const nt_average *s, int64_t m) {
    return s->seen >= s->window && s->rows % NT_AVERAGE_BLOCK == 0 && m % NT_AVERAGE_BLOCK == 0;
}

/* How many of n rows to take next: up to where blocks begin, then whole blocks, then what is left. */
NT_LANES_INLINE int64_t nt_chain_room(const nt_average *s, int64_t n) {
    const int64_t into = s->rows % NT_AVERAGE_BLOCK, wanted = into ? NT_AVERAGE_BLOCK - into : n < NT_PASS ? n : NT_PASS;
    if (wanted > n) return n;
    return into || wanted < NT_AVERAGE_BLOCK ? wanted : wanted & -NT_AVERAGE_BLOCK;
}

NT_LANES_INLINE nt_weights nt_weights_of(const nt_average *s) {
    return (nt_weights){nt_eight_at(s->powers), s->alpha, s->keep, s->keep_2, s->keep_4, s->powers[7]};
}

NT_LANES_INLINE nt_chain nt_chain_of(const nt_average *s) {
    return (nt_chain){s->about, s->carry};
}

NT_LANES_INLINE void nt_chain_return(const nt_chain *chain, nt_average *s, int64_t m) {
    s->about = chain->about;
    s->carry = chain->carry;
    s->rows += m;
}

/* The next `group` blocks, in place. Several at a time, step by step side by side: only the gap has to wait for the block
 * before, and the processor looks ahead no more than a few blocks by itself (tema 2.5 -> 1.9 ns a row). */
NT_LANES_INLINE void nt_chain_next(nt_chain *s, const nt_weights *w, nt_eight *x, const int group) {
    const nt_lanes none = {0};
    double about[NT_CHAIN_GROUP], gap[NT_CHAIN_GROUP];
    nt_eight sum[NT_CHAIN_GROUP], back[NT_CHAIN_GROUP];
    NT_EACH_BLOCK(group) about[b] = x[b].part[0][0];
    NT_EACH_BLOCK(group) NT_EACH_PART sum[b].part[p] = (x[b].part[p] - about[b]) * w->alpha;
    NT_EACH_BLOCK(group) back[b] = nt_eight_back_1(none, sum[b]);
    NT_EACH_BLOCK(group) NT_EACH_PART sum[b].part[p] += back[b].part[p] * w->keep;
    NT_EACH_BLOCK(group) back[b] = nt_eight_back_2(none, sum[b]);
    NT_EACH_BLOCK(group) NT_EACH_PART sum[b].part[p] += back[b].part[p] * w->keep_2;
    NT_EACH_BLOCK(group) back[b] = nt_eight_back_4(none, sum[b]);
    NT_EACH_BLOCK(group) NT_EACH_PART sum[b].part[p] += back[b].part[p] * w->keep_4;
    NT_EACH_BLOCK(group) {
        gap[b] = s->carry + (s->about - about[b]);
        s->carry = w->whole * gap[b] + nt_eight_last(sum[b]);
        s->about = about[b];
    }
    NT_EACH_BLOCK(group)
        NT_EACH_PART x[b].part[p] = about[b] + (w->powers.part[p] * gap[b] + sum[b].part[p]);
}

/* m rows, a multiple of NT_AVERAGE_BLOCK, by a statement that takes `group` blocks of them from row k on. */
#define NT_CHAIN_EACH(m, ...)                                                                                          \
    {                                                                                                                  \
        int64_t k = 0;                                                                                                 \
        {                                                                                                              \
            enum { group = NT_CHAIN_GROUP };                                                                           \
            for (; k + group * NT_AVERAGE_BLOCK <= (m); k += group * NT_AVERAGE_BLOCK) __VA_ARGS__                     \
        }                                                                                                              \
        {                                                                                                              \
            enum { group = 1 };                                                                                        \
            for (; k < (m); k += NT_AVERAGE_BLOCK) __VA_ARGS__                                                         \
        }                                                                                                              \
    }

#endif
