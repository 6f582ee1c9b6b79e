"""milplib: learning to branch in mixed-integer programming."""

from __future__ import annotations

from typing import TYPE_CHECKING

from milplib.errors import MilplibError
from milplib.lazy_names import lazy_names
from milplib.version import __version__ as __version__

if TYPE_CHECKING:
    from milplib.evaluation import evaluate
    from milplib.formats.reader import read
    from milplib.instance import Instance
    from milplib.library import Distribution, distributions, fetch, load
    from milplib.policies import include_policy, load_policy
    from milplib.runs import run_status
    from milplib.solving import SolveResult, solve

__all__ = [
    "Distribution",
    "Instance",
    "MilplibError",
    "SolveResult",
    "distributions",
    "evaluate",
    "fetch",
    "include_policy",
    "load",
    "load_policy",
    "read",
    "run_status",
    "solve",
]

_HOMES = {
    "Distribution": "milplib.library",
    "Instance": "milplib.instance",
    "SolveResult": "milplib.solving",
    "distributions": "milplib.library",
    "evaluate": "milplib.evaluation",
    "fetch": "milplib.library",
    "load": "milplib.library",
    "include_policy": "milplib.policies",
    "load_policy": "milplib.policies",
    "read": "milplib.formats.reader",
    "run_status": "milplib.runs",
    "solve": "milplib.solving",
}

# Lazy, so that `milplib doctor` runs where numpy or SCIP is broken.
__getattr__, __dir__ = lazy_names(__name__, _HOMES)
