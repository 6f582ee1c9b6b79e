#include "network.h"

#include "features.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace milplib {

// Number of lines that pass through the layers together, so that they stay in the first-level
// cache. It is a multiple of the lines in a kernel's tile.
static constexpr std::int64_t chunk = 48;

float* Lines::reserve(std::size_t size) {
    constexpr std::size_t line = 64;
    if (size > size_) {
        memory_.reset();  // first, so that old and new memory never coexist
        size_ = 0;
        memory_.reset(new float[size + line / sizeof(float)]);
        size_ = size;
        const auto address = reinterpret_cast<std::uintptr_t>(memory_.get());
        data_ = reinterpret_cast<float*>((address + line - 1) / line * line);
    }
    return data_;
}

void Layer::shape(int n_inputs, int layer_width) {
    inputs = n_inputs;
    width = layer_width;
    weight.assign(std::size_t(inputs) * width, 0.0f);
    bias.assign(width, 0.0f);
}

void Layer::place(const float* matrix, int n_inputs, int units, int row) {
    for (int i = 0; i < n_inputs; ++i)
        std::copy_n(matrix + std::size_t(i) * units, units,
                    weight.data() + std::size_t(row + i) * width);
}

void Layer::place_bias(const float* vector, int units) {
    std::copy_n(vector, units, bias.data());
}

Dense Layer::dense(bool relu) const {
    return {weight.data(), bias.data(), inputs, width, relu};
}

Network::Network(const Kernels& kernels, int hidden, int n_block_columns, bool is_relative,
                 const Tensors& tensors)
    : kernels_(kernels),
      hidden_(hidden),
      width_((hidden + width_step - 1) / width_step * width_step),
      n_block_columns_(n_block_columns),
      joined_width_(2 * width_ + width_step),
      is_relative_(is_relative) {
    const auto fill = [&](Layer& layer, int inputs, int rows, const Tensors::Affine& tensor) {
        layer.shape(inputs, width_);
        layer.place(tensor.weight, rows, hidden_, 0);
        layer.place_bias(tensor.bias, hidden_);
    };
    fill(variables_[0], n_variable_features, n_variable_features, tensors.variables[0]);
    fill(variables_[1], width_, hidden_, tensors.variables[1]);
    fill(rows_[0], n_row_features, n_row_features, tensors.rows[0]);
    fill(rows_[1], width_, hidden_, tensors.rows[1]);
    const auto convolve = [&](Convolution& made, const Tensors::Convolution& tensor) {
        fill(made.target, width_, hidden_, tensor.target);
        made.source.shape(width_, width_);
        made.source.place(tensor.source, hidden_, hidden_, 0);
        made.joined.shape(2 * width_ + 1, width_);
        made.joined.place(tensor.message, hidden_, hidden_, 0);
        made.joined.place(tensor.own.weight, hidden_, hidden_, width_);
        made.joined.place(tensor.constant, 1, hidden_, 2 * width_);
        made.joined.place_bias(tensor.own.bias, hidden_);
        fill(made.output, width_, hidden_, tensor.output);
        made.edge.assign(width_, 0.0f);
        std::copy_n(tensor.edge, hidden_, made.edge.data());
    };
    convolve(to_rows_, tensors.to_rows);
    convolve(to_variables_, tensors.to_variables);
    head_.shape(width_ + n_block_columns, width_);
    head_.place(tensors.head.weight, hidden_, hidden_, 0);
    head_.place(tensors.head.weight + std::size_t(hidden_) * hidden_, n_block_columns, hidden_,
                width_);
    head_.place_bias(tensors.head.bias, hidden_);
    // The last layer has one unit, in the narrowest width.
    last_.shape(width_, width_step);
    last_.place(tensors.last, hidden_, 1, 0);
    features_.reserve(chunk * std::max(n_variable_features, n_row_features));
    x_.reserve(chunk * (width_ + n_block_columns));
    y_.reserve(chunk * width_);
    joined_.reserve(chunk * joined_width_);
}

void Network::run(const Layer& layer, bool relu, const float* x, std::int64_t x_stride, float* y,
                  std::int64_t y_stride, std::int64_t n) const {
    kernels_.dense(layer.dense(relu), x, x_stride, y, y_stride, n);
}

void Network::score(const Input& input, float* scores) {
    if (is_relative_) weigh(*input.graph);
    near_.find(*input.graph, input.candidates, input.n_candidates);
    embed_columns(input);
    convolve_to_rows(input);
    convolve_to_candidates(input, scores);
}

void Network::weigh(const Graph& graph) {
    std::int64_t n_edges = 0;
    for (const Side& side : graph.sides) n_edges += side.end - side.begin;
    if (n_edges == 0) return;  // no mean number of edges
    const double total = double(n_edges), n_sides = double(graph.sides.size());
    value_scale_ = float(std::sqrt(total / n_sides));
    side_weight_ = float(n_sides / total);
    column_weight_ = float(double(graph.n_columns) / total);
}

// Write a target's sum of messages and its degree to the input of the joined layer.
void Network::sum(const Edges<float>& edges, float weight, float* line) const {
    kernels_.edges.sum(edges, line);
    line[2 * width_] = float(edges.n_edges);
    if (!is_relative_) return;
    for (int i = 0; i < width_; ++i) line[i] *= weight;
    line[2 * width_] *= weight;
}

