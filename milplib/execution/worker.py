"""Local worker process: the parent's handle, and the loop that runs in the process."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, TypeVar

from milplib.execution.errors import FailureKind, WorkerDiedError
from milplib.execution.forks import CAN_FORK, fork_process
from milplib.execution.memory import check_memory, limit_allocations, private_memory
from milplib.execution.pickling import pickled, unpickled
from milplib.execution.processes import (
    START_LIMIT,
    StartedProcess,
    described_error,
    end_process,
    exit_code,
    prepare_worker,
    start_process,
)

__all__ = ["Worker", "call_content", "result_of"]

Job = TypeVar("Job")


class Worker(Generic[Job]):
    """Worker process, as its parent handles it.

    Parameters
    ----------
    memory_limit
        Memory limit in MB; the process itself only enforces a wide bound on its allocations.
    imports_main
        Whether the process imports this process's main module.
    forked_from
        Module that the process has imported before it starts; it is then a fork where that is
        possible, which costs no second of imports. Default: the process starts with nothing.

    Raises
    ------
    OSError
        If the system has no process or memory left.
    """

    def __init__(
        self, memory_limit: float | None, *, imports_main: bool, forked_from: str = ""
    ) -> None:
        self.connection, theirs = Pipe()
        self._process: StartedProcess
        try:
            if forked_from and CAN_FORK:
                self._process = fork_process(_serve, theirs, memory_limit, module=forked_from)
            else:
                self._process = start_process(
                    _serve, theirs, os.getpid(), memory_limit, imports_main=imports_main
                )
        except BaseException:
            self.connection.close()
            raise
        finally:
            # Only the worker holds its end now, so that the connection closes when it ends.
            theirs.close()
        self.job: Job | None = None
        self.has_started = False
        self.calls = 0
        self.deadline = time.monotonic() + START_LIMIT
        self.idle_since = self.next_look = 0.0
        self._is_lost = False

    @property
    def sentinel(self) -> int:
        """Handle that becomes ready when the process ends, as for `multiprocessing`."""
        return self._process.sentinel

    @property
    def is_idle(self) -> bool:
        """Whether the worker can take a call."""
        return self.has_started and self.job is None

    @property
    def is_dead(self) -> bool:
        """Whether the process has ended or its connection is lost."""
        return self._is_lost or bool(wait([self.sentinel], 0))

    def begin(self, job: Job, payload: bytes, time_limit: float | None) -> None:
        """Send a call to the worker."""
        self.job = job
        self.calls += 1
        self.deadline = math.inf if time_limit is None else time.monotonic() + time_limit
        try:
            self.connection.send_bytes(payload)
        except ConnectionError:  # the worker has just died, as `is_dead` will show
            return

    def end(self) -> Job:
        """Mark the worker's call as ended, and return it."""
        job, self.job = self.job, None
        assert job is not None
        self._is_free()
        return job

    def _is_free(self) -> None:
        self.deadline, self.idle_since = math.inf, time.monotonic()

    def receive(self) -> bytes | None:
        """Return the next message, or None without one. The first message is empty: a start."""
        try:
            if not self.connection.poll():
                return None
            message = self.connection.recv_bytes()
        except (EOFError, OSError):
            self._is_lost = True
            return None
        if not self.has_started:
            self.has_started = True
            self._is_free()
        return message

    def check_memory(self, limit: float) -> None:
        """Raise a `WorkerDiedError` if the process and its children exceed `limit` MB."""
        check_memory(self._process.pid or 0, limit)

    def has_more_than(self, memory: float) -> bool:
        """Whether the process and its children use more than `memory` MB."""
        return private_memory(self._process.pid or 0) > memory

    def dismiss(self) -> None:
        """Close the connection, so that the worker ends."""
        self.connection.close()

    def reap(self) -> int | None:
        """Kill the process if it still runs, and return its exit code if it ended by itself."""
        self.connection.close()
        # The worker may close its end of the connection a moment before it exits.
        code = exit_code(self._process, wait=2.0) if self.is_dead else None
        end_process(self._process)
        return code


def call_content(
    function: Callable[..., Any], arguments: tuple[Any, ...], named: dict[str, Any]
) -> bytes:
    """Pickle a call for a worker."""
    return pickled((function, arguments, named))


def result_of(message: bytes, *, where: str) -> tuple[bool, Any]:
    """Read a worker's answer to a call.

    Returns
    -------
    is_whole : bool
        Whether the call succeeded.
    content
        Result of the call, or its error with a note: `where` it occurred, and the traceback.
    """
    try:
        is_whole, content, trace = unpickled(message)
    except Exception as error:  # a class of the answer cannot be imported here
        return False, error
    if trace:
        content.add_note(f"in {where}:\n{trace}")
    return is_whole, content


def _serve(connection: Connection, parent: int, memory_limit: float | None) -> None:
    """Take calls and answer them until the parent closes the connection."""
    prepare_worker(parent)
    if memory_limit is not None:
        limit_allocations(memory_limit)
    connection.send_bytes(b"")
    while True:
        try:
            call = connection.recv_bytes()
        except (EOFError, ConnectionError):
            return
        connection.send_bytes(_answer(call))


def _answer(call: bytes) -> bytes:
    """Make a call; return, pickled, whether it succeeded, its result or error, and a traceback."""
    answer: tuple[BaseException, str]
    try:
        function, arguments, named = unpickled(call)
        return pickled((True, function(*arguments, **named), ""))
    except MemoryError as error:
        detail = f"an allocation failed: {error}" if str(error) else "an allocation failed"
        answer = WorkerDiedError(detail, FailureKind.OUT_OF_MEMORY), ""
    except SystemExit as error:
        answer = WorkerDiedError(f"the task left with SystemExit: {error.code}"), ""
    except BaseException as error:  # the parent handles every other error
        answer = described_error(error)
    return pickled((False, *answer))
