"""Fresh processes without the cost of their imports: forks of a process that has done only these.

A run in a process of its own takes about a second to import numpy, SCIP and milplib, which is more
than many solves. A template imports them once and does nothing else, so each of its forks has the
same fresh heap as a process that imports them itself.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from multiprocessing.reduction import recv_handle, send_handle
from typing import Any

from milplib.execution.processes import (
    children_allowed,
    end_in_words,
    end_process,
    exit_code,
    prepare_worker,
    start_process,
)

__all__ = ["CAN_FORK", "ForkedProcess", "fork_process"]

CAN_FORK = sys.platform == "linux"
"""Whether processes are forked. On macOS, system libraries do not survive a fork."""

Target = Callable[..., None]


class ForkedProcess:
    """Fork of a template, with the part of `multiprocessing.Process` that `Worker` needs.

    Parameters
    ----------
    template
        The template, which serves no other fork until this one is closed.
    pid
        Id of the process.
    """

    def __init__(self, template: _Template, pid: int) -> None:
        self._template = template
        self.pid = pid
        self._code: int | None = None

    @property
    def sentinel(self) -> int:
        """Handle that becomes ready when the process ends."""
        return self._template.connection.fileno()

    @property
    def exitcode(self) -> int | None:
        """Exit code in `multiprocessing`'s convention; None while the process runs."""
        self.join(timeout=0)
        return self._code

    def join(self, timeout: float | None = None) -> None:
        """Wait for the end of the process."""
        if self._code is None and wait([self._template.connection], timeout):
            self._code = self._template.code_of_fork()

    def kill(self) -> None:
        """Kill the process if it still runs."""
        if self.exitcode is None:
            os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """Release the template for the next fork."""
        self._template.is_free = True


class _Template:
    """Process that forks others, one at a time."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self.environment = dict(os.environ)
        self.is_free = True
        self.connection, theirs = Pipe()
        try:
            self._process = start_process(
                _serve_forks, theirs, os.getpid(), imports_main=False, daemon=True
            )
        except BaseException:
            self.connection.close()
            raise
        finally:
            theirs.close()

    def is_usable(self) -> bool:
        """Whether it can fork a process like this one."""
        return (
            self.owner == os.getpid()
            and self.is_free
            and self.environment == dict(os.environ)
            and self._process.exitcode is None  # forks hold its sentinel, too
        )

    def fork(
        self, target: Target, connection: Connection, arguments: tuple[Any, ...], module: str
    ) -> ForkedProcess:
        """Fork a process; see `fork_process`."""
        self.is_free = False
        place = (os.getcwd(), list(sys.path))
        self.connection.send((target, arguments, place, module))
        send_handle(self.connection, connection.fileno(), self._process.pid)
        answer = self.connection.recv()
        if isinstance(answer, OSError):
            self.is_free = True
            raise answer
        return ForkedProcess(self, answer)

    def code_of_fork(self) -> int:
        """Return the exit code of the last fork, or that of the template if it died before."""
        try:
            code: int = self.connection.recv()
        except (EOFError, OSError):
            return self.exit_code()
        return code

    def exit_code(self) -> int:
        """Return the exit code of the template, which ends."""
        code = exit_code(self._process)
        return -signal.SIGKILL if code is None else code

    def end(self) -> None:
        """End the process, unless it is another process's."""
        self.connection.close()
        if self.owner == os.getpid():
            end_process(self._process)


class _OfThread(threading.local):
    # The kernel ends a template with the thread that started it; see `prepare_worker`.
    template: _Template | None = None


_here = _OfThread()


def fork_process(
    target: Target, connection: Connection, *arguments: Any, module: str = ""
) -> ForkedProcess:
    """Fork a process that has imported a module, and call a function in it.

    Parameters
    ----------
    target
        Function of milplib. It gets a copy of the connection, the id of the process's parent,
        which it must give to `prepare_worker`, and the arguments.
    connection
        The process's end of a pipe.
    *arguments
        Further arguments, which must be picklable.
    module
        Module that the template imports, if it is one of milplib. Modules of others are left to
        the fork: they may start threads, which forks lose.

    Raises
    ------
    OSError
        If the system has no process or memory left.
    """
    for _ in range(2):
        template = _here.template
        if template is None or not template.is_usable():
            if template is not None and template.is_free:
                template.end()
            template = _here.template = _Template()
        try:
            return template.fork(target, connection, arguments, module)
        except (EOFError, ConnectionError):  # it was killed just now
            template.is_free = True
            end = end_in_words(template.exit_code())
    raise OSError(f"the process that starts others ended twice before it did; {end}")


def _serve_forks(connection: Connection, parent: int) -> None:
    """Fork processes, one at a time, until the parent closes the connection."""
    prepare_worker(parent, follows=False)  # a process that forks has no thread
    # Arrow's allocator has a thread, and handles forks itself.
    warnings.filterwarnings("ignore", message=".*fork", category=DeprecationWarning)
    forking: Any = multiprocessing.get_context("fork")
    while True:
        try:
            target, arguments, place, module = connection.recv()
            handle = recv_handle(connection)
        except (EOFError, ConnectionError):
            return
        if module.partition(".")[0] == "milplib":
            importlib.import_module(module)
        theirs = Connection(handle)
        try:
            with children_allowed():
                process = forking.Process(
                    target=_run, args=(connection, place, target, theirs, os.getpid(), *arguments)
                )
                process.start()
        except OSError as error:
            theirs.close()
            connection.send(error)
            continue
        theirs.close()
        connection.send(process.pid)
        process.join()
        connection.send(process.exitcode)
        process.close()


def _run(
    template: Connection, place: tuple[str, list[str]], target: Target, *arguments: Any
) -> None:
    """Call a target in a fork, in the folder and with the import path of the parent."""
    template.close()
    folder, sys.path[:] = place
    os.chdir(folder)
    target(*arguments)
