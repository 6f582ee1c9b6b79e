// The arrays of the branching state. `milplib.scip.VariableFeature` and `RowFeature` document each number;
// `milplib/scip/extraction.py` computes the same numbers through PySCIPOpt.
#pragma once

#include "feature_columns.h"
#include "node.h"

#include <cstdint>
#include <vector>

namespace milplib {

// The entries of a row in the LP, and the data that its sides share.
struct Row {
    std::int64_t begin = 0, end = 0;  // of its entries in `Rows`
    double left = 0.0, right = 0.0;
    bool has_left = false, has_right = false;
    double norm = 1.0;  // 1 if it is 0
};

// All rows of the LP, without entries whose column is not in the LP (pricing).
struct Rows {
    std::vector<Row> rows;
    std::vector<std::int32_t> column;  // of each entry, as a position in the LP
    std::vector<double> coefficient;   // of each entry / norm of its row
    std::int64_t n_sides = 0;          // finite ones
    std::int64_t n_edges = 0;          // entries counted once for each finite side

    void read(const Node& node);
};

// Write the lines of all columns, (n, 19), computed in double and cast once.
template <class Number>
void write_variable_features(const Node& node, Number* lines);

// Write the lines of all finite sides of rows, (m, 5), the left side of a row first.
template <class Number>
void write_row_features(const Node& node, const Rows& rows, Number* lines);

// Write both ends of the edges and their features, side after side.
template <class Number>
void write_edges(const Rows& rows, std::int32_t* side_of, std::int32_t* column_of, Number* feature);

}  // namespace milplib
