"""The record of a run and the table of runs have the same columns and types."""

from __future__ import annotations

from typing import get_args, get_type_hints

import pyarrow as pa

from milplib.evaluation import COLUMNS
from milplib.evaluation.rows import RunIdentity, RunOutcome, RunRow, SolveNumbers
from milplib.evaluation.run import _MEASURED
from milplib.evaluation.table import _REQUIRED

ARROW_TYPES = {str: pa.string(), int: pa.int64(), float: pa.float64()}


def test_a_row_has_the_columns_of_the_table_and_its_trace() -> None:
    assert set(get_type_hints(RunRow)) == {*COLUMNS, "trace"}
    assert RunIdentity.__required_keys__ | {"status", "failure"} == RunRow.__required_keys__


def test_the_types_of_a_row_are_those_of_the_table() -> None:
    for name, hint in get_type_hints(RunRow).items():
        if name != "trace":
            (kind,) = {*get_args(hint)} - {type(None)} or {hint}
            assert ARROW_TYPES[kind] == COLUMNS[name][0], name


def test_only_columns_that_every_run_needs_are_never_null() -> None:
    hints = get_type_hints(RunRow)
    optional = {name for name, hint in hints.items() if type(None) in get_args(hint)}
    # The words of a failure are missing in a row, not null.
    assert set(hints) - optional - {"trace", "failure_detail"} == set(_REQUIRED)


def test_the_numbers_of_a_solve_are_those_that_a_run_measures() -> None:
    assert {*SolveNumbers.__annotations__, "time"} == set(_MEASURED)
    assert set(SolveNumbers.__annotations__) <= set(RunOutcome.__annotations__)
