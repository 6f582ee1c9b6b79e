"""A run: one policy on one instance with one seed, in a process of its own, as a row."""

from __future__ import annotations

import math
import os
import platform
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import milplib
from milplib.errors import InstanceError, MilplibError
from milplib.evaluation.plan import EvaluatedInstance, RunParameters, run_order
from milplib.evaluation.policies import EvaluatedPolicy
from milplib.execution import WorkerDiedError
from milplib.files import file_sha256
from milplib.formats import read
from milplib.instance import Instance
from milplib.isolation import WorkerTimeoutError, run_isolated
from milplib.scip.versions import scip_version
from milplib.solving import SolveResult, solve

__all__ = ["PairedTask", "ReferenceTask", "died_rows", "run_paired", "run_reference"]

SOLVED = frozenset({"optimal", "infeasible", "unbounded", "inforunbd", "gaplimit"})
"""SCIP's statuses of a run that did what was asked."""

_LIMITS = {"timelimit": "timelimit", "memlimit": "memlimit", "userinterrupt": "interrupted"}

_MEASURED = (
    "objective",
    "dual_bound",
    "gap",
    "time",
    "cpu_time",
    "policy_time",
    "observe_time",
    "score_time",
    "branch_time",
    "policy_calls",
    "policy_errors",
    "nodes",
    "fair_nodes",
    "lp_iterations",
    "strong_branching_iterations",
    "primal_dual_integral",
)


@dataclass(frozen=True, kw_only=True)
class PairedTask:
    """All policies on one instance with one seed, one after the other.

    Parameters
    ----------
    instance, seed
        What is paired.
    policies
        The policies.
    parameters
        Of every run.
    reference_objective
        The known optimum: none, or what `solve` needs for the setting ``clean``.
    no_reference
        Why there is no run: the setting needs an optimum that nobody knows.
    """

    instance: EvaluatedInstance
    seed: int
    policies: tuple[EvaluatedPolicy, ...]
    parameters: RunParameters
    reference_objective: float | None = None
    no_reference: str = ""


@dataclass(frozen=True, kw_only=True)
class ReferenceTask:
    """A solve of an instance with SCIP's defaults that finds the optimum for other runs."""

    instance: EvaluatedInstance
    parameters: RunParameters


@dataclass(frozen=True, kw_only=True)
class _Run:
    """What the process of a run is told."""

    instance: EvaluatedInstance
    policy: EvaluatedPolicy | None
    seed: int
    setting: str
    time_limit: float
    reference_objective: float | None = None


def run_paired(task: PairedTask) -> list[dict[str, Any]]:
    """Run all policies of a task back to back, in random order.

    Returns
    -------
    list of dict
        A row a policy, in the order of the policies. Equal for equal tasks but for times, memory
        and the machine.
    """
    if task.no_reference:
        return _same_rows(task, "error", "no reference", task.no_reference)
    rows: dict[str, dict[str, Any]] = {}
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
        found = _measured(_run_here, run, task.parameters)
        if found["failure"] == "unreadable" and not rows:
            # The others would not read it either.
            return _same_rows(task, "unreadable", "unreadable", found["failure_detail"])
        rows[policy.label] = _identity(task, policy) | found | {"order": place}
    return [rows[policy.label] for policy in task.policies]


def run_reference(task: ReferenceTask) -> dict[str, Any]:
    """Solve an instance with SCIP's defaults.

    Returns
    -------
    dict
        ``status`` and ``objective`` as in ``optima.csv``; ``failure`` if it was not solved.
    """
    run = _Run(
        instance=task.instance,
        policy=None,
        seed=0,
        setting="default",
        time_limit=task.parameters.time_limit,
    )
    found = _measured(_run_here, run, task.parameters)
    names = ("status", "failure", "failure_detail", "objective")
    return {name: found.get(name) for name in names}


def died_rows(task: PairedTask, error: WorkerDiedError) -> list[dict[str, Any]]:
    """Rows of a task whose worker died itself: no run of it is known."""
    return _same_rows(task, "died", "crash", str(error))


def _same_rows(task: PairedTask, status: str, failure: str, detail: str) -> list[dict[str, Any]]:
    found = {"status": status, "failure": failure, "failure_detail": detail}
    return [_identity(task, policy) | found for policy in task.policies]


