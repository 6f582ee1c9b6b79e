// Sums over the edges of a graph in training, and their gradient. `learn/models/edge_sum.py` makes
// an autograd function of torch from them.
#include "buffers.h"
#include "graph.h"
#include "kernels.h"
#include "module.h"
#include "without_python.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace milplib {

const Kernels& kernels_of(const char* level) {
    if (const Kernels* found = kernels_named(level)) return *found;
    std::string names;
    for (const Kernels* known : supported_kernels()) names += std::string(" ") + known->name;
    raise(PyExc_ValueError, "this processor has no level '%s'; it has%s", level, names.c_str());
}

namespace {

template <class Number>
const EdgeKernels<Number>& edge_kernels(const Kernels& kernels);
template <>
const EdgeKernels<float>& edge_kernels(const Kernels& kernels) { return kernels.edges; }
template <>
const EdgeKernels<double>& edge_kernels(const Kernels& kernels) { return kernels.edges_in_double; }

// First arguments of all three functions.
struct Given {
    PyObject *target, *source, *weight, *edge_index, *edge_features;
};

template <class Number>
class Problem {
  public:
    Problem(const Given& given, const char* level)
        : kernels(edge_kernels<Number>(kernels_of(level))),
          target_(given.target, "target", {any, any}),
          source_(given.source, "source", {any, target_.columns()}),
          weight_(given.weight, "weight", {target_.columns()}),
          ends_(given.edge_index, "edge_index", {2, any}),
          values_(given.edge_features, "edge_features", {ends_.columns()}) {
        constexpr Py_ssize_t most = 1 << 20;
        if (width() < 1 || width() > most)
            raise(PyExc_ValueError, "target has %zd units", width());
        check_finite(values_, "edge_features");
        // A copy, because another thread may change the array while the GIL is released.
        const std::int32_t* given_ends = ends_.data();
        ends_copy_.assign(given_ends, given_ends + 2 * n_edges());
        check_range(ends_copy_.data(), n_edges(), n_targets(), "edge_index[0]");
        check_range(ends_copy_.data() + n_edges(), n_edges(), n_sources(), "edge_index[1]");
    }

    // Throw a ValueError if an output shares memory with an input, which it would overwrite.
    void check_apart(const Array<Number>& out, const char* name) const {
        milplib::check_apart(out, name, target_, "target");
        milplib::check_apart(out, name, source_, "source");
        milplib::check_apart(out, name, weight_, "weight");
        milplib::check_apart(out, name, ends_, "edge_index");
        milplib::check_apart(out, name, values_, "edge_features");
    }

    Py_ssize_t n_targets() const { return target_.rows(); }
    Py_ssize_t n_sources() const { return source_.rows(); }
    Py_ssize_t n_edges() const { return ends_.columns(); }
    Py_ssize_t width() const { return target_.columns(); }

    // Call a function with the position and the edges of each target.
    template <class Function>
    void for_each_target(Function function) {
        grouped_.group(n_targets(), n_edges(), ends_copy_.data(), ends_copy_.data() + n_edges(),
                       values_.data());
        Edges<Number> edges{target_.data(), weight_.data(), source_.data(), nullptr, nullptr, 0,
                            Number(1),      int(width())};
        for (Py_ssize_t t = 0; t < n_targets(); ++t, edges.target += width()) {
            const std::int64_t begin = grouped_.begin[t];
            edges.source_of = grouped_.other + begin;
            edges.value = grouped_.value + begin;
            edges.n_edges = grouped_.begin[t + 1] - begin;
            function(t, edges);
        }
    }

    const EdgeKernels<Number>& kernels;

