#include "nt_crc32c.h"

#include <pthread.h>
#include <string.h>

static uint32_t tables[8][256];
static int has_instruction;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void prepare(void) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1) ? 0x82F63B78u : 0u);
        tables[0][i] = crc;
    }
    for (uint32_t i = 0; i < 256; i++)
        for (int t = 1; t < 8; t++) tables[t][i] = (tables[t - 1][i] >> 8) ^ tables[0][tables[t - 1][i] & 255];
#if defined(__x86_64__)
    has_instruction = __builtin_cpu_supports("sse4.2") != 0;
#endif
}

/* Slicing by eight (Kounavis and Berry 2008). */
uint32_t nt_crc32c_serial(uint32_t crc, const void *bytes, size_t count) {
    pthread_once(&once, prepare);
    const uint8_t *p = bytes;
    crc = ~crc;
    for (; count >= 8; p += 8, count -= 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        word ^= crc;
        crc = 0;
        for (int t = 0; t < 8; t++) crc ^= tables[7 - t][(word >> (8 * t)) & 255];
    }
    for (; count; p++, count--) crc = (crc >> 8) ^ tables[0][(crc ^ *p) & 255];
    return ~crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc_instruction(uint32_t crc, const uint8_t *p, size_t count) {
    uint64_t sum = ~crc;
    for (; count >= 8; p += 8, count -= 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        sum = __builtin_ia32_crc32di(sum, word);
    }
    crc = (uint32_t)sum;
    for (; count; p++, count--) crc = __builtin_ia32_crc32qi(crc, *p);
    return ~crc;
}
#endif

uint32_t nt_crc32c(uint32_t crc, const void *bytes, size_t count) {
    pthread_once(&once, prepare);
#if defined(__x86_64__)
    if (has_instruction) return crc_instruction(crc, bytes, count);
#endif
    return nt_crc32c_serial(crc, bytes, count);
}
