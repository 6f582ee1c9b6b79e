"""Where tasks run: in this process, or in local worker processes that may die."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.synchronize import Barrier
from typing import TypeVar

from milplib.errors import MilplibError, ParameterError

__all__ = ["WorkerDiedError", "WorkerStartError", "run_tasks"]

Task = TypeVar("Task")
Result = TypeVar("Result")

# A worker computes on one core; its libraries read these when they are loaded.
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class WorkerDiedError(MilplibError):
    """The process that ran a task died: killed, out of memory, a crash."""


class WorkerStartError(MilplibError):
    """Worker processes that end before they can take a task."""


def run_tasks(
    function: Callable[[Task], Result], tasks: Sequence[Task], *, workers: int
) -> Iterator[tuple[int, Result | WorkerDiedError]]:
    """Run a function over tasks; give each result as soon as it is there.

    Parameters
    ----------
    function
        Takes a task. With several workers it must be importable and its task and result
        picklable, since the workers are fresh processes.
    tasks
        The tasks.
    workers
        Number of processes; 1 runs the tasks here, one after the other.

    Yields
    ------
    tuple of int and result
        Position of the task and what the function gave, in the order in which they end. A task
        whose process died is tried again by itself, so that it cannot take others with it; if it
        dies there twice its result is a `WorkerDiedError`. What the function raises is raised
        here, and the workers are stopped.

    Raises
    ------
    ParameterError
        If workers is not positive.
    WorkerStartError
        If worker processes cannot start; in a script without ``if __name__ == "__main__"`` each
        would run the script again.

    Examples
    --------
    >>> sorted(run_tasks(abs, [-1, 2, -3], workers=1))
    [(0, 1), (1, 2), (2, 3)]
    """
    if workers < 1:
        raise ParameterError(f"the number of workers is {workers}; it must be at least 1")
    if workers == 1:
        for position, task in enumerate(tasks):
            yield position, function(task)
        return
    waiting: list[int] = list(range(len(tasks)))
    suspects: list[int] = []
    while waiting:
        # Whichever task was running when the pool broke may have broken it: those wait.
        running, waiting = yield from _run_pool(function, tasks, waiting, workers=workers)
        suspects += running
    for position in suspects:
        # Alone, so that each death is its own.
        for _ in range(2):
            running, _ = yield from _run_pool(function, tasks, [position], workers=1)
            if not running:
                break
        else:
            yield (
                position,
                WorkerDiedError(
                    "the worker process died at this task, and twice more with this task alone "
                    "(killed, out of memory or a crash)"
                ),
            )


def _run_pool(
    function: Callable[[Task], Result], tasks: Sequence[Task], positions: list[int], *, workers: int
) -> Generator[tuple[int, Result], None, tuple[list[int], list[int]]]:
    """Run tasks until all are done or a worker dies; return those running and waiting then."""
    queue = deque(positions)
    running: dict[Future[Result], int] = {}
    others = set(multiprocessing.active_children())
    workers = min(workers, len(positions))
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(
        workers,
        mp_context=context,
        initializer=_prepare_pool_worker,
        initargs=(context.Barrier(workers),),
    )
    try:
        _start(pool, workers)
        broken = False
        while not broken and (queue or running):
            # No more than run at once, so that a dead worker leaves no doubt which ones ran.
            while queue and len(running) < workers:
                running[pool.submit(function, tasks[queue[0]])] = queue[0]
                queue.popleft()
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                if isinstance(future.exception(), BrokenProcessPool):
                    broken = True
                else:
                    yield running.pop(future), future.result()
    except BrokenProcessPool:  # submit met a pool that had just broken
        pass
    finally:
        # On the way out of an error or Ctrl-C nobody waits for the tasks still running.
        for process in set(multiprocessing.active_children()) - others if running else ():
            process.kill()
        pool.shutdown(wait=True, cancel_futures=True)
    return list(running.values()), list(queue)


def _start(pool: ProcessPoolExecutor, workers: int) -> None:
    """Start all workers, before there is a task.

    That tells death by a task from never having lived. And a worker that died while another one
    was being started would close the pipes that this one is to be given, on which `submit` fails
    in ways of its own.
    """
    try:
        with one_thread_environment():
            ready = [pool.submit(os.getpid) for _ in range(workers)]
        for future in ready:
            future.result()
    except (BrokenProcessPool, OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise WorkerStartError(f"cannot start worker processes: {error.strerror}") from error
        raise WorkerStartError(
            "the worker processes end before they can take a task: in a script, call this under "
            "'if __name__ == \"__main__\":', since each worker imports the script anew; else "
            "run with one worker to see why"
        ) from error


@contextmanager
def one_thread_environment() -> Iterator[None]:
    """Let processes that start meanwhile compute on one thread, unless the user says else."""
    added = {name: "1" for name in _THREAD_VARIABLES if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]


def _prepare_pool_worker(all_are_up: Barrier) -> None:
    """Wait for the others: a worker that is idle already would keep the next one from starting."""
    prepare_worker()
    all_are_up.wait()


def prepare_worker() -> None:
    """Leave Ctrl-C to the parent, and end when the parent ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:

        def follow() -> None:
            parent.join()
            os._exit(1)

        threading.Thread(target=follow, daemon=True).start()
