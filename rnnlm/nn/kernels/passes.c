#include <stddef.h>

#include "passes.h"

const char *instruction_set_called(int rank) {
    const char *names[4];
    int found = 0;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) names[found++] = "AVX-512";
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) names[found++] = "AVX2";
    names[found++] = "x86-64";
#elif defined(__aarch64__)
    names[found++] = "NEON";
#else
    names[found++] = "C";
#endif
    return rank < found ? names[rank] : NULL;
}
