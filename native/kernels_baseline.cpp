// The baseline of the architecture: SSE2 on x86-64, NEON on 64-bit ARM.
#if defined(__SSE__)
#include <immintrin.h>
#define MILPLIB_MAX _mm_max_ps
#define MILPLIB_MAX_IN_DOUBLE _mm_max_pd
#else
#define MILPLIB_MAX(first, second) ((first) > (second) ? (first) : (second))
#define MILPLIB_MAX_IN_DOUBLE MILPLIB_MAX
#endif

#define MILPLIB_LEVEL baseline
#define MILPLIB_TABLE baseline_kernels
#define MILPLIB_NAME "baseline"
#define MILPLIB_TARGET
#define MILPLIB_BYTES 16
#define MILPLIB_TILE 4
#include "kernels.inc"
