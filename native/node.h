// The LP of the current node as SCIP holds it, and what belongs to it.
#pragma once

#include "python_api.h"
#include "scip_api.h"

#include <cstdint>
#include <vector>

namespace milplib {

// Pointers are SCIP's own and live as long as nothing else is asked of SCIP at this node.
struct Node {
    Scip* scip = nullptr;
    ScipCol** columns = nullptr;
    int n_columns = 0;
    ScipRow** rows = nullptr;
    int n_rows = 0;
    ScipVar** candidates = nullptr;  // those of highest branching priority, in SCIP's order
    int n_candidates = 0;
    ScipSol* incumbent = nullptr;  // none: null
    double infinity = 0.0, epsilon = 0.0, feasibility_tolerance = 0.0;
    double objective_norm = 1.0;  // over all variables, those too that are not in the LP; 0 is 1
    double age_scale = 0.0;
};

// The SCIP of a capsule of `pyscipopt.Model.to_ptr(False)`.
Scip* scip_of(PyObject* capsule);

// Read the current node; leaves with a ScipError if its LP is not solved to optimality, which is
// where most of SCIP's functions below would read what is not there.
Node read_node(PyObject* capsule);

// Read the candidates' columns as positions in the LP into `positions`.
void candidate_positions(const Node& node, std::vector<std::int32_t>& positions);

// Three numbers a candidate: pseudocost score at the LP solution, and the mean gain downwards and
// upwards.
void pseudocosts(const Node& node, std::vector<double>& block);

}  // namespace milplib
