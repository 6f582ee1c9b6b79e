r"""Integrals of gaps over time, in one convention.

The gap of two values is Berthold's: :math:`|a - b| / \max(|a|, |b|)`, 0 if they are equal (also if
both are 0), 1 if their signs differ or one of them is not there. So it lies in [0, 1], and its
integral over the seconds of a run between 0 and its limit, in seconds, smaller is better.

=============  ==================================================================
primal         gap of the best solution and the reference, the best known value
dual           gap of the proven bound and the reference
primal-dual    gap of the best solution and the proven bound
=============  ==================================================================

A run that solved its instance has a gap of 0 from then on. One that did not keeps its last gap up
to its limit; one that left no trace, or a wrong solution, has a gap of 1 up to its limit. Where
there is no reference, as for infeasible instances, its gaps are 1 until the run ends.

Other conventions give other numbers. SCIP's own integral, the column ``primal_dual_integral`` of
the table of runs, is the primal-dual one in percent-seconds, a hundred times as large, and ends
with the run, whether it solved its instance or not.

References
----------
Berthold, "Measuring the impact of primal heuristics", Operations Research Letters 41 (2013).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from milplib.evaluation.table import PROVES_NOTHING, judged_failures
from milplib.evaluation.traces import traces_by_run
from milplib.outcomes import SolveFailure, SolveStatus
from milplib.scip.trace import Trace

__all__ = [
    "INTEGRALS",
    "best_known_values",
    "dual_integral",
    "gap",
    "primal_dual_integral",
    "primal_integral",
    "run_integrals",
]

INTEGRALS = ("primal_integral", "dual_integral", "primal_dual_integral")
"""Names of the integrals of a run."""

Values = npt.NDArray[np.float64]


def gap(a: npt.ArrayLike, b: npt.ArrayLike) -> Values:
    """Berthold's gap of two values.

    Parameters
    ----------
    a, b
        The values; NaN or infinite for one that is not there.

    Returns
    -------
    ndarray
        Between 0 and 1; of the common shape.

    Examples
    --------
    >>> gap([4.0, 0.0, -1.0, np.nan], [5.0, 0.0, 1.0, 5.0]).tolist()
    [0.2, 0.0, 1.0, 1.0]
    """
    one, other = np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(b, np.float64))
    there = np.isfinite(one) & np.isfinite(other)
    with np.errstate(invalid="ignore", divide="ignore"):
        gaps = np.abs(one - other) / np.maximum(np.abs(one), np.abs(other))
    gaps = np.where(one * np.sign(other) < 0, 1.0, np.where(one == other, 0.0, gaps))
    return np.where(there, gaps, 1.0)


def _integral(trace: Trace, gaps: Values, end: float) -> float:
    """Area below the gaps, 1 before the first point, up to an end."""
    times = np.clip(np.concatenate([[0.0], trace.time, [end]]), 0.0, end)
    return float(np.diff(times) @ np.concatenate([[1.0], gaps]))


def primal_integral(trace: Trace, *, reference: float, end: float) -> float:
    """Integral of the gap of the best solution and the reference.

    Parameters
    ----------
    trace
        The bounds over time.
    reference
        The best known value of the instance; NaN without one.
    end
        Seconds up to which: when the run solved its instance, or else its limit.

    Returns
    -------
    float
        Seconds, between 0 and `end`.

    Examples
    --------
    >>> trace = Trace.of([(1.0, 8.0, 2.0), (3.0, 4.0, 3.0)])
    >>> primal_integral(trace, reference=4.0, end=5.0)  # 1·1 + 2·(8 - 4)/8 + 2·0
    2.0
    """
    return _integral(trace, gap(trace.primal, reference), end)


def dual_integral(trace: Trace, *, reference: float, end: float) -> float:
    """Integral of the gap of the proven bound and the reference; see `primal_integral`.

    Examples
    --------
    >>> trace = Trace.of([(1.0, 8.0, 2.0), (3.0, 4.0, 3.0)])
    >>> dual_integral(trace, reference=4.0, end=5.0)  # 1·1 + 2·(4 - 2)/4 + 2·(4 - 3)/4
    2.5
    """
    return _integral(trace, gap(trace.dual, reference), end)


def primal_dual_integral(trace: Trace, *, end: float) -> float:
    """Integral of the gap of the best solution and the proven bound; see `primal_integral`.

    Examples
    --------
    >>> trace = Trace.of([(1.0, 8.0, 2.0), (3.0, 4.0, 3.0)])
    >>> primal_dual_integral(trace, end=5.0)  # 1·1 + 2·(8 - 2)/8 + 2·(4 - 3)/4
    3.0
    """
    return _integral(trace, gap(trace.primal, trace.dual), end)


def best_known_values(table: pa.Table) -> dict[str, float]:
    """Give the best known value of every instance of a table of runs.

    It is the known optimum if there is one, else what a run proved optimal, else the best value
    of any run: the one nearest to a proven bound.

    Returns
    -------
    dict
        By instance; NaN where nobody found a solution.

    Examples
    --------
    >>> from milplib.evaluation.table import run_table
    >>> rows = [{"policy": policy, "instance": "a", "failure": "timelimit", "dual_bound": 3.0,
    ...          "objective": value} for policy, value in (("one", 9.0), ("two", 7.0))]
    >>> best_known_values(run_table(rows))
    {'a': 7.0}
    """
    names = ("instance", "failure", "status", "objective", "dual_bound", "reference_objective")
    by_instance: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in table.select(names).to_pylist():
        by_instance[row["instance"]].append(row)
    return {instance: _best_known(rows) for instance, rows in by_instance.items()}


def _best_known(rows: list[dict[str, Any]]) -> float:
    for row in rows:
        if row["reference_objective"] is not None and math.isfinite(row["reference_objective"]):
            return float(row["reference_objective"])
    trusted = [row for row in rows if row["objective"] is not None and _is_trusted(row)]
    for row in trusted:
        if not row["failure"] and row["status"] == SolveStatus.OPTIMAL:
            return float(row["objective"])
    bounds = [row["dual_bound"] for row in trusted if row["dual_bound"] is not None]
    bounds = [bound for bound in bounds if math.isfinite(bound)]
    if not trusted or not bounds:
        return math.nan
    # Every bound lies on the other side of the optimum than every solution.
    return float(min((row["objective"] for row in trusted), key=lambda v: abs(v - bounds[0])))


def _is_trusted(row: Mapping[str, Any]) -> bool:
    return row["failure"] != SolveFailure.WRONG_SOLUTION and math.isfinite(row["objective"])


def run_integrals(table: pa.Table, traces: pa.Table | None) -> dict[str, Values]:
    """Integrals of the runs of a table.

    Parameters
    ----------
    table
        A checked table of runs.
    traces
        Their traces; None if nobody wrote any down.

    Returns
    -------
    dict of ndarray
        The three of `INTEGRALS` in seconds, each of shape (runs,); NaN where a run that solved
        its instance has no trace, and everywhere without traces.

    Examples
    --------
    >>> from milplib.evaluation.table import run_table
    >>> from milplib.evaluation.traces import trace_table
    >>> rows = [{"policy": "mine", "instance": "a", "seed": 0, "failure": "", "status": "optimal",
    ...          "objective": 4.0, "time": 5.0, "time_limit": 60.0,
    ...          "trace": {"time": [1.0, 3.0], "primal": [8.0, 4.0], "dual": [2.0, 3.0]}},
    ...         {"policy": "mine", "instance": "a", "seed": 1, "failure": "crash",
    ...          "time_limit": 60.0}]
    >>> run_integrals(run_table(rows), trace_table(rows))["primal_integral"].tolist()
    [2.0, 60.0]
    """
    integrals = np.full((3, len(table)), np.nan)
    if traces is not None:
        known = traces_by_run(traces)
        references = best_known_values(table)
        names = ("policy", "instance", "seed", "time", "time_limit")
        for number, (failure, row) in enumerate(
            zip(judged_failures(table), table.select(names).to_pylist(), strict=True)
        ):
            trace = known.get((row["policy"], row["instance"], row["seed"]))
            if failure and (trace is None or failure in PROVES_NOTHING):
                integrals[:, number] = row["time_limit"]
                continue
            if trace is None:
                continue
            reference = references[row["instance"]]
            end = row["time_limit"] if failure else row["time"]
            integrals[:, number] = (
                primal_integral(trace, reference=reference, end=end),
                dual_integral(trace, reference=reference, end=end),
                primal_dual_integral(trace, end=end),
            )
    return dict(zip(INTEGRALS, integrals, strict=True))
