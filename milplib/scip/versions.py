"""Versions of the SCIP and the PySCIPOpt that are loaded."""

from __future__ import annotations

from functools import cache

import pyscipopt

__all__ = ["scip_major_version", "scip_version"]


@cache
def scip_version() -> str:
    """Version of SCIP, such as ``"10.0.2"``."""
    model = pyscipopt.Model()
    return f"{model.getMajorVersion()}.{model.getMinorVersion()}.{model.getTechVersion()}"


def scip_major_version() -> int:
    """Major version of SCIP, part of the schema of samples and policies."""
    return int(scip_version().split(".")[0])
