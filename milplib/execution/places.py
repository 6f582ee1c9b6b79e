"""A place where tasks run: an executor, how many tasks it can take, and whether it is still there.

The executor is the interface of `concurrent.futures`; what more a run needs to know is here.
"""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Protocol

from milplib.execution.local import ProcessExecutor

__all__ = ["LocalProcesses", "Place"]


class Place(Protocol):
    """Where tasks run."""

    @property
    def executor(self) -> Executor:
        """What takes the tasks; a future of one whose process died has a `WorkerDiedError`."""

    @property
    def capacity(self) -> int:
        """Tasks that it may hold at the same time."""

    @property
    def patience(self) -> float | None:
        """Seconds after which a wait is to be broken for a `check`; None: it never has to be."""

    def check(self) -> None:
        """Raise a `ClusterError` if it is lost, with all that runs in it."""

    def close(self) -> None:
        """End it; what still runs is killed."""


class LocalProcesses:
    """Worker processes on this machine.

    Parameters
    ----------
    workers
        Their number.
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
        )
        # As many again wait, so that no worker waits while a result is being kept.
        self.capacity = 2 * workers

    def check(self) -> None:
        """Nothing to check: it is as alive as this process."""

    def close(self) -> None:
        """Kill what still runs."""
        self.executor.terminate()
