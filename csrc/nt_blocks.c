#include "nt_blocks.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#define SLOTS 32

typedef struct nt_slot {
    void *block;
    int64_t bytes;
} nt_slot;

static nt_slot slots[SLOTS];
static int64_t waiting;
static atomic_flag busy = ATOMIC_FLAG_INIT;

static int64_t whole(int64_t bytes)
{
    return (bytes + NT_BLOCK_BYTES - 1) / NT_BLOCK_BYTES * NT_BLOCK_BYTES;
}

#if defined(__linux__)
static void *system_take(int64_t bytes)
{
    size_t size = (size_t)bytes, align = (size_t)NT_BLOCK_BYTES;
    uint8_t *found = mmap(NULL, size + align, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (found == MAP_FAILED)
        return NULL;
    size_t before = (align - (uintptr_t)found % align) % align;
    if (before)
        (void)munmap(found, before);
    (void)munmap(found + before + size, align - before);
    (void)madvise(found + before, size, MADV_HUGEPAGE); /* a hint: it may fail */
    return found + before;
}

static void system_give(void *block, int64_t bytes)
{
    (void)munmap(block, (size_t)bytes);
}
#else
static void *system_take(int64_t bytes)
{
    return aligned_alloc((size_t)NT_BLOCK_BYTES, (size_t)bytes);
}

static void system_give(void *block, int64_t bytes)
{
    (void)bytes;
    free(block);
}
#endif

void *nt_blocks_take(int64_t bytes)
{
    if (bytes <= 0 || bytes > INT64_MAX / 4)
        return NULL;
    void *found = NULL;
    bytes = whole(bytes);
    if (!atomic_flag_test_and_set_explicit(&busy, memory_order_acquire)) {
        for (int k = 0; k < SLOTS && found == NULL; k++)
            if (slots[k].bytes == bytes) {
                found = slots[k].block;
                waiting -= bytes;
                slots[k] = (nt_slot){NULL, 0};
            }
        atomic_flag_clear_explicit(&busy, memory_order_release);
    }
    return found != NULL ? found : system_take(bytes);
}

void nt_blocks_give(void *block, int64_t bytes)
{
    if (block == NULL)
        return;
    bytes = whole(bytes);
    if (!atomic_flag_test_and_set_explicit(&busy, memory_order_acquire)) {
        for (int k = 0; k < SLOTS && block != NULL && waiting + bytes <= NT_BLOCKS_KEPT; k++)
            if (slots[k].block == NULL) {
                slots[k] = (nt_slot){block, bytes};
                waiting += bytes;
                block = NULL;
            }
        atomic_flag_clear_explicit(&busy, memory_order_release);
    }
    if (block != NULL)
        system_give(block, bytes);
}

int64_t nt_blocks_waiting(void)
{
    int64_t bytes = 0;
    if (!atomic_flag_test_and_set_explicit(&busy, memory_order_acquire)) {
        bytes = waiting;
        atomic_flag_clear_explicit(&busy, memory_order_release);
    }
    return bytes;
}

void nt_blocks_release(void)
{
    nt_slot taken[SLOTS];
    if (atomic_flag_test_and_set_explicit(&busy, memory_order_acquire))
        return;
    for (int k = 0; k < SLOTS; k++) {
        taken[k] = slots[k];
        slots[k] = (nt_slot){NULL, 0};
    }
    waiting = 0;
    atomic_flag_clear_explicit(&busy, memory_order_release);
    for (int k = 0; k < SLOTS; k++)
        if (taken[k].block != NULL)
            system_give(taken[k].block, taken[k].bytes);
}