  private:
    Array<Number> target_, source_, weight_;
    Array<std::int32_t> ends_;
    Array<Number> values_;
    std::vector<std::int32_t> ends_copy_;
    GroupedEdges<Number> grouped_;
};

template <class Number>
PyObject* sum(const Given& given, PyObject* out_, const char* level) {
    Problem<Number> problem(given, level);
    const Py_ssize_t width = problem.width();
    const Array<Number> out(out_, "out", {problem.n_targets(), width}, Access::write);
    problem.check_apart(out, "out");
    {
        const WithoutPython meanwhile;
        problem.for_each_target([&](Py_ssize_t t, const Edges<Number>& edges) {
            problem.kernels.sum(edges, out.data() + t * width);
        });
    }
    Py_RETURN_NONE;
}

template <class Number>
PyObject* gradient(const Given& given, PyObject* of_sum_, PyObject* of_target_,
                   PyObject* of_source_, PyObject* of_weight_, const char* level) {
    Problem<Number> problem(given, level);
    const Py_ssize_t width = problem.width();
    const Array<Number> of_sum(of_sum_, "gradient", {problem.n_targets(), width});
    const Array<Number> of_target(of_target_, "of_target", {problem.n_targets(), width},
                                  Access::write);
    const Array<Number> of_source(of_source_, "of_source", {problem.n_sources(), width},
                                  Access::write);
    const Array<Number> of_weight(of_weight_, "of_weight", {width}, Access::write);
    const std::pair<const Array<Number>*, const char*> outputs[] = {
        {&of_target, "of_target"}, {&of_source, "of_source"}, {&of_weight, "of_weight"}};
    for (const auto& output : outputs) {
        problem.check_apart(*output.first, output.second);
        check_apart(*output.first, output.second, of_sum, "gradient");
        for (const auto& other : outputs)
            if (&other < &output)
                check_apart(*output.first, output.second, *other.first, other.second);
    }
    {
        const WithoutPython meanwhile;
        std::fill_n(of_source.data(), problem.n_sources() * width, Number(0));
        // All edges of a batch add to the gradient of the weight, hence the sum in double.
        std::vector<double> total(width, 0.0);
        std::vector<Number> part(width);
        problem.for_each_target([&](Py_ssize_t t, const Edges<Number>& edges) {
            problem.kernels.gradient(edges, of_sum.data() + t * width,
                                     of_target.data() + t * width, part.data(), of_source.data());
            for (Py_ssize_t unit = 0; unit < width; ++unit) total[unit] += part[unit];
        });
        std::copy(total.begin(), total.end(), of_weight.data());
    }
    Py_RETURN_NONE;
}

template <class Number>
PyObject* moments(const Given& given, const char* level) {
    Problem<Number> problem(given, level);
    const auto count = double(problem.n_edges()) * double(problem.width());
    double sum = 0.0, squares = 0.0, origin = 0.0;
    {
        const WithoutPython meanwhile;
        // Deviations from one of the values lose no digits, and are 0 if all values are equal.
        bool has_origin = false;
        problem.for_each_target([&](Py_ssize_t, const Edges<Number>& edges) {
            if (!has_origin && edges.n_edges) {
                Edges<Number> first = edges;
                first.n_edges = first.width = 1;
                first.sources += std::int64_t(edges.source_of[0]) * edges.width;
                const std::int32_t at = 0;
                first.source_of = &at;
                double square = 0.0;
                problem.kernels.moments(first, 0.0, &origin, &square);
                has_origin = true;
            }
            problem.kernels.moments(edges, origin, &sum, &squares);
        });
    }
    const double mean = count ? sum / count : 0.0;
    const double deviations = count ? squares - sum * mean : 0.0;
    return Py_BuildValue("(dd)", origin + mean, std::max(deviations, 0.0));
}

}  // namespace

PyObject* edge_sum(PyObject* arguments) {
    Given given;
    PyObject* out;
    const char* level = nullptr;
    if (!PyArg_ParseTuple(arguments, "OOOOOO|z:edge_sum", &given.target, &given.source,
                          &given.weight, &given.edge_index, &given.edge_features, &out, &level))
        throw PythonError();
    const auto function = holds_doubles(given.target) ? sum<double> : sum<float>;
    return function(given, out, level);
}

PyObject* edge_gradient(PyObject* arguments) {
    Given given;
    PyObject *of_sum, *of_target, *of_source, *of_weight;
    const char* level = nullptr;
    if (!PyArg_ParseTuple(arguments, "OOOOOOOOO|z:edge_gradient", &given.target, &given.source,
                          &given.weight, &given.edge_index, &given.edge_features, &of_sum,
                          &of_target, &of_source, &of_weight, &level))
        throw PythonError();
    const auto function = holds_doubles(given.target) ? gradient<double> : gradient<float>;
    return function(given, of_sum, of_target, of_source, of_weight, level);
}

PyObject* edge_moments(PyObject* arguments) {
    Given given;
    const char* level = nullptr;
    if (!PyArg_ParseTuple(arguments, "OOOOO|z:edge_moments", &given.target, &given.source,
                          &given.weight, &given.edge_index, &given.edge_features, &level))
        throw PythonError();
    return (holds_doubles(given.target) ? moments<double> : moments<float>)(given, level);
}

}  // namespace milplib
