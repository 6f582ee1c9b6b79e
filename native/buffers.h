// Python arrays of numbers, checked: the only way in which array memory of others is touched.
#pragma once

#include "errors.h"

#include <cstdint>
#include <initializer_list>

namespace milplib {

// An extent that may be anything.
constexpr Py_ssize_t any = -1;

enum class Access { read, write };

// A view of a C-contiguous array of float, double or int32 through the buffer protocol. Leaves with a
// TypeError (no array, another type, read-only where it is written to) or a ValueError (another
// shape, gaps) that names the array.
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

// Leave with a ValueError unless all numbers are finite.
template <class Number>
void check_finite(const Array<Number>& array, const char* name);

// Leave with a ValueError unless all of n numbers are positions among so many.
void check_range(const std::int32_t* numbers, std::int64_t n, std::int64_t bound, const char* name);

// Whether an object is an array of double; false for whatever is no array.
bool holds_doubles(PyObject* object);

}  // namespace milplib
