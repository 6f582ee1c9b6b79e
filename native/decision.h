// A whole branching decision at the current node: state, scores, choice, branching.
#pragma once

#include "features.h"
#include "network.h"

namespace milplib {

// Seconds of the wall clock that the parts of a decision took.
struct DecisionTimes {
    double observe, score, branch;
};

class Decider {
  public:
    // Scores within `tie_tolerance` of the best, relative to it, are tied with it.
    explicit Decider(double tie_tolerance) : tie_tolerance_(tie_tolerance) {}

    // Extract the state into the buffers below, with the block of pseudocosts if the network reads
    // it.
    Node observe(PyObject* capsule, const Network& network);

    // Score what was observed; leaves with a ValueError if a score is not finite.
    void score(Network& network);

    // Of the candidates tied with the best, the one of the lowest column.
    std::int64_t choose() const;

    DecisionTimes decide(PyObject* capsule, Network& network);

    const std::vector<std::int32_t>& candidates() const { return candidates_; }
    const std::vector<float>& scores() const { return scores_; }

  private:
    const double tie_tolerance_;
    // They keep their memory from node to node, and what a node leaves is overwritten by the next.
    Rows rows_;
    Graph graph_;
    std::vector<float> variable_features_, row_features_, values_, block_, scores_;
    std::vector<double> pseudocosts_;
    std::vector<std::int32_t> candidates_;
};

}  // namespace milplib
