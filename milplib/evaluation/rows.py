"""Row of a run, as tasks measure it and as the table holds it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TypedDict, cast

import pyarrow as pa

from milplib.execution.isolated_solve import SolveOutcome

__all__ = [
    "Optimum",
    "ReadInstance",
    "RunIdentity",
    "RunOutcome",
    "RunRow",
    "SolveNumbers",
    "TaskFile",
    "TraceValues",
    "by_instance",
    "run_rows",
]


class TraceValues(TypedDict):
    """Bounds of a run over time, as JSON values; None without one."""

    time: list[float]
    primal: list[float | None]
    dual: list[float | None]


class SolveNumbers(TypedDict, total=False):
    """Numbers of a solve, of the names in `milplib.SolveResult`; None if not measured."""

    objective: float | None
    dual_bound: float | None
    gap: float | None
    cpu_time: float | None
    policy_time: float | None
    observe_time: float | None
    score_time: float | None
    branch_time: float | None
    policy_calls: int | None
    policy_errors: int | None
    nodes: int | None
    fair_nodes: int | None
    lp_iterations: int | None
    strong_branching_iterations: int | None
    primal_dual_integral: float | None


class ReadInstance(TypedDict, total=False):
    """Content hash of the instance of a run, and where the policy has seen it before."""

    instance_hash: str | None
    seen_in: str | None


class RunOutcome(SolveOutcome, SolveNumbers, ReadInstance, total=False):
    """Outcome of a run, measured in its own process; a failed run lacks numbers."""

    peak_memory: float | None
    picked: str | None
    trace: TraceValues
    """Bounds over time, which have a table of their own."""


class RunIdentity(TypedDict):
    """Identity of a run: what ran where, with which limits and versions."""

    policy: str
    instance: str
    distribution: str
    seed: int
    setting: str
    time_limit: float
    reference_objective: float | None
    policy_hash: str | None
    milplib_version: str | None
    scip_version: str | None
    host: str | None


class RunRow(RunIdentity, RunOutcome, total=False):
    """Row of a run: the columns of `milplib.evaluation.COLUMNS`, and the trace in a task's file."""

    order: int | None


class TaskFile(TypedDict):
    """Content of the file of a finished pair."""

    rows: list[RunRow]


class Optimum(TypedDict):
    """Known optimum of an instance, or why it is not known."""

    status: str
    failure: str
    failure_detail: str | None
    objective: float | None


def run_rows(table: pa.Table, columns: Iterable[str]) -> list[RunRow]:
    """Read some columns of a table of runs as rows.

    Examples
    --------
    >>> run_rows(pa.table({"policy": ["pscost"], "seed": [0], "host": ["a"]}), ["policy", "seed"])
    [{'policy': 'pscost', 'seed': 0}]
    """
    return cast(list[RunRow], table.select(list(columns)).to_pylist())


def by_instance(rows: Iterable[RunRow]) -> Mapping[str, list[RunRow]]:
    """Group rows by the name of their instance."""
    groups: dict[str, list[RunRow]] = defaultdict(list)
    for row in rows:
        groups[row["instance"]].append(row)
    return groups
