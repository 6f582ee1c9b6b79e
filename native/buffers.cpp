#include "buffers.h"

#include <cmath>
#include <cstring>

namespace milplib {

namespace {

template <class Number>
struct Kind;

template <>
struct Kind<float> {
    static constexpr const char* name = "float32";
    static bool is(const char* format) { return !std::strcmp(format, "f"); }
};

template <>
struct Kind<double> {
    static constexpr const char* name = "float64";
    static bool is(const char* format) { return !std::strcmp(format, "d"); }
};

template <>
struct Kind<std::int32_t> {
    static constexpr const char* name = "int32";
    // C's long has four bytes on some platforms. The caller also checks the item size.
    static bool is(const char* format) {
        return !std::strcmp(format, "i") || !std::strcmp(format, "l");
    }
};

}  // namespace

template <class Number>
Array<Number>::Array(PyObject* object, const char* name,
                     std::initializer_list<Py_ssize_t> extents, Access access) {
    // Request and check strides here, because the messages of exporters name no array.
    if (PyObject_GetBuffer(object, &view_, PyBUF_STRIDES | PyBUF_FORMAT) < 0) {
        PyErr_Clear();
        raise(PyExc_TypeError, "%s must be an array of %s, not %R", name, Kind<Number>::name,
              reinterpret_cast<PyObject*>(Py_TYPE(object)));
    }
    // Release the view by hand from here on, because no destructor runs if a constructor throws.
    const auto refuse = [&](PyObject* type, const char* requirement) {
        PyBuffer_Release(&view_);
        raise(type, "%s must be %s", name, requirement);
    };
    const char* format = view_.format ? view_.format : "B";
    if (view_.itemsize != Py_ssize_t(sizeof(Number)) || !Kind<Number>::is(format)) {
        char kind[32];
        std::strncpy(kind, format, sizeof kind - 1);
        kind[sizeof kind - 1] = '\0';
        PyBuffer_Release(&view_);
        raise(PyExc_TypeError, "%s must be an array of %s, not of the type '%s'", name,
              Kind<Number>::name, kind);
    }
    if (view_.ndim != int(extents.size()))
        refuse(PyExc_ValueError, extents.size() == 1 ? "a vector" : "a matrix");
    for (int axis = 0; axis < view_.ndim; ++axis) {
        const Py_ssize_t found = view_.shape[axis], wanted = extents.begin()[axis];
        if (wanted != any && found != wanted) {
            PyBuffer_Release(&view_);
            raise(PyExc_ValueError, "%s has extent %zd along axis %d, expected %zd", name, found,
                  axis, wanted);
        }
    }
    if (!PyBuffer_IsContiguous(&view_, 'C'))
        refuse(PyExc_ValueError, "contiguous in C's order");
    if (access == Access::write && view_.readonly) refuse(PyExc_TypeError, "writable");
    if (reinterpret_cast<std::uintptr_t>(view_.buf) % alignof(Number))
        refuse(PyExc_ValueError, "aligned");
}

template <class Number>
void check_finite(const Array<Number>& array, const char* name) {
    const Number* numbers = array.data();
    const Py_ssize_t size = array.size();
    for (Py_ssize_t i = 0; i < size; ++i)
        if (!std::isfinite(numbers[i]))
            raise(PyExc_ValueError, "%s holds a number that is not finite, at position %zd", name, i);
}

void check_range(const std::int32_t* numbers, std::int64_t n, std::int64_t bound,
                 const char* name) {
    for (std::int64_t i = 0; i < n; ++i)
        if (numbers[i] < 0 || numbers[i] >= bound)
            raise(PyExc_ValueError, "%s holds %d at position %zd; it must be in [0, %zd)", name,
                  int(numbers[i]), Py_ssize_t(i), Py_ssize_t(bound));
}

bool holds_doubles(PyObject* object) {
    Py_buffer view;
    if (PyObject_GetBuffer(object, &view, PyBUF_STRIDES | PyBUF_FORMAT) < 0) {
        PyErr_Clear();
        return false;
    }
    const bool found = view.format && Kind<double>::is(view.format);
    PyBuffer_Release(&view);
    return found;
}

template class Array<float>;
template class Array<double>;
template class Array<std::int32_t>;
template void check_finite(const Array<float>&, const char*);
template void check_finite(const Array<double>&, const char*);

}  // namespace milplib
