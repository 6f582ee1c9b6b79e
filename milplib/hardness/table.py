"""Table of a measurement: one row per instance, and the meaning of its columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import cast

from milplib.errors import ResultsError
from milplib.escaping import csv_lines, from_spreadsheet
from milplib.files import atomic_write
from milplib.hardness.rows import HardnessRow
from milplib.parsing import ParseError, parse_csv, parse_integer, parse_number, read_regular
from milplib.structure.row_kinds import ROW_KINDS

__all__ = ["COLUMNS", "TABLE", "read_rows", "write_rows"]

TABLE = "hardness.csv"
"""Name of the table in a results folder."""

COLUMNS: dict[str, tuple[type[str | int | float], str]] = {
    "instance": (str, "name of the instance: the end of its path"),
    "distribution": (str, "what the instance was drawn from, or its folder's name"),
    "solver": (str, "name and version of the solver that the level is by; empty without a solve"),
    "level": (str, "level of difficulty by this solver and version; empty if the solve failed"),
    "status": (str, "how the solve ended; 'killed', 'died', 'error', 'unreadable' without a word"),
    "failure": (str, "kind of failure; empty if the instance was solved, or was not to be"),
    "failure_detail": (str, "what happened, in words"),
    "time": (float, "wall-clock seconds of the solve, as measured"),
    "nodes": (int, "branch-and-bound nodes, as this solver counts them"),
    "gap": (float, "|objective - bound| / min(|objective|, |bound|) at the end; 0 if solved"),
    "primal_dual_integral": (float, "of the gap over time, in percent-seconds"),
    "objective": (float, "value of the best solution, in the instance's own sense"),
    "dual_bound": (float, "best proven bound, in the instance's own sense"),
    "branchings": (int, "nodes that SCIP branched on; empty for HiGHS, which does not tell"),
    "expected_samples": (float, "estimate: branchings times the expert's probability, capped"),
    "time_limit": (float, "seconds that the solve had"),
    "seed": (int, "of the solver's random decisions"),
    "rows": (int, "rows of the matrix"),
    "columns": (int, "columns of the matrix"),
    "nonzeros": (int, "nonzeros of the matrix"),
    "density": (float, "nonzeros by rows times columns"),
    "binary": (int, "integer columns with no values but 0 and 1"),
    "integer": (int, "other integer columns"),
    "continuous": (int, "continuous columns"),
    **{f"{name}_rows": (int, f"rows of MIPLIB's class {name}") for name in ROW_KINDS},
    "peak_memory": (float, "largest resident size of the process, in MB"),
    "instance_hash": (str, "content hash of the instance"),
    "milplib_version": (str, "version of milplib"),
    "host": (str, "name of the machine"),
}
"""Type and meaning of every column; an unknown number is empty."""


def write_rows(rows: Iterable[Mapping[str, object]], path: Path) -> None:
    """Write the table as CSV, atomically.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / TABLE
    >>> write_rows([{"instance": "ca/1.lp", "time": 0.1, "gap": float("inf")}], path)
    >>> (row,) = read_rows(path)
    >>> row["instance"], row["time"], row["gap"], row["nodes"], row["level"]
    ('ca/1.lp', 0.1, inf, None, '')
    """
    with atomic_write(path) as stream:
        stream.write(csv_lines(list(COLUMNS), rows).encode())


def read_rows(path: Path) -> list[HardnessRow]:
    """Read the table. Empty numbers become None.

    Raises
    ------
    ResultsError
        If the file is missing, damaged or not a table of a measurement.
    """
    try:
        lines = parse_csv(read_regular(path))
    except OSError as error:
        raise ResultsError(f"cannot read {path}: {error.strerror or error}") from error
    except ParseError as error:
        raise ResultsError(f"{path} is damaged: {error}") from error
    try:
        rows = [{name: _value(row, name) for name in COLUMNS} for row in lines]
        return cast(list[HardnessRow], rows)
    except (KeyError, TypeError, ValueError) as error:
        raise ResultsError(f"{path} is damaged, or no table of a measurement: {error}") from error


def _value(row: Mapping[str, str], name: str) -> str | int | float | None:
    type_, text = COLUMNS[name][0], row[name]
    if type_ is str:
        return from_spreadsheet(text)
    if not text:
        return None
    return parse_integer(text) if type_ is int else parse_number(text)
