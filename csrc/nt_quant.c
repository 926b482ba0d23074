#include "nt_quant.h"

#include <math.h>
#include <string.h>

static int can_run(const char *name) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (strcmp(name, "avx512") == 0)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vpopcntdq") &&
               __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
    if (strcmp(name, "avx2") == 0)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("popcnt");
#endif
    return strcmp(name, "serial") == 0;
}

const nt_kernels *nt_kernels_find(const char *name) {
    if (!can_run(name)) return NULL;
#if defined(__x86_64__)
    if (strcmp(name, "avx512") == 0) return &nt_kernels_avx512;
    if (strcmp(name, "avx2") == 0) return &nt_kernels_avx2;
#endif
    return &nt_kernels_serial;
}

const nt_kernels *nt_kernels_best(void) {
    static const char *const names[] = {"avx512", "avx2"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (can_run(names[i])) return nt_kernels_find(names[i]);
    return &nt_kernels_serial;
}

float nt_inverse_norm(const nt_kernels *kernels, const int8_t *codes, size_t dimension) {
    return (float)(1.0 / sqrt((double)kernels->dot(codes, codes, dimension)));
}
