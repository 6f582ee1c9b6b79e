"""Solving an instance with SCIP and a policy."""

from __future__ import annotations

import logging
import math
import os
import time
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pyscipopt

from milplib.arguments import checked
from milplib.display import Shown
from milplib.errors import ParameterError
from milplib.formats.from_scip import column_variables
from milplib.formats.reader import read
from milplib.instance import Instance
from milplib.outcomes import SolveStatus
from milplib.policies.combinations import AnyPolicy, Portfolio
from milplib.policies.loading import load_policy
from milplib.policies.picked import Picked
from milplib.policies.plugin import RULE_NAME, OnError, PolicyUse, include_policy
from milplib.policies.policy import ScipRule
from milplib.scip.branching_statistics import branching_statistics
from milplib.scip.plugins import freed_afterwards
from milplib.scip.settings import apply_setting
from milplib.scip.trace import Trace, TraceRecorder

__all__ = ["SolveResult", "branching_statistics", "solve"]

_LOG = logging.getLogger("milplib")
_WITHOUT_OPTIMUM = frozenset({SolveStatus.UNBOUNDED, SolveStatus.INFEASIBLE_OR_UNBOUNDED})


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class SolveResult(Shown):
    """Result and statistics of a solve.

    Parameters
    ----------
    status
        SCIP's status: ``optimal``, ``infeasible``, ``unbounded``, ``inforunbd`` (infeasible or
        unbounded), ``timelimit``, ``nodelimit``, ``gaplimit``, ``userinterrupt``, …
    objective
        Objective value of the best solution, in the instance's sense; None without a solution or
        if the instance is unbounded.
    dual_bound
        Best dual bound, in the instance's sense; infinite if SCIP proved none.
    gap
        ``|objective - dual bound| / min(|objective|, |dual bound|)``, as SCIP defines it.
    solution
        Column values of the best solution, shape (n,), float64; None without a solution.
    nodes
        Number of branch-and-bound nodes over all restarts.
    fair_nodes
        ``nodes + 2 * (cut-offs + domain reductions of the branching rules)``. It counts the
        deductions of a rule's strong branching as if they were branchings (Gamrath & Schubert
        2018).
    branchings
        Number of branched nodes over all restarts: half the children that the branching rules
        created.
    lp_iterations
        Number of simplex iterations, without those of strong branching.
    strong_branching_iterations
        Number of simplex iterations of strong branching.
    time, cpu_time
        Wall-clock and processor seconds of the solve, without reading the file. They include the
        time in which a `Portfolio` picks its policy.
    policy_time
        Wall-clock seconds inside the branching rule, a SCIP rule or the policy.
    observe_time, score_time, branch_time
        Parts of `policy_time` for a policy that is not a SCIP rule: extracting states (and
        picking, in a `Portfolio`), scoring and choosing, and branching. 0 for a SCIP rule.
    policy_calls
        SCIP's number of calls of the rule or the policy at nodes with an LP solution.
    policy_errors
        Number of nodes at which the policy failed, so that SCIP's own rule decided.
    primal_dual_integral
        SCIP's primal-dual integral in percent-seconds: the integral over time of the gap in per
        cent, 100 while there is no solution or no dual bound.
    trace
        Bounds over time, one entry for each improvement.
    policy, setting, seed
        Policy, setting and seed of the solve.
    picked
        What a portfolio such as ``auto`` picked, and why; None for other policies.

    References
    ----------
    Gamrath, Schubert, "Measuring the impact of branching rules for mixed-integer programming",
    Operations Research Proceedings 2017 (2018).
    """

    status: SolveStatus
    objective: float | None
    dual_bound: float
    gap: float
    solution: npt.NDArray[np.float64] | None
    nodes: int
    fair_nodes: int
    branchings: int
    lp_iterations: int
    strong_branching_iterations: int
    time: float
    cpu_time: float
    policy_time: float
    observe_time: float
    score_time: float
    branch_time: float
    policy_calls: int
    policy_errors: int
    primal_dual_integral: float
    trace: Trace
    policy: str
    setting: str
    seed: int
    picked: Picked | None = None

    def _facts(self) -> dict[str, object]:
        names = ("status", "objective", "dual_bound", "gap", "nodes", "lp_iterations", "time")
        more = (
            "policy",
            "picked",
            "policy_time",
            "policy_calls",
            "policy_errors",
            "setting",
            "seed",
        )
        return {name: getattr(self, name) for name in (*names, *more)}


@checked
def solve(
    instance: Instance | str | os.PathLike[str],
    *,
    policy: object = "relpscost",
    time_limit: float | None = None,
    setting: str = "default",
    seed: int = 0,
    on_error: OnError | Literal["fallback", "raise"] = OnError.FALLBACK,
    reference_objective: float | None = None,
) -> SolveResult:
    """Solve an instance with SCIP on one thread.

    Parameters
    ----------
    instance
        Instance, or path of an instance file (see `milplib.read`).
    policy
        Policy that decides where to branch: the name of a SCIP rule, ``"auto"`` or the name of
        another shipped policy, the path of a policy file, or any other value that
        `milplib.load_policy` accepts.
    time_limit
        Wall-clock limit in seconds; None means no limit.
    setting
        Name of a setting in `milplib.scip.SETTINGS`.
    seed
        Seed of SCIP's random decisions.
    on_error
        Reaction to a failure of the policy at a node, see `milplib.include_policy`.
    reference_objective
        Known optimal objective value, which the setting ``clean`` needs.

    Returns
    -------
    SolveResult
        Result, also for infeasible and unbounded instances.

    Raises
    ------
    UnknownNameError
        If the policy or the setting is unknown.
    PolicyError
        If the policy's file cannot be used.
    InstanceError
        If the instance's file cannot be read.
    ParameterError
        If the time limit is not positive, another option is outside its domain, or `instance` is
        neither an instance nor a path.

    Examples
    --------
    >>> from milplib.generators import SetCover
    >>> result = solve(SetCover(n_rows=50, n_columns=60, density=0.1).generate(seed=0))
    >>> result.status
    'optimal'
    """
    prepared = prepare_solve(
        instance,
        policy=policy,
        time_limit=time_limit,
        setting=setting,
        seed=seed,
        on_error=on_error,
        reference_objective=reference_objective,
    )
    with freed_afterwards(prepared.model):
        return _solved(prepared, setting=setting, seed=seed)