def _identity(task: PairedTask, policy: EvaluatedPolicy) -> dict[str, Any]:
    return {
        "policy": policy.label,
        "instance": task.instance.name,
        "distribution": task.instance.distribution,
        "seed": task.seed,
        "setting": task.parameters.setting,
        "time_limit": task.parameters.time_limit,
        "reference_objective": task.instance.known_objective,
        "policy_hash": policy.digest,
        "milplib_version": milplib.__version__,
        "scip_version": scip_version(),
        "host": platform.node(),
    }


def _measured(
    function: Callable[[_Run], dict[str, Any]], run: _Run, parameters: RunParameters
) -> dict[str, Any]:
    """Run in a fresh process; a process that dies or hangs is a failed run."""
    begin = time.monotonic()
    try:
        return run_isolated(function, run, time_limit=parameters.time_limit + parameters.grace)
    except WorkerTimeoutError:
        found = {
            "status": "killed",
            "failure": "timelimit",
            "failure_detail": f"did not stop within {parameters.grace:g} s of its limit",
        }
    except WorkerDiedError as error:
        found = {"status": "died", "failure": "crash", "failure_detail": str(error)}
    return {**found, "time": time.monotonic() - begin}


def _run_here(run: _Run) -> dict[str, Any]:
    """Read, solve and describe; whatever goes wrong is described, too."""
    begin = time.monotonic()
    known: dict[str, Any] = {}
    try:
        instance = _read(run.instance)
        known["instance_hash"] = instance.content_hash
        found = _described(_solved(run, instance))
    except Exception as error:
        failure = _failure_kind(error, run.policy)
        found = {
            "status": "unreadable" if failure == "unreadable" else "error",
            "failure": failure,
            "failure_detail": _in_words(error, run.instance),
            "time": time.monotonic() - begin,
        }
    return known | found | {"peak_memory": _peak_memory()}


def _read(planned: EvaluatedInstance) -> Instance:
    instance = read(planned.path)
    if file_sha256(planned.path) != planned.sha256:
        raise InstanceError(f"{planned.path} has changed since the evaluation began")
    return instance


def _solved(run: _Run, instance: Instance) -> SolveResult:
    if run.policy is not None:
        run.policy.check_unchanged()
    return solve(
        instance,
        policy="relpscost" if run.policy is None else run.policy.source,
        time_limit=run.time_limit,
        setting=run.setting,
        seed=run.seed,
        on_error="raise",
        reference_objective=_limit(run.reference_objective, instance, run.setting),
    )


def _limit(reference: float | None, instance: Instance, setting: str) -> float | None:
    """The objective that `solve` takes as known; of an infeasible instance the worst there is."""
    if setting != "clean":
        return None
    if reference is None or math.isinf(reference):
        return -math.inf if instance.sense == "maximize" else math.inf
    return reference


def _described(result: SolveResult) -> dict[str, Any]:
    measured = {name: getattr(result, name) for name in _MEASURED}
    # Not a number is no measurement.
    known = {k: None if v is None or math.isnan(v) else v for k, v in measured.items()}
    failure = "" if result.status in SOLVED else _LIMITS.get(result.status, "other limit")
    detail = f"SCIP ended with status {result.status}" if failure else ""
    return {**known, "status": result.status, "failure": failure, "failure_detail": detail}


def _failure_kind(error: Exception, policy: EvaluatedPolicy | None) -> str:
    text = str(error)
    if isinstance(error, InstanceError):
        return "unreadable"
    if isinstance(error, MemoryError):
        return "memlimit"
    if text.startswith("SCIP: "):  # what PySCIPOpt raises for SCIP's return codes
        return "numerical" if "LP solver" in text else "crash"
    return "crash" if policy is None or policy.kind == "rule" else "policy error"


def _in_words(error: Exception, instance: EvaluatedInstance) -> str:
    # By its name in the results: a row must not depend on where the files lay.
    text = str(error).replace(os.fspath(instance.path), instance.name)
    if not isinstance(error, MilplibError):
        text = f"{type(error).__name__}: {text}"
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        if trace is not None:
            code = trace.tb_frame.f_code
            text += f" (in {code.co_name}, {os.path.basename(code.co_filename)}:{trace.tb_lineno})"
    return " ".join(text.split()).encode("utf-8", "backslashreplace").decode()


def _peak_memory() -> float:
    """Largest resident size of this process in MB."""
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
