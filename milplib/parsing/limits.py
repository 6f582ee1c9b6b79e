"""Limits of documents, and the error about one that exceeds them."""

from __future__ import annotations

__all__ = ["INTEGERS", "MAX_BYTES", "MAX_DEPTH", "MAX_YAML_BYTES", "ParseError"]

MAX_BYTES = 256 << 20
"""Largest size of a JSON file in bytes. The manifest of a million trees has less."""
MAX_DEPTH = 64
"""Largest depth of nested lists and mappings."""
MAX_YAML_BYTES = 256 << 10
"""Largest size of a YAML file in bytes; a person writes it."""
INTEGERS = range(-(2**63), 2**63)
"""Integers that a document may hold."""


class ParseError(ValueError):
    """A document that is not what its format allows, or exceeds a limit."""
