// Python type `Network`, a compiled network with its buffers.
#include "buffers.h"
#include "decision.h"
#include "module.h"
#include "network.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

namespace milplib {

namespace {

struct Compiled {
    Network network;
    Decider decider;
    GroupedEdges<float> edges;
    Graph graph;
    std::vector<float> scores;
    std::vector<char> is_candidate;
};

struct NetworkObject {
    PyObject_HEAD
    Compiled* compiled;
};

Compiled& compiled_of(PyObject* self) { return *reinterpret_cast<NetworkObject*>(self)->compiled; }

// Folded tensors in the order of `FoldedGcnn.tensors`.
class TensorList {
  public:
    TensorList(PyObject* tuple, int hidden, int n_block_columns)
        : tuple_(tuple), hidden_(hidden) {
        if (!PyTuple_Check(tuple)) raise(PyExc_TypeError, "the tensors must be a tuple");
        constexpr int n_tensors = 31;
        if (PyTuple_Size(tuple) != n_tensors)
            raise(PyExc_ValueError, "a network has %d tensors, not %zd", n_tensors,
                  PyTuple_Size(tuple));
        read(tensors.variables, n_variable_features);
        read(tensors.rows, n_row_features);
        for (Tensors::Convolution* part : {&tensors.to_rows, &tensors.to_variables}) {
            part->target = affine(hidden);
            part->edge = vector();
            part->source = matrix(hidden);
            part->message = matrix(hidden);
            part->constant = vector();
            part->own = affine(hidden);
            part->output = affine(hidden);
        }
        tensors.head = affine(hidden + n_block_columns);
        tensors.last = vector();
    }

    Tensors tensors;

  private:
    void read(Tensors::Affine (&layers)[2], int n_features) {
        layers[0] = affine(n_features);
        layers[1] = affine(hidden_);
    }

    Tensors::Affine affine(int inputs) {
        const float* weight = matrix(inputs);
        return {weight, vector()};
    }

    const float* matrix(int inputs) { return keep(inputs, true); }
    const float* vector() { return keep(any, false); }

    const float* keep(int inputs, bool is_matrix) {
        const std::string name = "tensor " + std::to_string(arrays_.size());
        PyObject* object = PyTuple_GetItem(tuple_, Py_ssize_t(arrays_.size()));
        std::unique_ptr<Array<float>> array(
            is_matrix ? new Array<float>(object, name.c_str(), {inputs, hidden_})
                      : new Array<float>(object, name.c_str(), {hidden_}));
        arrays_.push_back(std::move(array));
        check_finite(*arrays_.back(), name.c_str());
        return arrays_.back()->data();
    }