// Gather the listed lines.
static void gather(const float* lines, int width, const std::int32_t* list, std::int64_t n,
                   float* to) {
    for (std::int64_t i = 0; i < n; ++i)
        std::memcpy(to + i * width, lines + std::size_t(list[i]) * width, width * sizeof(float));
}

void Network::embed_columns(const Input& input) {
    const auto& columns = near_.columns;
    float* sources = column_sources_.reserve(std::size_t(input.graph->n_columns) * width_);
    float* candidates = candidate_lines_.reserve(std::size_t(input.n_candidates) * width_);
    const auto n_columns = std::int64_t(columns.size());
    for (std::int64_t begin = 0; begin < n_columns; begin += chunk) {
        const std::int32_t* list = columns.data() + begin;
        const std::int64_t n = std::min(chunk, n_columns - begin);
        const float* features = input.variable_features + std::size_t(list[0]) * n_variable_features;
        const bool is_run = list[n - 1] - list[0] == n - 1;  // ascending, so the run is complete
        if (!is_run) {
            gather(input.variable_features, n_variable_features, list, n, features_.data());
            features = features_.data();
        }
        run(variables_[0], true, features, n_variable_features, y_.data(), width_, n);
        run(variables_[1], true, y_.data(), width_, x_.data(), width_, n);
        for (std::int64_t i = 0; i < n; ++i) {
            const std::int32_t candidate = near_.candidate_at[list[i]];
            if (candidate >= 0)
                std::memcpy(candidates + std::size_t(candidate) * width_, x_.data() + i * width_,
                            width_ * sizeof(float));
        }
        float* to = is_run ? sources + std::size_t(list[0]) * width_ : y_.data();
        run(to_rows_.source, false, x_.data(), width_, to, width_, n);
        if (is_run) continue;
        for (std::int64_t i = 0; i < n; ++i)
            std::memcpy(sources + std::size_t(list[i]) * width_, y_.data() + i * width_,
                        width_ * sizeof(float));
    }
}

void Network::convolve_to_rows(const Input& input) {
    const Graph& graph = *input.graph;
    const auto n_sides = std::int64_t(near_.sides.size());
    float* sources = side_sources_.reserve(std::size_t(n_sides) * width_);
    for (std::int64_t begin = 0; begin < n_sides; begin += chunk) {
        const std::int32_t* list = near_.sides.data() + begin;
        const std::int64_t n = std::min(chunk, n_sides - begin);
        gather(input.row_features, n_row_features, list, n, features_.data());
        run(rows_[0], true, features_.data(), n_row_features, y_.data(), width_, n);
        float* own = joined_.data() + width_;
        run(rows_[1], true, y_.data(), width_, own, joined_width_, n);
        run(to_rows_.target, false, own, joined_width_, y_.data(), width_, n);
        for (std::int64_t i = 0; i < n; ++i) {
            const Side& side = graph.sides[list[i]];
            sum({y_.data() + i * width_, to_rows_.edge.data(), column_sources_.data(),
                 graph.column + side.begin, graph.value + side.begin, side.end - side.begin,
                 side.sign * value_scale_, width_},
                side_weight_, joined_.data() + i * joined_width_);
        }
        run(to_rows_.joined, true, joined_.data(), joined_width_, y_.data(), width_, n);
        run(to_rows_.output, true, y_.data(), width_, x_.data(), width_, n);
        run(to_variables_.source, false, x_.data(), width_, sources + begin * width_, width_, n);
    }
}

void Network::convolve_to_candidates(const Input& input, float* scores) {
    const int head_width = width_ + n_block_columns_;
    for (std::int64_t begin = 0; begin < input.n_candidates; begin += chunk) {
        const std::int64_t n = std::min(chunk, input.n_candidates - begin);
        float* own = joined_.data() + width_;
        for (std::int64_t i = 0; i < n; ++i)
            std::memcpy(own + i * joined_width_, candidate_lines_.data() + (begin + i) * width_,
                        width_ * sizeof(float));
        run(to_variables_.target, false, own, joined_width_, y_.data(), width_, n);
        for (std::int64_t i = 0; i < n; ++i) {
            const std::int64_t first = near_.edges.begin[begin + i];
            const std::int64_t n_edges = near_.edges.begin[begin + i + 1] - first;
            sum({y_.data() + i * width_, to_variables_.edge.data(), side_sources_.data(),
                 near_.edges.other + first, near_.edges.value + first, n_edges, value_scale_,
                 width_},
                column_weight_, joined_.data() + i * joined_width_);
        }
        run(to_variables_.joined, true, joined_.data(), joined_width_, y_.data(), width_, n);
        run(to_variables_.output, true, y_.data(), width_, x_.data(), head_width, n);
        for (std::int64_t i = 0; i < n; ++i)
            std::copy_n(input.blocks + (begin + i) * n_block_columns_, n_block_columns_,
                        x_.data() + i * head_width + width_);
        run(head_, true, x_.data(), head_width, y_.data(), width_, n);
        run(last_, false, y_.data(), width_, x_.data(), head_width, n);
        for (std::int64_t i = 0; i < n; ++i) scores[begin + i] = x_.data()[i * head_width];
    }
}

}  // namespace milplib
