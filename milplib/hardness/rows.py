"""Row of a measurement, as a task makes it and as the table holds it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NotRequired, TypedDict

from milplib.execution.isolated_solve import SolveOutcome
from milplib.structure.statistics import StatisticsRow

__all__ = [
    "HardnessIdentity",
    "HardnessOutcome",
    "HardnessRow",
    "HardnessTaskRow",
    "ReadInstance",
    "numbers_of",
]


class ReadInstance(StatisticsRow, total=False):
    """Content hash and statistics of an instance; empty if it cannot be read."""

    instance_hash: str


class HardnessOutcome(SolveOutcome, ReadInstance, total=False):
    """Outcome of a measurement in its own process; without a solve, it has the statistics only."""

    nodes: int | None
    gap: float | None
    primal_dual_integral: float | None
    objective: float | None
    dual_bound: float | None
    branchings: int | None
    peak_memory: float | None


class HardnessIdentity(TypedDict):
    """Identity of a measurement: what was measured where, with which solver."""

    instance: str
    distribution: str
    solver: str
    milplib_version: str
    host: str
    time_limit: NotRequired[float | None]
    seed: NotRequired[int | None]


class HardnessTaskRow(HardnessIdentity, HardnessOutcome, total=False):
    """Row in the file of a task, without what the criteria of the levels decide."""


class TaskFile(TypedDict):
    """Content of the file of a finished instance."""

    row: HardnessTaskRow


class HardnessRow(HardnessTaskRow, total=False):
    """Row of the table: the columns of `milplib.hardness.COLUMNS`."""

    level: str
    expected_samples: float | None


def numbers_of(rows: Iterable[Mapping[str, object]], column: str) -> list[float | None]:
    """Return the numbers of a column, with None where they are unknown.

    Examples
    --------
    >>> numbers_of([{"nodes": 7}, {"nodes": None}], "nodes")
    [7, None]
    """
    values = (row[column] for row in rows)
    return [value if isinstance(value, int | float) else None for value in values]
