"""Status of a run: working, stopped or complete."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from milplib.arguments import checked
from milplib.display import Shown
from milplib.errors import ResultsError
from milplib.files import lock_holder
from milplib.outcomes import RunState
from milplib.runs.contents import open_run
from milplib.runs.folder import LOCK, MANIFEST, UNFINISHED
from milplib.runs.kind import RunContents, RunFailure
from milplib.runs.record import Progress, read_progress, read_sessions

__all__ = ["RunStatus", "run_status"]


@dataclass(frozen=True, kw_only=True, repr=False)
class RunStatus(Shown):
    """Status and progress of a run.

    Parameters
    ----------
    folder
        Folder of the run.
    kind
        ``collection``, ``evaluation``, ``measurement``, ``training``, or a kind that another
        package declares.
    state
        Working, stopped (the same call resumes it) or complete.
    holder
        Description of the process that works in the folder; empty if there is none.
    done, total
        Number of finished tasks, and of all tasks: instances, pairs of instance and seed in an
        evaluation, or epochs of a training, which may end earlier.
    results
        Number of results: samples, runs, rows or policies.
    seconds
        Seconds of work in all sessions, by the working processes' clocks; None if they were not
        recorded.
    tasks_per_second
        Rate of the last session; None before the first task, and for a complete run.
    failures
        Instances or runs without a result. The same call retries those whose process ended
        without a result, and instances whose episodes all failed.
    hosts
        Names of the machines that worked on the run.
    software
        Versions in the run's manifest.
    unit, task_unit
        Plural nouns for what `results` and `total` count.
    notes
        What else the kind of run tells, by name, such as a training's best validation loss.
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
    notes: Mapping[str, str] = field(default_factory=dict)

    @property
    def remaining_seconds(self) -> float | None:
        """Estimated seconds for the remaining tasks at the current rate; None if unknown."""
        left = self.total - self.done
        if not left:
            return 0.0
        return left / self.tasks_per_second if self.tasks_per_second else None

    @property
    def failure_counts(self) -> dict[str, int]:
        """Number of failures by kind, the most frequent first."""
        return dict(Counter(failure.kind for failure in self.failures).most_common())


@checked
def run_status(folder: str | os.PathLike[str]) -> RunStatus:
    """Read the status of a run, without locking it or contacting the process that works in it.

    Parameters
    ----------
    folder
        Folder that ``collect``, ``evaluate`` or ``measure`` writes, or the folder
        ``POLICY.training`` of ``train``.

    Returns
    -------
    RunStatus
        Current status of the run.

    Raises
    ------
    ResultsError
        If the folder is not that of a run, or has another version.

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
    # Check the lock before reading files: a process that ends meanwhile leaves a complete run.
    holder = lock_holder(root / UNFINISHED / LOCK) or lock_holder(root / LOCK) or ""
    unfinished, complete = open_run(root / UNFINISHED), open_run(root)
    run = unfinished or complete
    if run is None:
        if holder:
            raise ResultsError(f"the run in {root} has just begun ({holder}): ask again")
        problem = "is not the folder of a run" if root.is_dir() else "does not exist"
        writers = "collect, evaluate, measure and train"
        raise ResultsError(f"{root} {problem}: {writers} write a {MANIFEST}")
    place = run.folder
    contents = run.finished() if run is complete else run.unfinished()
    progress = read_progress(place)
    sessions = read_sessions(place)
    seconds = sum(session["seconds"] for session in sessions) if sessions else None
    # If tasks failed, the unfinished part stays beside the results of the same run.
    is_complete = (
        not holder and complete is not None and complete.is_same(run) and contents.is_complete
    )
    if seconds is None:
        seconds = contents.seconds
    rate = None if is_complete else _rate(progress, contents)
    return RunStatus(
        folder=os.fspath(folder),
        kind=run.kind.noun,
        state=(
            RunState.COMPLETE if is_complete else RunState.WORKING if holder else RunState.STOPPED
        ),
        holder=holder,
        done=contents.done,
        total=run.total,
        results=contents.results,
        seconds=seconds if progress is None else progress["seconds"],
        tasks_per_second=rate,
        failures=contents.failures,
        hosts=tuple(dict.fromkeys(str(session.get("host", "")) for session in sessions)),
        software=run.software,
        unit=run.kind.unit,
        task_unit=run.kind.task_unit,
        notes=contents.notes,
    )


def _rate(progress: Progress | None, contents: RunContents) -> float | None:
    """Return the tasks per second of the last session, or of all sessions if it has none yet."""
    if progress is None:
        return contents.done / contents.seconds if contents.done and contents.seconds else None
    for counts in (progress["stretch"], progress):
        if counts["tasks"] and counts["seconds"]:
            return counts["tasks"] / counts["seconds"]
    return None
