"""Measurement of one solve, in the same terms for every solver."""

from __future__ import annotations

import math
from dataclasses import dataclass

from milplib.outcomes import SolveStatus

__all__ = ["Measurement", "percent_gap", "relative_gap"]


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """Measurement of one solve.

    Parameters
    ----------
    status
        SCIP's status of the solve: ``optimal``, ``infeasible``, ``unbounded``, ``inforunbd``
        (infeasible or unbounded), ``timelimit``, ``memlimit``, …
    solved
        Whether the solve finished: optimal, infeasible or unbounded.
    time
        Wall-clock seconds of the solve by the solver's clock, without reading.
    nodes
        Number of branch-and-bound nodes. Solvers count differently.
    gap
        Final `relative_gap`; 0 if solved.
    primal_dual_integral
        Integral of `percent_gap` over time, in percent-seconds.
    branchings
        Number of nodes that were branched on; None if the solver does not report it.
    objective
        Value of the best solution, in the instance's own sense; None without one.
    dual_bound
        Best dual bound, in the instance's own sense; infinite without one.
    """

    status: SolveStatus
    solved: bool
    time: float
    nodes: int
    gap: float
    primal_dual_integral: float
    branchings: int | None
    objective: float | None
    dual_bound: float


def relative_gap(objective: float | None, bound: float) -> float:
    """Compute the gap between a solution and a bound by SCIP's definition, for any solver.

    Returns
    -------
    float
        ``|objective - bound| / min(|objective|, |bound|)``; infinite if a value is missing or 0, or
        if their signs differ. Equal values have a gap of 0.

    Examples
    --------
    >>> relative_gap(110.0, 100.0), relative_gap(0.0, 0.0), relative_gap(None, 100.0)
    (0.1, 0.0, inf)
    """
    if objective is None or not math.isfinite(objective) or not math.isfinite(bound):
        return math.inf
    if math.isclose(objective, bound, rel_tol=1e-9, abs_tol=1e-9):
        return 0.0
    smaller = min(abs(objective), abs(bound))
    if smaller == 0 or objective * bound < 0:
        return math.inf
    return abs(objective - bound) / smaller


def percent_gap(objective: float | None, bound: float) -> float:
    """Compute the gap in per cent that SCIP integrates over time.

    Returns
    -------
    float
        ``100 |objective - bound| / max(|objective|, |bound|)``, at most 100; 100 if a value is
        missing or if their signs differ.

    Examples
    --------
    >>> percent_gap(100.0, 75.0), percent_gap(None, 75.0), percent_gap(1.0, -1.0)
    (25.0, 100.0, 100.0)
    """
    if objective is None or not math.isfinite(objective) or not math.isfinite(bound):
        return 100.0
    if objective == bound:
        return 0.0
    if objective * bound < 0:
        return 100.0
    return min(100.0, 100.0 * abs(objective - bound) / max(abs(objective), abs(bound)))
