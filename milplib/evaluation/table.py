"""Table of an evaluation: one row per run, and the meaning of its columns."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from milplib.errors import ResultsError
from milplib.escaping import spreadsheet_safe
from milplib.evaluation.parquet import cast_column, make_table, read_parquet, write_parquet
from milplib.files import atomic_write
from milplib.outcomes import SolveFailure

__all__ = [
    "COLUMNS",
    "NOT_RUN",
    "PROVES_NOTHING",
    "TABLES",
    "check_table",
    "judged_failures",
    "judged_times",
    "read_table",
    "run_table",
    "write_table",
]

COLUMNS: dict[str, tuple[pa.DataType, str]] = {
    "policy": (pa.string(), "name of the policy in this evaluation"),
    "instance": (pa.string(), "name of the instance: the end of its path"),
    "distribution": (pa.string(), "what the instance was drawn from, or its folder's name"),
    "seed": (pa.int64(), "SCIP's seed: of its random decisions and the permutation"),
    "setting": (pa.string(), "SCIP setting"),
    "status": (pa.string(), "SCIP's status; 'killed', 'died', 'error', 'unreadable' without one"),
    "failure": (pa.string(), "kind of failure; empty if the run solved its instance"),
    "failure_detail": (pa.string(), "what happened, in words"),
    "objective": (pa.float64(), "value of the best solution, in the instance's own sense"),
    "dual_bound": (pa.float64(), "best proven bound, in the instance's own sense"),
    "gap": (pa.float64(), "SCIP's gap at the end"),
    "time": (pa.float64(), "wall-clock seconds of the solve, as measured"),
    "cpu_time": (pa.float64(), "CPU seconds of the solve"),
    "policy_time": (pa.float64(), "seconds inside the policy, or the rule by SCIP's own clock"),
    "observe_time": (pa.float64(), "of these, extracting states"),
    "score_time": (pa.float64(), "of these, scoring"),
    "branch_time": (pa.float64(), "of these, branching"),
    "policy_calls": (pa.int64(), "branchings that the policy or rule decided"),
    "policy_errors": (pa.int64(), "nodes that the policy left to SCIP"),
    "nodes": (pa.int64(), "branch-and-bound nodes over all restarts"),
    "fair_nodes": (pa.int64(), "nodes + 2 (cut-offs + domain reductions of the rule)"),
    "lp_iterations": (pa.int64(), "simplex iterations without strong branching"),
    "strong_branching_iterations": (pa.int64(), "simplex iterations of strong branching"),
    "primal_dual_integral": (pa.float64(), "SCIP's, in percent-seconds"),
    "time_limit": (pa.float64(), "seconds that the run had; what a failure counts as"),
    "reference_objective": (pa.float64(), "known optimal value, where there is one"),
    "order": (pa.int64(), "place in the order of the runs on this instance with this seed"),
    "peak_memory": (pa.float64(), "largest resident size of the process, in MB"),
    "instance_hash": (pa.string(), "content hash of the instance"),
    "seen_in": (pa.string(), "'training' or 'validation' where the policy saw it there, or empty"),
    "policy_hash": (pa.string(), "SHA-256 of the policy file; empty for a rule of SCIP's"),
    "picked": (pa.string(), "what a portfolio such as auto picked and why; else empty"),
    "milplib_version": (pa.string(), "version of milplib"),
    "scip_version": (pa.string(), "version of SCIP"),
    "host": (pa.string(), "name of the machine"),
}
"""Type and meaning of every column; numbers that a failed run lacks are null."""

NOT_RUN = frozenset({SolveFailure.UNREADABLE, SolveFailure.NO_REFERENCE})
"""Kinds of failure due to the instance: no policy ran. An instance on which all runs have these
kinds is listed and left out of the means."""

PROVES_NOTHING = frozenset({SolveFailure.WRONG_SOLUTION, SolveFailure.LEAK})
"""Kinds of failure that discard a run's bounds: the run counts as having found nothing."""

TABLES = ("runs.parquet", "runs.csv")
"""Names of the table's files in a results folder."""

_KEY = ("policy", "instance", "seed")
_NOT_NEGATIVE = (
    "time",
    "time_limit",
    "policy_time",
    "cpu_time",
    "nodes",
    "fair_nodes",
    "lp_iterations",
    "strong_branching_iterations",
    "policy_calls",
)
_REQUIRED = (*_KEY, "distribution", "setting", "status", "failure", "time_limit")


def run_table(
    rows: Iterable[Mapping[str, object]], *, metadata: Mapping[str, str] | None = None
) -> pa.Table:
    """Make a table from rows; a missing column is null.

    Examples
    --------
    >>> run_table([{"policy": "pscost", "seed": 0}]).column("policy").to_pylist()
    ['pscost']
    """
    listed = list(rows)
    values = {name: [row.get(name) for row in listed] for name in COLUMNS}
    return make_table(COLUMNS, values, metadata=dict(metadata or {}))


