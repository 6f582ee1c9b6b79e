"""Fresh processes: their start, their setup and their end."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.context import SpawnProcess
from types import ModuleType
from typing import Any, Protocol

from milplib.errors import MilplibError
from milplib.execution.errors import FailureKind
from milplib.execution.pickling import pickled, unpickled

__all__ = [
    "START_LIMIT",
    "UNGUARDED",
    "StartedProcess",
    "children_allowed",
    "described_error",
    "end_in_words",
    "end_kind",
    "end_process",
    "exit_code",
    "leave_unguarded_script",
    "prepare_worker",
    "start_process",
]

START_LIMIT = 300.0
"""Seconds to wait for a process to start."""

UNGUARDED = 93
"""Exit code of a worker whose main module starts a run while the worker imports it."""

# A worker computes on one core; libraries read these variables when they are loaded.
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
# Signals that a process raises by its own fault; all others are sent from outside.
_OWN_SIGNALS = frozenset(
    {
        signal.SIGABRT,
        signal.SIGBUS,
        signal.SIGFPE,
        signal.SIGILL,
        signal.SIGSEGV,
        signal.SIGSYS,
        signal.SIGTRAP,
    }
)
_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)
_starting = threading.Lock()


class StartedProcess(Protocol):
    """What milplib uses of a process that it has started."""

    @property
    def pid(self) -> int | None:
        """Id of the process."""

    @property
    def sentinel(self) -> int:
        """Handle that becomes ready when the process ends."""

    @property
    def exitcode(self) -> int | None:
        """Exit code in `multiprocessing`'s convention; None while the process runs."""

    def join(self, timeout: float | None = None) -> None:
        """Wait for the end of the process."""

    def kill(self) -> None:
        """Kill the process if it still runs."""

    def close(self) -> None:
        """Release what belongs to the process, which has ended."""


def start_process(
    target: Callable[..., None], *arguments: Any, imports_main: bool = True, daemon: bool = False
) -> SpawnProcess:
    """Start a fresh process that computes on one thread, unless the environment says otherwise.

    The target must first call `prepare_worker` with this process's id. By default the process
    imports this process's main module, as `multiprocessing` does. Definitions of that module are
    sent by value, so they do not need it. This process ends a `daemon` when it ends.

    Raises
    ------
    OSError
        If the system has no process or memory left.
    """
    # The lock guards the environment variables and the flag, which the whole process shares.
    with _starting, _one_thread_environment(), children_allowed(), _main_module(imports_main):
        process = multiprocessing.get_context("spawn").Process(
            target=target, args=arguments, daemon=daemon
        )
        process.start()
    return process


@contextmanager
def _one_thread_environment() -> Iterator[None]:
    added = {name: "1" for name in _THREAD_VARIABLES if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]


@contextmanager
def _main_module(is_imported: bool) -> Iterator[None]:
    """Let new processes import the main module, or an empty one in its place."""
    main = sys.modules["__main__"]
    if not is_imported:
        sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextmanager
def children_allowed() -> Iterator[None]:
    """Allow children of a daemonic process, as Dask's workers are by default.

    multiprocessing forbids them because they could outlive their parent; milplib's do not.
    """
    config = getattr(multiprocessing.current_process(), "_config", {})
    daemon = config.get("daemon")
    if daemon:
        config["daemon"] = False
    try:
        yield
    finally:
        if daemon:
            config["daemon"] = daemon


def leave_unguarded_script() -> None:
    """End this process quietly if it is a worker that still imports the main module.

    The script then lacks ``if __name__ == "__main__"`` and would start the run once more. The
    parent recognises the exit code and says so.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        sys.exit(UNGUARDED)


def prepare_worker(parent: int, *, follows: bool = True) -> None:
    """Leave Ctrl-C to the parent process, and end with it, even inside a SCIP call.

    On Linux the kernel ends this process with the thread that started it. Elsewhere a thread does,
    if `follows`.

    Raises
    ------
    SystemExit
        If the parent has already ended.
    """
    # Block the signal rather than ignore it: SCIP installs its own handler while it solves.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    if sys.platform == "linux":
        # A watching thread gets no turn during a solve, because PySCIPOpt holds the GIL. The
        # kernel's signal needs no turn.
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, int(signal.SIGKILL))
    if os.getppid() != parent:
        raise SystemExit(1)
    watched = multiprocessing.parent_process()
    if watched is not None and follows:

        def follow() -> None:
            watched.join()
            os._exit(1)

        threading.Thread(target=follow, daemon=True).start()


def exit_code(process: StartedProcess, *, wait: float = 10.0) -> int | None:
    """Wait for a process's end, and return its exit code; None if it outlasts `wait` seconds."""
    limit = time.monotonic() + wait
    while (code := process.exitcode) is None and time.monotonic() < limit:
        process.join(timeout=0.1)
    return code


def end_process(process: StartedProcess) -> None:
    """Kill a process if it still runs, and release it."""
    process.kill()
    # Without a code, another thread is collecting it right now.
    if exit_code(process) is not None:
        process.close()


def end_kind(code: int | None) -> FailureKind:
    """Return the kind of a process's end from its exit code in `multiprocessing`'s convention.

    Examples
    --------
    >>> end_kind(-signal.SIGSEGV), end_kind(3), end_kind(-signal.SIGKILL)
    ('crash', 'crash', 'killed')
    """
    is_from_outside = code is not None and code < 0 and -code not in _OWN_SIGNALS
    return FailureKind.KILLED if is_from_outside else FailureKind.CRASH


def end_in_words(code: int | None) -> str:
    """Describe a process's end from its exit code.

    Examples
    --------
    >>> end_in_words(-signal.SIGTERM)
    'the process was killed by SIGTERM'
    """
    if code is None:
        return "the process closed its connection, but did not end"
    if code >= 0:
        return f"the process ended by itself with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    hint = "; perhaps it was out of memory" if name == "SIGKILL" else ""
    return f"the process was killed by {name}{hint}"


def described_error(error: BaseException) -> tuple[BaseException, str]:
    """Return a picklable form of an error, and its traceback, which pickling would lose."""
    trace = "".join(traceback.format_exception(error))
    try:
        unpickled(pickled(error))
    except Exception:
        error = MilplibError(f"{type(error).__name__}: {error}")
    return error, trace
