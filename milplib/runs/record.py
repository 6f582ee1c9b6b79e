"""Record of a job beside its results: environment, dates and speed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict, cast

from milplib.errors import MilplibWarning, OutputError, warn_caller
from milplib.files import atomic_write_json
from milplib.parsing import read_json
from milplib.runs.environment import Environment, describe_environment
from milplib.schema import SchemaError, conforming

__all__ = [
    "ENVIRONMENT",
    "PROGRESS",
    "Progress",
    "RunRecord",
    "Session",
    "TaskCount",
    "read_progress",
    "read_sessions",
]

ENVIRONMENT = "environment.json"
"""Name of the file with the environment and dates of each session of a job.

The file calls them ``stretches``.
"""
PROGRESS = "progress.json"
"""Name of the file in an unfinished job's folder with the time its tasks have taken so far."""

_ENVIRONMENT_FORMAT = {"format": "milplib-environment", "version": 1}
_PROGRESS_FORMAT = {"format": "milplib-progress", "version": 1}


class TaskCount(TypedDict):
    """Number of finished tasks, and the seconds they took."""

    seconds: float
    tasks: int


class Session(TaskCount, Environment):
    """Session of a job: from a start of the command to its end."""

    begin: str
    end: str
    """Empty while the session lasts, and if it was killed."""
    execution: dict[str, object]
    """Execution of the tasks: workers, cluster and limits."""


class _KnownSession(TaskCount, total=False):
    """What is read of a session; earlier versions wrote less."""

    end: str
    host: str
    extraction: str
    instructions: str


class Progress(TaskCount):
    """Counts of all sessions of a job, and of its last one."""

    stretch: TaskCount


class RunRecord:
    """Record of a job in progress: the current session after the earlier ones.

    Durations come from a monotonic clock in the working process. Dates are for people only:
    nothing is computed from them, so the machine's clock may jump.

    Parameters
    ----------
    folder
        Folder of the job in progress. Files of earlier sessions are read from it.

    Warns
    -----
    MilplibWarning
        If an earlier session finished tasks with other code for extracting states. The results
        are as good, but not byte for byte those of a single code.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> record = RunRecord(folder)
    >>> record.task_done()
    >>> record.write(folder)
    >>> [(session["tasks"], session["end"] != "") for session in read_sessions(folder)]
    [(1, True)]
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._begin = time.monotonic()
        self._earlier = _closed(read_sessions(folder), read_progress(folder))
        self._tasks = 0
        self._session: Session = {
            "begin": _now(),
            "end": "",
            "seconds": 0.0,
            "tasks": 0,
            **describe_environment(),
            "execution": {},
        }
        _warn_of_other_code(self._earlier, self._session)
        self.write(folder, ended=False)
        self._write_progress()

    def note_execution(self, execution: Mapping[str, object]) -> None:
        """Add the execution of the tasks: workers, cluster and limits, as JSON values."""
        self._session["execution"] = dict(execution)
        self.write(self._folder, ended=False)

    def task_done(self) -> None:
        """Count a task that has just been committed."""
        self._tasks += 1
        self._write_progress()

    def write(self, folder: Path, *, ended: bool = True) -> None:
        """Write ``environment.json`` into a folder, with this session ended or in progress.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        session = self._session.copy()
        if ended:
            session.update({"end": _now(), "seconds": self._seconds(), "tasks": self._tasks})
        sessions = [*self._earlier, session]
        atomic_write_json(folder / ENVIRONMENT, {**_ENVIRONMENT_FORMAT, "stretches": sessions})

    def close(self) -> None:
        """Record the end of this session, if the job's folder still exists and has room."""
        if self._folder.is_dir():
            with suppress(OutputError):
                self.write(self._folder)

    def _seconds(self) -> float:
        return round(time.monotonic() - self._begin, 3)

    def _write_progress(self) -> None:
        seconds = self._seconds()
        content: Progress = {
            "seconds": round(sum(s["seconds"] for s in self._earlier) + seconds, 3),
            "tasks": sum(s["tasks"] for s in self._earlier) + self._tasks,
            "stretch": {"seconds": seconds, "tasks": self._tasks},
        }
        # Written after every task, and useless after a power loss: no need to sync to disk.
        atomic_write_json(self._folder / PROGRESS, {**_PROGRESS_FORMAT, **content}, durable=False)


def read_sessions(folder: Path) -> list[Session]:
    """Read the sessions of a job; return an empty list if the file is missing or damaged.

    Returns
    -------
    list of Session
        Sessions, oldest first.

    Examples
    --------
    >>> read_sessions(Path("no/such/folder"))
    []
    """
    sessions = _read(folder / ENVIRONMENT, _ENVIRONMENT_FORMAT).get("stretches")
    if not isinstance(sessions, list):
        return []
    return [session for session in sessions if _conforms(session, _KnownSession)]


def read_progress(folder: Path) -> Progress | None:
    """Read the time that a job's tasks took; return None if the file is missing or damaged.

    Returns
    -------
    Progress or None
        Counts of all sessions together, and of the last one.

    Examples
    --------
    >>> read_progress(Path("no/such/folder")) is None
    True
    """
    content = _read(folder / PROGRESS, _PROGRESS_FORMAT)
    return cast(Progress, content) if _conforms(content, Progress) else None


def _read(path: Path, header: Mapping[str, object]) -> dict[str, object]:
    try:
        content = read_json(path)
    except (OSError, ValueError):
        return {}
    if not isinstance(content, dict) or any(content.get(name) != header[name] for name in header):
        return {}
    return content


def _conforms(value: object, kind: type) -> bool:
    try:
        conforming(value, kind)
    except SchemaError:
        return False
    return True


def _closed(sessions: list[Session], progress: Progress | None) -> list[Session]:
    """Complete the last session, if it was killed, with the counts of its last task."""
    if not sessions or sessions[-1].get("end") or progress is None:
        return sessions
    last = sessions[-1].copy()
    last["seconds"], last["tasks"] = progress["stretch"]["seconds"], progress["stretch"]["tasks"]
    return [*sessions[:-1], last]


def _warn_of_other_code(earlier: list[Session], now: Session) -> None:
    used = [session for session in earlier if session["tasks"]]
    if not used or _code(used[-1]) == _code(now):
        return
    warn_caller(
        f"this run began with {_code(used[-1])} extraction of states and goes on with "
        f"{_code(now)}: the results are as good as those of an uninterrupted run, but may "
        f"differ in the last digits; {ENVIRONMENT} records both (choose with MILPLIB_NATIVE and "
        "MILPLIB_NATIVE_LEVEL)",
        MilplibWarning,
    )


def _code(session: Session) -> str:
    return " ".join(filter(None, (session.get("extraction"), session.get("instructions"))))


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