    PyObject* tuple_;
    int hidden_;
    std::vector<std::unique_ptr<Array<float>>> arrays_;
};

PyObject* make(PyTypeObject* type, PyObject* arguments, PyObject*) {
    return guarded([&]() -> PyObject* {
        int hidden = 0, n_block_columns = 0, is_relative = 0;
        double tie_tolerance = 0.0;
        PyObject* tuple = nullptr;
        const char* level = nullptr;
        if (!PyArg_ParseTuple(arguments, "iipdO|z:Network", &hidden, &n_block_columns,
                              &is_relative, &tie_tolerance, &tuple, &level))
            throw PythonError();
        constexpr int most = 4096;
        if (hidden < 1 || hidden > most || n_block_columns < 0 || n_block_columns > most)
            raise(PyExc_ValueError, "a network of %d hidden units and %d block columns", hidden,
                  n_block_columns);
        if (!(tie_tolerance >= 0.0 && tie_tolerance < 1.0))
            raise(PyExc_ValueError, "the tolerance of ties must be in [0, 1)");
        const TensorList list(tuple, hidden, n_block_columns);
        std::unique_ptr<Compiled> compiled(
            new Compiled{Network(kernels_of(level), hidden, n_block_columns, is_relative != 0,
                                 list.tensors),
                         Decider(tie_tolerance), {}, {}, {}, {}});
        const auto allocate =
            reinterpret_cast<allocfunc>(PyType_GetSlot(type, Py_tp_alloc));
        PyObject* self = allocate(type, 0);
        if (!self) throw PythonError();
        reinterpret_cast<NetworkObject*>(self)->compiled = compiled.release();
        return self;
    });
}

void discard(PyObject* self) {
    delete reinterpret_cast<NetworkObject*>(self)->compiled;
    PyTypeObject* type = Py_TYPE(self);
    const auto release = reinterpret_cast<freefunc>(PyType_GetSlot(type, Py_tp_free));
    release(self);
    Py_DECREF(type);  // objects of heap types own a reference to their type
}

PyObject* score(PyObject* self, PyObject* arguments) {
    return guarded([&]() -> PyObject* {
        PyObject *variables_, *rows_, *ends_, *edges_, *candidates_, *blocks_, *out_;
        if (!PyArg_ParseTuple(arguments, "OOOOOOO:score", &variables_, &rows_, &ends_, &edges_,
                              &candidates_, &blocks_, &out_))
            throw PythonError();
        Compiled& compiled = compiled_of(self);
        const Array<float> variables(variables_, "variable_features", {any, n_variable_features});
        const Array<float> rows(rows_, "row_features", {any, n_row_features});
        const Array<std::int32_t> ends(ends_, "edge_index", {2, any});
        const Array<float> edges(edges_, "edge_features", {ends.columns()});
        const Array<std::int32_t> candidates(candidates_, "candidates", {any});
        const std::int64_t n_edges = ends.columns(), k = candidates.rows();
        const Array<float> blocks(blocks_, "blocks", {k, compiled.network.n_block_columns()});
        const Array<float> out(out_, "out", {k}, Access::write);
        check_finite(variables, "variable_features");
        check_finite(rows, "row_features");
        check_finite(edges, "edge_features");
        check_finite(blocks, "blocks");
        check_range(ends.data(), n_edges, rows.rows(), "edge_index[0]");
        check_range(ends.data() + n_edges, n_edges, variables.rows(), "edge_index[1]");
        check_range(candidates.data(), k, variables.rows(), "candidates");
        compiled.is_candidate.assign(variables.rows(), 0);
        for (std::int64_t i = 0; i < k; ++i)
            if (compiled.is_candidate[candidates.data()[i]]++)
                raise(PyExc_ValueError, "candidates holds column %d twice",
                      int(candidates.data()[i]));
        GroupedEdges<float>& grouped = compiled.edges;
        grouped.group(rows.rows(), n_edges, ends.data(), ends.data() + n_edges, edges.data());
        Graph& graph = compiled.graph;
        graph.n_columns = variables.rows();
        graph.column = grouped.other;
        graph.value = grouped.value;
        graph.sides.resize(rows.rows());
        for (Py_ssize_t i = 0; i < rows.rows(); ++i)
            graph.sides[i] = {grouped.begin[i], grouped.begin[i + 1], 1.0f};
        compiled.scores.resize(k);  // not `out`, which may overlap the inputs
        compiled.network.score({&compiled.graph, variables.data(), rows.data(), candidates.data(),
                                k, blocks.data()},
                               compiled.scores.data());
        std::copy(compiled.scores.begin(), compiled.scores.end(), out.data());
        Py_RETURN_NONE;
    });
}

void check_blocks(const Compiled& compiled) {
    constexpr int pseudocost_columns = 3;
    const int n = compiled.network.n_block_columns();
    if (n != 0 && n != pseudocost_columns)
        raise(PyExc_ValueError, "only a network without blocks, or with the pseudocosts, decides");
}

PyObject* decide(PyObject* self, PyObject* arguments) {
    return guarded([&]() -> PyObject* {
        PyObject *capsule, *model = nullptr;
        if (!PyArg_ParseTuple(arguments, "O|O:decide", &capsule, &model)) throw PythonError();
        Compiled& compiled = compiled_of(self);
        check_blocks(compiled);
        const DecisionTimes times = compiled.decider.decide(capsule, model, compiled.network);
        return Py_BuildValue("(ddd)", times.observe, times.score, times.branch);
    });
}

PyObject* judge(PyObject* self, PyObject* arguments) {
    return guarded([&]() -> PyObject* {
        PyObject *capsule, *model = nullptr;
        if (!PyArg_ParseTuple(arguments, "O|O:judge", &capsule, &model)) throw PythonError();
        Compiled& compiled = compiled_of(self);
        check_blocks(compiled);
        Decider& decider = compiled.decider;
        decider.observe(capsule, model, compiled.network);
        decider.score(compiled.network);
        const auto& candidates = decider.candidates();
        const auto& scores = decider.scores();
        const std::int64_t chosen = candidates.empty() ? -1 : decider.choose();
        return Py_BuildValue(
            "(y#y#L)", reinterpret_cast<const char*>(candidates.data()),
            Py_ssize_t(candidates.size() * sizeof(std::int32_t)),
            reinterpret_cast<const char*>(scores.data()),
            Py_ssize_t(scores.size() * sizeof(float)), static_cast<long long>(chosen));
    });
}

PyMethodDef methods[] = {
    {"score", score, METH_VARARGS, "Write the scores of a state's candidates to an array."},
    {"decide", decide, METH_VARARGS,
     "Extract, score, choose and branch at the current node; return the seconds of the parts."},
    {"judge", judge, METH_VARARGS,
     "Return the candidates, their scores and the position that decide() would choose."},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_doc, const_cast<char*>("A graph convolutional network, ready to score.")},
    {Py_tp_new, reinterpret_cast<void*>(make)},
    {Py_tp_dealloc, reinterpret_cast<void*>(discard)},
    {Py_tp_methods, methods},
    {0, nullptr},
};

PyType_Spec specification = {"milplib._native.Network", sizeof(NetworkObject), 0,
                             Py_TPFLAGS_DEFAULT, slots};

}  // namespace

void add_network_type(PyObject* module) {
    PyObject* type = PyType_FromSpec(&specification);
    const int code = type ? PyModule_AddObjectRef(module, "Network", type) : -1;
    Py_XDECREF(type);
    if (code < 0) throw PythonError();
}

}  // namespace milplib
