"""Check of parsed JSON against a typed record, before anything is computed from it."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import (
    Any,
    Literal,
    NotRequired,
    Required,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

__all__ = ["SchemaError", "built", "conforming"]

Record = TypeVar("Record")

_WORDS = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    type(None): "nothing",
    list: "a list",
    dict: "an object",
}


class SchemaError(ValueError):
    """A value that is not of the type that its format requires."""


def conforming(value: object, kind: type[Record], *, name: str = "", exact: bool = False) -> Record:
    """Return a parsed value as a typed record; raise unless all of it has the record's types.

    Parameters
    ----------
    value
        Value that a JSON parser returned.
    kind
        A ``TypedDict``, or ``list``, ``tuple``, ``dict`` with their item types, a union, an enum,
        a literal, or a plain type. ``object`` and ``Any`` accept everything. The fields of a
        dataclass are checked by their types, in an object.
    name
        Name of the value in messages.
    exact
        Whether the object must have no other names than its record.

    Raises
    ------
    SchemaError
        If a name is missing or a value has another type; the message names it.

    Examples
    --------
    >>> from typing import TypedDict
    >>> class Entry(TypedDict):
    ...     file: str
    ...     sizes: list[int]
    >>> conforming({"file": "a.lp", "sizes": [3]}, Entry)
    {'file': 'a.lp', 'sizes': [3]}
    >>> conforming({"file": "a.lp", "sizes": [3, None]}, Entry, name="entry")
    Traceback (most recent call last):
    milplib.schema.SchemaError: entry.sizes[1] is None; it must be a whole number
    """
    _check(value, kind, name)
    if exact and isinstance(value, dict):
        others = sorted(set(value) - set(_record(cast(Any, kind))[0]))
        if others:
            raise SchemaError(f"{name or 'it'} has the unknown name {others[0]!r}")
    return cast(Record, value)


def built(value: object, kind: type[Record], *, name: str = "") -> Record:
    """Build a dataclass from a parsed object that has its fields and no other names.

    Raises
    ------
    SchemaError
        If a field is missing, a name is unknown or a value has another type.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass
    ... class Entry:
    ...     file: str
    ...     size: int = 0
    >>> built({"file": "a.lp"}, Entry)
    Entry(file='a.lp', size=0)
    """
    fields_of = cast(dict[str, Any], conforming(value, kind, name=name, exact=True))
    return kind(**fields_of)


def _check(value: object, kind: Any, name: str) -> None:
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Any or kind is object:
        return
    if is_typeddict(kind) or is_dataclass(kind):
        _check_record(value, kind, name)
    elif origin in (Union, types.UnionType):
        _check_union(value, arguments, name)
    elif origin is Literal:
        if value not in arguments:
            raise _error(value, " or ".join(map(repr, arguments)), name)
    elif origin in (NotRequired, Required):
        _check(value, arguments[0], name)
    elif kind in (list, tuple) or origin in (list, tuple):
        if not isinstance(value, list | tuple):
            raise _error(value, _WORDS[list], name)
        item = arguments[0] if arguments else object
        for place, child in enumerate(value if item is not object else ()):
            _check(child, item, f"{name}[{place}]")
    elif kind in (dict, Mapping) or (isinstance(origin, type) and issubclass(origin, Mapping)):
        if not isinstance(value, dict):
            raise _error(value, _WORDS[dict], name)
        item = arguments[1] if arguments else object
        for key, child in value.items():
            _check(child, item, f"{name}.{key}" if name else str(key))
    else:
        _check_plain(value, kind, name)


def _check_plain(value: object, kind: Any, name: str) -> None:
    if isinstance(kind, type) and issubclass(kind, Enum):
        known = [member.value for member in kind]
        if value not in known:
            raise _error(value, f"one of {', '.join(map(str, known))}", name)
        return
    is_truth = isinstance(value, bool)
    if kind is bool:
        is_right = is_truth
    elif kind is float:
        is_right = isinstance(value, int | float) and not is_truth
    elif kind is int:
        is_right = isinstance(value, int) and not is_truth
    else:
        is_right = value is None if kind is type(None) or kind is None else isinstance(value, kind)
    if not is_right:
        raise _error(value, _WORDS.get(kind, f"a {getattr(kind, '__name__', kind)}"), name)


def _check_union(value: object, kinds: tuple[Any, ...], name: str) -> None:
    problems = []
    for kind in kinds:
        try:
            _check(value, kind, name)
            return
        except SchemaError as error:
            problems.append(error)
    others = [kind for kind in kinds if kind is not type(None)]
    if len(others) == 1 and value is not None:
        raise problems[kinds.index(others[0])]
    raise _error(value, " or ".join(_WORDS.get(kind, "an object") for kind in kinds), name)


def _check_record(value: object, kind: Any, name: str) -> None:
    if not isinstance(value, dict):
        raise _error(value, _WORDS[dict], name)
    hints, required = _record(kind)
    for key in required:
        if key not in value:
            raise SchemaError(f"{name or 'it'} has no '{key}'")
    for key, hint in hints.items():
        if key in value:
            _check(value[key], hint, f"{name}.{key}" if name else key)


@cache
def _record(kind: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the types of a record's names, and the names that must be there."""
    if is_typeddict(kind):
        hints = get_type_hints(kind, include_extras=True)
        required = frozenset(kind.__required_keys__)
        # With annotations as text, Python 3.11 finds no NotRequired in them by itself.
        required -= {key for key, hint in hints.items() if get_origin(hint) is NotRequired}
        return hints, tuple(sorted(required))
    hints = {f.name: get_type_hints(kind)[f.name] for f in fields(kind)}
    return hints, tuple(
        f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING
    )


def _error(value: object, wanted: str, name: str) -> SchemaError:
    shown = repr(value) if not isinstance(value, list | dict) else _WORDS[type(value)]
    if len(shown) > 60:
        shown = f"{shown[:60]}…"
    return SchemaError(f"{name or 'it'} is {shown}; it must be {wanted}")
