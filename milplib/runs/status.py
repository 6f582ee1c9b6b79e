"""How far a run is: at work, stopped or complete."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from milplib.errors import ResultsError
from milplib.files import lock_holder
from milplib.outcomes import RunState
from milplib.runs.contents import open_run
from milplib.runs.folder import LOCK, MANIFEST, UNFINISHED
from milplib.runs.kind import RunFailure
from milplib.runs.record import Progress, read_progress, read_sessions

__all__ = ["RunStatus", "run_status"]


@dataclass(frozen=True, kw_only=True)
class RunStatus:
    """How far a run is.

    Parameters
    ----------
    folder
        Its folder.
    kind
        ``collection``, ``evaluation``, ``measurement``, or one that another package declares.
    state
        Working, stopped (the same call goes on) or complete.
    holder
        The process that works in it, in words; empty if none does.
    done, total
        Tasks that have a result, and all tasks: instances, or for an evaluation pairs of instance
        and seed.
    results
        What the tasks gave: samples, runs or rows.
    seconds
        Seconds of work so far, all sessions together, by the working processes' clocks; None if
        nobody wrote them down.
    tasks_per_second
        Of the last session; None before its first task, and of a run that is complete.
    failures
        What gave no result: instances or runs. Some are tried again by the same call: those whose
        process ended without a result, and instances whose episodes all failed.
    hosts
        Machines whose processes have worked in it.
    software
        Versions in its manifest.
    unit, task_unit
        What `results` and `total` count, in the plural.
    """

    folder: str
    kind: str
    state: RunState
    holder: str
    done: int
    total: int
    results: int
    seconds: float | None
    tasks_per_second: float | None
    failures: tuple[RunFailure, ...]
    hosts: tuple[str, ...]
    software: dict[str, str]
    unit: str
    task_unit: str

    @property
    def remaining_seconds(self) -> float | None:
        """Seconds that the tasks left would take at this rate; None if it is not known."""
        left = self.total - self.done
        if not left:
            return 0.0
        return left / self.tasks_per_second if self.tasks_per_second else None

    @property
    def failure_counts(self) -> dict[str, int]:
        """Numbers of failures by kind, the most frequent first."""
        return dict(Counter(failure.kind for failure in self.failures).most_common())


def run_status(folder: str | os.PathLike[str]) -> RunStatus:
    """Tell how far a run is, without a lock and without a word to the process that works in it.

    Parameters
    ----------
    folder
        The folder that ``collect``, ``evaluate`` or ``measure`` writes.

    Returns
    -------
    RunStatus
        Of this moment.

    Raises
    ------
    ResultsError
        If the folder is none of a run, or of another version.

    Examples
    --------
    >>> import tempfile
    >>> from milplib.generators import CombinatorialAuction
    >>> from milplib.hardness import measure
    >>> folder = tempfile.mkdtemp()
    >>> CombinatorialAuction(n_items=30, n_bids=100).generate(seed=0).write(folder + "/a.lp")
    >>> _ = measure([folder], solver=None, out=folder + "/hardness")
    >>> status = run_status(folder + "/hardness")
    >>> status.kind, status.state, status.done, status.total, status.failure_counts
    ('measurement', 'complete', 1, 1, {})
    """
    root = Path(folder)
    # Before the files are read: a process that ends meanwhile leaves a complete run.
    holder = lock_holder(root / UNFINISHED / LOCK) or ""
    unfinished, complete = open_run(root / UNFINISHED), open_run(root)
    run = unfinished or complete
    if run is None:
        if holder:
            raise ResultsError(f"the run in {root} has just begun ({holder}): ask again")
        what = "is not the folder of a run" if root.is_dir() else "does not exist"
        raise ResultsError(f"{root} {what}: collect, evaluate and measure write a {MANIFEST}")
    place = run.folder
    found = run.finished() if run is complete else run.unfinished()
    progress = read_progress(place)
    sessions = read_sessions(place)
    seconds = sum(session["seconds"] for session in sessions) if sessions else None
    # What is unfinished stays beside results of the same run if tasks failed.
    is_complete = not holder and complete is not None and complete.is_same(run)
    rate = None if is_complete or progress is None else _rate(progress)
    return RunStatus(
        folder=os.fspath(folder),
        kind=run.kind.noun,
        state=(
            RunState.COMPLETE if is_complete else RunState.WORKING if holder else RunState.STOPPED
        ),
        holder=holder,
        done=found.done,
        total=run.total,
        results=found.results,
        seconds=seconds if progress is None else progress["seconds"],
        tasks_per_second=rate,
        failures=found.failures,
        hosts=tuple(dict.fromkeys(str(session.get("host", "")) for session in sessions)),
        software=run.software,
        unit=run.kind.unit,
        task_unit=run.kind.task_unit,
    )


def _rate(progress: Progress) -> float | None:
    """Tasks a second in the last session, or where it has none yet in all before."""
    for counts in (progress["stretch"], progress):
        if counts["tasks"] and counts["seconds"]:
            return counts["tasks"] / counts["seconds"]
    return None
