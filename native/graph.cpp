#include "graph.h"

namespace milplib {

void Neighbourhood::find(const Graph& graph, const std::int32_t* candidates,
                         std::int64_t n_candidates) {
    candidate_at.assign(graph.n_columns, -1);
    is_seen_.assign(graph.n_columns, 0);
    std::int64_t n_seen = 0;
    for (std::int64_t i = 0; i < n_candidates; ++i) {
        candidate_at[candidates[i]] = std::int32_t(i);
        is_seen_[candidates[i]] = 1;
        ++n_seen;
    }
    sides.clear();
    hit_candidate_.clear();
    hit_side_.clear();
    hit_value_.clear();
    const std::int32_t* column = graph.column;
    for (std::size_t s = 0; s < graph.sides.size(); ++s) {
        const Side& found = graph.sides[s];
        const std::size_t n_before = hit_side_.size();
        for (std::int64_t e = found.begin; e < found.end; ++e) {
            const std::int32_t candidate = candidate_at[column[e]];
            if (candidate < 0) continue;
            hit_candidate_.push_back(candidate);
            hit_side_.push_back(std::int32_t(sides.size()));
            hit_value_.push_back(found.sign * graph.value[e]);
        }
        if (hit_side_.size() == n_before) continue;
        sides.push_back(std::int32_t(s));
        if (n_seen == graph.n_columns) continue;
        for (std::int64_t e = found.begin; e < found.end; ++e) {
            n_seen += !is_seen_[column[e]];
            is_seen_[column[e]] = 1;
        }
    }
    columns.clear();
    for (std::int64_t c = 0; c < graph.n_columns; ++c)
        if (is_seen_[c]) columns.push_back(std::int32_t(c));
    edges.group(n_candidates, std::int64_t(hit_side_.size()), hit_candidate_.data(),
                hit_side_.data(), hit_value_.data());
}

template <class Number>
void GroupedEdges<Number>::group(std::int64_t n_groups, std::int64_t n_edges,
                                 const std::int32_t* group_of, const std::int32_t* others,
                                 const Number* values) {
    begin.assign(n_groups + 1, 0);
    bool is_sorted = true;
    std::int32_t last = 0;
    for (std::int64_t e = 0; e < n_edges; ++e) {
        is_sorted &= last <= group_of[e];
        last = group_of[e];
        ++begin[last + 1];
    }
    for (std::int64_t i = 0; i < n_groups; ++i) begin[i + 1] += begin[i];
    other = others;
    value = values;
    if (is_sorted) return;
    others_.resize(n_edges);
    values_.resize(n_edges);
    for (std::int64_t e = 0; e < n_edges; ++e) {
        const std::int64_t place = begin[group_of[e]]++;
        others_[place] = others[e];
        values_[place] = values[e];
    }
    // Each begin has advanced to its end, which is the next begin.
    for (std::int64_t i = n_groups; i > 0; --i) begin[i] = begin[i - 1];
    begin[0] = 0;
    other = others_.data();
    value = values_.data();
}

template class GroupedEdges<float>;
template class GroupedEdges<double>;

}  // namespace milplib
