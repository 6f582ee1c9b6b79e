// A branching decision at the current node: state, scores, choice and branching.
#pragma once

#include "features.h"
#include "network.h"

namespace milplib {

// Wall-clock seconds of the parts of a decision.
struct DecisionTimes {
    double observe, score, branch;
};

class Decider {
  public:
    // Scores are tied with the best within a relative distance of `tie_tolerance`.
    explicit Decider(double tie_tolerance) : tie_tolerance_(tie_tolerance) {}

    // Extract the state into the buffers below, and the block of pseudocosts if the network has
    // block columns.
    Node observe(PyObject* capsule, PyObject* model, const Network& network);

    // Score the observed state. Throw a ValueError if a score is not finite.
    void score(Network& network);

    // Return the position of the candidate with the lowest column among those tied with the best.
    std::int64_t choose() const;

    DecisionTimes decide(PyObject* capsule, PyObject* model, Network& network);

    const std::vector<std::int32_t>& candidates() const { return candidates_; }
    const std::vector<float>& scores() const { return scores_; }

  private:
    const double tie_tolerance_;
    // Buffers that are reused from node to node.
    Rows rows_;
    Graph graph_;
    std::vector<float> variable_features_, row_features_, values_, block_, scores_;
    std::vector<double> pseudocosts_;
    std::vector<std::int32_t> candidates_;
};

}  // namespace milplib
