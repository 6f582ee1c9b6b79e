"""Environment of results: machine, versions, and code that extracts states."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TypedDict

from milplib.scip.native import forced_level, native_status
from milplib.scip.versions import scip_version

__all__ = ["Environment", "describe_environment"]

_PACKAGES = ("milplib", "pyscipopt", "numpy", "scipy", "pyarrow")


class Environment(TypedDict):
    """Machine and process that made results, as JSON values."""

    host: str
    platform: str
    processor: str
    """Model name of the processor."""
    python: str
    packages: dict[str, str]
    """Versions of SCIP and of the packages that compute."""
    extraction: str
    """Code that extracts states: ``native`` or ``pure``."""
    instructions: str
    """Instruction set of the native code; empty without it."""


def describe_environment() -> Environment:
    """Describe this machine and process, as far as results may depend on them.

    Raises
    ------
    ParameterError
        If ``MILPLIB_NATIVE`` or ``MILPLIB_NATIVE_LEVEL`` has an invalid value.

    Examples
    --------
    >>> environment = describe_environment()
    >>> sorted(environment)
    ['extraction', 'host', 'instructions', 'packages', 'platform', 'processor', 'python']
    >>> environment["extraction"] in ("native", "pure")
    True
    """
    module = native_status().module
    return {
        "host": platform.node(),
        "platform": platform.platform(),
        "processor": _processor(),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in _PACKAGES} | {"scip": scip_version()},
        "extraction": "pure" if module is None else "native",
        "instructions": "" if module is None else forced_level() or str(module.levels()[0]),
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # imported from a folder, not installed
        return ""


def _processor() -> str:
    """Return the processor's name. Python's own answer is mostly empty on Linux."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as lines:
            for line in lines:
                name, _, value = line.partition(":")
                if name.strip() == "model name":
                    return " ".join(value.split())
    except OSError:
        pass
    return platform.processor() or platform.machine()
