#include "without_python.h"

#include "errors.h"

#include <condition_variable>
#include <mutex>

#include <pthread.h>

namespace milplib {

namespace {

// Nothing waits for the GIL while it holds the mutex.
std::mutex mutex;
std::condition_variable is_idle;
int n_running = 0;
bool is_exiting = false;

PyObject* wait_for_threads(PyObject*, PyObject*) {
    PyThreadState* state = PyEval_SaveThread();
    {
        std::unique_lock<std::mutex> lock(mutex);
        is_exiting = true;
        is_idle.wait(lock, [] { return n_running == 0; });
    }
    PyEval_RestoreThread(state);
    Py_RETURN_NONE;
}

PyMethodDef exit_method = {"wait_for_threads", wait_for_threads, METH_NOARGS,
                           "Wait for the threads that run native code without the GIL."};

}  // namespace

WithoutPython::WithoutPython() {
    {
        const std::lock_guard<std::mutex> lock(mutex);
        if (is_exiting) return;
        ++n_running;
    }
    state_ = PyEval_SaveThread();
}

WithoutPython::~WithoutPython() {
    if (!state_) return;
    PyEval_RestoreThread(state_);
    const std::lock_guard<std::mutex> lock(mutex);
    if (--n_running == 0) is_idle.notify_all();
}

void wait_at_exit() {
    // A forked process has none of the threads that it counts.
    static const int forking = pthread_atfork([] { mutex.lock(); }, [] { mutex.unlock(); },
                                              [] {
                                                  n_running = 0;
                                                  mutex.unlock();
                                              });
    if (forking != 0) raise(PyExc_OSError, "pthread_atfork failed");
    PyObject* function = PyCFunction_NewEx(&exit_method, nullptr, nullptr);
    PyObject* atexit = function ? PyImport_ImportModule("atexit") : nullptr;
    PyObject* registered =
        atexit ? PyObject_CallMethod(atexit, "register", "O", function) : nullptr;
    Py_XDECREF(function);
    Py_XDECREF(atexit);
    if (!registered) throw PythonError();
    Py_DECREF(registered);
}

}  // namespace milplib
