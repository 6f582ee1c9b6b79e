"""The command ``doctor``."""

from __future__ import annotations

import platform
from importlib import import_module
from typing import Annotated

from cyclopts import Parameter

from milplib.cli.console import print_json, print_pairs, say
from milplib.cli.requirements import core_packages, extras, import_name, installed_version
from milplib.errors import MilplibError, NativeError, ParameterError
from milplib.version import __version__

__all__ = ["doctor"]


def doctor(*, as_json: Annotated[bool, Parameter(name="--json", negative="")] = False) -> int:
    """Show versions, missing extras and the commands that install them.

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
    for package in core_packages():
        versions[package] = installed_version(package)
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
    for extra in extras():
        versions |= {package: installed_version(package) for package in extra.packages}
        if extra.missing:
            findings.append(
                {
                    "missing": ", ".join(extra.missing),
                    "extra": extra.name,
                    "mend": f"{extra.command} to use it",
                }
            )
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
    for finding in findings:
        named = f" (extra {finding['extra']})" if "extra" in finding else ""
        say(f"missing: {finding['missing']}{named}: {finding['mend']}", hanging=4)
    say("everything that is needed works" if healthy else "milplib cannot work like this")
    return 0 if healthy else 1


def _import_problem(package: str) -> str:
    """Import a package; return the error, if any."""
    try:
        import_module(import_name(package))
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
