"""Words and kinds of tokens of the LP format."""

from __future__ import annotations

__all__ = [
    "BINARY",
    "BOUNDS",
    "CONSTRAINTS",
    "END",
    "FOREIGN",
    "FORTRAN",
    "GENERAL",
    "GLUED",
    "LABEL",
    "MAXIMIZE",
    "NAME",
    "NUMBER",
    "OBJECTIVE",
    "RELATION",
    "SECOND_WORDS",
    "SECTIONS",
    "SIGN",
]

NAME, NUMBER, LABEL, RELATION, SIGN = (ord(kind) for kind in "VNLRS")
"""Kinds of tokens. A label is the name of a row, with its colon."""

GLUED, FORTRAN = 1, 2
"""Forms of numbers: in one word with the name behind it (``3x``), with ``D`` (``1.0D3``)."""


def _words(text: bytes) -> frozenset[bytes]:
    return frozenset(text.split())


MAXIMIZE = _words(b"max maximum maximize")
OBJECTIVE = MAXIMIZE | _words(b"min minimum minimize")
CONSTRAINTS = _words(b"subject such st st. s.t. lazy user")
BOUNDS = _words(b"bound bounds")
GENERAL = _words(b"gen general generals int integer integers")
BINARY = _words(b"bin binary binaries")
END = b"end"
FOREIGN = {
    b"semi": "semi-continuous variables",
    b"semis": "semi-continuous variables",
    b"semi-continuous": "semi-continuous variables",
    b"sos": "special ordered sets",
}
"""Sections that a mixed-integer linear program does not have, and their contents."""
SECTIONS = OBJECTIVE | CONSTRAINTS | BOUNDS | GENERAL | BINARY | FOREIGN.keys() | {END}
"""First words of sections."""
SECOND_WORDS = {
    b"subject": b"to",
    b"such": b"that",
    b"lazy": b"constraints",
    b"user": b"cuts",
}
"""Second words without which a first word is a name."""
