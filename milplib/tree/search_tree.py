"""A branch-and-bound tree as arrays: its nodes, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["STATUSES", "SearchTree"]

STATUSES = ("branched", "feasible", "infeasible", "cut off by bound", "open", "restarted")
"""What can have become of a node: children were made; its relaxation gave a solution; it was shown
to hold none; none that is better than the best one; the solve ended before; SCIP began anew."""


@dataclass(frozen=True, eq=False, kw_only=True)
class SearchTree:
    """The nodes of a solve, in the order in which they were made.

    After a restart SCIP throws its tree away and begins anew: the roots before it are trees of
    their own, of one node mostly. A child that was never processed, since its parent's bound was
    no better than a solution found meanwhile, is no node by SCIP's count; it has the order 0.

    Parameters
    ----------
    parent
        Position of the parent, -1 for a root. Shape (n,), int64.
    depth
        Branchings above the node. Shape (n,), int64.
    order
        When it was processed, from 1; 0 if never. Shape (n,), int64.
    status
        Position in `STATUSES`. Shape (n,), int8.
    bound
        Best bound known at the node, in the instance's own sense; NaN without one.
        Shape (n,), float64.
    branching
        What was decided on the way from the parent, such as ``x3 ≤ 0``; empty for a root.
    scip_nodes
        SCIP's own count of processed nodes, over all restarts.
    solve_status, objective
        How the solve ended, and the value of its best solution; None without one.
    title
        What was solved with what.

    Examples
    --------
    >>> from milplib.tree.record import record_tree
    >>> from milplib.generators import CombinatorialAuction
    >>> instance = CombinatorialAuction(n_items=50, n_bids=200).generate(seed=4)
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
        """Number of nodes that SCIP processed: its own count, if nothing was missed."""
        return int((self.order > 0).sum())

    def count(self, status: str) -> int:
        """Count the nodes of a status."""
        return int((self.status == STATUSES.index(status)).sum())
