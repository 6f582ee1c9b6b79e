// Extraction of the state into new bytearrays of the LP's current size. The caller could not
// allocate arrays without asking for this size first.
#include "errors.h"
#include "features.h"
#include "module.h"

#include <cstring>

namespace milplib {

namespace {

// An owned reference to a Python object.
class Owned {
  public:
    explicit Owned(PyObject* object) : object_(object) {
        if (!object) throw PythonError();
    }
    ~Owned() { Py_DECREF(object_); }
    Owned(const Owned&) = delete;
    Owned& operator=(const Owned&) = delete;
    PyObject* get() const { return object_; }

  private:
    PyObject* object_;
};

PyObject* new_bytes(std::int64_t n, std::size_t size) {
    return PyByteArray_FromStringAndSize(nullptr, Py_ssize_t(n * std::int64_t(size)));
}

template <class Number>
Number* content(const Owned& bytes) {
    return reinterpret_cast<Number*>(PyByteArray_AsString(bytes.get()));
}

template <class Number>
PyObject* extract_as(PyObject* capsule, PyObject* model) {
    // Reuse memory from node to node, because fresh memory costs more than writing to it. Static
    // buffers are safe: this code holds the GIL throughout.
    static Rows rows;
    static std::vector<std::int32_t> positions;
    const Node node = read_node(capsule, model);
    rows.read(node);
    candidate_positions(node, positions);
    const Owned variables(
        new_bytes(std::int64_t(node.n_columns) * n_variable_features, sizeof(Number)));
    const Owned sides(new_bytes(rows.n_sides * n_row_features, sizeof(Number)));
    const Owned ends(new_bytes(2 * rows.n_edges, sizeof(std::int32_t)));
    const Owned edges(new_bytes(rows.n_edges, sizeof(Number)));
    const Owned candidates(new_bytes(node.n_candidates, sizeof(std::int32_t)));
    write_variable_features(node, content<Number>(variables));
    write_row_features(node, rows, content<Number>(sides));
    auto* side_of = content<std::int32_t>(ends);
    write_edges(rows, side_of, side_of + rows.n_edges, content<Number>(edges));
    if (!positions.empty())
        std::memcpy(content<std::int32_t>(candidates), positions.data(),
                    positions.size() * sizeof(std::int32_t));
    return Py_BuildValue("(OOOOOO)", variables.get(), sides.get(), ends.get(), edges.get(),
                         candidates.get(), node.incumbent ? Py_True : Py_False);
}

}  // namespace

PyObject* extract(PyObject* capsule, bool in_double, PyObject* model) {
    return in_double ? extract_as<double>(capsule, model) : extract_as<float>(capsule, model);
}

PyObject* pseudocost_block(PyObject* arguments) {
    PyObject *capsule, *model = nullptr;
    if (!PyArg_ParseTuple(arguments, "O|O:pseudocosts", &capsule, &model)) throw PythonError();
    const Node node = read_node(capsule, model);
    std::vector<double> block;
    pseudocosts(node, block);
    const auto* bytes = reinterpret_cast<const char*>(block.data());
    PyObject* made =
        PyByteArray_FromStringAndSize(nullptr, Py_ssize_t(block.size() * sizeof(double)));
    if (!made) throw PythonError();
    if (!block.empty())
        std::memcpy(PyByteArray_AsString(made), bytes, block.size() * sizeof(double));
    return made;
}

}  // namespace milplib
