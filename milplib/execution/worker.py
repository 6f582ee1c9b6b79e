"""One local worker process: what it is doing, and what runs in it."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from multiprocessing.reduction import ForkingPickler
from typing import Any, Generic, TypeVar

from milplib.execution.errors import FailureKind, WorkerDiedError
from milplib.execution.memory import check_memory, limit_allocations, private_memory
from milplib.execution.processes import (
    START_LIMIT,
    described_error,
    end_process,
    exit_code,
    prepare_worker,
    start_process,
)

__all__ = ["Worker", "call_content", "result_of"]

Job = TypeVar("Job")


class Worker(Generic[Job]):
    """A worker process as its parent sees it.

    Parameters
    ----------
    memory_limit
        Memory in MB that it may have; here only a wide bound on what it asks for.
    imports_main
        Whether it imports this process's main module.

    Raises
    ------
    OSError
        If the system has no process or memory to give.
    """

    def __init__(self, memory_limit: float | None, *, imports_main: bool) -> None:
        self.connection, theirs = Pipe()
        try:
            self._process = start_process(
                _serve, theirs, os.getpid(), memory_limit, imports_main=imports_main
            )
        except BaseException:
            self.connection.close()
            raise
        finally:
            # Ours alone from here on, so that its end shows when the process ends.
            theirs.close()
        self.job: Job | None = None
        self.has_started = False
        self.calls = 0
        self.deadline = time.monotonic() + START_LIMIT
        self.idle_since = self.next_look = 0.0
        self._is_lost = False

    @property
    def sentinel(self) -> int:
        """What is ready when the process has ended."""
        return self._process.sentinel

    @property
    def is_idle(self) -> bool:
        """Whether it can take a call."""
        return self.has_started and self.job is None

    @property
    def is_dead(self) -> bool:
        """Whether it has ended, or can no longer be talked to."""
        return self._is_lost or bool(wait([self.sentinel], 0))

    def begin(self, job: Job, payload: bytes, time_limit: float | None) -> None:
        """Hand a call to it."""
        self.job = job
        self.calls += 1
        self.deadline = math.inf if time_limit is None else time.monotonic() + time_limit
        try:
            self.connection.send_bytes(payload)
        except ConnectionError:  # it has just died, which shows at once
            return

    def end(self) -> Job:
        """Take note that it has ended its call."""
        job, self.job = self.job, None
        assert job is not None
        self._is_free()
        return job

    def _is_free(self) -> None:
        self.deadline, self.idle_since = math.inf, time.monotonic()

    def receive(self) -> bytes | None:
        """Give what it has sent, empty when it has just started; None if there is nothing."""
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
        """Raise a `WorkerDiedError` if it and its children have more than so many MB."""
        check_memory(self._process.pid or 0, limit)

    def has_more_than(self, memory: float) -> bool:
        """Whether it and its children have more than so many MB."""
        return private_memory(self._process.pid or 0) > memory

    def dismiss(self) -> None:
        """Tell it that there is nothing more to do."""
        self.connection.close()

    def bury(self) -> int | None:
        """Kill it unless it has ended; give its exit code."""
        self.connection.close()
        # It may have closed its end a moment before it ends.
        code = exit_code(self._process, wait=2.0) if self.is_dead else None
        end_process(self._process)
        return code


def call_content(
    function: Callable[..., Any], arguments: tuple[Any, ...], named: dict[str, Any]
) -> bytes:
    """Give a call as a worker takes it."""
    return bytes(ForkingPickler.dumps((function, arguments, named)))


def result_of(message: bytes, *, where: str) -> tuple[bool, Any]:
    """Read a worker's answer to a call.

    Returns
    -------
    is_whole : bool
        Whether the call went well.
    content
        What it gave, or else the error, with the worker's traceback as a note: `where` it was.
    """
    try:
        is_whole, content, trace = ForkingPickler.loads(message)
    except Exception as error:  # what it is made of cannot be imported here
        return False, error
    if trace:
        content.add_note(f"in {where}:\n{trace}")
    return is_whole, content


def _serve(connection: Connection, parent: int, memory_limit: float | None) -> None:
    """Take calls and send back what they give or raise, until the parent closes the connection."""
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
    """Make a call; give, pickled, whether it went well, its result or error, and a traceback."""
    answer: tuple[BaseException, str]
    try:
        function, arguments, named = ForkingPickler.loads(call)
        return bytes(ForkingPickler.dumps((True, function(*arguments, **named), "")))
    except MemoryError as error:
        words = f"an allocation failed: {error}" if str(error) else "an allocation failed"
        answer = WorkerDiedError(words, FailureKind.OUT_OF_MEMORY), ""
    except SystemExit as error:
        answer = WorkerDiedError(f"the task left with SystemExit: {error.code}"), ""
    except BaseException as error:  # the parent decides about all of them
        answer = described_error(error)
    return bytes(ForkingPickler.dumps((False, *answer)))
