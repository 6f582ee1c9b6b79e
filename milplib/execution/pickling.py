"""Pickles between milplib's own processes, and digests of what users define in Python.

cloudpickle sends definitions of a notebook or a script by value, so a worker process needs neither.
No file is ever unpickled.
"""

from __future__ import annotations

import hashlib
import inspect
import io
import pickle
import sys
from contextlib import suppress
from types import CellType, CodeType, FunctionType
from typing import Any

import cloudpickle

__all__ = ["pickled", "python_digest", "unpickled"]

_HEAP_TYPE = 1 << 9
"""Flag of classes that are not built in: Py_TPFLAGS_HEAPTYPE."""
_SKIPPED = frozenset(
    {"__dict__", "__weakref__", "__firstlineno__", "__static_attributes__", "_abc_impl"}
)
"""Attributes of a class that do not describe what it does."""


def pickled(content: object) -> bytes:
    """Pickle an object for another process of this run.

    Examples
    --------
    >>> unpickled(pickled(lambda x: 2 * x))(4)
    8
    """
    return bytes(cloudpickle.dumps(content))


def unpickled(content: bytes) -> Any:
    """Read what a process of this run pickled."""
    return pickle.loads(content)  # noqa: S301  # from a pipe of our own, never from a file


def python_digest(content: object) -> str:
    """Return a SHA-256 that identifies a Python object and the code that it runs.

    Code that other processes cannot import, as in a notebook, counts by its instructions and the
    values that it refers to. So the same cell in another session has the same digest.

    Raises
    ------
    Exception
        Any error of pickling, if the object cannot be sent to other processes.

    Examples
    --------
    >>> def score(state):
    ...     return -state.candidates
    >>> python_digest(score) == python_digest(score)
    True
    """
    stream = io.BytesIO()
    _Describer(stream, protocol=4).dump(content)
    digest = hashlib.sha256(stream.getvalue())
    with suppress(OSError, TypeError):  # built-in objects have no source text
        described = content if callable(content) else type(content)
        if not _is_by_value(described):  # comments in a cell do not count
            digest.update(inspect.getsource(described).encode())
    return digest.hexdigest()


def _is_by_value(content: object) -> bool:
    """Whether a class or function cannot be imported by name in another process."""
    module, name = getattr(content, "__module__", None), getattr(content, "__qualname__", "")
    if module == "__main__" or module not in sys.modules:
        return True
    found: object = sys.modules[module]
    for part in name.split("."):
        found = getattr(found, part, None)
    return found is not content


class _Describer(cloudpickle.Pickler):  # type: ignore[misc]  # untyped
    """Pickler whose output identifies definitions by their content, and is never read.

    cloudpickle's own output contains file names, line numbers and random identifiers.
    """

    def reducer_override(self, obj: Any) -> Any:
        """Describe what is sent by value; leave the rest to cloudpickle."""
        # The description is the state of the object: pickle follows it after it has noted the
        # object, so that definitions may refer to themselves.
        if isinstance(obj, CodeType):
            return _described, (), _code(obj)
        if isinstance(obj, FunctionType) and _is_by_value(obj):
            return _described, (), _function(obj)
        if isinstance(obj, type) and obj.__flags__ & _HEAP_TYPE and _is_by_value(obj):
            members = {name: v for name, v in sorted(vars(obj).items()) if name not in _SKIPPED}
            return _described, (), (obj.__qualname__, obj.__bases__, members)
        return super().reducer_override(obj)


def _described() -> None:
    """Stand for a definition in a description."""


def _code(code: CodeType) -> tuple[object, ...]:
    constants = [
        sorted(map(repr, value)) if isinstance(value, frozenset) else value
        for value in code.co_consts
    ]
    return code.co_code, code.co_names, code.co_varnames, code.co_freevars, constants


def _function(function: FunctionType) -> tuple[object, ...]:
    cells = [_content(cell) for cell in function.__closure__ or ()]
    names = sorted(_global_names(function.__code__))
    known = {name: function.__globals__[name] for name in names if name in function.__globals__}
    return (
        function.__qualname__,
        function.__code__,
        function.__defaults__,
        function.__kwdefaults__,
        cells,
        known,
    )


def _content(cell: CellType) -> object:
    try:
        content: object = cell.cell_contents
        return content
    except ValueError:  # an empty cell
        return None


def _global_names(code: CodeType) -> set[str]:
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= _global_names(constant)
    return names
