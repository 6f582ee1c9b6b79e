"""The command ``status``."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from milplib.cli.console import output, print_json, print_pairs
from milplib.outcomes import RunState

if TYPE_CHECKING:
    from milplib.runs import RunStatus

__all__ = ["status"]

_NAMED = 5
"""Failures of a kind that are named; --json has all."""


def status(
    run: Path, /, *, as_json: Annotated[bool, Parameter(name="--json", negative="")] = False
) -> None:
    """Show the progress of a run of collect, evaluate or measure.

    Prints its progress, rate and failures by kind, and whether it is working, stopped or
    complete. Locks and writes nothing.

    Parameters
    ----------
    run
        Output folder of the run.
    as_json
        Print JSON with all failures.
    """
    from milplib.runs import run_status

    found = run_status(run)
    if as_json:
        derived = {
            "remaining_seconds": found.remaining_seconds,
            "failure_counts": found.failure_counts,
        }
        print_json(asdict(found) | derived)
        return
    print_pairs(_lines(found))
    console = output()
    for kind in found.failure_counts:
        failures = [failure for failure in found.failures if failure.kind == kind]
        for failure in failures[:_NAMED]:
            detail = failure.detail.removeprefix(f"{kind}: ")
            console.print(f"  {kind}: {failure.name}: {detail}".rstrip(": "), markup=False)
        if len(failures) > _NAMED:
            console.print(f"  {kind}: and {len(failures) - _NAMED} more", markup=False)


def _lines(found: RunStatus) -> dict[str, str]:
    states = {
        RunState.WORKING: f"working ({found.holder})",
        RunState.STOPPED: "stopped: the same command goes on where it stopped",
        RunState.COMPLETE: "complete",
    }
    share = 100 * found.done / found.total if found.total else 100
    lines = {
        found.kind: found.folder,
        "state": states[found.state],
        "done": f"{found.done} of {found.total} {found.task_unit} ({share:.1f} %)",
        found.unit: str(found.results),
    }
    if found.seconds is not None:
        where = f" on {', '.join(found.hosts)}" if any(found.hosts) else ""
        lines["work so far"] = _duration(found.seconds) + where
    if found.state is not RunState.COMPLETE:
        rate, remaining = found.tasks_per_second, found.remaining_seconds
        if rate:
            lines["rate"] = _rate(rate, found.task_unit)
        if remaining is not None:
            lines["remaining"] = f"about {_duration(remaining)} at this rate"
    counts = ", ".join(f"{count} {kind}" for kind, count in found.failure_counts.items())
    lines["failures"] = counts or "none"
    return lines


def _rate(rate: float, tasks: str) -> str:
    if rate >= 1:
        return f"{rate:.3g} {tasks} a second"
    return f"{60 * rate:.3g} {tasks} a minute" if 60 * rate >= 1 else f"{3600 * rate:.3g} an hour"


def _duration(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
