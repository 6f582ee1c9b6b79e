"""Reading of JSON, TOML and YAML within limits: size, depth, aliases, repeated names, numbers.

Every file that milplib parses comes through here. A document that exceeds a limit is refused by a
`ParseError` before it takes much time or memory. Nothing in a document is executed or imported.
"""

from __future__ import annotations

import csv
import errno
import io
import json
import math
import os
import re
import stat
import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from typing import IO, TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import yaml

__all__ = [
    "MAX_BYTES",
    "MAX_DEPTH",
    "MAX_YAML_BYTES",
    "ParseError",
    "compose_yaml",
    "open_regular",
    "parse_csv",
    "parse_integer",
    "parse_json",
    "parse_number",
    "parse_toml",
    "read_json",
    "read_regular",
]

MAX_BYTES = 256 << 20
"""Largest size of a JSON file in bytes. The manifest of a million trees has less."""
MAX_DEPTH = 64
"""Largest depth of nested lists and mappings."""
MAX_YAML_BYTES = 256 << 10
"""Largest size of a YAML file in bytes; a person writes it."""

_MAX_YAML_DEPTH = 20
_MAX_YAML_NODES = 50_000  # with every alias counted as all that it stands for
_MAX_TOML_BYTES = 16 << 20
_INTEGERS = range(-(2**63), 2**63)
# Signs of JSON's structure by their bytes, and the change of depth at each.
_IS_SIGN = np.isin(np.arange(256), np.frombuffer(b'"[]{}', dtype=np.uint8))
_STEP = np.zeros(256, dtype=np.int64)
_STEP[[ord(sign) for sign in "[{"]], _STEP[[ord(sign) for sign in "]}"]] = 1, -1
_PLAIN_NUMBER = re.compile(
    r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?inf|nan", re.IGNORECASE
)
_PLAIN_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_ESCAPE = re.compile(rb"\\.", re.DOTALL)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class ParseError(ValueError):
    """A document that is not what its format allows, or exceeds a limit."""


