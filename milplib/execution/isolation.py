"""Running of a function in a fresh process, whose crash or hang does not affect this one."""

from __future__ import annotations

import time
from collections.abc import Callable
from multiprocessing.connection import wait
from typing import Any, TypeVar

from milplib.execution.errors import FailureKind, WorkerDiedError, WorkerStartError
from milplib.execution.memory import MEMORY_PERIOD
from milplib.execution.processes import end_in_words, end_kind, leave_unguarded_script
from milplib.execution.worker import Worker, call_content, result_of

__all__ = ["WorkerTimeoutError", "run_isolated"]

Argument = TypeVar("Argument")
Result = TypeVar("Result")

_EXIT_LIMIT = 10.0
"""Seconds allowed for the exit handlers of a process."""


class WorkerTimeoutError(WorkerDiedError):
    """Raised when a process was killed at its time limit."""


def run_isolated(
    function: Callable[[Argument], Result],
    argument: Argument,
    *,
    time_limit: float | None = None,
    memory_limit: float | None = None,
) -> Result:
    """Run a function in a fresh process, whose crash or hang does not affect this one.

    A fresh process also has a fresh heap, so behaviour that depends on memory addresses does not
    depend on earlier work. On Linux it is a fork of a process that has done nothing but imports.

    Parameters
    ----------
    function
        Function of the argument. The function, its argument and its result must be picklable;
        definitions of a script or a notebook are sent by value.
    argument
        Argument of the function.
    time_limit
        Wall-clock seconds after which the process is killed, not counting its start; None for no
        limit.
    memory_limit
        Memory in MB above which the process is killed; None for no limit. Linux only.

    Returns
    -------
    result
        Result of the function. Its exceptions are raised here, with the traceback of the process
        as a note.

    Raises
    ------
    WorkerDiedError
        If the process died (with its signal or exit code), or was killed at its memory limit.
    WorkerTimeoutError
        If the process was killed at its time limit.
    WorkerStartError
        If the process could not start.

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
    leave_unguarded_script()
    payload = call_content(function, (argument,), {})
    worker: Worker[object] = Worker(
        memory_limit, imports_main=False, forked_from=function.__module__
    )
    try:
        if not (_wait(worker, None) and worker.receive() is not None):
            raise WorkerStartError("a fresh process ends before it can take its task")
        worker.begin(function, payload, time_limit)
        if not _wait(worker, memory_limit):
            raise WorkerTimeoutError(
                f"the process did not end within {time_limit:g} seconds and was killed",
                FailureKind.HANG,
            )
        message = worker.receive()
        if message is not None:
            worker.dismiss()
            wait([worker.sentinel], _EXIT_LIMIT)
    finally:
        code = worker.reap()
    if message is None:
        raise WorkerDiedError(end_in_words(code), end_kind(code))
    is_whole, content = result_of(message, where="a process of its own")
    if is_whole:
        return content  # type: ignore[no-any-return]
    raise content


def _wait(worker: Worker[Any], memory_limit: float | None) -> bool:
    """Wait for a message, the process's end or the deadline; return False at the deadline."""
    # Bound each wait, because the system rejects very long ones.
    longest = 3600.0 if memory_limit is None else MEMORY_PERIOD
    while (seconds := worker.deadline - time.monotonic()) > 0:
        if wait([worker.connection, worker.sentinel], min(longest, seconds)):
            return True
        if memory_limit is not None:
            worker.check_memory(memory_limit)
    return False
