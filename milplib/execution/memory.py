"""Memory of a process and its children: measurement and limits."""

from __future__ import annotations

import resource
import sys
from contextlib import suppress
from pathlib import Path

from milplib.execution.errors import FailureKind, WorkerDiedError

__all__ = [
    "MEMORY_PERIOD",
    "check_memory",
    "limit_allocations",
    "peak_memory",
    "private_memory",
]

MEMORY_PERIOD = 0.25
"""Seconds between memory checks of a process with a limit."""

_PAGE = resource.getpagesize()


def private_memory(process: int) -> float:
    """Return the private memory of a process and its descendants in MB; 0 where unknown.

    Pages of files and of shared memory do not count, because processes share loaded libraries.

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
        # Processes may start and end during the count.
        with suppress(OSError, ValueError):
            _, resident, shared = (folder / "statm").read_text().split()[:3]
            total += (int(resident) - int(shared)) * _PAGE
            for thread in (folder / "task").iterdir():
                waiting += map(int, (thread / "children").read_text().split())
    return total / 1e6


def peak_memory() -> float:
    """Return the largest resident size of this process in MB.

    Examples
    --------
    >>> peak_memory() > 1
    True
    """
    # Linux's getrusage also counts the largest size of the process that started this one by vfork.
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def check_memory(process: int, limit: float) -> None:
    """Check the memory of a process and its descendants against a limit in MB.

    Raises
    ------
    WorkerDiedError
        If they exceed the limit, with the kind "out of memory". The caller kills the process.
    """
    memory = private_memory(process)
    if memory > limit:
        raise WorkerDiedError(
            f"the process had {memory:.0f} MB, more than the limit of {limit:g} MB, and was killed",
            FailureKind.OUT_OF_MEMORY,
        )


def limit_allocations(megabytes: float) -> None:
    """Make allocations far beyond a limit in MB fail at once in this process.

    The watching process enforces the limit itself, because it can kill this one cleanly: a solver
    that is refused memory may continue with a wrong answer. This bound only stops allocations too
    quick for the watch. It is wide, because reserved memory counts even if never touched.
    """
    bound = int(2e6 * megabytes) + (1 << 30)
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard == resource.RLIM_INFINITY or bound < hard:
        resource.setrlimit(resource.RLIMIT_DATA, (bound, hard))
