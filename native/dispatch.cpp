#include "kernels.h"
#include "levels.h"

#include <cstring>

namespace milplib {

extern const Kernels baseline_kernels;
#if MILPLIB_HAS_X86_LEVELS
extern const Kernels avx2_kernels;
extern const Kernels avx512_kernels;
#endif

std::vector<const Kernels*> supported_kernels() {
    std::vector<const Kernels*> kernels;
#if MILPLIB_HAS_X86_LEVELS
    __builtin_cpu_init();
    // These also check that the operating system saves the wider registers.
    const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (has_avx2 && __builtin_cpu_supports("avx512f")) kernels.push_back(&avx512_kernels);
    if (has_avx2) kernels.push_back(&avx2_kernels);
#endif
    kernels.push_back(&baseline_kernels);
    return kernels;
}

const Kernels* kernels_named(const char* name) {
    for (const Kernels* kernels : supported_kernels())
        if (!name || !std::strcmp(kernels->name, name)) return kernels;
    return nullptr;
}

}  // namespace milplib
