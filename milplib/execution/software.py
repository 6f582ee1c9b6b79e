"""What software a process computes with, to be compared with another one's."""

from __future__ import annotations

import platform
from collections.abc import Mapping

__all__ = ["differences", "software_here"]

MUST_AGREE = ("milplib", "SCIP", "Python")
"""What two processes must have in common; the rest may change the last digits of results."""


def software_here() -> dict[str, str]:
    """Versions of milplib, SCIP and Python, and how states are extracted, in this process.

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
        # Between its patch releases nothing changes that pickled code would notice.
        "Python": ".".join(platform.python_version_tuple()[:2]),
        "extraction": extraction,
    }


def differences(ours: Mapping[str, str], theirs: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Compare software: what forbids to compute together, and what only makes results differ.

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
    forbidden = [words for name, words in different.items() if name in MUST_AGREE]
    return forbidden, [words for name, words in different.items() if name not in MUST_AGREE]
