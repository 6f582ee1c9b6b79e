"""Branch-and-bound tree as arrays: nodes and their statuses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from milplib.display import Shown
from milplib.outcomes import Word

__all__ = ["STATUSES", "NodeStatus", "SearchTree"]


class NodeStatus(Word):
    """Status of a node of a search tree."""

    BRANCHED = "branched"
    """It was branched on."""
    FEASIBLE = "feasible"
    """Its relaxation gave a solution."""
    INFEASIBLE = "infeasible"
    CUT_OFF = "cut off by bound"
    OPEN = "open"
    """The solve ended before it."""
    RESTARTED = "restarted"
    """SCIP restarted before it."""


STATUSES = tuple(NodeStatus)
"""Statuses of a node, by the numbers that `SearchTree.status` holds."""


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class SearchTree(Shown):
    """Nodes of a solve, in the order of their creation.

    At a restart, SCIP discards its tree and starts again. Earlier roots are then separate trees,
    mostly of one node. A child that was never processed, because a solution found meanwhile was
    at least as good as its parent's bound, has the order 0; SCIP does not count it as a node.

    Parameters
    ----------
    parent
        Position of the parent, -1 for a root. Shape (n,), int64.
    depth
        Number of branchings above the node. Shape (n,), int64.
    order
        Rank in the order of processing, from 1; 0 if never processed. Shape (n,), int64.
    status
        Position in `STATUSES`. Shape (n,), int8.
    bound
        Best bound known at the node, in the instance's own sense; NaN without one.
        Shape (n,), float64.
    branching
        Branching decisions on the way from the parent, such as ``x3 ≤ 0``; empty for a root.
    scip_nodes
        SCIP's own count of processed nodes, over all restarts.
    solve_status, objective
        Status of the solve, and the value of its best solution; None without one.
    title
        Title of the tree, such as the instance and the policy.

    Examples
    --------
    >>> from milplib.tree.record import record_tree
    >>> from milplib.generators import GeneralizedIndependentSet
    >>> instance = GeneralizedIndependentSet(n_nodes=40).generate(seed=4)
    >>> tree = record_tree(instance, policy="pscost")
    >>> tree.processed == tree.scip_nodes, tree.solve_status
    (True, 'optimal')
    """

    parent: npt.NDArray[np.int64]
    depth: npt.NDArray[np.int64]
    order: npt.NDArray[np.int64]
    status: npt.NDArray[np.int8]
    bound: npt.NDArray[np.float64]
    branching: tuple[str, ...]
    scip_nodes: int
    solve_status: str
    objective: float | None
    title: str

    def __len__(self) -> int:
        return len(self.parent)

    @property
    def processed(self) -> int:
        """Number of processed nodes; equal to SCIP's own count if no event was missed."""
        return int((self.order > 0).sum())

    def count(self, status: str) -> int:
        """Return the number of nodes with a status."""
        return int((self.status == STATUSES.index(NodeStatus(status))).sum())
