"""A function in a fresh process of its own, which may crash or hang without harm to this one."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.reduction import ForkingPickler
from typing import TypeVar

from milplib.errors import MilplibError
from milplib.execution import (
    WorkerDiedError,
    WorkerStartError,
    one_thread_environment,
    prepare_worker,
)

__all__ = ["WorkerTimeoutError", "run_isolated"]

Argument = TypeVar("Argument")
Result = TypeVar("Result")

START_LIMIT = 300.0
"""Seconds after which a process that has not started never will."""

_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)


class WorkerTimeoutError(WorkerDiedError):
    """The process that ran a function was killed, since that went on for too long."""


def run_isolated(
    function: Callable[[Argument], Result], argument: Argument, *, time_limit: float | None = None
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

    Returns
    -------
    result
        What the function gave. What it raised is raised here, with the traceback of the process
        as a note.

    Raises
    ------
    WorkerDiedError
        If the process died, with the signal or exit code.
    WorkerTimeoutError
        If it was killed at the limit.
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
    milplib.execution.WorkerDiedError: the process ended by itself with exit code 3
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve_isolated, args=(theirs, os.getpid()))
    try:
        with one_thread_environment():
            process.start()
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
            if not _wait(ours, process.sentinel, limit):
                raise WorkerTimeoutError(
                    f"the process did not end within {time_limit:g} seconds and was killed"
                )
            if not ours.poll():  # it is dead, but a child of its own holds the connection
                raise EOFError
            result, trace = ours.recv()
        except (EOFError, ConnectionError):
            process.join(timeout=10)
            raise WorkerDiedError(_last_words(process.exitcode)) from None
        process.join(timeout=10)  # what it has registered for its exit may still run
    finally:
        ours.close()
        theirs.close()
        if process.pid is not None:
            process.kill()
            process.join()
            process.close()
    if not trace:
        return result  # type: ignore[no-any-return]
    result.add_note(f"in a process of its own:\n{trace}")
    raise result


def _has_started(connection: Connection) -> bool:
    try:
        return connection.poll(START_LIMIT) and connection.recv() is None
    except (EOFError, ConnectionError):
        return False


def _wait(connection: Connection, sentinel: int, limit: float | None) -> bool:
    """Wait for a message or the process's end until a point in time; whether either came."""
    while limit is None or time.monotonic() < limit:
        # A wait may not be of any length.
        seconds = 3600.0 if limit is None else min(3600.0, limit - time.monotonic())
        if wait([connection, sentinel], seconds):
            return True
    return False


def _last_words(exit_code: int | None) -> str:
    if exit_code is None:
        return "the process closed its connection, but did not end"
    if exit_code >= 0:
        return f"the process ended by itself with exit code {exit_code}"
    try:
        name = signal.Signals(-exit_code).name
    except ValueError:
        name = f"signal {-exit_code}"
    hint = "; perhaps it was out of memory" if name == "SIGKILL" else ""
    return f"the process was killed by {name}{hint}"


def _serve_isolated(connection: Connection, parent: int) -> None:
    """Take one function and its argument, and send back what it gives or raises."""
    # Blocked, not only ignored: SCIP installs a handler of its own while it solves.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    _die_with(parent)
    prepare_worker()
    connection.send(None)
    try:
        function, argument = connection.recv()
        answer = function(argument), ""
    except BaseException as error:  # the parent decides about all of them
        answer = _described(error)
    try:
        connection.send(answer)
    except Exception as error:  # a result that cannot be sent
        connection.send(_described(error))


def _described(error: BaseException) -> tuple[BaseException, str]:
    """Give an error as it can be sent, and its traceback, which would be lost."""
    trace = "".join(traceback.format_exception(error))
    try:
        ForkingPickler.loads(ForkingPickler.dumps(error))
    except Exception:
        error = MilplibError(f"{type(error).__name__}: {error}")
    return error, trace


def _die_with(parent: int) -> None:
    """Let the kernel end this process when its parent ends, even inside a call that never returns.

    A thread that waits for the parent gets no turn while SCIP solves, since PySCIPOpt keeps the
    interpreter's lock.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, int(signal.SIGKILL))
    if os.getppid() != parent:  # it was gone before
        os._exit(1)
