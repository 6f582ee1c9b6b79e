"""TOML within limits."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

from milplib.parsing.limits import INTEGERS, MAX_DEPTH, ParseError
from milplib.parsing.numbers import limited_number

__all__ = ["parse_toml"]

_MAX_TOML_BYTES = 16 << 20


def parse_toml(content: bytes) -> dict[str, Any]:
    """Parse TOML in UTF-8 within the limits of `parse_json`.

    Raises
    ------
    ParseError
        If the text is not TOML, or exceeds a limit.

    Examples
    --------
    >>> parse_toml(b"a = [1, 2]")
    {'a': [1, 2]}
    """
    if len(content) > _MAX_TOML_BYTES:
        raise ParseError(f"it has more than {_MAX_TOML_BYTES >> 10} KB, the limit of such a file")
    try:
        parsed = tomllib.loads(content.decode("utf-8"), parse_float=limited_number)
    except ParseError:
        raise
    except UnicodeDecodeError as error:
        raise ParseError(f"it is not in UTF-8: {error.reason} at byte {error.start}") from error
    except (ValueError, RecursionError) as error:
        raise ParseError(str(error)) from error
    _check_values(parsed, 0)
    return parsed


def _check_values(value: object, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ParseError(f"it is nested more than {MAX_DEPTH} levels deep")
    if isinstance(value, Mapping | list):
        for child in value.values() if isinstance(value, Mapping) else value:
            _check_values(child, depth + 1)
    elif isinstance(value, int) and value not in INTEGERS:
        raise ParseError("an integer does not fit 64 bits")
