// Errors inside the native code are C++ exceptions; `guarded` turns them into Python's where C
// begins, so that none ever leaves through a C frame. No SCIP function that is called here calls
// back into this code, so none passes through SCIP either.
#pragma once

#include "python_api.h"

#include <exception>
#include <new>

namespace milplib {

// A Python error is set.
struct PythonError {};

// Set a Python error of printf's form and leave.
[[noreturn]] void raise(PyObject* type, const char* format, ...);

// `milplib._native.ScipError`: SCIP is in no state to be asked, or a call of it failed.
extern PyObject* scip_error;
// `milplib._native.BranchingError`, a ScipError: the branching itself failed, nothing before it.
extern PyObject* branching_error;

void add_errors(PyObject* module);

// Leave with a Python error of that type unless a SCIP call went well.
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
