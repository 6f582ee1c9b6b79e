// x86-64 with 512-bit vectors and 32 registers for them.
#include "levels.h"
#if MILPLIB_HAS_X86_LEVELS
#include <immintrin.h>

#define MILPLIB_LEVEL avx512
#define MILPLIB_TABLE avx512_kernels
#define MILPLIB_NAME "avx512"
#define MILPLIB_TARGET __attribute__((target("avx512f,avx2,fma")))
#define MILPLIB_BYTES 64
#define MILPLIB_TILE 4
#define MILPLIB_MAX _mm512_max_ps
#define MILPLIB_MAX_IN_DOUBLE _mm512_max_pd
#include "kernels.inc"
#endif
