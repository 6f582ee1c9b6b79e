"""The command ``doctor``."""

from __future__ import annotations

import platform
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

from cyclopts import Parameter

from milplib.cli.console import output, print_json, print_pairs
from milplib.errors import MilplibError, NativeError, ParameterError
from milplib.version import __version__

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
    """Show versions, missing packages and how to install them.

    Parameters
    ----------
    as_json
        Print JSON.
    """
    versions: dict[str, str | None] = {
        "milplib": __version__,
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
    extraction = "none: a package is missing"
    fallback: list[dict[str, str]] = []
    if not findings:
        from milplib.scip.native import native_status
        from milplib.scip.versions import scip_version

        versions["scip"] = scip_version()
        findings += _self_test_findings()
        try:
            status = native_status()
        except ParameterError as error:  # also found by the self-test
            extraction = f"none: {error}"
        else:
            extraction = status.extraction
            if status.mend and not status.required:
                fallback = [{"missing": "the native code", "mend": status.mend}]
    healthy = not findings
    findings += fallback
    for extra, packages in _EXTRAS.items():
        for package in packages:
            versions[package] = _version(package)
            if not versions[package]:
                mend = f'pip install "milplib[{extra}]" to use it'
                findings.append({"missing": package, "mend": mend})
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
    lines = {name: installed or "not installed" for name, installed in versions.items()}
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
    """Import a package; return the error, if any."""
    try:
        import_module(package)
    except Exception as error:  # a broken binary may raise anything
        return f"{type(error).__name__}: {error}"
    return ""


def _self_test_findings() -> list[dict[str, str]]:
    """Solve an instance that branches with the expert; return the problems found."""
    from milplib.scip.self_test import self_test

    try:
        self_test()
    except NativeError as error:
        return [{"missing": "the native code", "mend": str(error)}]
    except MilplibError as error:
        return [{"missing": "a working SCIP", "mend": str(error)}]
    return []
