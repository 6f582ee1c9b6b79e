r"""Integrals of gaps over time, in one convention.

The gap of two values is Berthold's: :math:`|a - b| / \max(|a|, |b|)`. It is 0 for equal values
(also if both are 0), and 1 if their signs differ or a value is missing. The gap thus lies in
[0, 1], and its integral over a run in [0, time limit], in seconds. Smaller is better.

=============  ==================================================================
primal         gap between the incumbent and the reference, the best known value
dual           gap between the dual bound and the reference
primal-dual    gap between the incumbent and the dual bound
=============  ==================================================================

After a run solves its instance, its gap is 0. A run that does not solve it keeps its last gap up
to the limit; without a trace, or with a wrong solution, its gap is 1 up to the limit. Without a
reference, as for infeasible instances, the gap is 1 until the run ends.

Other conventions yield other numbers. SCIP's own integral, column ``primal_dual_integral`` of the
table of runs, is the primal-dual one in percent-seconds, a hundred times as large. It always ends
with the run, even if the instance is unsolved.

References
----------
Berthold, "Measuring the impact of primal heuristics", Operations Research Letters 41 (2013).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from milplib.evaluation.rows import RunRow, by_instance, run_rows
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
    """Compute Berthold's gap of two values.

    Parameters
    ----------
    a, b
        Values, of shapes that broadcast; NaN or infinite where missing.

    Returns
    -------
    ndarray
        Gaps in [0, 1], of the common shape, float64.

    Examples
    --------
    >>> gap([4.0, 0.0, -1.0, np.nan], [5.0, 0.0, 1.0, 5.0]).tolist()
    [0.2, 0.0, 1.0, 1.0]
    """
    first, second = np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(b, np.float64))
    are_finite = np.isfinite(first) & np.isfinite(second)
    with np.errstate(invalid="ignore", divide="ignore"):
        gaps = np.abs(first - second) / np.maximum(np.abs(first), np.abs(second))
    gaps = np.where(first * np.sign(second) < 0, 1.0, np.where(first == second, 0.0, gaps))
    return np.where(are_finite, gaps, 1.0)


def _integral(trace: Trace, gaps: Values, end: float) -> float:
    """Integrate gaps from 0 to `end`; the gap is 1 before the first point of the trace."""
    times = np.clip(np.concatenate([[0.0], trace.time, [end]]), 0.0, end)
    return float(np.diff(times) @ np.concatenate([[1.0], gaps]))


def primal_integral(trace: Trace, *, reference: float, end: float) -> float:
    """Compute the integral of the gap between the incumbent and the reference.

    Parameters
    ----------
    trace
        Bounds over time.
    reference
        Best known value of the instance; NaN without one.
    end
        Upper end in seconds: the time of the solve, or the limit if the instance is unsolved.

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
    """Compute the integral of the gap between dual bound and reference; see `primal_integral`.

    Examples
    --------
    >>> trace = Trace.of([(1.0, 8.0, 2.0), (3.0, 4.0, 3.0)])
    >>> dual_integral(trace, reference=4.0, end=5.0)  # 1·1 + 2·(4 - 2)/4 + 2·(4 - 3)/4
    2.5
    """
    return _integral(trace, gap(trace.dual, reference), end)


def primal_dual_integral(trace: Trace, *, end: float) -> float:
    """Compute the integral of the gap between incumbent and dual bound; see `primal_integral`.

    Examples
    --------
    >>> trace = Trace.of([(1.0, 8.0, 2.0), (3.0, 4.0, 3.0)])
    >>> primal_dual_integral(trace, end=5.0)  # 1·1 + 2·(8 - 2)/8 + 2·(4 - 3)/4
    3.0
    """
    return _integral(trace, gap(trace.primal, trace.dual), end)


def best_known_values(table: pa.Table) -> dict[str, float]:
    """Return the best known value of every instance in a table of runs.

    It is the known optimum if there is one, else a value that a run proved optimal, else the
    best value of any run: the one nearest to a dual bound.

    Returns
    -------
    dict
        Value by instance; NaN without any solution.

    Examples
    --------
    >>> from milplib.evaluation.table import run_table
    >>> rows = [{"policy": policy, "instance": "a", "failure": "timelimit", "dual_bound": 3.0,
    ...          "objective": value} for policy, value in (("one", 9.0), ("two", 7.0))]
    >>> best_known_values(run_table(rows))
    {'a': 7.0}
    """
    names = ("instance", "failure", "status", "objective", "dual_bound", "reference_objective")
    groups = by_instance(run_rows(table, names))
    return {instance: _best_known(rows) for instance, rows in groups.items()}


def _best_known(rows: list[RunRow]) -> float:
    for row in rows:
        if row["reference_objective"] is not None and math.isfinite(row["reference_objective"]):
            return float(row["reference_objective"])
    trusted = [row for row in rows if row["failure"] != SolveFailure.WRONG_SOLUTION]
    values = [
        (row, value)
        for row in trusted
        if (value := row["objective"]) is not None and math.isfinite(value)
    ]
    for row, value in values:
        if not row["failure"] and row["status"] == SolveStatus.OPTIMAL:
            return float(value)
    bounds = [bound for row, _ in values if (bound := row["dual_bound"]) is not None]
    bounds = [bound for bound in bounds if math.isfinite(bound)]
    if not values or not bounds:
        return math.nan
    # All dual bounds lie on one side of the optimum, all solutions on the other.
    return float(min((value for _, value in values), key=lambda v: abs(v - bounds[0])))


def run_integrals(table: pa.Table, traces: pa.Table | None) -> dict[str, Values]:
    """Compute the integrals of all runs of a table.

    Parameters
    ----------
    table
        Checked table of runs.
    traces
        Traces of the runs; None if there are none.

    Returns
    -------
    dict of ndarray
        The `INTEGRALS` in seconds, each of shape (runs,), float64. NaN for a run that solved
        its instance but has no trace, and everywhere without traces.

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
