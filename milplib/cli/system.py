"""The command ``doctor``."""

from __future__ import annotations

import platform
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

from cyclopts import Parameter

import milplib
from milplib.cli.console import output, print_json, print_pairs
from milplib.errors import MilplibError

__all__ = ["doctor"]

_CORE = (
    "pyscipopt",
    "numpy",
    "scipy",
    "pyarrow",
    "safetensors",
    "networkx",
    "rich",
    "cyclopts",
    "pandas",
    "matplotlib",
    "jinja2",
)
_EXTRAS = {"learn": ("torch", "torch-geometric"), "track": ("wandb",)}


def doctor(*, as_json: Annotated[bool, Parameter(name="--json", negative="")] = False) -> int:
    """Tell the versions of what milplib uses, what is missing, and how to mend it.

    Parameters
    ----------
    as_json
        Print JSON.
    """
    versions: dict[str, str | None] = {
        "milplib": milplib.__version__,
        "python": platform.python_version(),
    }
    findings: list[dict[str, str]] = []
    for package in _CORE:
        versions[package] = _version(package)
        problem = _import_problem(package)
        if problem:
            mend = f"pip install --force-reinstall {package} (milplib needs it): {problem}"
            findings.append({"missing": package, "mend": mend})
    versions["scip"] = None
    if not findings:
        from milplib.scip.versions import scip_version

        versions["scip"] = scip_version()
        problem = _self_test_problem()
        if problem:
            findings.append({"missing": "a working SCIP", "mend": problem})
    healthy = not findings
    for extra, packages in _EXTRAS.items():
        for package in packages:
            versions[package] = _version(package)
            if not versions[package]:
                mend = f'pip install "milplib[{extra}]" to use it'
                findings.append({"missing": package, "mend": mend})
    extraction = "pure Python through PySCIPOpt"
    if as_json:
        print_json(
            {
                "versions": versions,
                "extraction": extraction,
                "healthy": healthy,
                "findings": findings,
            }
        )
        return 0 if healthy else 1
    lines = {name: found or "not installed" for name, found in versions.items()}
    print_pairs(lines | {"state extraction": extraction})
    console = output()
    for finding in findings:
        console.print(f"missing: {finding['missing']}: {finding['mend']}", markup=False)
    console.print("everything that is needed works" if healthy else "milplib cannot work like this")
    return 0 if healthy else 1


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _import_problem(package: str) -> str:
    """Import a package; say what went wrong."""
    try:
        import_module(package)
    except Exception as error:  # a broken binary may raise anything
        return f"{type(error).__name__}: {error}"
    return ""


def _self_test_problem() -> str:
    """Solve an instance that branches, with the expert; say what went wrong."""
    from milplib.scip.self_test import self_test

    try:
        self_test()
    except MilplibError as error:
        return str(error)
    return ""
