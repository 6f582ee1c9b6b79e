"""Numbers in plain digits, parsed whole."""

from __future__ import annotations

import math
import re

from milplib.parsing.limits import INTEGERS, ParseError

__all__ = ["limited_integer", "limited_number", "parse_integer", "parse_number"]

_PLAIN_NUMBER = re.compile(
    r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?inf|nan", re.IGNORECASE
)
_PLAIN_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")


def parse_number(text: str) -> float:
    """Parse a number whole, in plain digits: without Python's underscores and other scripts.

    Raises
    ------
    ParseError
        If the text is no number, or one beyond the largest float.

    Examples
    --------
    >>> parse_number("-1.5e3"), parse_number("inf")
    (-1500.0, inf)
    """
    if not _PLAIN_NUMBER.fullmatch(text):
        raise ParseError(f"'{text[:40]}' is not a number")
    return limited_number(text.lower())


def parse_integer(text: str) -> int:
    """Parse an integer of up to 64 bits in plain digits.

    Raises
    ------
    ParseError
        If the text is something else.

    Examples
    --------
    >>> parse_integer("-12")
    -12
    """
    if not _PLAIN_INTEGER.fullmatch(text):
        raise ParseError(f"'{text[:40]}' is not a whole number")
    return limited_integer(text)


def limited_integer(digits: str) -> int:
    """Return an integer from its digits; raise ParseError unless it fits 64 bits.

    Examples
    --------
    >>> limited_integer("12")
    12
    """
    if len(digits) < 19:
        return int(digits)
    if len(digits) > 20 or int(digits) not in INTEGERS:
        shown = digits if len(digits) <= 24 else f"{digits[:20]}…"
        raise ParseError(f"the integer {shown} does not fit 64 bits")
    return int(digits)


def limited_number(digits: str) -> float:
    """Return a number from its digits; raise ParseError if it is larger than any float.

    Examples
    --------
    >>> limited_number("1.5")
    1.5
    """
    value = float(digits)
    if math.isinf(value) and "inf" not in digits:
        raise ParseError(f"the number {digits[:24]} is larger than any float")
    return value
