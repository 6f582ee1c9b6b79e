"""Traces of an evaluation: the bounds of every run over time, in one table."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from milplib.errors import ResultsError
from milplib.evaluation.parquet import cast_column, make_table, read_parquet, write_parquet
from milplib.evaluation.rows import TraceValues
from milplib.scip.trace import Trace

__all__ = [
    "TRACES",
    "TRACE_COLUMNS",
    "check_traces",
    "read_traces",
    "trace_as_json",
    "trace_table",
    "traces_by_run",
    "write_traces",
]

TRACES = "traces.parquet"
"""Name of the traces' file in a results folder."""

TRACE_COLUMNS: dict[str, tuple[pa.DataType, str]] = {
    "policy": (pa.string(), "name of the policy, as in the table of runs"),
    "instance": (pa.string(), "name of the instance, as in the table of runs"),
    "seed": (pa.int64(), "seed, as in the table of runs"),
    "time": (pa.float64(), "seconds since the solve began"),
    "primal": (pa.float64(), "value of the best solution from then on; null without one"),
    "dual": (pa.float64(), "best proven bound from then on; null without one"),
}
"""Type and meaning of every column; values are in the instance's own sense."""

_KEY = ("policy", "instance", "seed")


def trace_as_json(trace: Trace) -> TraceValues:
    """Convert a trace to JSON values.

    Examples
    --------
    >>> trace_as_json(Trace.of([(0.5, np.nan, 3.0)]))
    {'time': [0.5], 'primal': [None], 'dual': [3.0]}
    """
    return {
        "time": trace.time.tolist(),
        "primal": _or_none(trace.primal),
        "dual": _or_none(trace.dual),
    }


def _or_none(values: npt.NDArray[np.float64]) -> list[float | None]:
    return [None if np.isnan(value) else value for value in values.tolist()]


def trace_table(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Make a table of the traces in rows of runs; ``trace`` is as returned by `trace_as_json`.

    Examples
    --------
    >>> rows = [{"policy": "pscost", "instance": "a", "seed": 0,
    ...          "trace": {"time": [0.5, 1.0], "primal": [None, 7.0], "dual": [3.0, 4.0]}},
    ...         {"policy": "mine", "instance": "a", "seed": 0}]
    >>> trace_table(rows).column("time").to_pylist()
    [0.5, 1.0]
    """
    columns: dict[str, list[Any]] = {name: [] for name in TRACE_COLUMNS}
    for row in rows:
        trace = row.get("trace") or {"time": [], "primal": [], "dual": []}
        for name in _KEY:
            columns[name] += [row[name]] * len(trace["time"])
        for name in ("time", "primal", "dual"):
            columns[name] += trace[name]
    return make_table(TRACE_COLUMNS, columns)


def write_traces(table: pa.Table, folder: Path) -> str:
    """Write ``traces.parquet``, and return its name."""
    write_parquet(table, folder / TRACES)
    return TRACES


def read_traces(path: str | os.PathLike[str]) -> pa.Table | None:
    """Read and check ``traces.parquet``; return None if it is missing, as in old results.

    Raises
    ------
    ResultsError
        If the file is damaged or holds no traces.
    """
    if not Path(path).exists():
        return None
    return check_traces(read_parquet(path, noun="traces"), where=str(path))


def check_traces(table: pa.Table, *, where: str) -> pa.Table:
    """Check that a table holds traces.

    Raises
    ------
    ResultsError
        If columns are missing or have other types, or if a time is missing, negative, not finite
        or before the previous time of the same run.
    """
    arrays = []
    for name, (type_, _) in TRACE_COLUMNS.items():
        if name not in table.column_names:
            raise ResultsError(f"{where} is not a table of traces: it has no column '{name}'")
        arrays.append(cast_column(table, name, type_, where=where))
    table = pa.Table.from_arrays(arrays, names=list(TRACE_COLUMNS))
    for name in (*_KEY, "time"):
        if table.column(name).null_count:
            raise ResultsError(f"{where}: a point of a trace has no '{name}'")
    times = table.column("time").to_numpy()
    wrong = ~((times >= 0) & np.isfinite(times))  # also true for NaN
    if wrong.any():
        raise ResultsError(f"{where}: a point of a trace has the time {times[wrong][0]}")
    for (policy, instance, seed), trace in traces_by_run(table).items():
        if (np.diff(trace.time) < 0).any():
            raise ResultsError(
                f"{where}: the trace of {policy} on {instance} with seed {seed} goes back in time"
            )
    return table


def traces_by_run(table: pa.Table) -> dict[tuple[str, str, int], Trace]:
    """Return the trace of every run that has one, by policy, instance and seed.

    Examples
    --------
    >>> rows = [{"policy": "pscost", "instance": "a", "seed": 0,
    ...          "trace": {"time": [0.5, 1.0], "primal": [None, 7.0], "dual": [3.0, 4.0]}}]
    >>> traces_by_run(trace_table(rows))["pscost", "a", 0].primal.tolist()
    [nan, 7.0]
    """
    keys = list(zip(*(table.column(name).to_pylist() for name in _KEY), strict=True))
    time, primal, dual = (
        pc.fill_null(table.column(name), float("nan")).to_numpy()
        for name in ("time", "primal", "dual")
    )
    places: dict[tuple[str, str, int], list[int]] = {}
    for place, key in enumerate(keys):
        places.setdefault(key, []).append(place)
    return {
        key: Trace(time=time[listed], primal=primal[listed], dual=dual[listed])
        for key, listed in places.items()
    }
