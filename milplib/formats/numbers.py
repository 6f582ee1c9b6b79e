"""Exact conversion of numbers to text, and of the numbers in instance files to floats."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress

import numpy as np
import numpy.typing as npt

__all__ = ["INFINITE", "NotANumberError", "number_texts", "parsed_number", "parsed_numbers"]

INFINITE = 1e20
"""From this size on, a bound or side of an instance file is infinite, as for SCIP."""

_NUMBER = re.compile(rb"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][+-]?\d+)?")
_INFINITY = re.compile(rb"([+-]?)inf(?:inity)?", re.IGNORECASE)
_FORTRAN = bytes.maketrans(b"dD", b"ee")


class NotANumberError(ValueError):
    """A piece of text that is no number; `position` tells which of several."""

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


def parsed_number(text: bytes) -> float | None:
    """Return the number that a text is as a whole, or None.

    Exponents may begin with ``D``, as Fortran programs write them. ``inf`` and ``infinity`` are
    numbers in any case of letters. Nothing else is: ``2,5``, ``1_0``, ``0x1F`` and ``nan`` are not.

    Examples
    --------
    >>> parsed_number(b"1.0D3"), parsed_number(b"-Inf"), parsed_number(b"2,5")
    (1000.0, -inf, None)
    """
    if _NUMBER.fullmatch(text):
        return float(text.translate(_FORTRAN))
    if infinity := _INFINITY.fullmatch(text):
        return -np.inf if infinity[1] == b"-" else np.inf
    return None


def parsed_numbers(texts: Sequence[bytes]) -> npt.NDArray[np.float64]:
    """Return the numbers of many texts, each read as by `parsed_number`.

    Raises
    ------
    NotANumberError
        If a text is no number.

    Examples
    --------
    >>> parsed_numbers([b"1", b"-2.5e3", b"1.0D3"])
    array([ 1.0e+00, -2.5e+03,  1.0e+03])
    """
    with suppress(ValueError):  # a Fortran exponent, or no number
        values = np.array(list(map(float, texts)), dtype=np.float64)
        # Python's float takes these, too.
        if not (np.isnan(values).any() or b"_" in b"".join(texts)):
            return values
    numbers = np.empty(len(texts))
    for position, text in enumerate(texts):
        number = parsed_number(text)
        if number is None:
            raise NotANumberError(position)
        numbers[position] = number
    return numbers


def number_texts(numbers: npt.NDArray[np.float64], *, signed: bool = False) -> list[str]:
    """Write numbers with the fewest digits that read back to the same float64.

    Parameters
    ----------
    numbers
        Numbers. Shape (k,), float64; infinity is written as ``inf``.
    signed
        Whether to write a sign before positive numbers and zero, too.

    Returns
    -------
    list of str
        Texts of the k numbers, whole numbers without a decimal point.

    Examples
    --------
    >>> number_texts(np.array([2.0, -0.1, 1e30]), signed=True)
    ['+2', '-0.1', '+1e+30']
    """
    # Most instances hold few distinct numbers, so each is formatted once.
    # + 0 turns -0.0 into 0.0
    distinct, position = np.unique(numbers + 0.0, return_inverse=True)
    layout = "{:+}" if signed else "{}"
    texts = [layout.format(number).removesuffix(".0") for number in distinct.tolist()]
    result: list[str] = np.array(texts, dtype=object)[position].tolist()
    return result
