// The arithmetic that takes the time, once for each instruction set: dense layers, and the sum over
// edges.
//
// Not `target_clones`: it needs a C library that resolves functions at load (not every one does),
// and no caller could ask for one level. So each level is a file that includes kernels.inc, and a
// table of functions is chosen at run time.
#pragma once

#include <cstdint>
#include <vector>

namespace milplib {

// Widths of layers inside are multiples of this: full vectors at every level.
constexpr int width_step = 16;

// y = x @ weight + bias for n lines, then ReLU unless it is switched off. y is `width` wide, a
// multiple of `width_step`; `weight` is (inputs, width) without gaps.
struct Dense {
    const float* weight;
    const float* bias;
    int inputs;
    int width;
    bool relu;
};

// sum = sum over edges of ReLU(target + sign * value * weight + source line), each `width` wide.
struct EdgeSum {
    const float* target;
    const float* weight;
    const float* sources;  // (any, width)
    const std::int32_t* source_of;
    const float* value;
    std::int64_t n_edges;
    float sign;
    int width;
    float* sum;
};

struct Kernels {
    const char* name;
    void (*dense)(const Dense&, const float* x, std::int64_t x_stride, float* y,
                  std::int64_t y_stride, std::int64_t n);
    void (*edge_sum)(const EdgeSum&);
};

// Those that this processor can run, the widest first; never empty.
std::vector<const Kernels*> supported_kernels();

// By name; null if there is none of that name or this processor cannot run it.
const Kernels* kernels_named(const char* name);

}  // namespace milplib
