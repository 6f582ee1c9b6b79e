// x86-64 since 2013.
#include "levels.h"
#if MILPLIB_HAS_X86_LEVELS
#include <immintrin.h>

#define MILPLIB_LEVEL avx2
#define MILPLIB_TABLE avx2_kernels
#define MILPLIB_NAME "avx2"
#define MILPLIB_TARGET __attribute__((target("avx2,fma")))
#define MILPLIB_BYTES 32
#define MILPLIB_TILE 4
#define MILPLIB_MAX _mm256_max_ps
#define MILPLIB_MAX_IN_DOUBLE _mm256_max_pd
#include "kernels.inc"
#endif
