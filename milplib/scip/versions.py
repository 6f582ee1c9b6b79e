"""The versions of SCIP that milplib knows, in one table, and the one that is loaded.

A new major version is one entry of `SUPPORTED`, the pin of PySCIPOpt in constraints.txt, and a run
of the parity tests under it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import pyscipopt

__all__ = [
    "SUPPORTED",
    "NativeConstants",
    "SupportedScip",
    "is_compatible",
    "scip_major_version",
    "scip_version",
    "supported_scip",
]


@dataclass(frozen=True, kw_only=True)
class NativeConstants:
    """Values of SCIP's enumerations, which the native code cannot take from headers.

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
    """A major version of SCIP.

    Parameters
    ----------
    pyscipopt
        The versions of PySCIPOpt that have it, as a requirement of pip.
    native
        What the native code must know of it. It calls the functions of ``native/scip_api.h``, whose
        prototypes were compared with this version's headers.
    compatible_majors
        Other major versions whose policies and samples mean the same under this one.
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
        # SCIP 9 shows implied integers in the type of a column, which is a feature.
        compatible_majors=(),
    ),
}
"""The known versions, by major version."""


@cache
def scip_version() -> str:
    """Version of SCIP, such as ``"10.0.2"``."""
    model = pyscipopt.Model()
    return f"{model.getMajorVersion()}.{model.getMinorVersion()}.{model.getTechVersion()}"


def scip_major_version() -> int:
    """Major version of SCIP, part of the schema of samples and policies."""
    return int(scip_version().split(".")[0])


def supported_scip() -> SupportedScip | None:
    """Give the entry of the SCIP that is loaded; None if milplib does not know it.

    Examples
    --------
    >>> supported_scip() is SUPPORTED.get(scip_major_version())
    True
    """
    return SUPPORTED.get(scip_major_version())


def is_compatible(major: object) -> bool:
    """Whether policies and samples of a major version mean the same under the loaded SCIP.

    Examples
    --------
    >>> is_compatible(scip_major_version()), is_compatible(0)
    (True, False)
    """
    known = supported_scip()
    return major == scip_major_version() or (known is not None and major in known.compatible_majors)
