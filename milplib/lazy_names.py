"""Names of a package that are imported on first use."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

__all__ = ["lazy_names"]


def lazy_names(
    package: str, homes: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return a package's ``__getattr__`` and ``__dir__``, which import names on first use.

    Parameters
    ----------
    package
        Name of the package, its ``__name__``.
    homes
        Module of each name.

    Examples
    --------
    >>> load, names = lazy_names("milplib", {"solve": "milplib.solving"})
    >>> load("solve").__name__
    'solve'
    >>> load("slove")
    Traceback (most recent call last):
        ...
    AttributeError: module 'milplib' has no attribute 'slove'
    """

    def load(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module '{package}' has no attribute '{name}'")
        value = getattr(import_module(homes[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    def names() -> list[str]:
        module = sys.modules[package]
        return sorted({*vars(module), *module.__all__})

    return load, names
