"""Summary of a measurement, folder by folder."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from milplib.display import Shown
from milplib.evaluation import NODE_SHIFT, TIME_SHIFT, shifted_geometric_mean
from milplib.hardness.levels import majority_level
from milplib.hardness.rows import HardnessRow, numbers_of
from milplib.outcomes import SolveFailure
from milplib.structure.row_kinds import ROW_KINDS

__all__ = ["COLUMN_KINDS", "SIZES", "FolderSummary", "summarise"]

SIZES = ("rows", "columns", "nonzeros", "density")
"""Columns of the table that describe the size of an instance."""
COLUMN_KINDS = ("binary", "integer", "continuous")
"""Kinds of columns of an instance."""

Rows = Sequence[HardnessRow]


@dataclass(frozen=True, kw_only=True, repr=False)
class FolderSummary(Shown):
    """Summary of the instances of one distribution or folder.

    Parameters
    ----------
    distribution
        Name of the distribution or folder.
    instances, unread, solved, failed
        Number of readable and of unreadable instances; among the readable ones, the number of
        solved ones, and of those whose solve failed for another reason than its time limit.
    levels, majority
        Number of instances by level, and the level of more than half of the instances that have
        one, else ``"mixed"``. Levels hold for the solver that the results name.
    time_median, time_mean
        Median and shifted geometric mean (shift 1 s) of the seconds of readable instances. An
        unsolved one counts as the limit. NaN without solves.
    nodes_median, nodes_mean
        Median and shifted geometric mean (shift 10) of the nodes of solved instances.
    expected_samples
        Mean estimate of an episode's number of samples; NaN if unknown.
    sizes
        Median of rows, columns, nonzeros and density.
    column_kinds, row_kinds
        Share of columns and of rows by kind, averaged over the instances, without kinds that do
        not occur.
    """

    distribution: str
    instances: int
    unread: int
    solved: int
    failed: int
    levels: dict[str, int]
    majority: str
    time_median: float
    time_mean: float
    nodes_median: float
    nodes_mean: float
    expected_samples: float
    sizes: dict[str, float]
    column_kinds: dict[str, float]
    row_kinds: dict[str, float]


def summarise(rows: Iterable[HardnessRow]) -> tuple[FolderSummary, ...]:
    """Summarise classified rows, folder by folder, in order of appearance.

    Examples
    --------
    >>> rows = [{"distribution": "ca", "failure": "unreadable"}]
    >>> (summary,) = summarise(rows)
    >>> summary.instances, summary.unread, summary.levels
    (0, 1, {})
    """
    groups: dict[str, list[HardnessRow]] = {}
    for row in rows:
        groups.setdefault(row["distribution"], []).append(row)
    return tuple(_summary(name, listed) for name, listed in groups.items())


def _summary(distribution: str, rows: Rows) -> FolderSummary:
    read = [row for row in rows if row["failure"] != SolveFailure.UNREADABLE]
    tried = [row for row in read if row["solver"]]
    solved = [row for row in tried if not row["failure"]]
    levels = [row["level"] for row in tried if row["level"]]
    times = _numbers(row["time"] if not row["failure"] else row["time_limit"] for row in tried)
    nodes = _numbers(row["nodes"] for row in solved)
    counted = [row for row in read if row["rows"] is not None]
    return FolderSummary(
        distribution=distribution,
        instances=len(read),
        unread=len(rows) - len(read),
        solved=len(solved),
        failed=sum(bool(row["failure"]) and not row["level"] for row in tried),
        levels=dict(Counter(levels).most_common()),
        majority=majority_level(levels),
        time_median=_median(times),
        time_mean=shifted_geometric_mean(times[:, None], shift=TIME_SHIFT),
        nodes_median=_median(nodes),
        nodes_mean=shifted_geometric_mean(nodes[:, None], shift=NODE_SHIFT),
        expected_samples=_mean(_numbers(row["expected_samples"] for row in tried)),
        sizes={name: _median(_numbers(numbers_of(counted, name))) for name in SIZES},
        column_kinds=_shares(counted, {kind: kind for kind in COLUMN_KINDS}),
        row_kinds=_shares(counted, {kind: f"{kind}_rows" for kind in ROW_KINDS}),
    )


def _numbers(values: Iterable[float | None]) -> npt.NDArray[np.float64]:
    return np.array([value for value in values if value is not None], dtype=np.float64)


def _median(values: npt.NDArray[np.float64]) -> float:
    return float(np.median(values)) if values.size else math.nan


def _mean(values: npt.NDArray[np.float64]) -> float:
    return float(values.mean()) if values.size else math.nan


def _shares(rows: Rows, names: Mapping[str, str]) -> dict[str, float]:
    """Average the share of each kind over the instances, regardless of their sizes."""
    columns = [numbers_of(rows, name) for name in names.values()]
    counts = np.array(columns, dtype=np.float64).T
    counts = counts[counts.sum(axis=1) > 0] if len(rows) else counts
    if not counts.size:
        return {}
    shares = (counts / counts.sum(axis=1, keepdims=True)).mean(axis=0)
    return {kind: float(share) for kind, share in zip(names, shares, strict=True) if share}
