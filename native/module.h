// The functions and types that the parts add to the module.
#pragma once

#include "python_api.h"

namespace milplib {

// `extract(capsule, in_double)`
PyObject* extract(PyObject* capsule, bool in_double);
// `pseudocosts(capsule)`
PyObject* pseudocost_block(PyObject* capsule);
// The functions of edges.cpp
PyObject* edge_sum(PyObject* arguments);
PyObject* edge_gradient(PyObject* arguments);
PyObject* edge_moments(PyObject* arguments);

// Kernels by the name of a level, the widest for null; throws a ValueError if this processor has
// none of that name.
struct Kernels;
const Kernels& kernels_of(const char* level);

// Add the type `Network`.
void add_network_type(PyObject* module);

}  // namespace milplib
