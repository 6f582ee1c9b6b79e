"""Words that begin a section of an LP file in SCIP's reader."""

from __future__ import annotations

__all__ = ["BOUNDS", "CONSTRAINTS", "FOREIGN", "INTEGRALITY", "OBJECTIVE", "SECTIONS"]


def _words(text: bytes) -> frozenset[bytes]:
    return frozenset(text.split())


OBJECTIVE = _words(b"min minimum minimize max maximum maximize")
# First words of "subject to", "such that", "lazy constraints" and "user cuts" are enough.
CONSTRAINTS = _words(b"subject such st st. s.t. lazy user")
BOUNDS = _words(b"bound bounds")
INTEGRALITY = _words(b"gen general generals int integer integers bin binary binaries")
FOREIGN = {
    b"semi": "semi-continuous variables",
    b"semis": "semi-continuous variables",
    b"semi-continuous": "semi-continuous variables",
    b"sos": "special ordered sets",
}
"""Sections that a mixed-integer linear program does not have, and their contents."""
SECTIONS = OBJECTIVE | CONSTRAINTS | BOUNDS | INTEGRALITY | FOREIGN.keys() | {b"end"}
