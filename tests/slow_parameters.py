"""Parameters of a test that runs all of them, and some of them in every run."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import pytest


def slow(*values: object) -> object:
    """One set of values, for slow runs only."""
    return pytest.param(*values, marks=pytest.mark.slow)


def slow_where(names: Collection[object], values: Iterable[object]) -> list[object]:
    """All values; those that are in names are for slow runs only."""
    return [slow(value) if value in names else value for value in values]


def slow_except(names: Collection[object], values: Iterable[object]) -> list[object]:
    """All values; those that are not in names are for slow runs only."""
    return [value if value in names else slow(value) for value in values]
