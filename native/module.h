// Functions and types of the extension module.
#pragma once

#include "python_api.h"

namespace milplib {

// `extract(capsule, in_double, model)`
PyObject* extract(PyObject* capsule, bool in_double, PyObject* model);
// `pseudocosts(capsule, model)`
PyObject* pseudocost_block(PyObject* arguments);
// Functions of edges.cpp
PyObject* edge_sum(PyObject* arguments);
PyObject* edge_gradient(PyObject* arguments);
PyObject* edge_moments(PyObject* arguments);

// Return the kernels of a level, or of the widest for null. Throw a ValueError if this processor
// has no level of that name.
struct Kernels;
const Kernels& kernels_of(const char* level);

// Add the type `Network`.
void add_network_type(PyObject* module);

}  // namespace milplib
