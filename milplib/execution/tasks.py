"""Running of tasks, with each result as soon as it is ready."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Generic, TypeVar

from milplib.arguments import check_fields, checked, given
from milplib.errors import ParameterError
from milplib.execution.errors import FailureKind, TaskFailure, WorkerDiedError
from milplib.execution.interrupts import HeldInterrupts
from milplib.execution.places import LocalProcesses, Place
from milplib.execution.processes import leave_unguarded_script

__all__ = ["Execution", "execution_or_workers", "run_tasks"]

Task = TypeVar("Task")
Result = TypeVar("Result")

MOST_OWN_FAILURES = 2
"""Number of ends by a task's own fault after which the task is given up."""
MOST_KILLS = 5
"""Number of times that a task is queued again because its process was killed from outside."""


@dataclass(frozen=True, kw_only=True)
class Execution:
    """Place and limits of tasks.

    Parameters
    ----------
    workers
        Number of worker processes on this machine. With 1 and no limit, tasks run one after the
        other in this process, and a crash ends the run.
    cluster
        Address of a Dask scheduler (``"tcp://host:8786"``), or ``"local:N"`` for a cluster of N
        processes on this machine. Requires ``pip install 'milplib[dask]'``. The cluster
        determines the number of workers.
    memory_limit
        Private memory in MB of a worker and its children, above which the worker is killed; None
        for no limit.
    tasks_per_worker
        Number of tasks after which a worker process is replaced by a fresh one, so that memory
        leaks of libraries do not add up.
    task_time_limit
        Wall-clock seconds of a task after which its process is killed; None for no limit. A
        safety net beyond the limits that the task enforces itself.

    Raises
    ------
    ParameterError
        If a number is not positive, if the cluster's name has neither form, or if both workers
        and a cluster are requested.

    Examples
    --------
    >>> Execution(workers=2, memory_limit=4000).is_here
    False
    >>> Execution(cluster="local:none")
    Traceback (most recent call last):
    milplib.errors.ParameterError: the cluster 'local:none' is neither local:N, with a number of \
processes, nor the address of a Dask scheduler, such as tcp://host:8786
    """

    workers: int = 1
    cluster: str | None = None
    memory_limit: float | None = None
    tasks_per_worker: int = 100
    task_time_limit: float | None = None

    def __post_init__(self) -> None:
        check_fields(self)
        counts = {"workers": self.workers, "tasks per worker": self.tasks_per_worker}
        for name, count in counts.items():
            if count < 1:
                raise ParameterError(f"the number of {name} is {count}; it must be at least 1")
        limits = {
            "memory limit": (self.memory_limit, "MB"),
            "time limit of a task": (self.task_time_limit, "seconds"),
        }
        for name, (limit, unit) in limits.items():
            if limit is not None and not 0 < limit < math.inf:
                raise ParameterError(
                    f"the {name} is {limit:g} {unit}; it must be positive and finite"
                )
        if self.cluster is None:
            return
        if self.workers != 1:
            raise ParameterError(
                "give either workers or a cluster: the cluster says how many workers there are"
            )
        scheme, _, rest = self.cluster.partition(":")
        is_number = rest.isascii() and rest.isdigit() and int(rest) > 0
        if not rest or (scheme == "local" and not is_number):
            raise ParameterError(
                f"the cluster '{self.cluster}' is neither local:N, with a number of processes, "
                "nor the address of a Dask scheduler, such as tcp://host:8786"
            )

    @property
    def is_here(self) -> bool:
        """Whether the tasks run in this process."""
        limits = (self.cluster, self.memory_limit, self.task_time_limit)
        return self.workers == 1 and all(limit is None for limit in limits)


@checked
def execution_or_workers(execution: Execution | None, workers: int) -> Execution:
    """Return an execution from either of two alternative arguments.

    Raises
    ------
    ParameterError
        If both arguments are set, or if the number of workers is not positive.

    Examples
    --------
    >>> execution_or_workers(None, 2).workers
    2
    """
    leave_unguarded_script()
    if execution is None:
        return Execution(workers=workers)
    if not isinstance(execution, Execution):
        raise ParameterError(f"execution is {given(execution)}; give a milplib.execution.Execution")
    if workers != 1:
        raise ParameterError("give either workers or execution, which includes the workers")
    return execution


