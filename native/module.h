// What the parts of the module give to it.
#pragma once

#include "python_api.h"

namespace milplib {

// `extract(capsule, in_double)`
PyObject* extract(PyObject* capsule, bool in_double);
// `pseudocosts(capsule)`
PyObject* pseudocost_block(PyObject* capsule);
// Add the type `Network`.
void add_network_type(PyObject* module);

}  // namespace milplib
