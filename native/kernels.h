// The expensive arithmetic, once for each instruction set: dense layers and the sum over edges.
//
// `target_clones` needs a C library that resolves functions at load (not every one does), and
// callers could not choose a level. So each level is a file that includes kernels.inc, and a table
// of functions is chosen at run time.
#pragma once

#include <cstdint>
#include <vector>

namespace milplib {

// Inner layers have widths that are multiples of this: full vectors at every level.
constexpr int width_step = 16;

// y = x @ weight + bias for n lines, then ReLU unless switched off. y is `width` wide, a multiple
// of `width_step`; `weight` is (inputs, width) without gaps.
struct Dense {
    const float* weight;
    const float* bias;
    int inputs;
    int width;
    bool relu;
};

// The edges of a target, whose messages are ReLU(target + sign * value * weight + source line),
// each `width` wide.
template <class Number>
struct Edges {
    const Number* target;
    const Number* weight;
    const Number* sources;  // (any, width)
    const std::int32_t* source_of;
    const Number* value;
    std::int64_t n_edges;
    Number sign;
    int width;
};

// Edge kernels for one number type. Widths that are no multiple of `width_step` are slower.
template <class Number>
struct EdgeKernels {
    // sum = sum of the messages
    void (*sum)(const Edges<Number>&, Number* sum);
    // Gradients from the gradient of the sum: writes of_target and of_weight, adds to of_sources
    // (any, width).
    void (*gradient)(const Edges<Number>&, const Number* of_sum, Number* of_target,
                     Number* of_weight, Number* of_sources);
    // Add up the messages before ReLU minus `origin`, over all units, and their squares.
    void (*moments)(const Edges<Number>&, double origin, double* sum, double* squares);
};

struct Kernels {
    const char* name;
    void (*dense)(const Dense&, const float* x, std::int64_t x_stride, float* y,
                  std::int64_t y_stride, std::int64_t n);
    EdgeKernels<float> edges;
    EdgeKernels<double> edges_in_double;
};

// Levels that this processor can run, the widest first; never empty.
std::vector<const Kernels*> supported_kernels();

// A level by name, or the widest for null; returns null if there is none of that name or this
// processor cannot run it.
const Kernels* kernels_named(const char* name);

}  // namespace milplib