@checked
def run_tasks(
    function: Callable[[Task], Result],
    tasks: Iterable[Task],
    *,
    execution: Execution,
    files: Iterable[Path] = (),
) -> Iterator[tuple[int, Result | TaskFailure]]:
    """Run a function over tasks, and yield each result as soon as it is ready.

    A task whose process was killed from outside, or lost with its machine, is queued again up to
    five times. A task whose process ends by its own fault (a crash, too much memory or time) is
    tried twice. Failures of one task do not affect others.

    Parameters
    ----------
    function
        Function of a task. Unless it runs in this process, the function, its task and its result
        must be picklable; definitions of a script or a notebook are sent by value.
    tasks
        Tasks, taken only as they are handed out, so the iterable may be of any length.
    execution
        Place and limits of the tasks.
    files
        Files that the tasks read. A cluster is refused if a worker does not see one file of each
        folder.

    Yields
    ------
    tuple of int and result
        Position of the task and its result or a `TaskFailure`, in order of completion. An
        exception of the function, or Ctrl-C, is raised here after the finished results, and ends
        all processes.

    Raises
    ------
    ClusterError
        If the cluster is missing or lost, or has other software than this process.
    MissingPackageError
        If a cluster is requested and Dask is not installed.
    WorkerStartError
        If worker processes cannot start, as several in a script without
        ``if __name__ == "__main__"``, which each of them would run again.

    Examples
    --------
    >>> sorted(run_tasks(abs, [-1, 2, -3], execution=Execution()))
    [(0, 1), (1, 2), (2, 3)]
    >>> sorted(run_tasks(abs, [-1, 2, -3], execution=Execution(workers=2)))
    [(0, 1), (1, 2), (2, 3)]
    """
    leave_unguarded_script()
    with HeldInterrupts() as interrupts:
        if execution.is_here:
            yield from _run_here(function, tasks, interrupts)
            return
        waiting = iter(tasks)
        first = list(islice(waiting, 1))
        if not first:
            return  # without tasks, start no cluster
        with interrupts.allowed():
            seen = {file.parent: file for file in files if file.exists()}
            place = _open_place(execution, list(seen.values()))
        try:
            yield from _Run(function, chain(first, waiting), place, interrupts).results()
        finally:
            place.close()


def _open_place(execution: Execution, files: list[Path]) -> Place:
    if execution.cluster is None:
        return LocalProcesses(
            execution.workers,
            memory_limit=execution.memory_limit,
            time_limit=execution.task_time_limit,
            calls_per_worker=execution.tasks_per_worker,
        )
    from milplib.execution.cluster import open_cluster

    return open_cluster(
        execution.cluster,
        memory_limit=execution.memory_limit,
        time_limit=execution.task_time_limit,
        calls_per_worker=execution.tasks_per_worker,
        files=files,
    )


def _run_here(
    function: Callable[[Task], Result], tasks: Iterable[Task], interrupts: HeldInterrupts
) -> Iterator[tuple[int, Result]]:
    for position, task in enumerate(tasks):
        results = []
        try:
            with interrupts.allowed():
                results.append(function(task))
        except KeyboardInterrupt:
            if results:  # the interrupt came just after the task's end
                yield position, results[0]
            raise
        yield position, results[0]


@dataclass(eq=False)
class _Attempt(Generic[Task]):
    """Task with the number of ends of its process by kind."""

    position: int
    task: Task
    ends: Counter[FailureKind] = field(default_factory=Counter)

    def failure(self, error: WorkerDiedError) -> TaskFailure | None:
        """Count an end of the process, and return a failure if the task must not be retried."""
        self.ends[error.kind] += error.times
        kills = self.ends[FailureKind.KILLED]
        if kills > MOST_KILLS or self.ends.total() - kills >= MOST_OWN_FAILURES:
            return TaskFailure(kind=error.kind, detail=str(error), attempts=self.ends.total())
        return None


class _Run(Generic[Task, Result]):
    """Tasks handed out to a place, within its capacity, and their results."""

    def __init__(
        self,
        function: Callable[[Task], Result],
        tasks: Iterable[Task],
        place: Place,
        interrupts: HeldInterrupts,
    ) -> None:
        self._function = function
        self._new = (_Attempt(position, task) for position, task in enumerate(tasks))
        self._again: deque[_Attempt[Task]] = deque()
        self._running: dict[Future[Result], _Attempt[Task]] = {}
        self._place = place
        self._interrupts = interrupts

    def results(self) -> Iterator[tuple[int, Result | TaskFailure]]:
        """Yield the results in order of completion."""
        while self._fill():
            try:
                with self._interrupts.allowed():
                    wait(self._running, self._place.patience, FIRST_COMPLETED)
            except KeyboardInterrupt:
                yield from self._whole()
                raise
            yield from self._whole()
            for future in [future for future in self._running if future.done()]:
                attempt = self._running.pop(future)
                error = future.exception()
                if not isinstance(error, WorkerDiedError):
                    yield attempt.position, future.result()
                elif (failure := attempt.failure(error)) is not None:
                    yield attempt.position, failure
                else:
                    self._again.append(attempt)
            self._place.check()

    def _fill(self) -> bool:
        """Hand out tasks, and return whether any is running."""
        while len(self._running) < self._place.capacity:
            attempt = self._again.popleft() if self._again else next(self._new, None)
            if attempt is None:
                break
            self._running[self._place.executor.submit(self._function, attempt.task)] = attempt
        return bool(self._running)

    def _whole(self) -> Iterator[tuple[int, Result]]:
        """Yield the finished results before any error is raised."""
        done = [f for f in self._running if f.done() and not f.cancelled() and not f.exception()]
        for future in done:
            yield self._running.pop(future).position, future.result()
