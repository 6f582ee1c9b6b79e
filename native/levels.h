// Whether the toolchain can compile functions for instruction sets beyond the baseline and query
// the processor for them.
#pragma once

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__)) && !defined(MILPLIB_BASELINE)
#define MILPLIB_HAS_X86_LEVELS 1
#else
#define MILPLIB_HAS_X86_LEVELS 0
#endif
