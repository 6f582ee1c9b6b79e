// x86-64 since 2013.
#include "levels.h"
#if MILPLIB_HAS_X86_LEVELS
#include <immintrin.h>

#define MILPLIB_LEVEL avx2
#define MILPLIB_TABLE avx2_kernels
#define MILPLIB_NAME "avx2"
#define MILPLIB_TARGET __attribute__((target("avx2,fma")))
#define MILPLIB_LANES 8
#define MILPLIB_TILE 4
#define MILPLIB_MAX _mm256_max_ps
#include "kernels.inc"
#endif
