"""How a task's process can end without a result, and what becomes of the task."""

from __future__ import annotations

from dataclasses import dataclass

from milplib.errors import MilplibError
from milplib.outcomes import Word

__all__ = ["ClusterError", "FailureKind", "TaskFailure", "WorkerDiedError", "WorkerStartError"]


class FailureKind(Word):
    """How a task's process ended: by itself, over its memory, over its time, or from outside."""

    CRASH = "crash"
    OUT_OF_MEMORY = "out of memory"
    HANG = "hang"
    KILLED = "killed"


class ClusterError(MilplibError):
    """A cluster that cannot be used: not there, lost, or with other software than here."""


class WorkerStartError(MilplibError):
    """Worker processes that end before they can take a task."""


class WorkerDiedError(MilplibError):
    """The process that ran a task died: killed, out of memory, a crash.

    Parameters
    ----------
    message
        What happened to the process.
    kind
        The kind of its end.
    times
        How many times it happened.
    """

    def __init__(self, message: str, kind: FailureKind = FailureKind.CRASH, times: int = 1) -> None:
        super().__init__(message, kind, times)
        self.message, self.kind, self.times = message, kind, times

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True, kw_only=True)
class TaskFailure:
    """What there is of a task that could not be done, since its process died each time.

    Parameters
    ----------
    kind
        How the process ended the last time.
    detail
        What happened to it then.
    attempts
        How many times the task was tried.

    Examples
    --------
    >>> print(TaskFailure(
    ...     kind=FailureKind.CRASH, detail="the process was killed by SIGSEGV", attempts=2))
    crash: the process was killed by SIGSEGV; tried 2 times
    """

    kind: FailureKind
    detail: str
    attempts: int

    def __str__(self) -> str:
        return f"{self.kind}: {self.detail}; tried {self.attempts} times"
