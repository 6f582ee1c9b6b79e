"""The branching state: what a policy sees of a node, as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["ROW_FEATURES", "STATE_VERSION", "VARIABLE_FEATURES", "BranchingState"]

STATE_VERSION = 1
"""Raised whenever a column of the state changes its meaning or its place."""

VARIABLE_FEATURES: tuple[str, ...] = (
    "objective",
    "is_type_binary",
    "is_type_integer",
    "is_type_implicit_integer",
    "is_type_continuous",
    "has_lower_bound",
    "has_upper_bound",
    "normed_reduced_cost",
    "solution_value",
    "solution_frac",
    "is_solution_at_lower_bound",
    "is_solution_at_upper_bound",
    "scaled_age",
    "incumbent_value",
    "average_incumbent_value",
    "is_basis_lower",
    "is_basis_basic",
    "is_basis_upper",
    "is_basis_zero",
)
"""Names of the columns of `BranchingState.variable_features`, in order."""

ROW_FEATURES: tuple[str, ...] = (
    "bias",
    "objective_cosine_similarity",
    "is_tight",
    "dual_solution_value",
    "scaled_age",
)
"""Names of the columns of `BranchingState.row_features`, in order."""


@dataclass(frozen=True, eq=False, kw_only=True)
class BranchingState:
    r"""What a policy sees at a branching node: the LP as a bipartite graph, and candidates.

    The n columns of the LP are one side of the graph, the finite sides of its rows the other:
    a row :math:`l \le a^T x + k \le u` gives :math:`-a^T x \le k - l` and
    :math:`a^T x \le u - k` in this order, an equation gives both. All numbers belong to
    SCIP's transformed problem, which is a minimisation whatever the file says.

    Parameters
    ----------
    variable_features
        One line a column of the LP, in LP order; columns named by `VARIABLE_FEATURES`.
        Shape (n, 19), float32.
    row_features
        One line a finite side of an LP row; columns named by `ROW_FEATURES`.
        Shape (m, 5), float32.
    edge_index
        Ends of the edges, one for each nonzero of each side: ``edge_index[0]`` the row,
        ``edge_index[1]`` the column. Shape (2, nnz), int32.
    edge_features
        Coefficient / Euclidean norm of the row, negated for a left-hand side.
        Shape (nnz,), float32.
    candidates
        The columns to branch on, as positions in this very state, in SCIP's order: the LP
        candidates of highest branching priority. Shape (k,), int32.
    has_incumbent
        Whether a solution is known. Without one the two incumbent columns are 0.
    blocks
        Further features by the name of the `StateFunction` that extracts them, each of shape
        (lines, number of its columns), float32; a vector is one line.

    Notes
    -----
    c is the Euclidean norm of the objective (1 if it is 0), r that of a row (1 if it is 0), and
    s is -1 for a left-hand side, 1 for a right-hand side. "At" and "tight" mean equal within
    SCIP's epsilon.

    ============================== ==========================================================
    variable feature               meaning
    ============================== ==========================================================
    objective                      objective coefficient / c
    is_type_*                      one-hot, as SCIP's variable type says after presolving
    has_lower_bound, _upper_bound  the local bound is finite
    normed_reduced_cost            reduced cost / c
    solution_value                 value in the LP solution
    solution_frac                  its fractionality; 0 for a continuous column
    is_solution_at_*_bound         the value is at a finite local bound
    scaled_age                     LPs in a row in which it was 0 / (number of LPs + 5)
    incumbent_value                value in the best solution known, else 0
    average_incumbent_value        mean value over the solutions known, else 0
    is_basis_*                     one-hot basis status
    ============================== ==========================================================

    ============================== ==========================================================
    row feature                    meaning
    ============================== ==========================================================
    bias                           s · (side - constant) / r
    objective_cosine_similarity    s · (row · objective) / (r · c)
    is_tight                       the row's activity in the LP solution is at this side
    dual_solution_value            s · dual value / (r · c)
    scaled_age                     LPs in a row in which it was not tight / (number of LPs + 5)
    ============================== ==========================================================

    References
    ----------
    The features of Gasse et al., "Exact combinatorial optimization with graph convolutional
    neural networks", NeurIPS 2019 (supplement, table 1), in the form that Ecole gave them
    (`ecole.observation.NodeBipartite`; Prouvost et al., 2020), with one difference: without an
    incumbent Ecole has NaN where this state has 0 and `has_incumbent`. SCIP 10 keeps implied
    integrality apart from the type, so there a column found to be an implied integer still
    shows the type it had, and `is_type_implicit_integer` is for older versions: SCIP's major
    version is part of the schema of samples and policies.
    """

    variable_features: npt.NDArray[np.floating[Any]]
    row_features: npt.NDArray[np.floating[Any]]
    edge_index: npt.NDArray[np.int32]
    edge_features: npt.NDArray[np.floating[Any]]
    candidates: npt.NDArray[np.int32]
    has_incumbent: bool
    blocks: Mapping[str, npt.NDArray[np.floating[Any]]] = field(
        default_factory=lambda: MappingProxyType({})
    )

    @property
    def n_variables(self) -> int:
        """Number of LP columns n."""
        return int(self.variable_features.shape[0])

    @property
    def n_rows(self) -> int:
        """Number of row sides m."""
        return int(self.row_features.shape[0])
