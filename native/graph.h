// A state in the layout of the network: sides of rows with their edges, and edges of candidates.
#pragma once

#include <cstdint>
#include <vector>

namespace milplib {

// A finite side of a row. The two sides of one row may share their edges, with opposite signs.
struct Side {
    std::int64_t begin, end;  // range of its edges
    float sign;               // factor of the values of its edges
};

// A view: the caller owns the edges.
struct Graph {
    std::int64_t n_columns = 0;
    std::vector<Side> sides;
    const std::int32_t* column = nullptr;  // column of each edge
    const float* value = nullptr;          // value of each edge
};

// Edges sorted by group, stably. Each edge has a group, another end and a value.
template <class Number>
class GroupedEdges {
  public:
    // All groups must be in range. Edges with ascending groups are not copied, so `others` and
    // `values` must then outlive this object.
    void group(std::int64_t n_groups, std::int64_t n_edges, const std::int32_t* group_of,
               const std::int32_t* others, const Number* values);

    std::vector<std::int64_t> begin;  // edges of group i: begin[i] to begin[i + 1]
    const std::int32_t* other = nullptr;
    const Number* value = nullptr;

  private:
    std::vector<std::int32_t> others_;
    std::vector<Number> values_;
};

// Part of a graph that determines the scores; the rest is never computed. The score of a candidate
// depends on its rows and on all columns of these rows.
struct Neighbourhood {
    std::vector<std::int32_t> sides;    // sides with a candidate, ascending
    std::vector<std::int32_t> columns;  // columns of these sides, and candidates, ascending
    std::vector<std::int32_t> candidate_at;  // index of each column of the graph, or -1
    GroupedEdges<float> edges;  // edges of each candidate; `other` holds positions in `sides`

    // Candidates must be distinct positions of columns of the graph.
    void find(const Graph& graph, const std::int32_t* candidates, std::int64_t n_candidates);

  private:
    // Edges of candidates, in the order of sides.
    std::vector<std::int32_t> hit_candidate_, hit_side_;
    std::vector<float> hit_value_;
    std::vector<std::uint8_t> is_seen_;
};

}  // namespace milplib
