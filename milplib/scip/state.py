"""The branching state: what a policy sees of a node, as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["STATE_VERSION", "BranchingState"]

STATE_VERSION = 1
"""Raised whenever a column of the state changes its meaning or its place."""


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
        One line a column of the LP, in LP order; its columns are `VariableFeature`.
        Shape (n, 19), float32.
    row_features
        One line a finite side of an LP row; its columns are `RowFeature`.
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
