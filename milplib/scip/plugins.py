"""Lifetime of models and of the Python plugins in them."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyscipopt

__all__ = ["WeakModel", "free_model", "freed_afterwards", "is_freed", "strip_frames"]


class WeakModel:
    """Mixin of plugins that do not keep their model alive.

    PySCIPOpt lets a model own its plugins and a plugin own its model, so only Python's cyclic
    garbage collector frees a model with a plugin, whenever it happens to run. With this mixin,
    listed before PySCIPOpt's class, the last reference to the model frees SCIP. The plugin lets go
    of the model when it first reads its attribute `model`.

    Examples
    --------
    >>> class Watch(WeakModel, pyscipopt.Eventhdlr):
    ...     def eventfree(self):
    ...         print("freed")
    >>> model, watch = pyscipopt.Model(), Watch()
    >>> model.includeEventhdlr(watch, "watch", "reports the end")
    >>> watch.model is model
    True
    >>> del model
    freed
    >>> watch.model is None
    True
    """

    _model: weakref.ref[pyscipopt.Model] | None = None
    # PySCIPOpt's attribute `model`, which holds a strong reference; in a tuple, because it is a
    # descriptor. SCIP calls plugins until the interpreter has ended and globals are gone, so the
    # attribute is looked up before.
    _strong: tuple[Any, ...] = ()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls._strong = tuple(
            vars(base)["model"]
            for base in cls.__mro__
            if base is not WeakModel and "model" in vars(base)
        )

    @property
    def model(self) -> Any:
        """The plugin's model; None before the plugin is included and after the model is freed."""
        owned = self._strong[0].__get__(self)
        if owned is not None:
            try:
                self.model = owned
            except TypeError:  # PySCIPOpt 6.0 holds a weak proxy
                return owned
        return None if self._model is None else self._model()

    @model.setter
    def model(self, model: pyscipopt.Model | None) -> None:
        self._model = None if model is None else weakref.ref(model)
        self._strong[0].__set__(self, None)


def is_freed(model: pyscipopt.Model) -> bool:
    """Return whether a model has lost its SCIP, after which most of its methods crash.

    Examples
    --------
    >>> model = pyscipopt.Model()
    >>> is_freed(model)
    False
    >>> free_model(model)
    >>> is_freed(model)
    True
    """
    try:
        model.to_ptr(False)
    except ValueError:  # a capsule of a null pointer
        return True
    return False


def free_model(model: pyscipopt.Model) -> None:
    """Free a model's SCIP now, even if references to the model remain."""
    # PySCIPOpt before 6.3 frees SCIP with the last reference, and has no such method.
    free = getattr(model, "free", None)
    if free is not None and not is_freed(model):
        free()


@contextmanager
def freed_afterwards(model: pyscipopt.Model) -> Iterator[pyscipopt.Model]:
    """Free a model's SCIP at the end of a block, also after an error.

    Examples
    --------
    >>> with freed_afterwards(pyscipopt.Model()) as model:
    ...     model.hideOutput()
    >>> is_freed(model)
    True
    """
    try:
        yield model
    finally:
        free_model(model)


def strip_frames(error: BaseException) -> None:
    """Remove the tracebacks of an error and its causes, whose frames keep models alive.

    Examples
    --------
    >>> try:
    ...     raise ValueError("no")
    ... except ValueError as error:
    ...     strip_frames(error)
    ...     error.__traceback__ is None
    True
    """
    pending: list[BaseException | None] = [error]
    seen: set[int] = set()
    while pending:
        each = pending.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        each.__traceback__ = None
        pending += [each.__cause__, each.__context__]
