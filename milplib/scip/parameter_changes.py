"""Changes of a model's parameters that can be undone."""

from __future__ import annotations

from typing import Any

import pyscipopt

__all__ = ["ParameterChanges"]


class ParameterChanges:
    """Changes of a model's parameters, with the previous values.

    Examples
    --------
    >>> model, changes = pyscipopt.Model(), ParameterChanges()
    >>> changes.set(model, "limits/nodes", 7)
    >>> model.getParam("limits/nodes")
    7
    >>> changes.undo(model)
    >>> model.getParam("limits/nodes")
    -1
    """

    def __init__(self) -> None:
        self._changes: list[tuple[str, Any, Any]] = []

    def set(self, model: pyscipopt.Model, name: str, value: Any) -> None:
        """Change a parameter."""
        before = model.getParam(name)
        model.setParam(name, value)
        self._changes.append((name, before, model.getParam(name)))

    def undo(self, model: pyscipopt.Model) -> None:
        """Restore the previous values, except of parameters that someone else changed since."""
        while self._changes:
            name, before, ours = self._changes.pop()
            if model.getParam(name) == ours:
                model.setParam(name, before)
