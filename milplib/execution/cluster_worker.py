"""Tasks on the workers of a Dask cluster, each in a child process of the worker.

A Dask worker that crashes or runs out of memory leaves no reason, and loses its other tasks too.
So a Dask worker only passes tasks on to child processes like those of a run on one machine.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future, wait
from dataclasses import dataclass
from functools import cache

from milplib.execution.cluster_child import make_call
from milplib.execution.errors import ClusterError, WorkerDiedError, WorkerStartError
from milplib.execution.local import ProcessExecutor
from milplib.execution.software import differences, software_here

__all__ = ["ChildSettings", "run_in_child", "software_of_child"]

_IDLE_LIMIT = 60.0  # seconds; a run whose client was killed leaves its child processes idle
_LOOK_PERIOD = 0.25  # seconds between checks whether a task was cancelled
_lock = threading.Lock()
_executors: dict[str, ProcessExecutor] = {}


@dataclass(frozen=True, kw_only=True)
class ChildSettings:
    """Settings of the child processes of a run.

    Parameters
    ----------
    run
        Name of the run. Each run has its own child processes.
    software
        Versions of the software in the run's own process.
    path, folder
        Module search path and working directory of the run's process. Where these folders are
        shared, relative paths mean the same in a child process.
    memory_limit, time_limit, calls_per_worker
        See `milplib.execution.local.ProcessExecutor`.
    """

    run: str
    software: dict[str, str]
    path: tuple[str, ...]
    folder: str
    memory_limit: float | None
    time_limit: float | None
    calls_per_worker: int


def run_in_child(call: bytes, settings: ChildSettings) -> bytes:
    """Run a task in a child process of this Dask worker.

    Parameters
    ----------
    call
        Pickled function and task. The Dask worker itself does not import their modules.
    settings
        Settings of the child process.

    Returns
    -------
    bytes
        Pickled tuple: whether the call succeeded, its result or error, and the error's traceback.

    Raises
    ------
    ClusterError
        If this worker has other software; it may have joined after the check.
    """
    import cloudpickle

    try:
        forbidden, _ = differences(settings.software, software_of_child())
        if forbidden:
            raise ClusterError(f"a worker has {', '.join(forbidden)}: install the same there")
        return _called(call, settings)
    except (WorkerDiedError, WorkerStartError) as error:  # also from `software_of_child`
        return bytes(cloudpickle.dumps((False, error, "")))


def _called(call: bytes, settings: ChildSettings) -> bytes:
    from distributed import get_worker

    worker = get_worker()
    key = worker.get_current_task()
    with _lock:
        executor = _executor(settings, n_workers=worker.state.nthreads)
        future: Future[bytes] = executor.submit(make_call, call, settings.path, settings.folder)
    while not wait([future], _LOOK_PERIOD).done:
        task = worker.state.tasks.get(key)
        if task is None or task.state == "cancelled":
            executor.abandon(future)
    return future.result()


def _executor(settings: ChildSettings, *, n_workers: int) -> ProcessExecutor:
    """Return the executor of a run, and shut down those of runs without calls here."""
    if settings.run not in _executors:
        for run in [run for run, executor in _executors.items() if not executor.has_calls]:
            _executors.pop(run).shutdown(wait=False)
        _executors[settings.run] = ProcessExecutor(
            n_workers,
            memory_limit=settings.memory_limit,
            time_limit=settings.time_limit,
            calls_per_worker=settings.calls_per_worker,
            idle_limit=_IDLE_LIMIT,
            imports_main=False,  # the main module of a Dask worker is Dask's
        )
    return _executors[settings.run]


@cache
def software_of_child() -> dict[str, str]:
    """Return the software versions of a child process of this Dask worker.

    Raises
    ------
    WorkerDiedError, WorkerStartError
        If no child process can run.
    """
    with ProcessExecutor(1, imports_main=False) as executor:
        return executor.submit(software_here).result()
