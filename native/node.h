// LP of the current node in SCIP, and related data.
#pragma once

#include "python_api.h"
#include "scip_api.h"

#include <cstdint>
#include <vector>

namespace milplib {

// SCIP owns the pointers. They are valid until SCIP's data of this node change.
struct Node {
    Scip* scip = nullptr;
    ScipCol** columns = nullptr;
    int n_columns = 0;
    ScipRow** rows = nullptr;
    int n_rows = 0;
    ScipVar** candidates = nullptr;  // LP candidates of highest branching priority, in SCIP's order
    int n_candidates = 0;
    ScipSol* incumbent = nullptr;  // null without one
    double infinity = 0.0, epsilon = 0.0, feasibility_tolerance = 0.0;
    double objective_norm = 1.0;  // over all variables, also those outside the LP; 1 if it is 0
    double age_scale = 0.0;
};

// Let `scip_of` know the type of PySCIPOpt's models.
void set_model_type(PyObject* type);

// Return the SCIP of a capsule from `pyscipopt.Model.to_ptr(False)`. Throw a ValueError if it is
// freed. The check is fast if the model is given; otherwise it looks at all models of the process.
Scip* scip_of(PyObject* capsule, PyObject* model);

// Read the current node. Throw a ScipError if its LP is not solved to optimality, because most SCIP
// functions used here would then read missing data.
Node read_node(PyObject* capsule, PyObject* model);

// Write the LP positions of the candidates' columns to `positions`.
void candidate_positions(const Node& node, std::vector<std::int32_t>& positions);

// Write three numbers per candidate to `block`: pseudocost score at the LP solution, mean gain
// downwards, mean gain upwards.
void pseudocosts(const Node& node, std::vector<double>& block);

}  // namespace milplib
