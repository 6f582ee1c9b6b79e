// Extension module `milplib._native`. `milplib/_native.pyi` has its signatures.
#include "errors.h"
#include "kernels.h"
#include "module.h"
#include "node.h"
#include "scip_api.h"
#include "without_python.h"

using namespace milplib;

static PyObject* module_bind(PyObject*, PyObject* arguments) {
    return guarded([&]() -> PyObject* {
        PyObject* encoded = nullptr;
        if (!PyArg_ParseTuple(arguments, "O&:bind", PyUnicode_FSConverter, &encoded))
            throw PythonError();
        int major = 0;
        try {
            major = bind_scip(PyBytes_AsString(encoded));
        } catch (...) {
            Py_DECREF(encoded);
            throw;
        }
        Py_DECREF(encoded);
        PyObject* scip = PyImport_ImportModule("pyscipopt.scip");
        PyObject* type = scip ? PyObject_GetAttrString(scip, "Model") : nullptr;
        Py_XDECREF(scip);
        if (!type) throw PythonError();
        set_model_type(type);
        Py_DECREF(type);
        return PyLong_FromLong(major);
    });
}

static PyObject* module_set_constants(PyObject*, PyObject* arguments) {
    return guarded([&]() -> PyObject* {
        ScipConstants given;
        if (!PyArg_ParseTuple(arguments, "iiiiii:set_constants", &given.stage_solving,
                              &given.lp_optimal, &given.status_column, &given.type_continuous,
                              &given.branch_down, &given.branch_up))
            throw PythonError();
        set_constants(given);
        Py_RETURN_NONE;
    });
}

static PyObject* module_extract(PyObject*, PyObject* arguments) {
    return guarded([&]() -> PyObject* {
        PyObject* capsule = nullptr;
        PyObject* model = nullptr;
        int in_double = 0;
        if (!PyArg_ParseTuple(arguments, "Op|O:extract", &capsule, &in_double, &model))
            throw PythonError();
        return extract(capsule, in_double, model);
    });
}

static PyObject* module_levels(PyObject*, PyObject*) {
    return guarded([]() -> PyObject* {
        const auto found = supported_kernels();
        PyObject* names = PyTuple_New(Py_ssize_t(found.size()));
        if (!names) throw PythonError();
        for (std::size_t i = 0; i < found.size(); ++i) {
            PyObject* name = PyUnicode_FromString(found[i]->name);
            if (!name || PyTuple_SetItem(names, Py_ssize_t(i), name) < 0) {
                Py_DECREF(names);
                throw PythonError();
            }
        }
        return names;
    });
}

template <PyObject* (*function)(PyObject*)>
static PyObject* module_call(PyObject*, PyObject* arguments) {
    return guarded([&] { return function(arguments); });
}

static PyMethodDef methods[] = {
    {"bind", module_bind, METH_VARARGS,
     "Find SCIP by the path of PySCIPOpt's extension module; return SCIP's major version."},
    {"set_constants", module_set_constants, METH_VARARGS,
     "Set the values of SCIP's enumerations, from milplib.scip.versions."},
    {"extract", module_extract, METH_VARARGS, "Extract the state of the current node."},
    {"pseudocosts", module_call<pseudocost_block>, METH_VARARGS,
     "Extract the pseudocosts of the candidates."},
    {"edge_sum", module_call<edge_sum>, METH_VARARGS,
     "Sum the messages over the edges of each target."},
    {"edge_gradient", module_call<edge_gradient>, METH_VARARGS,
     "Compute the gradient of edge_sum()."},
    {"edge_moments", module_call<edge_moments>, METH_VARARGS,
     "Return the mean of all messages before ReLU, and the sum of their squared deviations."},
    {"levels", module_levels, METH_NOARGS,
     "Return the names of the processor's instruction sets, the widest first."},
    {nullptr, nullptr, 0, nullptr},
};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "milplib._native", "SCIP's LP and the network's arithmetic in C++.",
    -1,  methods,          nullptr,           nullptr,
    nullptr,               nullptr,
};

PyMODINIT_FUNC PyInit__native(void) {
    return guarded([]() -> PyObject* {
        PyObject* module = PyModule_Create(&definition);
        if (!module) throw PythonError();
        try {
            add_errors(module);
            add_network_type(module);
            wait_at_exit();
        } catch (...) {
            Py_DECREF(module);
            throw;
        }
        return module;
    });
}
