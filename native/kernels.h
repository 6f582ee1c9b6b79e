// Expensive arithmetic for each instruction set (level): dense layers and sums over edges.
//
// Each level is a file that includes kernels.inc, and a table of functions is chosen at run time.
// `target_clones` would need a C library that resolves functions at load, which not every one does,
// and callers could not choose a level.
#pragma once

#include <cstdint>
#include <vector>

namespace milplib {

// Widths of inner layers are multiples of this, so that vectors are full at every level.
constexpr int width_step = 16;

// Dense layer y = x @ weight + bias, followed by ReLU if `relu` is set. `width` is a multiple of
// `width_step`. `weight` has shape (inputs, width), without gaps.
struct Dense {
    const float* weight;
    const float* bias;
    int inputs;
    int width;
    bool relu;
};

// Edges of a target. The message of an edge is ReLU(target + sign * value * weight + source), of
// `width` units.
template <class Number>
struct Edges {
    const Number* target;
    const Number* weight;
    const Number* sources;  // shape (any, width)
    const std::int32_t* source_of;
    const Number* value;
    std::int64_t n_edges;
    Number sign;
    int width;
};

// Edge kernels for one number type. Widths that are not multiples of `width_step` are slower.
template <class Number>
struct EdgeKernels {
    // Write the sum of the messages.
    void (*sum)(const Edges<Number>&, Number* sum);
    // Compute gradients from the gradient of the sum: write `of_target` and `of_weight`, and add to
    // `of_sources` of shape (any, width).
    void (*gradient)(const Edges<Number>&, const Number* of_sum, Number* of_target,
                     Number* of_weight, Number* of_sources);
    // Add the deviations of the messages before ReLU from `origin`, over all units, to `sum`, and
    // their squares to `squares`.
    void (*moments)(const Edges<Number>&, double origin, double* sum, double* squares);
};

struct Kernels {
    const char* name;
    void (*dense)(const Dense&, const float* x, std::int64_t x_stride, float* y,
                  std::int64_t y_stride, std::int64_t n);
    EdgeKernels<float> edges;
    EdgeKernels<double> edges_in_double;
};

// Return the levels that this processor can run, the widest first. Never empty.
std::vector<const Kernels*> supported_kernels();

// Return a level by name, or the widest for null. Return null if there is no such level or this
// processor cannot run it.
const Kernels* kernels_named(const char* name);

}  // namespace milplib
