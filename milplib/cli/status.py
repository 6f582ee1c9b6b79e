"""The command ``status``."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from milplib.cli.console import print_json, print_pairs, say
from milplib.outcomes import RunState

if TYPE_CHECKING:
    from milplib.runs import RunStatus

__all__ = ["status"]

_NAMED = 5
"""Maximum number of printed failures of a kind."""


def status(
    run: Path, /, *, as_json: Annotated[bool, Parameter(name="--json", negative="")] = False
) -> None:
    """Show the progress of a run of collect, evaluate, measure or train.

    Prints its progress, rate and failures by kind, and whether it is working, stopped or
    complete; of a training also the best validation. Locks and writes nothing.

    Parameters
    ----------
    run
        Output folder of the run, or the policy file of a training.
    as_json
        Print JSON with all failures.
    """
    from milplib.runs import run_status

    training = run.with_name(f"{run.name}.training")
    progress = run_status(training if not run.is_dir() and training.is_dir() else run)
    if as_json:
        derived = {
            "remaining_seconds": progress.remaining_seconds,
            "failure_counts": progress.failure_counts,
        }
        print_json(asdict(progress) | derived)
        return
    print_pairs(_lines(progress))
    for kind in progress.failure_counts:
        failures = [failure for failure in progress.failures if failure.kind == kind]
        for failure in failures[:_NAMED]:
            detail = failure.detail.removeprefix(f"{kind}: ")
            say(f"  {kind}: {failure.name}: {detail}".rstrip(": "), hanging=4)
        if len(failures) > _NAMED:
            say(f"  {kind}: and {len(failures) - _NAMED} more")


def _lines(progress: RunStatus) -> dict[str, str]:
    states = {
        RunState.WORKING: f"working ({progress.holder})",
        RunState.STOPPED: "stopped: run the same command again to continue",
        RunState.COMPLETE: "complete",
    }
    share = 100 * progress.done / progress.total if progress.total else 100
    lines = {
        progress.kind: progress.folder,
        "state": states[progress.state],
        "done": f"{progress.done} of {progress.total} {progress.task_unit} ({share:.1f} %)",
        progress.unit: str(progress.results),
    }
    if progress.seconds is not None:
        where = f" on {', '.join(progress.hosts)}" if any(progress.hosts) else ""
        lines["work so far"] = _duration(progress.seconds) + where
    if progress.state is not RunState.COMPLETE:
        rate, remaining = progress.tasks_per_second, progress.remaining_seconds
        if rate:
            lines["rate"] = _rate(rate, progress.task_unit)
        if remaining is not None:
            lines["remaining"] = f"about {_duration(remaining)} at this rate"
    lines |= progress.notes
    counts = ", ".join(f"{count} {kind}" for kind, count in progress.failure_counts.items())
    lines["failures"] = counts or "none"
    return lines


def _rate(rate: float, tasks: str) -> str:
    if rate >= 1:
        return f"{rate:.3g} {tasks} a second"
    return f"{60 * rate:.3g} {tasks} a minute" if 60 * rate >= 1 else f"{3600 * rate:.3g} an hour"


def _duration(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
