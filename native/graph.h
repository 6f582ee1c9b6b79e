// A state as the network walks it: sides of rows with their edges, and the candidates' edges.
#pragma once

#include <cstdint>
#include <vector>

namespace milplib {

// A finite side of a row. The two sides of one row may share their edges, with opposite signs.
struct Side {
    std::int64_t begin, end;  // of its edges
    float sign;               // of its edges' values
};

// The edges belong to whoever made the graph.
struct Graph {
    std::int64_t n_columns = 0;
    std::vector<Side> sides;
    const std::int32_t* column = nullptr;  // of each edge
    const float* value = nullptr;          // of each edge
};

// Edges in any order, each a group, another end and a value, brought together by groups; those of a
// group keep their order.
template <class Number>
class GroupedEdges {
  public:
    // All groups are in range. Edges whose groups ascend already are not copied: `other` and `value`
    // must then outlive this.
    void group(std::int64_t n_groups, std::int64_t n_edges, const std::int32_t* group_of,
               const std::int32_t* others, const Number* values);

    std::vector<std::int64_t> begin;  // edges of group i: begin[i] to begin[i + 1]
    const std::int32_t* other = nullptr;
    const Number* value = nullptr;

  private:
    std::vector<std::int32_t> others_;
    std::vector<Number> values_;
};

// What of a graph the candidates can see: the rest is never computed. A candidate's score depends
// on the rows in which it stands, and on all columns of those.
struct Neighbourhood {
    std::vector<std::int32_t> sides;    // those with a candidate, ascending
    std::vector<std::int32_t> columns;  // those of these sides, and the candidates, ascending
    std::vector<std::int32_t> candidate_at;  // of each column of the graph: which, or -1
    GroupedEdges<float> edges;  // of each candidate, the others as positions in `sides`

    // The candidates are distinct positions of columns of the graph.
    void find(const Graph& graph, const std::int32_t* candidates, std::int64_t n_candidates);

  private:
    // Edges of candidates, side after side
    std::vector<std::int32_t> hit_candidate_, hit_side_;
    std::vector<float> hit_value_;
    std::vector<std::uint8_t> is_seen_;
};

}  // namespace milplib
