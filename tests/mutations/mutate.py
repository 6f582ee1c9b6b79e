"""Mutations of valid inputs, drawn by a seed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

__all__ = ["mutated"]

_NUMBER = re.compile(rb"-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_WORD = re.compile(rb"[A-Za-z_]{2,}")
_NUMBERS = (
    *(b"0", b"-1", b"2.5", b"1e999", b"-1e400", b"NaN", b"Infinity", b"1_0", b"0x10", b"1.0D3"),
    *(b"12345678901234567890", b"9223372036854775808", b"100000000", b"1" * 400, b"007", b"2,5"),
)
_PIECES = (
    *(b"null", b"true", b"[]", b"{}", b'""', b'"../../x"', b"[" * 300, b'{"a":' * 200, b"\x00"),
    *(
        b"\x1b[2J",
        b"\xff\xfe",
        b"\r\n",
        b"\t",
        b"'",
        b'"',
        b"\\",
        b"\\ud800",
        b"&a *a",
        b": ",
        b"- ",
    ),
    *(b"!!python/name:os.system ", b"<<: ", b"=1+1", b"$x^{", b"\xef\xbb\xbf", b"*", b",", b"#"),
)
_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**63, 2**64, 10**30, 0.5, -2.5, 1e308, "", "x", "1"),
    *("../../x", "\x1b[2J", "$x^{", "=1+1", "a" * 2000, [], {}, [[]], [None], {"a": 1}, [1, "2"]),
)

Draw = np.random.RandomState
Mutator = Callable[[bytes, Draw], bytes]


def _span(data: bytes, draw: Draw, longest: int = 64) -> tuple[int, int]:
    begin = int(draw.randint(len(data) + 1))
    return begin, min(len(data), begin + int(draw.randint(1, longest)))


def _flip(data: bytes, draw: Draw) -> bytes:
    changed = bytearray(data)
    for _ in range(draw.randint(1, 4)):
        if changed:
            changed[draw.randint(len(changed))] ^= 1 << draw.randint(8)
    return bytes(changed)


def _cut_off(data: bytes, draw: Draw) -> bytes:
    return data[: draw.randint(len(data) + 1)]


def _drop(data: bytes, draw: Draw) -> bytes:
    begin, end = _span(data, draw)
    return data[:begin] + data[end:]


def _double(data: bytes, draw: Draw) -> bytes:
    begin, end = _span(data, draw, 400)
    return data[:end] + data[begin:end] + data[end:]


def _swap(data: bytes, draw: Draw) -> bytes:
    (a, b), (c, d) = sorted((_span(data, draw), _span(data, draw)))
    return data if b > c else data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]


def _noise(data: bytes, draw: Draw) -> bytes:
    begin, _ = _span(data, draw)
    return data[:begin] + draw.bytes(draw.randint(1, 40)) + data[begin:]


def _piece(data: bytes, draw: Draw) -> bytes:
    begin, end = _span(data, draw, 8)
    return data[:begin] + _PIECES[draw.randint(len(_PIECES))] + data[end:]


def _replaced(pattern: re.Pattern[bytes], pieces: Sequence[bytes]) -> Mutator:
    def replace(data: bytes, draw: Draw) -> bytes:
        found = list(pattern.finditer(data))
        if not found:
            return data
        match = found[draw.randint(len(found))]
        return data[: match.start()] + pieces[draw.randint(len(pieces))] + data[match.end() :]

    return replace


def _lines(data: bytes, draw: Draw) -> bytes:
    lines = data.splitlines(keepends=True)
    if len(lines) < 2:
        return data
    a, b = draw.randint(len(lines), size=2)
    kind = draw.randint(3)
    if kind == 0:
        lines[a], lines[b] = lines[b], lines[a]
    elif kind == 1:
        lines.insert(b, lines[a])
    else:
        del lines[a]
    return b"".join(lines)


def _json_value(data: bytes, draw: Draw) -> bytes:
    """Change, remove or add one value of a JSON document, anywhere in it."""
    try:
        document = json.loads(data)
    except ValueError:
        return data
    places: list[tuple[Any, Any]] = []
    stack = [document]
    while stack:
        value = stack.pop()
        keys = value if isinstance(value, dict) else range(len(value)) if _is_list(value) else ()
        for key in keys:
            places.append((value, key))
            if isinstance(value[key], dict | list):
                stack.append(value[key])
    if not places:
        return data
    parent, key = places[draw.randint(len(places))]
    kind = draw.randint(4)
    if kind == 0:
        del parent[key]
    elif kind == 1 and isinstance(parent, dict):
        parent[f"{key}_"] = parent.pop(key)
    elif kind == 2:
        other, name = places[draw.randint(len(places))]
        if not isinstance(other[name], dict | list):
            parent[key] = other[name]
    else:
        parent[key] = _VALUES[draw.randint(len(_VALUES))]
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _is_list(value: object) -> bool:
    return isinstance(value, list)


_BYTES: tuple[Mutator, ...] = (_flip, _cut_off, _drop, _double, _swap, _noise)
_TEXT: tuple[Mutator, ...] = (
    *_BYTES,
    _piece,
    _lines,
    _replaced(_NUMBER, _NUMBERS),
    _replaced(_NUMBER, _NUMBERS),
    _replaced(_WORD, (*_PIECES, b"x", b"instances", b"seed")),
)


def mutated(data: bytes, draw: Draw, *, is_text: bool) -> bytes:
    """Return a mutation of a file's bytes; rarely the same bytes."""
    mutators = _TEXT if is_text else _BYTES
    if data[:1] == b"{" and draw.randint(2):
        mutators = (_json_value,)
    for _ in range(1 if draw.randint(3) else 2):
        data = mutators[draw.randint(len(mutators))](data, draw)
    return data
