"""Dask cluster for running tasks, on this machine or on others."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

from milplib.errors import MilplibWarning, MissingPackageError, warn_caller
from milplib.execution.errors import ClusterError
from milplib.execution.software import differences, software_here

__all__ = ["Cluster", "open_cluster"]

CONNECT_LIMIT = 10.0
"""Seconds to wait for the scheduler's answer."""
WORKER_LIMIT = 300.0
"""Seconds to wait for the first worker."""
_CLOSE_LIMIT = 5.0
_COUNT_PERIOD = 5.0
# Same as for local processes: a task is queued again up to five times.
_ALLOWED_FAILURES = 5


def open_cluster(
    name: str,
    *,
    memory_limit: float | None = None,
    time_limit: float | None = None,
    calls_per_worker: int = 100,
    files: Sequence[Path] = (),
) -> Cluster:
    """Connect to a Dask cluster, or start a local one, and check its software.

    Parameters
    ----------
    name
        ``"local:N"`` or the address of a scheduler; see `milplib.execution.Execution`.
    memory_limit, time_limit, calls_per_worker
        See `milplib.execution.local.ProcessExecutor`. They apply to the child processes in which
        the workers run tasks.
    files
        Files that every worker must see under the same path.

    Returns
    -------
    Cluster
        Open cluster; the caller closes it.

    Raises
    ------
    ClusterError
        If there is no scheduler or no worker, if a worker has another version of milplib, SCIP or
        Python, or if it does not see a file.
    MissingPackageError
        If Dask is not installed.
    """
    try:
        import cloudpickle  # noqa: F401  # a separate package, also needed by Dask
        import distributed
    except ImportError as error:
        raise MissingPackageError(
            f"a cluster needs Dask ({error}): pip install 'milplib[dask]'"
        ) from None
    with ExitStack() as stack:
        # milplib reports lost workers itself, so Dask's own log messages are silenced.
        stack.enter_context(distributed.utils.silence_logging_cmgr(logging.CRITICAL))
        address = name
        scheme, _, number = name.partition(":")
        if scheme == "local":
            address = stack.enter_context(_local_cluster(int(number)))
        client = _connect(address)
        stack.callback(_close_client, client)
        try:
            client.wait_for_workers(1, timeout=WORKER_LIMIT)
        except TimeoutError:
            raise ClusterError(
                f"the scheduler at {address} has had no worker for {WORKER_LIMIT:g} s: start "
                f"some (dask worker {address})"
            ) from None
        software = software_here()
        _check_workers(client, software, [os.path.abspath(file) for file in files])
        from milplib.execution.cluster_executor import ClusterExecutor
        from milplib.execution.cluster_worker import ChildSettings

        settings = ChildSettings(
            run=uuid.uuid4().hex,
            software=software,
            path=tuple(os.path.abspath(entry) for entry in sys.path),
            folder=os.getcwd(),
            memory_limit=memory_limit,
            time_limit=time_limit,
            calls_per_worker=calls_per_worker,
        )
        return Cluster(client, ClusterExecutor(client, settings), stack.pop_all())


@contextmanager
def _local_cluster(n_workers: int) -> Iterator[str]:
    import dask
    import distributed

    start: Any = distributed.LocalCluster  # untyped
    # Cluster processes inherit the blocked SIGINT, so only this process handles Ctrl-C. Start the
    # resource tracker first, because its start would unblock the signal.
    resource_tracker.ensure_running()
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        with dask.config.set({"distributed.scheduler.allowed-failures": _ALLOWED_FAILURES}):
            cluster = start(
                n_workers=n_workers,
                threads_per_worker=1,
                processes=True,
                host="127.0.0.1",
                scheduler_port=0,
                dashboard_address="127.0.0.1:0",
                scheduler_kwargs={"dashboard": False},
                memory_limit=None,  # the child processes enforce one and report its violation
                silence_logs=logging.CRITICAL,
            )
    except Exception as error:
        raise ClusterError(
            f"a cluster on this machine does not start: {' '.join(str(error).split())}; in a "
            "script, call this under 'if __name__ == \"__main__\":', since each worker imports "
            "the script anew"
        ) from error
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
    try:
        yield cluster.scheduler_address
    finally:
        with suppress(Exception):  # the cluster may have ended already
            cluster.close(timeout=_CLOSE_LIMIT)