def _solved(prepared: PreparedSolve, *, setting: str, seed: int) -> SolveResult:
    model, use = prepared.model, prepared.use
    recorder = TraceRecorder()
    model.includeEventhdlr(recorder, "milplib_trace", "records the bounds over time")
    begin = time.process_time()
    model.optimize()
    cpu_time = time.process_time() - begin
    rules = branching_statistics(model)
    rule = prepared.policy.rule if isinstance(prepared.policy, ScipRule) else RULE_NAME
    own = rules.get(rule)
    objective, solution = _best_solution(model)
    infinity = model.infinity()
    dual_bound, gap = float(model.getDualbound()), float(model.getGap())
    if abs(dual_bound) >= infinity:
        dual_bound = math.copysign(math.inf, dual_bound)
    picking = prepared.picking_time
    solving_time = float(model.getSolvingTime())
    end = (
        solving_time,
        math.nan if objective is None else objective,
        dual_bound if math.isfinite(dual_bound) else math.nan,
    )
    nodes = model.getNTotalNodes()
    return SolveResult(
        status=SolveStatus(model.getStatus()),
        objective=objective,
        dual_bound=dual_bound,
        gap=math.inf if gap >= infinity else gap,
        solution=solution,
        nodes=nodes,
        fair_nodes=nodes + 2 * sum(rule["ncutoffs"] + rule["ndomreds"] for rule in rules.values()),
        branchings=sum(rule["nchildren"] for rule in rules.values()) // 2,
        lp_iterations=model.getNLPIterations(),
        strong_branching_iterations=model.getNStrongbranchLPIterations() if rules else 0,
        time=solving_time + picking,
        cpu_time=cpu_time + picking,
        policy_time=(own["time"] if own else 0.0) + picking,
        observe_time=use.observe_time + picking,
        score_time=use.score_time,
        branch_time=use.branch_time,
        policy_calls=own["nlpcalls"] if own else 0,
        policy_errors=use.errors,
        primal_dual_integral=model.getPrimalDualIntegral(),
        trace=recorder.trace(end=end),
        policy=prepared.name,
        picked=use.picked,
        setting=setting,
        seed=seed,
    )


class PreparedSolve(NamedTuple):
    """A model ready to optimize, its policy, and the policy's name for results.

    `picking_time` is the wall-clock seconds spent on picking the policy; they count towards the
    time limit.
    """

    instance: Instance
    model: pyscipopt.Model
    policy: AnyPolicy
    name: str
    use: PolicyUse
    picking_time: float


def prepare_solve(
    instance: Instance | str | os.PathLike[str],
    *,
    policy: object,
    time_limit: float | None,
    setting: str,
    seed: int,
    on_error: OnError | Literal["fallback", "raise"] = OnError.FALLBACK,
    reference_objective: float | None = None,
) -> PreparedSolve:
    """Build the model that `solve` solves, with the same arguments and errors."""
    if time_limit is not None and not time_limit > 0:
        raise ParameterError(f"the time limit is {time_limit} seconds; it must be positive")
    if isinstance(instance, str | os.PathLike):
        instance = read(instance)
    if not isinstance(instance, Instance):
        raise ParameterError(
            f"the instance is a {type(instance).__name__}; expected a milplib.Instance, or the "
            "path of its file (milplib.include_policy serves models of PySCIPOpt)"
        )
    chosen = load_policy(policy)
    name, picking = chosen.name, 0.0
    picked = None
    while isinstance(chosen, Portfolio):  # pick here, where the instance is available
        begin = time.perf_counter()
        portfolio = chosen.name
        chosen, picked = chosen.explained(instance)
        picking += time.perf_counter() - begin
        _LOG.info("the policy '%s' picked %s", portfolio, picked)
    model = instance.to_scip()
    model.hideOutput()
    apply_setting(model, setting, seed=seed, reference_objective=reference_objective)
    use = include_policy(model, chosen, on_error=on_error)
    if time_limit is not None:
        # SCIP accepts no larger value; 1e20 means no limit
        model.setParam("limits/time", min(max(float(time_limit) - picking, 0.0), 1e20))
    use.picked = picked
    return PreparedSolve(instance, model, chosen, name, use, picking)


def _best_solution(
    model: pyscipopt.Model,
) -> tuple[float | None, npt.NDArray[np.float64] | None]:
    if model.getNSols() == 0 or SolveStatus(model.getStatus()) in _WITHOUT_OPTIMUM:
        return None, None
    best = model.getBestSol()
    solution = np.array(
        [model.getSolVal(best, variable) for variable in column_variables(model)], dtype=np.float64
    )
    solution.flags.writeable = False
    return float(model.getSolObjVal(best)), solution