def open_regular(path: str | os.PathLike[str]) -> IO[bytes]:
    """Open a regular file for reading; a pipe, socket or device is refused without waiting for it.

    Raises
    ------
    OSError
        If the file cannot be opened, or is not a regular file.

    Examples
    --------
    >>> open_regular("/dev/null")
    Traceback (most recent call last):
    OSError: [Errno 22] not a regular file: '/dev/null'
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except ValueError as error:  # a null character in the name
        raise FileNotFoundError(errno.ENOENT, str(error), os.fspath(path)) from error
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
        raise OSError(errno.EINVAL, "not a regular file", os.fspath(path))
    return open(descriptor, "rb")


def read_regular(path: str | os.PathLike[str], *, limit: int = MAX_BYTES) -> bytes:
    """Read a regular file; see `open_regular`.

    Raises
    ------
    OSError
        If the file cannot be opened or read, or is not a regular file.
    ParseError
        If the file is larger than `limit` bytes.

    Examples
    --------
    >>> read_regular("/dev/null")
    Traceback (most recent call last):
    OSError: [Errno 22] not a regular file: '/dev/null'
    """
    with open_regular(path) as stream:
        content = stream.read(limit + 1)
    if len(content) > limit:
        raise ParseError(f"it has more than {limit >> 10} KB, the limit of such a file")
    return content


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
    milplib.parsing.ParseError: it is nested more than 64 levels deep
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
        parsed = json.loads(text, object_pairs_hook=unique, parse_int=_integer, parse_float=_number)
    except ParseError:
        raise
    except (ValueError, RecursionError) as error:
        raise ParseError(str(error)) from error
    if _SURROGATE.search(text):
        _check_surrogates(parsed)
    return parsed


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
        parsed = tomllib.loads(content.decode("utf-8"), parse_float=_number)
    except ParseError:
        raise
    except UnicodeDecodeError as error:
        raise ParseError(f"it is not in UTF-8: {error.reason} at byte {error.start}") from error
    except (ValueError, RecursionError) as error:
        raise ParseError(str(error)) from error
    _check_values(parsed, 0)
    return parsed


def parse_csv(content: bytes) -> list[dict[str, str]]:
    r"""Parse CSV in UTF-8 to rows by the names in its first row.

    Raises
    ------
    ParseError
        If the text is not CSV, a name stands twice, or a row has other fields than names.

    Examples
    --------
    >>> parse_csv(b"instance,objective\na,5\n")
    [{'instance': 'a', 'objective': '5'}]
    """
    try:
        text = content.decode("utf-8-sig")
        lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except UnicodeDecodeError as error:
        raise ParseError(f"it is not in UTF-8: {error.reason} at byte {error.start}") from error
    except csv.Error as error:
        raise ParseError(str(error)) from error
    names, rows = (lines[0], lines[1:]) if lines else ([], [])
    if len(set(names)) < len(names):
        raise ParseError("a column stands twice in its first row")
    parsed = []
    for number, fields in enumerate(rows, start=2):
        if not fields:
            continue  # an empty line
        if len(fields) != len(names):
            raise ParseError(f"row {number} has {len(fields)} fields instead of {len(names)}")
        parsed.append(dict(zip(names, fields, strict=True)))
    return parsed


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
    return _number(text.lower())


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
    return _integer(text)


def compose_yaml(content: bytes) -> yaml.Node | None:
    """Parse YAML in UTF-8 to nodes, which know their lines; return None for an empty document.

    An alias may stand for a value once more, but the document with all aliases written out must
    be small too.

    Raises
    ------
    ParseError
        If the text is not in UTF-8, or exceeds a limit. The message names the line.
    yaml.YAMLError
        If the text is not YAML.

    Examples
    --------
    >>> compose_yaml(b"seeds: 3").value[0][1].value
    '3'
    """
    import yaml

    if len(content) > MAX_YAML_BYTES:
        raise ParseError(f"it has more than {MAX_YAML_BYTES >> 10} KB, the limit of such a file")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ParseError(f"it is not in UTF-8: {error.reason} at byte {error.start}") from error
    node: yaml.Node | None = yaml.compose(text, Loader=_limited_loader())  # type: ignore[no-untyped-call,unused-ignore]
    return node


@cache
def _limited_loader() -> type[yaml.SafeLoader]:
    import yaml

    class Limited(yaml.SafeLoader):
        """A composer that counts nodes and levels before it makes them."""

        def __init__(self, stream: Any) -> None:
            super().__init__(stream)
            self._depth, self._nodes = 0, 0
            self._sizes: dict[int, int] = {}

        def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
            """Compose a node; its size is that of all nodes below it, aliases written out."""
            line = self.peek_event().start_mark.line + 1
            is_alias = self.check_event(yaml.AliasEvent)
            before = self._nodes
            self._depth += 1
            if self._depth > _MAX_YAML_DEPTH:
                raise ParseError(
                    f"line {line}: sections are nested more than {_MAX_YAML_DEPTH} levels deep"
                )
            node: yaml.Node | None = super().compose_node(parent, index)
            self._depth -= 1
            if is_alias and id(node) not in self._sizes:
                raise ParseError(f"line {line}: a value stands in itself")
            self._nodes += self._sizes[id(node)] if is_alias else 1
            if self._nodes > _MAX_YAML_NODES:
                raise ParseError(
                    f"line {line}: the file has more than {_MAX_YAML_NODES} values, with all "
                    "aliases written out"
                )
            if not is_alias:
                self._sizes[id(node)] = self._nodes - before
            return node

    return Limited


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


def _integer(digits: str) -> int:
    if len(digits) < 19:
        return int(digits)
    if len(digits) > 20 or int(digits) not in _INTEGERS:
        shown = digits if len(digits) <= 24 else f"{digits[:20]}…"
        raise ParseError(f"the integer {shown} does not fit 64 bits")
    return int(digits)


def _number(digits: str) -> float:
    value = float(digits)
    if math.isinf(value) and "inf" not in digits:
        raise ParseError(f"the number {digits[:24]} is larger than any float")
    return value


def _check_surrogates(value: object) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise ParseError("a text holds half a surrogate pair") from error


def _check_values(value: object, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ParseError(f"it is nested more than {MAX_DEPTH} levels deep")
    if isinstance(value, Mapping | list):
        for child in value.values() if isinstance(value, Mapping) else value:
            _check_values(child, depth + 1)
    elif isinstance(value, int) and value not in _INTEGERS:
        raise ParseError("an integer does not fit 64 bits")
