"""milplib: learning to branch in mixed-integer programming."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from milplib.errors import MilplibError

if TYPE_CHECKING:
    from milplib.formats import read
    from milplib.instance import Instance
    from milplib.library import Distribution, distributions

__all__ = ["Distribution", "Instance", "MilplibError", "distributions", "read"]
__version__ = "0.1.0"

_HOMES = {
    "Distribution": "milplib.library",
    "Instance": "milplib.instance",
    "distributions": "milplib.library",
    "read": "milplib.formats",
}


def __getattr__(name: str) -> Any:
    # Loaded when first asked for: `milplib doctor` must run where numpy or SCIP is broken.
    if name not in _HOMES:
        raise AttributeError(f"module 'milplib' has no attribute '{name}'")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
