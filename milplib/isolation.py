"""A function in a fresh process of its own, which may crash or hang without harm to this one."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import TypeVar

from milplib.execution.errors import WorkerDiedError, WorkerStartError
from milplib.execution.memory import MEMORY_PERIOD, check_memory, limit_allocations
from milplib.execution.processes import (
    START_LIMIT,
    described_error,
    end_in_words,
    end_kind,
    end_process,
    exit_code,
    prepare_worker,
    start_process,
)

__all__ = ["WorkerTimeoutError", "run_isolated"]

Argument = TypeVar("Argument")
Result = TypeVar("Result")


class WorkerTimeoutError(WorkerDiedError):
    """The process that ran a function was killed, since that went on for too long."""


def run_isolated(
    function: Callable[[Argument], Result],
    argument: Argument,
    *,
    time_limit: float | None = None,
    memory_limit: float | None = None,
) -> Result:
    """Run a function in a fresh process, which may crash or hang without harm to this one.

    A fresh process also has a fresh heap: what depends on memory addresses does not depend on
    what ran before.

    Parameters
    ----------
    function
        Takes the argument. It must be importable, its argument and result picklable.
    argument
        Its argument.
    time_limit
        Wall-clock seconds after which the process is killed; no limit if None. Its start does
        not count.
    memory_limit
        Memory in MB above which it is killed; no limit if None. Linux only.

    Returns
    -------
    result
        What the function gave. What it raised is raised here, with the traceback of the process
        as a note.

    Raises
    ------
    WorkerDiedError
        If the process died, with the signal or exit code, or was killed at its memory limit.
    WorkerTimeoutError
        If it was killed at its time limit.
    WorkerStartError
        If it could not start; in a script without ``if __name__ == "__main__"`` it would run
        the script again.

    Examples
    --------
    >>> run_isolated(abs, -1, time_limit=60)
    1
    >>> import os
    >>> run_isolated(os._exit, 3)
    Traceback (most recent call last):
        ...
    milplib.execution.errors.WorkerDiedError: the process ended by itself with exit code 3
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = None
    try:
        process = start_process(_serve_isolated, theirs, os.getpid(), memory_limit)
        # Ours alone from here on, so that its end shows when the process ends.
        theirs.close()
        if not _has_started(ours):
            raise WorkerStartError(
                "a fresh process ends before it can take its task: in a script, call this under "
                "'if __name__ == \"__main__\":', since the process imports the script anew"
            )
        limit = time.monotonic() + time_limit if time_limit is not None else None
        try:
            ours.send((function, argument))
            if not _wait(ours, process, limit, memory_limit):
                raise WorkerTimeoutError(
                    f"the process did not end within {time_limit:g} seconds and was killed", "hang"
                )
            if not ours.poll():  # it is dead, but a child of its own holds the connection
                raise EOFError
            result, trace = ours.recv()
        except (EOFError, ConnectionError):
            code = exit_code(process)
            raise WorkerDiedError(end_in_words(code), end_kind(code)) from None
        process.join(timeout=10)  # what it has registered for its exit may still run
    finally:
        ours.close()
        theirs.close()
        if process is not None:
            end_process(process)
    if not trace:
        return result  # type: ignore[no-any-return]
    result.add_note(f"in a process of its own:\n{trace}")
    raise result


def _has_started(connection: Connection) -> bool:
    try:
        return connection.poll(START_LIMIT) and connection.recv() is None
    except (EOFError, ConnectionError):
        return False


def _wait(
    connection: Connection, process: SpawnProcess, limit: float | None, memory_limit: float | None
) -> bool:
    """Wait for a message or the process's end until a point in time; whether either came."""
    # A wait may not be of any length.
    longest = 3600.0 if memory_limit is None else MEMORY_PERIOD
    while limit is None or time.monotonic() < limit:
        seconds = longest if limit is None else min(longest, limit - time.monotonic())
        if wait([connection, process.sentinel], max(seconds, 0.0)):
            return True
        if memory_limit is not None:
            check_memory(process.pid or 0, memory_limit)
    return False


def _serve_isolated(connection: Connection, parent: int, memory_limit: float | None) -> None:
    """Take one function and its argument, and send back what it gives or raises."""
    prepare_worker(parent)
    if memory_limit is not None:
        limit_allocations(memory_limit)
    connection.send(None)
    try:
        function, argument = connection.recv()
        answer = function(argument), ""
    except BaseException as error:  # the parent decides about all of them
        answer = described_error(error)
    try:
        connection.send(answer)
    except Exception as error:  # a result that cannot be sent
        connection.send(described_error(error))
