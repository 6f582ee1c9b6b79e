"""The command ``doctor``."""

from __future__ import annotations

import json
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

from cyclopts import Parameter

import milplib
from milplib.cli.console import output, print_pairs
from milplib.errors import MilplibError

__all__ = ["doctor"]

_CORE = ("pyscipopt", "numpy", "scipy", "pyarrow", "safetensors", "networkx", "rich", "cyclopts")
_EXTRAS = {"learn": ("torch", "torch-geometric"), "track": ("wandb",)}


def doctor(*, as_json: Annotated[bool, Parameter(name="--json", negative="")] = False) -> int:
    """Tell the versions of what milplib uses, what is missing, and how to mend it.

    Parameters
    ----------
    as_json
        Print JSON.
    """
    from milplib.scip.versions import scip_version

    findings: list[dict[str, str]] = []
    versions = {"milplib": milplib.__version__, "python": platform.python_version()}
    for package in _CORE:
        versions[package] = _version(package)
        if not versions[package]:
            findings.append(
                {"missing": package, "mend": f"pip install {package} (milplib needs it)"}
            )
    versions["scip"] = scip_version()
    for extra, packages in _EXTRAS.items():
        for package in packages:
            versions[package] = _version(package)
            if not versions[package]:
                findings.append(
                    {"missing": package, "mend": f'pip install "milplib[{extra}]" to use it'}
                )
    problem = _self_test()
    if problem:
        findings.append({"missing": "a working SCIP", "mend": problem})
    healthy = not problem and all(versions[package] for package in _CORE)
    report = {
        "versions": {name: found or None for name, found in versions.items()},
        "extraction": "pure Python through PySCIPOpt",
        "healthy": healthy,
        "findings": findings,
    }
    console = output()
    if as_json:
        console.print_json(json.dumps(report))
        return 0 if healthy else 1
    lines = {name: found or "not installed" for name, found in versions.items()}
    print_pairs(lines | {"state extraction": report["extraction"]})
    for finding in findings:
        console.print(f"missing: {finding['missing']}: {finding['mend']}", markup=False)
    console.print("everything that is needed works" if healthy else "milplib cannot work like this")
    return 0 if healthy else 1


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _self_test() -> str:
    """Solve an instance that branches, with the expert; say what went wrong."""
    from milplib.scip.self_test import self_test

    try:
        self_test()
    except MilplibError as error:
        return str(error)
    return ""
