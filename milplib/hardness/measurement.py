"""What one solve of an instance took, in the same terms for every solver."""

from __future__ import annotations

import math
from dataclasses import dataclass

from milplib.outcomes import SolveStatus

__all__ = ["Measurement", "percent_gap", "relative_gap"]


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """What one solve took.

    Parameters
    ----------
    status
        How it ended, in SCIP's words: ``optimal``, ``infeasible``, ``unbounded``, ``inforunbd``
        (one of the two), ``timelimit``, ``memlimit``, …
    solved
        Whether it ended by itself: optimal, infeasible or unbounded.
    time
        Wall-clock seconds of the solve by the solver's clock, reading not included.
    nodes
        Branch-and-bound nodes; the solvers do not count alike.
    gap
        `relative_gap` at the end; 0 if it is solved.
    primal_dual_integral
        In percent-seconds: the integral over time of `percent_gap`.
    branchings
        Nodes that were branched on; None where the solver does not tell.
    objective
        Value of the best solution, in the instance's own sense; None without one.
    dual_bound
        Best proven bound, in the instance's own sense; infinite where there is none.
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
    """Gap between a solution and a bound as SCIP defines it, for every solver.

    Returns
    -------
    float
        ``|objective - bound| / min(|objective|, |bound|)``; infinite where one is missing or 0, or
        their signs differ.

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
    """Gap in per cent as SCIP integrates it over time.

    Returns
    -------
    float
        ``100 |objective - bound| / max(|objective|, |bound|)``, at most 100; 100 where one is
        missing or their signs differ.

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
