"""Supported versions of SCIP, and the loaded version.

To support a new major version, add an entry to `SUPPORTED`, change the pin of PySCIPOpt in
constraints.txt, and run the parity tests with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import pyscipopt

from milplib.version import __version__

__all__ = [
    "SUPPORTED",
    "NativeConstants",
    "SupportedScip",
    "is_compatible",
    "scip_major_version",
    "scip_version",
    "software_versions",
    "supported_scip",
]


@dataclass(frozen=True, kw_only=True)
class NativeConstants:
    """Values of SCIP's enumerations for the native code, which is built without SCIP's headers.

    Parameters
    ----------
    stage_solving
        ``SCIP_STAGE_SOLVING``.
    lp_optimal
        ``SCIP_LPSOLSTAT_OPTIMAL``.
    status_column
        ``SCIP_VARSTATUS_COLUMN``.
    type_continuous
        ``SCIP_VARTYPE_CONTINUOUS``.
    branch_down, branch_up
        ``SCIP_BRANCHDIR_DOWNWARDS`` and ``SCIP_BRANCHDIR_UPWARDS``.
    """

    stage_solving: int
    lp_optimal: int
    status_column: int
    type_continuous: int
    branch_down: int
    branch_up: int


@dataclass(frozen=True, kw_only=True)
class SupportedScip:
    """A supported major version of SCIP.

    Parameters
    ----------
    pyscipopt
        Versions of PySCIPOpt with this SCIP, as a pip requirement.
    native
        Constants for the native code. Its prototypes of SCIP functions, in ``native/scip_api.h``,
        were compared with this version's headers.
    compatible_majors
        Other major versions whose policies and samples have the same meaning in this version.
    """

    pyscipopt: str
    native: NativeConstants
    compatible_majors: tuple[int, ...] = ()


SUPPORTED: dict[int, SupportedScip] = {
    10: SupportedScip(
        pyscipopt=">=6,<7",
        native=NativeConstants(
            stage_solving=9,
            lp_optimal=1,
            status_column=2,
            type_continuous=3,
            branch_down=0,
            branch_up=1,
        ),
        # SCIP 9 is incompatible: it marks implied integers in the column type, a feature.
        compatible_majors=(),
    ),
}
"""Supported versions by major version."""


@cache
def scip_version() -> str:
    """Return the loaded version of SCIP, such as ``"10.0.2"``."""
    model = pyscipopt.Model()
    return f"{model.getMajorVersion()}.{model.getMinorVersion()}.{model.getTechVersion()}"


def scip_major_version() -> int:
    """Return the major version of SCIP, which is part of the schema of samples and policies."""
    return int(scip_version().split(".")[0])


def supported_scip() -> SupportedScip | None:
    """Return the entry of the loaded SCIP, or None if it is not supported.

    Examples
    --------
    >>> supported_scip() is SUPPORTED.get(scip_major_version())
    True
    """
    return SUPPORTED.get(scip_major_version())


def is_compatible(major: object) -> bool:
    """Return whether policies and samples of a major version are valid for the loaded SCIP.

    Examples
    --------
    >>> is_compatible(scip_major_version()), is_compatible(0)
    (True, False)
    """
    known = supported_scip()
    return major == scip_major_version() or (known is not None and major in known.compatible_majors)


def software_versions() -> dict[str, str]:
    """Return the versions that the results of solves depend on, as manifests record them.

    Examples
    --------
    >>> list(software_versions())
    ['milplib', 'scip', 'pyscipopt']
    """
    return {
        "milplib": __version__,
        "scip": scip_version(),
        "pyscipopt": pyscipopt.__version__,
    }
