"""Places where tasks run: an executor with its capacity and a check of its health.

The executor has the interface of `concurrent.futures`; `Place` adds what a run needs beyond it.
"""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Protocol

from milplib.execution.local import ProcessExecutor

__all__ = ["LocalProcesses", "Place"]


class Place(Protocol):
    """Place where tasks run."""

    @property
    def executor(self) -> Executor:
        """Executor of the tasks. If a task's process died, its future has a `WorkerDiedError`."""

    @property
    def capacity(self) -> int:
        """Maximum number of tasks that the place holds at the same time."""

    @property
    def patience(self) -> float | None:
        """Seconds of waiting between calls of `check`; None if it never needs a check."""

    def check(self) -> None:
        """Raise a `ClusterError` if the place and all its tasks are lost."""

    def close(self) -> None:
        """Close the place, and kill its running tasks."""


class LocalProcesses:
    """Worker processes on this machine.

    Parameters
    ----------
    workers
        Number of worker processes.
    memory_limit, time_limit, calls_per_worker
        See `milplib.execution.local.ProcessExecutor`.
    """

    patience = None

    def __init__(
        self,
        workers: int,
        *,
        memory_limit: float | None,
        time_limit: float | None,
        calls_per_worker: int,
    ) -> None:
        self.executor = ProcessExecutor(
            workers,
            memory_limit=memory_limit,
            time_limit=time_limit,
            calls_per_worker=calls_per_worker,
            imports_main=workers > 1,  # so that one worker needs no main guard in a script
        )
        # Queue a second task per worker, so that no worker idles while a result is saved.
        self.capacity = 2 * workers

    def check(self) -> None:
        """Do nothing: local processes live as long as this one."""

    def close(self) -> None:
        """Kill the running tasks."""
        self.executor.terminate()
