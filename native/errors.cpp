#include "errors.h"

#include <cstdarg>

namespace milplib {

PyObject* scip_error = nullptr;
PyObject* branching_error = nullptr;

void raise(PyObject* type, const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    PyErr_FormatV(type, format, arguments);
    va_end(arguments);
    throw PythonError();
}

void add_errors(PyObject* module) {
    scip_error = PyErr_NewExceptionWithDoc(
        "milplib._native.ScipError",
        "SCIP is in a state without this data, or a call failed.", PyExc_RuntimeError, nullptr);
    if (!scip_error || PyModule_AddObjectRef(module, "ScipError", scip_error) < 0)
        throw PythonError();
    branching_error = PyErr_NewExceptionWithDoc(
        "milplib._native.BranchingError", "SCIP failed to branch.", scip_error, nullptr);
    if (!branching_error || PyModule_AddObjectRef(module, "BranchingError", branching_error) < 0)
        throw PythonError();
}

static const char* meaning(int code) {
    switch (code) {
        case 0: return "unspecified error";
        case -1: return "insufficient memory";
        case -6: return "error in the LP solver";
        case -7: return "no problem exists";
        case -8: return "method cannot be called at this time";
        case -9: return "error in input data";
        case -16: return "maximal branching depth exceeded";
        case -17: return "no branching could be created";
        case -18: return "not implemented";
        default: return "see SCIP's retcodes";
    }
}

void check_scip(int code, const char* function, PyObject* type) {
    constexpr int okay = 1, no_memory = -1;
    if (code == okay) return;
    if (code == no_memory) throw std::bad_alloc();
    raise(type, "SCIP: %s in %s (code %d)", meaning(code), function, code);
}

}  // namespace milplib
