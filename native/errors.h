// Errors in the native code are C++ exceptions. `guarded` turns them into Python exceptions at the
// boundary to C, so that they never unwind through C frames. They never unwind through SCIP either,
// because no SCIP function called here calls back into this code.
#pragma once

#include "python_api.h"

#include <exception>
#include <new>

namespace milplib {

// Thrown after a Python error was set.
struct PythonError {};

// Set a Python error with a printf format and throw.
[[noreturn]] void raise(PyObject* type, const char* format, ...);

// `milplib._native.ScipError`: SCIP is in a state without this data, or a call failed.
extern PyObject* scip_error;
// `milplib._native.BranchingError`, a ScipError: the branching itself failed.
extern PyObject* branching_error;

void add_errors(PyObject* module);

// Throw a Python error of the given type unless a SCIP call succeeded.
void check_scip(int code, const char* function, PyObject* type = scip_error);

template <class Function>
PyObject* guarded(Function function) noexcept {
    try {
        return function();
    } catch (const PythonError&) {
        return nullptr;
    } catch (const std::bad_alloc&) {
        return PyErr_NoMemory();
    } catch (const std::exception& error) {
        PyErr_SetString(PyExc_RuntimeError, error.what());
        return nullptr;
    }
}

}  // namespace milplib
