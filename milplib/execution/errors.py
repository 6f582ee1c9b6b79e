"""Errors of tasks whose process ended without a result."""

from __future__ import annotations

from dataclasses import dataclass

from milplib.errors import MilplibError
from milplib.outcomes import Word

__all__ = ["ClusterError", "FailureKind", "TaskFailure", "WorkerDiedError", "WorkerStartError"]


class FailureKind(Word):
    """Kind of a process's end: own fault, memory limit, time limit, or killed from outside."""

    CRASH = "crash"
    OUT_OF_MEMORY = "out of memory"
    HANG = "hang"
    KILLED = "killed"


class ClusterError(MilplibError):
    """Raised when a cluster is missing or lost, or has other software than this process."""


class WorkerStartError(MilplibError):
    """Raised when worker processes end before they can take a task."""


class WorkerDiedError(MilplibError):
    """Raised when the process that ran a task was killed, ran out of memory or crashed.

    Parameters
    ----------
    message
        Description of what happened to the process.
    kind
        Kind of the end.
    times
        Number of times that it happened.
    """

    def __init__(self, message: str, kind: FailureKind = FailureKind.CRASH, times: int = 1) -> None:
        super().__init__(message, kind, times)
        self.message, self.kind, self.times = message, kind, times

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True, kw_only=True)
class TaskFailure:
    """Outcome of a task that was given up because its process died each time.

    Parameters
    ----------
    kind
        Kind of the process's last end.
    detail
        Description of the last end.
    attempts
        Number of attempts.

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
