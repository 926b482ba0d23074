/* nt_near: rows with their distances, and the two heaps that a search keeps them in. Order is (distance, row), so that
 * equal distances have one order. Distances are never NaN here. */
#ifndef NT_NEAR_H
#define NT_NEAR_H

#include <stddef.h>
#include <stdint.h>

typedef struct nt_near {
    float distance;
    uint32_t row;
} nt_near;

static inline int nt_nearer(nt_near a, nt_near b) {
    return a.distance < b.distance || (a.distance == b.distance && a.row < b.row);
}

/* The nearest few so far: the farthest of them on top. The caller bounds `count`. */
static inline void nt_farthest_sift(nt_near *near, size_t count, size_t at, nt_near value) {
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && nt_nearer(near[child], near[child + 1])) child++;
        if (!nt_nearer(value, near[child])) break;
        near[at] = near[child];
    }
    near[at] = value;
}

static inline void nt_farthest_push(nt_near *near, size_t count, nt_near value) {
    size_t at = count;
    for (; at > 0 && nt_nearer(near[(at - 1) / 2], value); at = (at - 1) / 2) near[at] = near[(at - 1) / 2];
    near[at] = value;
}

/* Sorts such a heap, nearest first. */
static inline void nt_farthest_sort(nt_near *near, size_t count) {
    while (count > 1) {
        nt_near last = near[--count];
        near[count] = near[0];
        nt_farthest_sift(near, count, 0, last);
    }
}

/* What is still to be looked at: the nearest on top. */
static inline void nt_nearest_push(nt_near *near, size_t count, nt_near value) {
    size_t at = count;
    for (; at > 0 && nt_nearer(value, near[(at - 1) / 2]); at = (at - 1) / 2) near[at] = near[(at - 1) / 2];
    near[at] = value;
}

static inline nt_near nt_nearest_pop(nt_near *near, size_t count) {
    nt_near top = near[0], value = near[--count];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && nt_nearer(near[child + 1], near[child])) child++;
        if (!nt_nearer(near[child], value)) break;
        near[at] = near[child];
    }
    near[at] = value;
    return top;
}

#endif
