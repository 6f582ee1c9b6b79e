"""Software versions of a process, and their comparison with another process's."""

from __future__ import annotations

import platform
from collections.abc import Mapping

__all__ = ["differences", "software_here"]

MUST_AGREE = ("milplib", "SCIP", "Python")
"""Software that must agree between processes. The rest may change the last digits of results."""


def software_here() -> dict[str, str]:
    """Return the versions of milplib, SCIP and Python, and the way states are extracted.

    Examples
    --------
    >>> list(software_here())
    ['milplib', 'SCIP', 'Python', 'extraction']
    """
    from milplib.scip.native import forced_level, native_status
    from milplib.scip.versions import scip_version
    from milplib.version import __version__

    module = native_status().module
    if module is None:
        extraction = "pure Python"
    else:
        extraction = f"native, {forced_level() or module.levels()[0]} instructions"
    return {
        "milplib": __version__,
        "SCIP": scip_version(),
        # Patch releases of Python do not affect pickled code.
        "Python": ".".join(platform.python_version_tuple()[:2]),
        "extraction": extraction,
    }


def differences(ours: Mapping[str, str], theirs: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Compare software: differences that forbid computing together, and those that are tolerated.

    Examples
    --------
    >>> differences({"milplib": "1", "extraction": "native"},
    ...             {"milplib": "2", "extraction": "native"})
    (['milplib 2 (here 1)'], [])
    """
    different = {
        name: f"{name} {theirs.get(name, 'unknown')} (here {version})"
        for name, version in ours.items()
        if theirs.get(name) != version
    }
    forbidden = [text for name, text in different.items() if name in MUST_AGREE]
    return forbidden, [text for name, text in different.items() if name not in MUST_AGREE]
