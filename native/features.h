// Arrays of the branching state. `milplib.scip.VariableFeature` and `RowFeature` document the
// numbers; `milplib/scip/pure_extraction.py` computes the same numbers through PySCIPOpt.
#pragma once

#include "feature_columns.h"
#include "node.h"

#include <cstdint>
#include <vector>

namespace milplib {

// Entries of a row in the LP, and the data that its sides share.
struct Row {
    std::int64_t begin = 0, end = 0;  // range of its entries in `Rows`
    double left = 0.0, right = 0.0;
    bool has_left = false, has_right = false;
    double norm = 1.0;  // Euclidean norm, or 1 if it is 0
};

// All rows of the LP, without entries whose column is not in the LP (pricing).
struct Rows {
    std::vector<Row> rows;
    std::vector<std::int32_t> column;  // LP position of each entry's column
    std::vector<double> coefficient;   // coefficient of each entry / norm of its row
    std::int64_t n_sides = 0;          // number of finite sides
    std::int64_t n_edges = 0;          // number of entries, counted once per finite side

    void read(const Node& node);
};

// Write the features of all columns, shape (n, 19), computed in double and cast once.
template <class Number>
void write_variable_features(const Node& node, Number* lines);

// Write the features of all finite sides, shape (m, 5), the left side of a row first.
template <class Number>
void write_row_features(const Node& node, const Rows& rows, Number* lines);

// Write both ends of the edges and their features, side after side.
template <class Number>
void write_edges(const Rows& rows, std::int32_t* side_of, std::int32_t* column_of, Number* feature);

}  // namespace milplib
