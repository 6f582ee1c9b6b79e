"""Checks of arguments of public functions; an error names the argument and what it may be."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from functools import lru_cache
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from milplib.errors import ParameterError

__all__ = ["check_arguments", "check_fields", "given", "listed", "path_of"]


def _is_path(value: object) -> bool:
    return isinstance(value, str | os.PathLike) and isinstance(os.fspath(value), str)


_KINDS: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "None": (lambda value: value is None, "None"),
    "bool": (lambda value: isinstance(value, bool), "True or False"),
    "int": (lambda v: isinstance(v, Integral) and not isinstance(v, bool), "an integer"),
    "float": (lambda v: isinstance(v, Real) and not isinstance(v, bool), "a number"),
    "str": (lambda value: isinstance(value, str), "a text"),
    "os.PathLike[str]": (_is_path, "a path"),
    "Path": (_is_path, "a path"),
    "Callable": (callable, "a function"),
}
"""Annotations that are checked: a test, and words for an error."""


def check_arguments(function: Callable[..., Any], arguments: Mapping[str, object]) -> None:
    """Check the arguments of a function against its annotations.

    Only plain annotations are checked: numbers, texts, paths, functions, and unions of these. The
    function itself checks the rest, and ranges.

    Parameters
    ----------
    function
        The function, of a module with postponed annotations.
    arguments
        Arguments by name, such as ``locals()`` in the function's first line.

    Raises
    ------
    ParameterError
        If an argument has another type.

    Examples
    --------
    >>> def wait(seconds: "float | None" = None):
    ...     check_arguments(wait, locals())
    >>> wait("long")
    Traceback (most recent call last):
    milplib.errors.ParameterError: seconds is 'long'; it must be a number or None
    """
    annotations = tuple(getattr(function, "__annotations__", {}).items())
    _check(annotations, arguments)


def check_fields(instance: object) -> None:
    """Check the fields of a dataclass against their annotations, as `check_arguments` does.

    Raises
    ------
    ParameterError
        If a field has another type.
    """
    declared: Any = instance
    _check(
        tuple((field.name, str(field.type)) for field in fields(declared)),
        {field.name: getattr(instance, field.name) for field in fields(declared)},
    )


def _check(annotations: tuple[tuple[str, Any], ...], arguments: Mapping[str, object]) -> None:
    for name, kinds in _checks(annotations):
        if name not in arguments:
            continue
        value = arguments[name]
        if not any(holds(value) for holds, _ in kinds):
            raise ParameterError(f"{name} is {given(value)}; it must be {_joined(kinds)}")
        if isinstance(value, str) and "\0" in value:
            raise ParameterError(f"{name} is {given(value)}; it must not contain a zero byte")


Kind = tuple[Callable[[object], bool], str]


@lru_cache(maxsize=256)
def _checks(annotations: tuple[tuple[str, Any], ...]) -> tuple[tuple[str, tuple[Kind, ...]], ...]:
    """Return the tests of the parameters whose annotations are plain."""
    checks = []
    for name, annotation in annotations:
        words = re.sub(r"Callable\[.*?\]\s*,?\s*\w*\]?(?=$| \|)", "Callable", str(annotation))
        parts = [part.strip() for part in words.split(" | ")]
        if name != "return" and all(part in _KINDS for part in parts):
            checks.append((name, tuple(_KINDS[part] for part in parts)))
    return tuple(checks)


def _joined(kinds: Iterable[Kind]) -> str:
    words = list(dict.fromkeys(words for _, words in kinds))
    if "a path" in words and "a text" in words:
        words.remove("a text")
    return " or ".join(words)


def path_of(value: object, name: str) -> Path:
    """Return an argument that must be a path.

    Examples
    --------
    >>> path_of(None, "out")
    Traceback (most recent call last):
    milplib.errors.ParameterError: out is None; it must be a path
    """
    _check(((name, "Path"),), {name: value})
    path: Any = value
    return Path(path)


def listed(value: object, name: str) -> list[Any]:
    """Return the items of an argument that must be a list or another iterable, but no text.

    Examples
    --------
    >>> listed("pscost", "rules")
    Traceback (most recent call last):
    milplib.errors.ParameterError: the rules are 'pscost'; give a list of them
    """
    if isinstance(value, str | bytes | os.PathLike) or not isinstance(value, Iterable):
        raise ParameterError(f"the {name} are {given(value)}; give a list of them")
    return list(value)


def given(value: object) -> str:
    """Return a short form of a wrong argument, on one line.

    Examples
    --------
    >>> given(None), given(list(range(100)))[:12]
    ('None', '[0, 1, 2, 3,')
    """
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else f"{text[:79]}…"
