"""The memory of a process with its children: how much it has, and a limit that the kernel keeps."""

from __future__ import annotations

import resource
from contextlib import suppress
from pathlib import Path

from milplib.execution.errors import FailureKind, WorkerDiedError

__all__ = ["MEMORY_PERIOD", "check_memory", "limit_allocations", "private_memory"]

MEMORY_PERIOD = 0.25
"""Seconds between two looks at the memory of a process that has a limit."""

_PAGE = resource.getpagesize()


def private_memory(process: int) -> float:
    """Memory in MB that a process and its descendants have for themselves; 0 where unknown.

    Pages of files and of shared memory do not count: libraries are loaded once a machine.

    Examples
    --------
    >>> import os
    >>> private_memory(os.getpid()) > 1
    True
    """
    total = 0
    waiting = [process]
    while waiting:
        folder = Path("/proc", str(waiting.pop()))
        # Processes come and go while they are counted.
        with suppress(OSError, ValueError):
            _, resident, shared = (folder / "statm").read_text().split()[:3]
            total += (int(resident) - int(shared)) * _PAGE
            for thread in (folder / "task").iterdir():
                waiting += map(int, (thread / "children").read_text().split())
    return total / 1e6


def check_memory(process: int, limit: float) -> None:
    """Raise an error if a process and its descendants have more than so many MB.

    Raises
    ------
    WorkerDiedError
        Of the kind "out of memory", if they have; it is for the caller to kill the process.
    """
    memory = private_memory(process)
    if memory > limit:
        raise WorkerDiedError(
            f"the process had {memory:.0f} MB, more than the limit of {limit:g} MB, and was killed",
            FailureKind.OUT_OF_MEMORY,
        )


def limit_allocations(megabytes: float) -> None:
    """Let this process fail at once where it asks for far more memory than it may have.

    The limit itself is kept by whoever watches the process, who can kill it cleanly: a solver
    that is refused memory may go on with a wrong answer. This only stops what would be too quick
    for the watch. Memory that is reserved and never touched counts here, so the bound is wide.
    """
    bound = int(2e6 * megabytes) + (1 << 30)
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard == resource.RLIM_INFINITY or bound < hard:
        resource.setrlimit(resource.RLIMIT_DATA, (bound, hard))
