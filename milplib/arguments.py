"""Checks of arguments of public functions; an error names the argument and what it may be."""

from __future__ import annotations

import builtins
import functools
import inspect
import os
import sys
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from numbers import Integral, Real
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numpy as np

from milplib.errors import ParameterError
from milplib.parsing.limits import INTEGERS

__all__ = ["check_fields", "checked", "given", "listed", "path_of"]

P = ParamSpec("P")
R = TypeVar("R")
_Kind = tuple[Callable[[object], bool], str]
"""A test of a value, and words for an error."""


def _is_path(value: object) -> bool:
    return isinstance(value, str | os.PathLike) and isinstance(os.fspath(value), str)


_KINDS: Mapping[object, _Kind] = {
    type(None): (lambda value: value is None, "None"),
    bool: (lambda value: isinstance(value, bool), "True or False"),
    int: (lambda v: isinstance(v, Integral) and not isinstance(v, bool), "an integer"),
    float: (lambda v: isinstance(v, Real) and not isinstance(v, bool), "a number"),
    str: (lambda value: isinstance(value, str), "a text"),
    os.PathLike: (_is_path, "a path"),
    Path: (_is_path, "a path"),
    Callable: (callable, "a function"),
}


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function so that each call checks its arguments against the annotations.

    The function receives numbers of numpy as Python's, which JSON and SCIP take. It checks itself
    what is not a number, text, path, function, object of a class, or union of these, and ranges.

    Raises
    ------
    ParameterError
        From a call, if an argument is missing, unknown or of another type.

    Examples
    --------
    >>> @checked
    ... def wait(seconds: float | None = None):
    ...     return seconds
    >>> wait(np.int64(3))
    3
    >>> wait("long")
    Traceback (most recent call last):
    milplib.errors.ParameterError: seconds is 'long'; it must be a number or None
    >>> wait(minutes=1)
    Traceback (most recent call last):
    milplib.errors.ParameterError: wait() got an unexpected keyword argument 'minutes'
    """
    signature = inspect.signature(function)

    @functools.wraps(function)
    def call(*args: P.args, **keywords: P.kwargs) -> R:
        try:
            bound = signature.bind(*args, **keywords)
        except TypeError as error:
            name = function.__qualname__.removesuffix(".__init__")
            raise ParameterError(f"{name}() {_sentence(str(error))}") from None
        values = bound.arguments
        for name, kinds in _checks(function).items():
            if name in values:
                values[name] = _check(name, values[name], kinds)
        return function(*bound.args, **bound.kwargs)

    return call


def _sentence(message: str) -> str:
    return f"lacks{message[7:]}" if message.startswith("missing") else message


def check_fields(instance: object) -> None:
    """Check the fields of a dataclass against their annotations, as `checked` does.

    Raises
    ------
    ParameterError
        If a field has another type.
    """
    owner: Any = type(instance)
    for name, kinds in _checks(owner).items():
        value = getattr(instance, name)
        plain = _check(name, value, kinds)
        if plain is not value:
            object.__setattr__(instance, name, plain)  # the dataclass may be frozen


def _check(name: str, value: object, kinds: tuple[_Kind, ...]) -> object:
    """Return a value, numbers of numpy as Python's, or raise an error."""
    if isinstance(value, np.generic):
        value = value.item()
    if not any(holds(value) for holds, _ in kinds):
        raise ParameterError(f"{name} is {given(value)}; it must be {_joined(kinds)}")
    if isinstance(value, str) and "\0" in value:
        raise ParameterError(f"{name} is {given(value)}; it must not contain a zero byte")
    if isinstance(value, Integral) and int(value) not in INTEGERS:
        raise ParameterError(f"{name} is {given(value)}; it does not fit 64 bits")
    return value


@functools.cache
def _checks(annotated: Any) -> Mapping[str, tuple[_Kind, ...]]:
    """Return the tests of the parameters of a function, or of the fields of a class."""
    checks: dict[str, tuple[_Kind, ...]] = {}
    for owner in reversed(annotated.__mro__) if isinstance(annotated, type) else (annotated,):
        names = _Names(vars(sys.modules.get(owner.__module__, types)))
        for name, annotation in getattr(owner, "__annotations__", {}).items():
            holder: Any = types.SimpleNamespace(__annotations__={name: annotation})
            try:
                hint = typing.get_type_hints(holder, {}, names)[name]
            except (AttributeError, TypeError):  # it needs what is imported for type checkers only
                continue
            kinds = tuple(map(_kind, _members(hint)))
            if name != "return" and all(kinds):
                checks[name] = typing.cast("tuple[_Kind, ...]", kinds)
    return checks


class _Names(dict[str, Any]):
    """Names of a module; those imported for type checkers only stand for any object."""

    def __missing__(self, key: str) -> Any:
        if key.startswith("__"):  # debuggers look for names of their own
            raise KeyError(key)
        return getattr(builtins, key, object)


def _members(hint: object) -> tuple[object, ...]:
    is_union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    return typing.get_args(hint) if is_union else (hint,)


def _kind(hint: Any) -> _Kind | None:
    """Return the test of an annotation that is no union, if it is one that is checked."""
    kind = _KINDS.get(typing.get_origin(hint) or hint)
    is_class = isinstance(hint, type) and hint not in (object, Any) and not typing.get_origin(hint)
    if kind or not is_class or getattr(hint, "_is_protocol", False) or issubclass(hint, Enum):
        return kind
    name, package = hint.__name__, hint.__module__.partition(".")[0]
    article = "an" if name[0] in "AEIOU" else "a"
    if getattr(sys.modules[package], name, None) is hint:
        article, name = "a", f"{package}.{name}"
    return lambda value: isinstance(value, hint), f"{article} {name}"


def _joined(kinds: Iterable[_Kind]) -> str:
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
    path: Any = _check(name, value, (_KINDS[Path],))
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
