"""Run of one policy on one instance with one seed, in its own process, as a row."""

from __future__ import annotations

import math
import platform
import time
from dataclasses import dataclass, fields
from typing import cast

from milplib.evaluation.config import PolicyKind
from milplib.evaluation.policies import EvaluatedPolicy
from milplib.evaluation.rows import (
    Optimum,
    ReadInstance,
    RunIdentity,
    RunOutcome,
    RunRow,
    SolveNumbers,
)
from milplib.evaluation.solution_check import violations
from milplib.evaluation.table import COLUMNS
from milplib.evaluation.task import PairedTask, ReferenceTask, RunParameters, run_order
from milplib.evaluation.traces import trace_as_json
from milplib.execution import TaskFailure
from milplib.execution.isolated_solve import (
    error_in_words,
    failure_kind,
    isolated_row,
    limit_failure,
)
from milplib.execution.memory import peak_memory
from milplib.instance import Instance
from milplib.library.evaluated import EvaluatedInstance
from milplib.outcomes import SolveFailure, SolveStatus
from milplib.policies.combinations import AnyPolicy, parts
from milplib.policies.file import PolicyFile
from milplib.policies.loading import load_policy
from milplib.policies.plugin import OnError
from milplib.policies.provenance import seen_in
from milplib.scip.versions import scip_version
from milplib.solving import SolveResult, solve
from milplib.version import __version__

__all__ = ["died_rows", "run_paired", "run_reference"]

_MEASURED = tuple(
    field.name
    for field in fields(SolveResult)
    if field.name in COLUMNS and field.name not in ("status", "policy", "picked", "setting", "seed")
)
"""Numbers of a solve that fill the columns of the same names."""


@dataclass(frozen=True, kw_only=True)
class _Run:
    """Arguments of the process of a run."""

    instance: EvaluatedInstance
    policy: EvaluatedPolicy | None
    seed: int
    setting: str
    time_limit: float
    reference_objective: float | None = None


def run_paired(task: PairedTask) -> list[RunRow]:
    """Run all policies of a task back to back, in random order.

    Returns
    -------
    list of RunRow
        One row per policy, in the order of the policies. Equal tasks yield equal rows, except for
        times, memory and the machine.
    """
    if task.no_reference:
        return _same_rows(task, SolveStatus.ERROR, SolveFailure.NO_REFERENCE, task.no_reference)
    rows: dict[str, RunRow] = {}
    order = run_order(task.policies, instance=task.instance.name, seed=task.seed)
    for place, policy in enumerate(order):
        run = _Run(
            instance=task.instance,
            policy=policy,
            seed=task.seed,
            setting=task.parameters.setting,
            time_limit=task.parameters.time_limit,
            reference_objective=task.reference_objective,
        )
        row = _measured(run, task.parameters)
        if row["failure"] == SolveFailure.UNREADABLE and not rows:
            # No other policy can read the instance either.
            return _same_rows(
                task, SolveStatus.UNREADABLE, SolveFailure.UNREADABLE, row["failure_detail"]
            )
        rows[policy.label] = {**_identity(task, policy), **row, "order": place}
    return [rows[policy.label] for policy in task.policies]


def run_reference(task: ReferenceTask) -> Optimum:
    """Solve an instance with SCIP's default settings.

    Returns
    -------
    Optimum
        ``status`` and ``objective`` as in ``optima.csv``; ``failure`` if it is unsolved.
    """
    run = _Run(
        instance=task.instance,
        policy=None,
        seed=0,
        setting="default",
        time_limit=task.parameters.time_limit,
    )
    row = _measured(run, task.parameters)
    return {
        "status": row["status"],
        "failure": row["failure"],
        "failure_detail": row.get("failure_detail"),
        "objective": row.get("objective"),
    }


def died_rows(task: PairedTask, failure: TaskFailure) -> list[RunRow]:
    """Return the rows of a task whose own worker died, so that none of its runs is known."""
    return _same_rows(task, SolveStatus.DIED, SolveFailure.CRASH, str(failure))


