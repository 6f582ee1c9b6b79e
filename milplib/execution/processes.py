"""Fresh processes: how they start, what they leave to their parent, and how they ended."""

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
from multiprocessing.reduction import ForkingPickler
from types import ModuleType
from typing import Any

from milplib.errors import MilplibError
from milplib.execution.errors import FailureKind

__all__ = [
    "START_LIMIT",
    "described_error",
    "end_in_words",
    "end_kind",
    "end_process",
    "exit_code",
    "prepare_worker",
    "start_process",
]

START_LIMIT = 300.0
"""Seconds after which a process that has not started never will."""

# A worker computes on one core; its libraries read these when they are loaded.
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
# What a process does to itself; every other signal comes from somebody else.
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


def start_process(
    target: Callable[..., None], *arguments: Any, imports_main: bool = True
) -> SpawnProcess:
    """Start a fresh process that computes on one thread, unless the user's environment says else.

    The target must call `prepare_worker` first, with this process's id. It imports this process's
    main module anew, for what is defined there, unless it is told not to.

    Raises
    ------
    OSError
        If the system has no process or memory to give.
    """
    # The environment and the flag belong to the whole process.
    with _starting, _one_thread_environment(), _children_allowed(), _main_module(imports_main):
        process = multiprocessing.get_context("spawn").Process(target=target, args=arguments)
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
    """Let processes that start meanwhile import our main module, or nothing in its place."""
    main = sys.modules["__main__"]
    if not is_imported:
        sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextmanager
def _children_allowed() -> Iterator[None]:
    """Let a daemonic process, as Dask's workers are by default, have children.

    multiprocessing forbids it, since such children would outlive their parent; ours do not.
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


def prepare_worker(parent: int) -> None:
    """Leave Ctrl-C to the parent process, and end when it ends, even inside a call of SCIP's.

    Raises
    ------
    SystemExit
        If the parent is gone already.
    """
    # Blocked, not only ignored: SCIP installs a handler of its own while it solves.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    if sys.platform == "linux":
        # A thread that waits for the parent gets no turn while SCIP solves, since PySCIPOpt keeps
        # the interpreter's lock; the kernel does not need one.
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, int(signal.SIGKILL))
    if os.getppid() != parent:
        raise SystemExit(1)
    watched = multiprocessing.parent_process()
    if watched is not None:

        def follow() -> None:
            watched.join()
            os._exit(1)

        threading.Thread(target=follow, daemon=True).start()


def exit_code(process: SpawnProcess, *, wait: float = 10.0) -> int | None:
    """Exit code of a process that has ended or is about to, in seconds; None if it has not."""
    limit = time.monotonic() + wait
    while (code := process.exitcode) is None and time.monotonic() < limit:
        process.join(timeout=0.1)
    return code


def end_process(process: SpawnProcess) -> None:
    """Kill a process that may have ended already, and forget it."""
    process.kill()
    # Without a code another thread is just taking it from the system.
    if exit_code(process) is not None:
        process.close()


def end_kind(code: int | None) -> FailureKind:
    """Kind of a process's end by its exit code, as `multiprocessing` gives it.

    Examples
    --------
    >>> end_kind(-signal.SIGSEGV), end_kind(3), end_kind(-signal.SIGKILL)
    ('crash', 'crash', 'killed')
    """
    is_from_outside = code is not None and code < 0 and -code not in _OWN_SIGNALS
    return FailureKind.KILLED if is_from_outside else FailureKind.CRASH


def end_in_words(code: int | None) -> str:
    """Describe a process's end by its exit code.

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
    """Give an error as it can be sent, and its traceback, which would be lost."""
    trace = "".join(traceback.format_exception(error))
    try:
        ForkingPickler.loads(ForkingPickler.dumps(error))
    except Exception:
        error = MilplibError(f"{type(error).__name__}: {error}")
    return error, trace
