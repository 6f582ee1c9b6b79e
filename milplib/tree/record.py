"""Recording of a solve's branch-and-bound tree from SCIP's node events."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyscipopt
from pyscipopt import SCIP_EVENTTYPE, SCIP_LPSOLSTAT

from milplib.arguments import checked
from milplib.instance import Instance
from milplib.outcomes import SolveStatus
from milplib.scip.plugins import WeakModel, freed_afterwards
from milplib.solving import prepare_solve
from milplib.tree.search_tree import STATUSES, NodeStatus, SearchTree

__all__ = ["STATUSES", "SearchTree", "TreeRecorder", "record_tree"]

_OVER = frozenset(
    {
        SolveStatus.OPTIMAL,
        SolveStatus.INFEASIBLE,
        SolveStatus.UNBOUNDED,
        SolveStatus.INFEASIBLE_OR_UNBOUNDED,
    }
)
_SOLVED = {
    SCIP_EVENTTYPE.NODEBRANCHED: NodeStatus.BRANCHED,
    SCIP_EVENTTYPE.NODEFEASIBLE: NodeStatus.FEASIBLE,
    SCIP_EVENTTYPE.NODEINFEASIBLE: NodeStatus.INFEASIBLE,
}
_CAUGHT = (SCIP_EVENTTYPE.NODEFOCUSED, *_SOLVED)


@dataclass
class _Node:
    parent: int
    depth: int
    run: int
    branching: str
    lower: float
    order: int = 0
    status: NodeStatus = NodeStatus.OPEN


@dataclass
class _Bounds:
    """Bounds of SCIP's presolved problem, and the same bounds in the instance's terms."""

    inner: list[float] = field(default_factory=list)
    outer: list[float] = field(default_factory=list)


class TreeRecorder(WeakModel, pyscipopt.Eventhdlr):  # type: ignore[misc, unused-ignore]
    """Event handler that records every node of a solve without affecting it.

    Attributes
    ----------
    error
        Exception raised in the handler, which PySCIPOpt would lose; None without one.

    Examples
    --------
    >>> import pyscipopt
    >>> from milplib.generators import GeneralizedIndependentSet
    >>> model = GeneralizedIndependentSet(n_nodes=40).generate(seed=4).to_scip()
    >>> model.hideOutput()
    >>> recorder = TreeRecorder()
    >>> model.includeEventhdlr(recorder, "tree", "records the nodes")
    >>> model.optimize()
    >>> recorder.tree("my model").processed == model.getNTotalNodes()
    True
    """

    def __init__(self) -> None:
        self.error: Exception | None = None
        self._nodes: list[_Node] = []
        self._places: dict[tuple[int, int], int] = {}
        self._bounds: dict[int, _Bounds] = {}
        self._processed = 0

    def eventinit(self) -> None:
        """Subscribe to the node events."""
        self._caught = _CAUGHT  # globals are gone if the interpreter frees the model
        for event in self._caught:
            self.model.catchEvent(event, self)

    def eventexit(self) -> None:
        """Unsubscribe from the node events."""
        model = self.model
        if model is None:  # freed in a cycle of references
            return
        for event in self._caught:
            model.dropEvent(event, self)

    def eventexec(self, event: pyscipopt.scip.Event) -> None:
        """Record an event."""
        if self.error is not None:
            return
        try:
            self._record(event.getType(), event.getNode())
        except Exception as error:
            self.error = error

    def _record(self, kind: int, node: pyscipopt.scip.Node) -> None:
        model = self.model
        run = model.getNRuns()
        place = self._place(node, run)
        known = self._nodes[place]
        if node.getLowerbound() < model.infinity():  # a node that is cut off loses its bound
            known.lower = max(known.lower, node.getLowerbound())
        bounds = self._bounds.setdefault(run, _Bounds())
        bounds.inner.append(model.getLowerbound())
        bounds.outer.append(model.getDualbound())
        if kind == SCIP_EVENTTYPE.NODEFOCUSED:
            if not known.order:  # SCIP can focus a node more than once
                self._processed += 1
                known.order = self._processed
            return
        known.status = _SOLVED[kind]
        if kind == SCIP_EVENTTYPE.NODEINFEASIBLE and self._is_cut_off(node):
            known.status = NodeStatus.CUT_OFF
        if kind == SCIP_EVENTTYPE.NODEBRANCHED:
            for child in model.getChildren():
                self._place(child, run)

    def _is_cut_off(self, node: pyscipopt.scip.Node) -> bool:
        """Return whether a node was cut off by its bound, rather than infeasible."""
        lower = node.getLowerbound()
        if lower < self.model.infinity():
            return bool(lower >= self.model.getCutoffbound() - self.model.feastol())
        # A node that is cut off has no bound any more, but its LP shows the reason.
        return bool(self.model.getLPSolstat() == SCIP_LPSOLSTAT.OBJLIMIT)

    def _place(self, node: pyscipopt.scip.Node, run: int) -> int:
        """Return the position of a node, which is added if it is new."""
        key = run, node.getNumber()
        if key in self._places:
            return self._places[key]
        parent = node.getParent()
        above = -1 if parent is None else self._place(parent, run)
        self._places[key] = len(self._nodes)
        self._nodes.append(
            _Node(
                parent=above,
                depth=node.getDepth(),
                run=run,
                branching=_branching(node),
                lower=node.getLowerbound(),
            )
        )
        return self._places[key]

    def tree(self, title: str) -> SearchTree:
        """Return the tree after the model has been solved.

        Parameters
        ----------
        title
            Title of the tree, such as the instance and the policy.

        Raises
        ------
        Exception
            The exception that was raised during the recording, if any.
        """
        if self.error is not None:
            raise self.error
        model, nodes = self.model, self._nodes
        last = max((node.run for node in nodes), default=0)
        is_over = SolveStatus(model.getStatus()) in _OVER
        for node in nodes:
            if node.status is NodeStatus.OPEN and node.run < last:
                node.status = NodeStatus.RESTARTED
            elif node.status is NodeStatus.OPEN and is_over:
                node.status = NodeStatus.CUT_OFF
        objective = float(model.getObjVal()) if model.getNSols() else None
        return SearchTree(
            parent=np.array([node.parent for node in nodes], dtype=np.int64),
            depth=np.array([node.depth for node in nodes], dtype=np.int64),
            order=np.array([node.order for node in nodes], dtype=np.int64),
            status=np.array([STATUSES.index(node.status) for node in nodes], dtype=np.int8),
            bound=self._own_bounds(),
            branching=tuple(node.branching for node in nodes),
            scip_nodes=model.getNTotalNodes(),
            solve_status=model.getStatus(),
            objective=objective,
            title=title,
        )

    def _own_bounds(self) -> npt.NDArray[np.float64]:
        """Return the bounds in the instance's own sense and scale.

        SCIP scales and shifts the objective in each of its runs, and PySCIPOpt does not expose
        how. The transformation follows from the two most distant bounds of the whole tree.
        """
        infinity = self.model.infinity()
        is_minimised = self.model.getObjectiveSense() == "minimize"
        inner = np.array([node.lower for node in self._nodes], dtype=np.float64)
        runs = np.array([node.run for node in self._nodes], dtype=np.int64)
        outer = np.full(len(inner), np.nan)
        for run, bounds in self._bounds.items():
            a, b = np.array(bounds.inner), np.array(bounds.outer)
            known = (np.abs(a) < infinity) & (np.abs(b) < infinity)
            if not known.any():
                continue
            a, b = a[known], b[known]
            low, high = a.argmin(), a.argmax()
            slope = 1.0 if is_minimised else -1.0
            if a[high] - a[low] > 1e-9 * max(1.0, abs(a[low])):
                slope = (b[high] - b[low]) / (a[high] - a[low])
            chosen = (runs == run) & (np.abs(inner) < infinity)
            outer[chosen] = b[low] + slope * (inner[chosen] - a[low])
        return outer


def _branching(node: pyscipopt.scip.Node) -> str:
    """Describe the branching decisions on the way from the parent."""
    decisions = node.getParentBranchings() if node.getParent() is not None else None
    if not decisions:
        return ""
    return ", ".join(
        f"{variable.name.removeprefix('t_')} {'≥' if kind == 0 else '≤'} {bound:.9g}"
        for variable, bound, kind in zip(*decisions, strict=True)
    )


@checked
def record_tree(
    instance: Instance | str | os.PathLike[str],
    *,
    policy: object = "relpscost",
    time_limit: float | None = None,
    setting: str = "default",
    seed: int = 0,
    reference_objective: float | None = None,
) -> SearchTree:
    """Solve an instance as `milplib.solve` does, and record the tree.

    Parameters
    ----------
    instance, policy, time_limit, setting, seed, reference_objective
        As for `milplib.solve`. If the policy fails at a node, SCIP's own rule branches there.

    Returns
    -------
    SearchTree
        Tree of the solve.

    Raises
    ------
    UnknownNameError, PolicyError, InstanceError, ParameterError
        As for `milplib.solve`.

    Examples
    --------
    >>> from milplib.generators import CombinatorialAuction
    >>> instance = CombinatorialAuction(n_items=30, n_bids=100).generate(seed=0)
    >>> tree = record_tree(instance, policy="pscost")
    >>> tree.solve_status, len(tree.depth) >= 1
    ('optimal', True)
    """
    prepared = prepare_solve(
        instance,
        policy=policy,
        time_limit=time_limit,
        setting=setting,
        seed=seed,
        reference_objective=reference_objective,
    )
    recorder = TreeRecorder()
    with freed_afterwards(prepared.model) as model:
        model.includeEventhdlr(recorder, "milplib-tree", "records the nodes of the tree")
        model.optimize()
        return recorder.tree(
            f"{prepared.instance.name or 'instance'} with {prepared.name}, {setting}, seed {seed}"
        )
