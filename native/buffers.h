// Checked access to Python arrays of numbers. All array memory of Python is accessed through it.
#pragma once

#include "errors.h"

#include <cstdint>
#include <functional>
#include <initializer_list>

namespace milplib {

// Any extent.
constexpr Py_ssize_t any = -1;

enum class Access { read, write };

// A view of a C-contiguous array of float, double or int32 through the buffer protocol. It throws a
// TypeError (not an array, wrong type, read-only for writing) or a ValueError (wrong shape, not
// contiguous) that names the array.
template <class Number>
class Array {
  public:
    // One extent for a vector, two for a matrix.
    Array(PyObject* object, const char* name, std::initializer_list<Py_ssize_t> extents,
          Access access = Access::read);
    ~Array() { PyBuffer_Release(&view_); }
    Array(const Array&) = delete;
    Array& operator=(const Array&) = delete;

    Number* data() const { return static_cast<Number*>(view_.buf); }
    Py_ssize_t rows() const { return view_.shape[0]; }
    Py_ssize_t columns() const { return view_.shape[1]; }
    Py_ssize_t size() const { return view_.len / Py_ssize_t(sizeof(Number)); }

  private:
    Py_buffer view_;
};

// Throw a ValueError unless all numbers are finite.
template <class Number>
void check_finite(const Array<Number>& array, const char* name);

// Throw a ValueError unless all n numbers are in [0, bound).
void check_range(const std::int32_t* numbers, std::int64_t n, std::int64_t bound, const char* name);

// Throw a ValueError if an output shares memory with another array.
template <class Number, class Other>
void check_apart(const Array<Number>& out, const char* name, const Array<Other>& other,
                 const char* other_name) {
    const auto* begin = reinterpret_cast<const char*>(out.data());
    const auto* other_begin = reinterpret_cast<const char*>(other.data());
    const std::less<const char*> before;  // also defined for unrelated memory
    const char* end = begin + out.size() * Py_ssize_t(sizeof(Number));
    const char* other_end = other_begin + other.size() * Py_ssize_t(sizeof(Other));
    if (before(begin, other_end) && before(other_begin, end))
        raise(PyExc_ValueError, "%s overlaps %s in memory; it must be an array of its own", name,
              other_name);
}

// Return whether an object is an array of double; false if it is not an array.
bool holds_doubles(PyObject* object);

}  // namespace milplib
