"""Checks of generator parameters. Their errors name the parameter, its value and the range."""

from __future__ import annotations

import math
import operator
from numbers import Integral, Real

from milplib.errors import ParameterError

__all__ = ["check_integer", "check_real"]


def check_integer(name: str, value: object, *, at_least: int) -> None:
    """Check that a value is an integer (not a bool) of at least `at_least`.

    Raises
    ------
    ParameterError
        If the check fails.

    Examples
    --------
    >>> check_integer("n_rows", 1, at_least=2)
    Traceback (most recent call last):
    milplib.errors.ParameterError: n_rows is 1, expected an integer of at least 2
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < at_least:
        raise ParameterError(f"{name} is {value!r}, expected an integer of at least {at_least}")


def check_real(
    name: str,
    value: object,
    *,
    at_least: float | None = None,
    above: float | None = None,
    at_most: float | None = None,
    below: float | None = None,
) -> None:
    """Check that a value is a finite number (not a bool) within the limits.

    Raises
    ------
    ParameterError
        If the check fails.

    Examples
    --------
    >>> check_real("density", 1.5, above=0, at_most=1)
    Traceback (most recent call last):
    milplib.errors.ParameterError: density is 1.5, expected a finite number above 0 and at most 1
    """
    limits = [
        (text, holds, limit)
        for text, holds, limit in (
            ("at least", operator.ge, at_least),
            ("above", operator.gt, above),
            ("at most", operator.le, at_most),
            ("below", operator.lt, below),
        )
        if limit is not None
    ]
    if (
        isinstance(value, bool)
        or not isinstance(value, Real)
        or not math.isfinite(value)
        or not all(holds(value, limit) for _, holds, limit in limits)
    ):
        expected = " and ".join(f"{text} {limit}" for text, _, limit in limits)
        raise ParameterError(f"{name} is {value!r}, expected a finite number {expected}".rstrip())
