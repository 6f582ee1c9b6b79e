// Graph convolutional network with folded normalisations. `milplib/policies/folded.py` folds them
// and documents the computation.
#pragma once

#include "graph.h"
#include "kernels.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace milplib {

// Buffer of numbers, aligned to a cache line. Growing discards the content.
class Lines {
  public:
    float* reserve(std::size_t size);
    float* data() const { return data_; }

  private:
    std::unique_ptr<float[]> memory_;
    float* data_ = nullptr;
    std::size_t size_ = 0;
};

// Weight (inputs, width) and bias (width), padded with zeros, so that padded units stay 0.
struct Layer {
    std::vector<float> weight, bias;
    int inputs = 0, width = 0;

    // Set the size and fill with zeros.
    void shape(int n_inputs, int layer_width);
    // Copy a matrix of shape (inputs, units), without gaps, to the weights from a row on.
    void place(const float* matrix, int n_inputs, int units, int row);
    void place_bias(const float* vector, int units);
    Dense dense(bool relu) const;
};

// Folded tensors, each without gaps. h is the number of hidden units, b that of block columns.
struct Tensors {
    struct Affine {
        const float *weight, *bias;
    };
    struct Convolution {
        Affine target;            // (h, h), (h)
        const float* edge;        // (h)
        const float* source;      // (h, h)
        const float* message;     // (h, h)
        const float* constant;    // (h)
        Affine own, output;       // (h, h), (h)
    };
    Affine variables[2], rows[2];  // (19, h), (h), (h, h), (h); (5, h), ...
    Convolution to_rows, to_variables;
    Affine head;        // (h + b, h), (h)
    const float* last;  // (h)
};

// Half-convolution: hidden = ReLU(sum @ message + own(x) + degree * constant), in one layer with
// the input [sum, x, degree].
struct Convolution {
    Layer target, source, joined, output;
    std::vector<float> edge;
};

// Inputs of scoring, owned by the caller.
struct Input {
    const Graph* graph;
    const float* variable_features;  // (columns, 19)
    const float* row_features;       // (sides, 5)
    const std::int32_t* candidates;
    std::int64_t n_candidates;
    const float* blocks;  // (candidates, b)
};

class Network {
  public:
    // With relative sums, each sum is divided by the mean number of edges per side or per column,
    // and edge features are multiplied by the square root of the mean number per side.
    Network(const Kernels& kernels, int hidden, int n_block_columns, bool is_relative,
            const Tensors& tensors);

    // Score the candidates, which must be distinct.
    void score(const Input& input, float* scores);

    int n_block_columns() const { return n_block_columns_; }

  private:
    void weigh(const Graph& graph);
    void sum(const Edges<float>& edges, float weight, float* line) const;
    void embed_columns(const Input& input);
    void convolve_to_rows(const Input& input);
    void convolve_to_candidates(const Input& input, float* scores);
    void run(const Layer& layer, bool relu, const float* x, std::int64_t x_stride, float* y,
             std::int64_t y_stride, std::int64_t n) const;

    const Kernels& kernels_;
    int hidden_, width_, n_block_columns_, joined_width_;
    Layer variables_[2], rows_[2], head_, last_;
    Convolution to_rows_, to_variables_;
    bool is_relative_;
    float value_scale_ = 1.0f, side_weight_ = 1.0f, column_weight_ = 1.0f;

    Neighbourhood near_;
    // Chunk of lines between layers.
    Lines features_, x_, y_, joined_;
    // Lines of all columns, of the candidates, and of the sides with a candidate.
    Lines column_sources_, candidate_lines_, side_sources_;
};

}  // namespace milplib
