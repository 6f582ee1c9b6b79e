"""Solve an instance with SCIP and say how it ended."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from milplib.errors import ParameterError
from milplib.instance import Instance
from milplib.scip.model import column_variables
from milplib.scip.settings import apply_setting, use_branching_rule

__all__ = ["SolveResult", "solve"]


@dataclass(frozen=True, eq=False, kw_only=True)
class SolveResult:
    """How a solve ended.

    Parameters
    ----------
    status
        SCIP's: ``optimal``, ``infeasible``, ``unbounded``, ``inforunbd`` (one of the two),
        ``timelimit``, ``nodelimit``, ``gaplimit``, ``userinterrupt``, …
    objective
        Value of the best solution, in the instance's own sense; None without one or if
        the instance is unbounded.
    dual_bound
        Best proven bound, in the instance's own sense; infinite where there is none.
    gap
        ``|objective - dual bound| / min(|objective|, |dual bound|)`` as SCIP defines it.
    solution
        Values of the columns in the best solution, shape (n,), float64; None without one.
    nodes
        Branch-and-bound nodes over all restarts.
    lp_iterations
        Simplex iterations without those of strong branching.
    time
        Wall-clock seconds of the solve, reading not included.
    policy, setting, seed
        What it was solved with.
    """

    status: str
    objective: float | None
    dual_bound: float
    gap: float
    solution: npt.NDArray[np.float64] | None
    nodes: int
    lp_iterations: int
    time: float
    policy: str
    setting: str
    seed: int


def solve(
    instance: Instance,
    *,
    policy: str = "relpscost",
    time_limit: float | None = None,
    setting: str = "default",
    seed: int = 0,
) -> SolveResult:
    """Solve an instance with SCIP on one thread.

    Parameters
    ----------
    instance
        The instance.
    policy
        Name of a branching rule of SCIP's.
    time_limit
        Wall-clock seconds; no limit if None.
    setting
        One of `milplib.scip.SETTINGS`.
    seed
        Of SCIP's random decisions.

    Returns
    -------
    SolveResult
        Infeasible and unbounded instances are results too.

    Raises
    ------
    UnknownNameError
        If the policy or the setting is not known.
    ParameterError
        If the limit is not positive.

    Examples
    --------
    >>> from milplib.generators import SetCover
    >>> result = solve(SetCover(n_rows=50, n_columns=60, density=0.1).generate(seed=0))
    >>> result.status
    'optimal'
    """
    if time_limit is not None and not time_limit > 0:
        raise ParameterError(f"the time limit is {time_limit} seconds; it must be positive")
    model = instance.to_scip()
    model.hideOutput()
    apply_setting(model, setting, seed=seed)
    use_branching_rule(model, policy)
    if time_limit is not None:
        # SCIP's own ceiling: larger limits are none
        model.setParam("limits/time", min(float(time_limit), 1e20))
    model.optimize()
    infinity = model.infinity()
    objective, solution = None, None
    status = model.getStatus()
    if model.getNSols() > 0 and status not in ("unbounded", "inforunbd"):
        best = model.getBestSol()
        objective = float(model.getSolObjVal(best))
        solution = np.array(
            [model.getSolVal(best, v) for v in column_variables(model)], dtype=np.float64
        )
        solution.flags.writeable = False
    dual_bound, gap = float(model.getDualbound()), float(model.getGap())
    if abs(dual_bound) >= infinity:
        dual_bound = math.copysign(math.inf, dual_bound)
    return SolveResult(
        status=status,
        objective=objective,
        dual_bound=dual_bound,
        gap=math.inf if gap >= infinity else gap,
        solution=solution,
        nodes=model.getNTotalNodes(),
        lp_iterations=model.getNLPIterations(),
        time=model.getSolvingTime(),
        policy=policy,
        setting=setting,
        seed=seed,
    )