def _same_rows(
    task: PairedTask, status: SolveStatus, failure: SolveFailure, detail: str
) -> list[RunRow]:
    outcome: RunOutcome = {"status": status, "failure": failure, "failure_detail": detail}
    return [cast(RunRow, {**_identity(task, policy), **outcome}) for policy in task.policies]


def _identity(task: PairedTask, policy: EvaluatedPolicy) -> RunIdentity:
    return {
        "policy": policy.label,
        "instance": task.instance.name,
        "distribution": task.instance.distribution,
        "seed": task.seed,
        "setting": task.parameters.setting,
        "time_limit": task.parameters.time_limit,
        "reference_objective": task.instance.known_objective,
        "policy_hash": policy.digest,
        "milplib_version": __version__,
        "scip_version": scip_version(),
        "host": platform.node(),
    }


def _measured(run: _Run, parameters: RunParameters) -> RunOutcome:
    return isolated_row(
        _run_here,
        run,
        time_limit=parameters.time_limit,
        grace=parameters.grace,
        memory_limit=parameters.memory_limit,
    )


def _run_here(run: _Run) -> RunOutcome:
    """Read and solve the instance, and return the row; an error becomes a failure in the row."""
    begin = time.monotonic()
    known: ReadInstance = {}
    try:
        planned = run.instance
        instance = planned.read(since="the evaluation began")
        known["instance_hash"] = instance.content_hash
        policy = _loaded(run)
        known["seen_in"] = _seen_in(policy, instance.content_hash)
        outcome: RunOutcome = _described(_solved(run, instance, policy), instance)
    except Exception as error:
        is_rule = run.policy is None or run.policy.kind == PolicyKind.RULE
        otherwise = SolveFailure.CRASH if is_rule else SolveFailure.POLICY_ERROR
        failure = failure_kind(error, otherwise=otherwise)
        outcome = {
            "status": SolveStatus.UNREADABLE
            if failure == SolveFailure.UNREADABLE
            else SolveStatus.ERROR,
            "failure": failure,
            "failure_detail": error_in_words(error, path=run.instance.path, name=run.instance.name),
            "time": time.monotonic() - begin,
        }
    return {**known, **outcome, "peak_memory": peak_memory()}


def _loaded(run: _Run) -> AnyPolicy:
    if run.policy is None:
        return load_policy("relpscost")
    run.policy.check_unchanged()
    return run.policy.load()


def _seen_in(policy: AnyPolicy, content_hash: str) -> str:
    """Return where a policy, or a part of a combined one, has seen an instance."""
    contents = [getattr(part, "content", None) for part in parts(policy)]
    places = [seen_in(c.provenance, content_hash) for c in contents if isinstance(c, PolicyFile)]
    return next(filter(None, places), "")


def _solved(run: _Run, instance: Instance, policy: AnyPolicy) -> SolveResult:
    return solve(
        instance,
        policy=policy,
        time_limit=run.time_limit,
        setting=run.setting,
        seed=run.seed,
        on_error=OnError.RAISE,
        reference_objective=_limit(run.reference_objective, instance, run.setting),
    )


def _limit(reference: float | None, instance: Instance, setting: str) -> float | None:
    """Return the known objective for `solve`; the worst possible one if infeasible."""
    if setting != "clean":
        return None
    if reference is None or math.isinf(reference):
        return -math.inf if instance.sense == "maximize" else math.inf
    return reference


def _described(result: SolveResult, instance: Instance) -> RunOutcome:
    measured = {name: getattr(result, name) for name in _MEASURED}
    # NaN means not measured.
    numbers = {k: None if v is None or math.isnan(v) else v for k, v in measured.items()}
    known = cast(SolveNumbers, numbers)
    failure = limit_failure(result.status)
    detail = f"SCIP ended with status {result.status}" if failure else ""
    if result.solution is not None:
        violated = violations(instance, result.solution, objective=result.objective)
        if violated:
            failure, detail = SolveFailure.WRONG_SOLUTION, "; ".join(map(str, violated))
    outcome: RunOutcome = {
        "status": result.status,
        "failure": failure,
        "failure_detail": detail,
        "picked": "" if result.picked is None else str(result.picked),
        "trace": trace_as_json(result.trace),
    }
    return cast(RunOutcome, {**known, **outcome})
