// Release of Python's global lock that stays safe while the interpreter ends.
#pragma once

#include "python_api.h"

namespace milplib {

// Releases the GIL during its lifetime, in which no code may touch Python objects. A thread that
// takes the GIL back from an interpreter that has ended is killed in the middle of C++ code, which
// aborts the process. So Python waits at its exit for the threads that are without the GIL, and
// later ones keep it.
class WithoutPython {
  public:
    WithoutPython();
    ~WithoutPython();
    WithoutPython(const WithoutPython&) = delete;
    WithoutPython& operator=(const WithoutPython&) = delete;

  private:
    PyThreadState* state_ = nullptr;
};

// Make Python wait at its exit. Throw a PythonError on failure.
void wait_at_exit();

}  // namespace milplib
