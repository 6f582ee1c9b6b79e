"""The branching state, a policy's view of a node as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from milplib.display import Shown

__all__ = ["STATE_VERSION", "BranchingState"]

STATE_VERSION = 1
"""Version of the state, increased when a column changes its meaning or position."""


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class BranchingState(Shown):
    r"""State of a branching node: the LP as a bipartite graph, and the candidates.

    One node set of the graph is the n columns of the LP, the other the m finite sides of its rows.
    A row :math:`l \le a^T x + k \le u` has the sides :math:`-a^T x \le k - l` and
    :math:`a^T x \le u - k`, in this order; an equation has both. All numbers refer to SCIP's
    transformed problem, which is always a minimisation.

    Parameters
    ----------
    variable_features
        Features of the LP columns, in LP order, named by `VariableFeature`. Shape (n, 19),
        float32.
    row_features
        Features of the finite sides of LP rows, named by `RowFeature`. Shape (m, 5), float32.
    edge_index
        Ends of the edges, one edge per nonzero of each side: ``edge_index[0]`` holds positions of
        sides, ``edge_index[1]`` positions of columns. Shape (2, nnz), int32.
    edge_features
        Coefficients divided by the Euclidean norm of the row, negated for a left-hand side. Shape
        (nnz,), float32.
    candidates
        Positions of the candidates among the columns of this state, in SCIP's order. Candidates
        are the LP candidates of highest branching priority. Shape (k,), int32.
    has_incumbent
        Whether a solution is known. Without one, both incumbent columns are 0.
    blocks
        Further features by the name of the `StateFunction` that extracts them. Shape (lines,
        number of the block's columns), float32; a vector becomes a single line.

    References
    ----------
    The features are those of Gasse et al., "Exact combinatorial optimization with graph
    convolutional neural networks", NeurIPS 2019 (supplement, table 1), as Ecole computes them
    (`ecole.observation.NodeBipartite`; Prouvost et al., 2020). There is one difference: without an
    incumbent Ecole has NaN, and this state has 0 and `has_incumbent`. SCIP 10 stores implied
    integrality apart from the type, so an implied integer column keeps its type, and
    `is_type_implicit_integer` applies to older versions only. Therefore SCIP's major version is
    part of the schema of samples and policies.
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

    def _facts(self) -> dict[str, object]:
        return {
            "candidates": len(self.candidates),
            "variables": self.n_variables,
            "row_sides": self.n_rows,
            "edges": int(self.edge_index.shape[1]),
            "has_incumbent": self.has_incumbent,
            "blocks": {name: block.shape for name, block in self.blocks.items()},
        }

    @property
    def n_variables(self) -> int:
        """Number of LP columns n."""
        return int(self.variable_features.shape[0])

    @property
    def n_rows(self) -> int:
        """Number of row sides m."""
        return int(self.row_features.shape[0])
