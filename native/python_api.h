// Python's limited C API: one binary serves every Python from 3.11 on, the first version with the
// buffer protocol in the limited API.
#pragma once

#define PY_SSIZE_T_CLEAN
#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030B0000
#endif
#include <Python.h>
