"""Names that an LP file cannot hold."""

from __future__ import annotations

import re

__all__ = ["name_problem"]

_LONGEST = 65_535
_PLAIN = re.compile(rb"[A-Za-z_][A-Za-z_0-9#$.,;]*")
_NUMBER_LIKE = re.compile(rb"/\d|\.(?:[\deE]|$)")


def name_problem(name: bytes) -> str | None:
    """Say why a word of an LP file is not the name of a column, or None.

    Examples
    --------
    >>> name_problem(b"x(1,2)"), name_problem(b"(x")
    (None, 'its parentheses do not match; an LP file has none around terms: write them out')
    """
    if _PLAIN.fullmatch(name) and len(name) <= _LONGEST:
        return None
    if len(name) > _LONGEST:
        return f"it holds a word of more than {_LONGEST} characters, so it is no LP file"
    if _NUMBER_LIKE.match(name):
        return "a name may not begin like a number"
    depth = 0
    for character in name:
        depth += (character == ord("(")) - (character == ord(")"))
        if depth < 0:
            break
    if depth:
        return "its parentheses do not match; an LP file has none around terms: write them out"
    return None