def _connect(address: str) -> Any:
    import distributed

    connect: Any = distributed.Client  # untyped
    try:
        return connect(address, timeout=CONNECT_LIMIT, set_as_default=False)
    except Exception as error:  # the type depends on the defect of the address
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ClusterError(
            f"there is no Dask scheduler at {address}: {reason}; start one (dask scheduler)"
        ) from error


def _close_client(client: Any) -> None:
    with suppress(Exception):  # the scheduler may be gone
        client.close(timeout=_CLOSE_LIMIT)


def _check_workers(client: Any, software: dict[str, str], files: list[str]) -> None:
    """Check the workers' software against this process's, and their access to the files."""
    reports = client.run(_inspection(), software["milplib"], files, on_error="return")
    for address, about in sorted(reports.items()):
        if not isinstance(about, dict):
            about = {"problem": f"{type(about).__name__}: {about}"}
        problem = about.get("problem", "")
        forbidden, minor = differences(software, about)
        if forbidden and not problem:
            problem = f"it has {', '.join(forbidden)}: install the same there"
        elif about.get("missing"):
            problem = (
                f"it does not see {about['missing']}: the folder must be there under the same path"
            )
        if problem:
            raise ClusterError(f"the worker {address} cannot be used: {problem}")
        if minor:
            warn_caller(
                f"the worker {address} has {', '.join(minor)}: results may differ in their last "
                "digits",
                MilplibWarning,
            )


def _inspection() -> Callable[[str, list[str]], dict[str, str]]:
    """Return a function that inspects a worker, whatever version of milplib the worker has.

    cloudpickle sends a nested function by value, so the worker's milplib need not define it.
    """

    def inspect(version: str, files: list[str]) -> dict[str, str]:
        import os
        import platform
        from importlib import import_module

        try:
            milplib = import_module("milplib")  # the worker's version
        except ImportError as error:
            return {"problem": f"milplib cannot be imported there: {error}"}
        if milplib.__version__ != version:  # other modules may differ too, so import none
            return {
                "problem": f"it has milplib {milplib.__version__} (here {version}), Python "
                f"{platform.python_version()}: install the same there"
            }
        from milplib.execution.cluster_worker import software_of_child

        missing = [file for file in files if not os.path.exists(file)]
        return software_of_child() | {"missing": missing[0] if missing else ""}

    return inspect


class Cluster:
    """Dask cluster as a place where tasks run.

    Parameters
    ----------
    client
        Dask client.
    executor
        Executor that runs the tasks.
    stack
        Context managers to close with the cluster.
    """

    patience = 1.0

    def __init__(self, client: Any, executor: Executor, stack: ExitStack) -> None:
        self.executor = executor
        self._client, self._stack = client, stack
        self._capacity, self._counted = 1, 0.0

    @property
    def capacity(self) -> int:
        """Number of tasks that the current workers can run at the same time.

        No task waits on a worker, so a lost worker loses only tasks that it was running.
        """
        if time.monotonic() >= self._counted + _COUNT_PERIOD:
            self._counted = time.monotonic()
            self.check()
            with suppress(OSError):  # `check` reports the problem
                self._capacity = sum(self._client.nthreads().values()) or self._capacity
        return self._capacity

    def check(self) -> None:
        """Check the connection to the scheduler.

        Raises
        ------
        ClusterError
            If the scheduler is lost.
        """
        connection = self._client.scheduler_comm
        if self._client.status != "running" or connection is None or connection.closed():
            raise ClusterError(
                "the scheduler of the cluster was lost; what was finished is kept: start again "
                "when it is back"
            )

    def close(self) -> None:
        """Leave the cluster: end its running tasks, and the cluster itself if it is local."""
        self.executor.shutdown(wait=False)
        self._stack.close()