def write_table(table: pa.Table, folder: Path) -> tuple[str, ...]:
    """Write ``runs.parquet`` and ``runs.csv``, and return their names."""
    parquet, csv = TABLES
    write_parquet(table, folder / parquet)
    with atomic_write(folder / csv) as stream:
        pyarrow.csv.write_csv(_for_spreadsheets(table), stream)
    return TABLES


def _for_spreadsheets(table: pa.Table) -> pa.Table:
    for place, field in enumerate(table.schema):
        if pa.types.is_string(field.type):
            cells = [text and spreadsheet_safe(text) for text in table.column(place).to_pylist()]
            table = table.set_column(place, field, pa.array(cells, pa.string()))
    return table


def read_table(path: str | os.PathLike[str]) -> pa.Table:
    """Read and check ``runs.parquet``.

    Unknown columns are kept. Missing columns are added as nulls, unless they are required to
    identify a run or to judge it.

    Raises
    ------
    ResultsError
        If the file is missing, damaged or not a table of runs.
    """
    return check_table(read_parquet(path, noun="runs"), where=str(path))


def check_table(table: pa.Table, *, where: str) -> pa.Table:
    """Check that a table holds runs, and return it with the types of `COLUMNS`.

    Raises
    ------
    ResultsError
        If columns are missing or have other types, if a run occurs twice, if a time, limit or
        count is negative or not finite, or if an objective is not finite.
    """
    missing = [name for name in _REQUIRED if name not in table.column_names]
    if missing:
        raise ResultsError(f"{where} is not a table of runs: it has no column '{missing[0]}'")
    for name, (type_, _) in COLUMNS.items():
        if name not in table.column_names:
            table = table.append_column(name, pa.nulls(len(table), type_))
            continue
        if table.column(name).type != type_:
            column = cast_column(table, name, type_, where=where)
            table = table.set_column(table.column_names.index(name), name, column)
    for name in _REQUIRED:
        if table.column(name).null_count:
            raise ResultsError(f"{where}: a run has no '{name}'")
    _check_keys(table, where)
    for name in _NOT_NEGATIVE:
        values = table.column(name).drop_null().to_numpy()
        wrong = ~((values >= 0) & np.isfinite(values))  # also true for NaN
        if wrong.any():
            raise ResultsError(f"{where}: a run has the {name} {values[wrong][0]}")
    values = table.column("objective").drop_null().to_numpy()
    if not np.isfinite(values).all():
        # An objective of NaN would contradict nothing, since every comparison with it is false.
        raise ResultsError(f"{where}: a run has the objective {values[~np.isfinite(values)][0]}")
    solved = pc.equal(table.column("failure"), "")
    if pc.any(pc.and_(solved, pc.is_null(table.column("time")))).as_py():
        raise ResultsError(f"{where}: a run that solved its instance has no time")
    return table


def _check_keys(table: pa.Table, where: str) -> None:
    counts = table.group_by(list(_KEY)).aggregate([([], "count_all")])
    repeated = counts.filter(pc.greater(counts.column("count_all"), 1))
    if len(repeated):
        policy, instance, seed = (repeated.column(name)[0].as_py() for name in _KEY)
        raise ResultsError(
            f"{where}: the run of {policy} on {instance} with seed {seed} occurs "
            f"{repeated.column('count_all')[0]} times"
        )


def judged_failures(table: pa.Table) -> list[str]:
    """Return the kind of failure of every run; empty for a solved instance that counts.

    Solving an instance that the policy has seen before is also a failure: it proves nothing, and
    memorised instances must not make a policy look better.

    Examples
    --------
    >>> judged_failures(run_table([{"failure": ""}, {"failure": "crash"},
    ...                            {"failure": "", "seen_in": "training"}]))
    ['', 'crash', 'leak']
    """
    return [
        failure or (SolveFailure.LEAK if seen_in else "")
        for failure, seen_in in zip(
            table.column("failure").to_pylist(), table.column("seen_in").to_pylist(), strict=True
        )
    ]


def judged_times(table: pa.Table) -> npt.NDArray[np.float64]:
    """Return the time of every run, with the limit for a failure. Shape (runs,), float64.

    Examples
    --------
    >>> judged_times(run_table([
    ...     {"failure": "", "time": 2.0, "time_limit": 60.0},
    ...     {"failure": "crash", "time": 0.1, "time_limit": 60.0}])).tolist()
    [2.0, 60.0]
    """
    failed = np.array([bool(failure) for failure in judged_failures(table)], dtype=bool)
    times, limits = (
        table.column(name).cast(pa.float64()).to_numpy() for name in ("time", "time_limit")
    )
    return np.asarray(np.where(failed, limits, times), dtype=np.float64)
