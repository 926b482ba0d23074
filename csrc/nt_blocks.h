/* nt_blocks: the large blocks of a run (tables, equity, indicator columns), kept for the next one.
 *
 * A run of a million bars takes and leaves 50 MB. Handed back to the system, each run finds it anew page by page: 3,500 faults cost
 * more than the loop. So blocks are whole huge pages, and up to NT_BLOCKS_KEPT bytes of what was given back wait for whoever
 * takes that size next. Content is what it was: whoever takes a block fills it. Any thread; never waits: where another thread is
 * inside, the block comes from the system or goes back to it.
 */
#ifndef NT_BLOCKS_H
#define NT_BLOCKS_H

#include <stdint.h>

#define NT_BLOCK_BYTES (INT64_C(2) << 20) /* blocks are multiples of it, and aligned */
#define NT_BLOCKS_LEAST (INT64_C(1) << 20) /* from here on a block is worth it; less is malloc's */
#define NT_BLOCKS_KEPT (INT64_C(64) << 20)

/* At least `bytes`, > 0; NULL where memory ran out. */
void *nt_blocks_take(int64_t bytes);
/* Give back what was taken with the same `bytes`; NULL is nothing. */
void nt_blocks_give(void *block, int64_t bytes);
/* Bytes that wait to be taken. */
int64_t nt_blocks_waiting(void);
/* Hand them to the system. */
void nt_blocks_release(void);

#endif
