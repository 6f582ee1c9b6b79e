"""The record of a measurement and its table have the same columns and types."""

from __future__ import annotations

from typing import get_args, get_type_hints

from milplib.hardness import COLUMNS, ROW_KINDS
from milplib.hardness.rows import HardnessRow
from milplib.structure.statistics import StatisticsRow


def test_a_row_has_the_columns_of_the_table() -> None:
    assert set(get_type_hints(HardnessRow)) == set(COLUMNS)


def test_the_types_of_a_row_are_those_of_the_table() -> None:
    for name, hint in get_type_hints(HardnessRow).items():
        (kind,) = {*get_args(hint)} - {type(None)} or {hint}
        assert kind is COLUMNS[name][0], name


def test_a_number_may_be_unknown_and_a_text_may_not() -> None:
    for name, hint in get_type_hints(HardnessRow).items():
        assert (type(None) in get_args(hint)) == (COLUMNS[name][0] is not str), name


def test_the_statistics_count_every_class_of_rows() -> None:
    counted = [name.removesuffix("_rows") for name in StatisticsRow.__annotations__]
    assert counted[-len(ROW_KINDS) :] == list(ROW_KINDS)
