"""Dask cluster as an executor: each call runs in a child process of a worker."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from typing import Any, ParamSpec, TypeVar

from milplib.execution.cluster_worker import ChildSettings, run_in_child
from milplib.execution.errors import ClusterError, FailureKind, WorkerDiedError

__all__ = ["ClusterExecutor"]

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class ClusterExecutor(Executor):
    """Executor of calls on a Dask cluster, each in a child process of the worker that takes it.

    Parameters
    ----------
    client
        Dask client.
    settings
        Settings of the child processes.
    """

    def __init__(self, client: Any, settings: ChildSettings) -> None:
        self._executor = client.get_executor(pure=False, retries=0)
        self._settings = settings

    def submit(
        self, fn: Callable[Arguments, Result], /, *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Future[Result]:
        """Submit a call to the cluster.

        Parameters
        ----------
        fn
            Function to call. The workers must have its modules; definitions of a script itself
            are sent along.
        *args, **kwargs
            Arguments of the function.

        Returns
        -------
        concurrent.futures.Future
            Future as from `milplib.execution.local.ProcessExecutor`. It raises a `ClusterError`
            if the cluster is lost.
        """
        import cloudpickle

        call = cloudpickle.dumps((_Applied(fn, kwargs), args))
        ours: Future[Result] = Future()
        ours.set_running_or_notify_cancel()
        theirs = self._executor.submit(run_in_child, call, self._settings)
        theirs.add_done_callback(lambda future: _transfer(future, ours))
        return ours

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Refuse further calls; running ones end unless they are waited for."""
        with suppress(Exception):  # the scheduler may be gone
            self._executor.shutdown(wait=wait and not cancel_futures)


class _Applied:
    """Function with bound keyword arguments, called with the positional ones as one tuple."""

    def __init__(self, function: Callable[..., Any], named: dict[str, Any]) -> None:
        self._function, self._named = function, named

    def __call__(self, arguments: tuple[Any, ...]) -> Any:
        return self._function(*arguments, **self._named)


def _transfer(theirs: Future[bytes], ours: Future[Any]) -> None:
    """Copy the outcome of a call on a worker to the caller's future."""
    import cloudpickle
    from distributed import KilledWorker

    try:
        is_whole, content, trace = cloudpickle.loads(theirs.result())
        if is_whole:
            ours.set_result(content)
            return
        if trace:
            content.add_note(f"on a worker of the cluster:\n{trace}")
        error = content
    except KilledWorker as killed:
        times = killed.allowed_failures + 1
        words = f"the {times} workers of the cluster that ran it were lost, one after the other"
        error = WorkerDiedError(words, FailureKind.KILLED, times)
    except ClusterError as unusable:
        error = unusable
    except BaseException as failed:  # including cancellation
        error = ClusterError(
            f"the cluster was lost ({type(failed).__name__}); what was finished is kept: start "
            "again when it is back"
        )
    ours.set_exception(error)
