"""Parameters of a test that runs all of them, and some of them in every run."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TypeVar

import pytest
from _pytest.mark.structures import ParameterSet

Value = TypeVar("Value")


def slow(*values: object) -> ParameterSet:
    """One set of values, for slow runs only."""
    return pytest.param(*values, marks=pytest.mark.slow)


def slow_where(names: Collection[Value], values: Iterable[Value]) -> list[Value | ParameterSet]:
    """All values; those that are in names are for slow runs only."""
    return [slow(value) if value in names else value for value in values]


def quick(names: Collection[Value], values: Iterable[Value]) -> list[Value | ParameterSet]:
    """All values; those that are not in names are for slow runs only."""
    return [value if value in names else slow(value) for value in values]
