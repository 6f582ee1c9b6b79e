"""JSON within limits."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from milplib.parsing.limits import MAX_BYTES, MAX_DEPTH, ParseError
from milplib.parsing.numbers import limited_integer, limited_number
from milplib.parsing.regular import read_regular

__all__ = ["parse_json", "read_json"]

# Signs of JSON's structure by their bytes, and the change of depth at each.
_IS_SIGN = np.isin(np.arange(256), np.frombuffer(b'"[]{}', dtype=np.uint8))
_STEP = np.zeros(256, dtype=np.int64)
_STEP[[ord(sign) for sign in "[{"]], _STEP[[ord(sign) for sign in "]}"]] = 1, -1
_ESCAPE = re.compile(rb"\\.", re.DOTALL)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def read_json(
    path: str | os.PathLike[str],
    *,
    limit: int = MAX_BYTES,
    object_hook: Callable[[dict[str, Any]], Any] | None = None,
) -> Any:
    """Read and parse a JSON file; see `read_regular` and `parse_json`."""
    return parse_json(read_regular(path, limit=limit), object_hook=object_hook)


def parse_json(
    content: bytes | str, *, object_hook: Callable[[dict[str, Any]], Any] | None = None
) -> Any:
    """Parse JSON in UTF-8, as `json.loads` does, within limits.

    Raises
    ------
    ParseError
        If the text is not JSON, is nested deeper than `MAX_DEPTH`, names a value twice, or holds
        an integer beyond 64 bits, a number beyond the largest float, or half a surrogate pair.

    Examples
    --------
    >>> parse_json('{"a": [1, 2.5]}')
    {'a': [1, 2.5]}
    >>> parse_json("[" * 100_000)
    Traceback (most recent call last):
    milplib.parsing.limits.ParseError: it is nested more than 64 levels deep
    """
    raw = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ParseError(f"it is not in UTF-8: {error.reason} at byte {error.start}") from error
    _check_depth(raw)

    def unique(pairs: list[tuple[str, Any]]) -> Any:
        values = dict(pairs)
        if len(values) < len(pairs):
            names = [name for name, _ in pairs]
            repeated = next(name for name in names if names.count(name) > 1)
            raise ParseError(f"the name {repeated!r} stands twice in one object")
        return values if object_hook is None else object_hook(values)

    try:
        parsed = json.loads(
            text, object_pairs_hook=unique, parse_int=limited_integer, parse_float=limited_number
        )
    except ParseError:
        raise
    except (ValueError, RecursionError) as error:
        raise ParseError(str(error)) from error
    if _SURROGATE.search(text):
        _check_surrogates(parsed)
    return parsed


def _check_depth(raw: bytes) -> None:
    if raw.count(b"[") + raw.count(b"{") <= MAX_DEPTH:
        return
    if b"\\" in raw:
        raw = _ESCAPE.sub(b"  ", raw)
    signs = np.frombuffer(raw, dtype=np.uint8)
    signs = signs[_IS_SIGN[signs]]
    is_outside = np.cumsum(signs == ord('"')) % 2 == 0
    steps = np.where(is_outside, _STEP[signs], 0)
    if np.cumsum(steps).max(initial=0) > MAX_DEPTH:
        raise ParseError(f"it is nested more than {MAX_DEPTH} levels deep")


def _check_surrogates(value: object) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise ParseError("a text holds half a surrogate pair") from error
