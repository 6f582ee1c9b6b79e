#include "decision.h"

#include "errors.h"

#include <chrono>
#include <cmath>

namespace milplib {

Node Decider::observe(PyObject* capsule, PyObject* model, const Network& network) {
    const Node node = read_node(capsule, model);
    candidate_positions(node, candidates_);
    rows_.read(node);
    variable_features_.resize(std::size_t(node.n_columns) * n_variable_features);
    write_variable_features(node, variable_features_.data());
    row_features_.resize(std::size_t(rows_.n_sides) * n_row_features);
    write_row_features(node, rows_, row_features_.data());
    const std::size_t n_entries = rows_.rows.empty() ? 0 : std::size_t(rows_.rows.back().end);
    values_.resize(n_entries);
    for (std::size_t e = 0; e < n_entries; ++e) values_[e] = float(rows_.coefficient[e]);
    graph_.n_columns = node.n_columns;
    graph_.column = rows_.column.data();
    graph_.value = values_.data();
    graph_.sides.clear();
    for (const Row& row : rows_.rows) {
        if (row.has_left) graph_.sides.push_back({row.begin, row.end, -1.0f});
        if (row.has_right) graph_.sides.push_back({row.begin, row.end, 1.0f});
    }
    block_.clear();
    if (network.n_block_columns() > 0) {
        pseudocosts(node, pseudocosts_);
        for (const double number : pseudocosts_) {
            block_.push_back(float(number));
            if (!std::isfinite(block_.back()))
                raise(PyExc_ValueError, "reads a pseudocost that is not finite in float32");
        }
    }
    return node;
}

void Decider::score(Network& network) {
    scores_.resize(candidates_.size());
    network.score({&graph_, variable_features_.data(), row_features_.data(), candidates_.data(),
                   std::int64_t(candidates_.size()), block_.data()},
                  scores_.data());
    for (const float score : scores_)
        if (!std::isfinite(score)) raise(PyExc_ValueError, "gave a score that is not finite");
}

std::int64_t Decider::choose() const {
    double best = scores_[0];
    for (const float score : scores_)
        if (score > best) best = score;
    const double bound = best - tie_tolerance_ * std::fabs(best);
    std::int64_t chosen = -1;
    for (std::size_t i = 0; i < scores_.size(); ++i)
        if (scores_[i] >= bound && (chosen < 0 || candidates_[i] < candidates_[chosen]))
            chosen = std::int64_t(i);
    return chosen;
}

DecisionTimes Decider::decide(PyObject* capsule, PyObject* model, Network& network) {
    using Clock = std::chrono::steady_clock;
    const auto begin = Clock::now();
    const Node node = observe(capsule, model, network);
    if (candidates_.empty()) raise(PyExc_ValueError, "has no candidate to branch on");
    const auto observed = Clock::now();
    score(network);
    const std::int64_t chosen = choose();
    const auto scored = Clock::now();
    check_scip(
        api.SCIPbranchVar(node.scip, node.candidates[chosen], nullptr, nullptr, nullptr),
        "SCIPbranchVar", branching_error);
    const auto branched = Clock::now();
    const auto seconds = [](Clock::duration time) {
        return std::chrono::duration<double>(time).count();
    };
    return {seconds(observed - begin), seconds(scored - observed), seconds(branched - scored)};
}

}  // namespace milplib
