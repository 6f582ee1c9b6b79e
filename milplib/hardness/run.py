"""Measurement of one instance in its own process, as a row."""

from __future__ import annotations

import math
import platform
import time
from dataclasses import dataclass, replace
from typing import cast

from milplib.execution import TaskFailure
from milplib.execution.isolated_solve import (
    error_in_words,
    failure_kind,
    isolated_row,
    limit_failure,
)
from milplib.execution.memory import peak_memory
from milplib.hardness.measurement import Measurement
from milplib.hardness.rows import (
    HardnessIdentity,
    HardnessOutcome,
    HardnessTaskRow,
    ReadInstance,
)
from milplib.hardness.solvers import load_solver
from milplib.library.evaluated import EvaluatedInstance
from milplib.outcomes import SolveFailure, SolveStatus
from milplib.structure.statistics import instance_statistics
from milplib.version import __version__

__all__ = ["HardnessTask", "died_row", "run_task"]


_COUNTING_LIMIT = 600.0
"""Time limit in seconds for reading and counting after the solve's process died."""


@dataclass(frozen=True, kw_only=True)
class HardnessTask:
    """Instance to measure.

    Parameters
    ----------
    instance
        Instance of the task.
    solver, label
        Name of the solver, without and with its version; empty for statistics only.
    time_limit, grace
        Seconds of the solve, and additional seconds before its process is killed.
    seed
        Seed of the solver.
    memory_limit
        Memory in MB above which the solve's process is killed; None for no limit.
    """

    instance: EvaluatedInstance
    solver: str
    label: str
    time_limit: float
    grace: float
    seed: int
    memory_limit: float | None = None


def run_task(task: HardnessTask) -> HardnessTaskRow:
    """Measure an instance: solve it in a fresh process, or count its rows and columns in this one.

    Returns
    -------
    HardnessTaskRow
        Row of the table, without the columns that are derived from others. If the process dies,
        the row has the kind of failure, and the statistics if another process can count them.
    """
    if not task.solver:
        return {**_identity(task), **_run_here(task)}
    row = isolated_row(
        _run_here,
        task,
        time_limit=task.time_limit,
        grace=task.grace,
        memory_limit=task.memory_limit,
    )
    if "rows" not in row and row["failure"] != SolveFailure.UNREADABLE:
        # The statistics were lost with the solve's process.
        counting = replace(task, solver="")
        alone = isolated_row(
            _run_here,
            counting,
            time_limit=_COUNTING_LIMIT,
            grace=1.0,
            memory_limit=task.memory_limit,
        )
        row = row if alone["failure"] else cast(HardnessOutcome, {**alone, **row})
    return {**_identity(task), **row}


def died_row(task: HardnessTask, failure: TaskFailure) -> HardnessTaskRow:
    """Return the row of a task whose own worker died, so that nothing is known."""
    outcome: HardnessOutcome = {
        "status": SolveStatus.DIED,
        "failure": SolveFailure.CRASH,
        "failure_detail": str(failure),
    }
    return {**_identity(task), **outcome}


def _identity(task: HardnessTask) -> HardnessIdentity:
    about: HardnessIdentity = {
        "instance": task.instance.name,
        "distribution": task.instance.distribution,
        "solver": task.label,
        "milplib_version": __version__,
        "host": platform.node(),
    }
    if task.solver:
        about["time_limit"], about["seed"] = task.time_limit, task.seed
    return about


def _run_here(task: HardnessTask) -> HardnessOutcome:
    """Read, count and solve the instance; an error becomes a failure in the row."""
    begin = time.monotonic()
    planned, read = task.instance, ReadInstance()
    try:
        instance = planned.read(since="the measurement began")
        read = {"instance_hash": instance.content_hash, **instance_statistics(instance).as_row()}
        if task.solver:
            solver = load_solver(task.solver)
            measurement = solver.measure(instance, time_limit=task.time_limit, seed=task.seed)
            outcome = _described(measurement, task.label)
            outcome["peak_memory"] = peak_memory()
        else:
            outcome = {"status": "", "failure": SolveFailure.NONE}
    except Exception as error:
        failure = failure_kind(error)
        if failure == SolveFailure.UNREADABLE and read:
            failure = SolveFailure.REFUSED  # readable for milplib, but rejected by the solver
        outcome = {
            "status": SolveStatus.UNREADABLE
            if failure == SolveFailure.UNREADABLE
            else SolveStatus.ERROR,
            "failure": failure,
            "failure_detail": error_in_words(error, path=planned.path, name=planned.name),
            "time": time.monotonic() - begin,
        }
    return cast(HardnessOutcome, {**read, **outcome})


def _described(measurement: Measurement, label: str) -> HardnessOutcome:
    failure = SolveFailure.NONE if measurement.solved else limit_failure(measurement.status)
    detail = f"{label} ended with status {measurement.status}" if failure else ""
    return {
        "time": _or_none(measurement.time),
        "nodes": measurement.nodes,
        "gap": _or_none(measurement.gap),
        "primal_dual_integral": _or_none(measurement.primal_dual_integral),
        "objective": _or_none(measurement.objective),
        "dual_bound": _or_none(measurement.dual_bound),
        "branchings": measurement.branchings,
        "status": measurement.status,
        "failure": failure,
        "failure_detail": detail,
    }


def _or_none(value: float | None) -> float | None:
    """Return None for a value that was not measured."""
    return None if value is None or math.isnan(value) else value
