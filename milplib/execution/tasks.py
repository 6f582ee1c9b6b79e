"""Tasks run wherever they are to run; each result comes once, as soon as it is there."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Generic, TypeVar

from milplib.errors import ParameterError
from milplib.execution.errors import FailureKind, TaskFailure, WorkerDiedError
from milplib.execution.interrupts import HeldInterrupts
from milplib.execution.places import LocalProcesses, Place

__all__ = ["Execution", "execution_or_workers", "run_tasks"]

Task = TypeVar("Task")
Result = TypeVar("Result")

MOST_OWN_FAILURES = 2
"""Times that a task's process may end by its own fault before the task is given up."""
MOST_KILLS = 5
"""Times that a task is queued again since its process was killed from outside."""


@dataclass(frozen=True, kw_only=True)
class Execution:
    """Where tasks run, and what each of them may take.

    Parameters
    ----------
    workers
        Number of worker processes on this machine. With 1 and no limit the tasks run in this
        process, one after the other, and what crashes ends the run.
    cluster
        Address of a Dask scheduler (``"tcp://host:8786"``), or ``"local:N"`` for a cluster of N
        processes on this machine; needs ``pip install 'milplib[dask]'``. The cluster says how
        many workers there are.
    memory_limit
        Memory in MB that a worker, with its children, may have for itself; one that has more is
        killed. None: no limit.
    tasks_per_worker
        Tasks after which a worker process is replaced by a fresh one, so that what a library
        leaks does not add up.
    task_time_limit
        Wall-clock seconds of a task, after which its process is killed: a safety net beyond the
        limits that the task keeps itself. None: no limit.

    Raises
    ------
    ParameterError
        If a number is not positive, the cluster's name is not of these two forms, or both
        workers and a cluster are asked for.

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
        kind, _, rest = self.cluster.partition(":")
        is_number = rest.isascii() and rest.isdigit() and int(rest) > 0
        if not rest or (kind == "local" and not is_number):
            raise ParameterError(
                f"the cluster '{self.cluster}' is neither local:N, with a number of processes, "
                "nor the address of a Dask scheduler, such as tcp://host:8786"
            )

    @property
    def is_here(self) -> bool:
        """Whether the tasks run in this very process."""
        limits = (self.cluster, self.memory_limit, self.task_time_limit)
        return self.workers == 1 and all(limit is None for limit in limits)


def execution_or_workers(execution: Execution | None, workers: int) -> Execution:
    """Give the execution that a caller asked for, in full or by a number of workers alone.

    Raises
    ------
    ParameterError
        If both are given, or the number is not positive.

    Examples
    --------
    >>> execution_or_workers(None, 2).workers
    2
    """
    if execution is None:
        return Execution(workers=workers)
    if workers != 1:
        raise ParameterError("give either workers or execution, which has a number of workers, too")
    return execution


def run_tasks(
    function: Callable[[Task], Result],
    tasks: Iterable[Task],
    *,
    execution: Execution,
    files: Iterable[Path] = (),
) -> Iterator[tuple[int, Result | TaskFailure]]:
    """Run a function over tasks; give each result as soon as it is there.

    A task whose process was killed from outside, or was lost with its machine, is queued again,
    up to five times. One whose process ends by its own fault (a crash, too much memory or time) is
    tried twice. Whatever happens to one task touches no other one.

    Parameters
    ----------
    function
        Takes a task. Unless it runs in this process it must be importable, and its task and result
        picklable.
    tasks
        The tasks; no more are taken than can be handed out, so there may be any number.
    execution
        Where they run.
    files
        Files that the tasks read: a cluster whose workers do not see one of each folder is refused.

    Yields
    ------
    tuple of int and result
        Position of the task and what the function gave, in the order in which they end, or a
        `TaskFailure`. What the function raises is raised here, after the results that were there.
        So is Ctrl-C; all processes are ended then.

    Raises
    ------
    ClusterError
        If the cluster is not there, is lost, or has other software than this process.
    MissingPackageError
        If a cluster is asked for and Dask is not installed.
    WorkerStartError
        If worker processes cannot start; in a script without ``if __name__ == "__main__"`` each
        would run the script again.

    Examples
    --------
    >>> sorted(run_tasks(abs, [-1, 2, -3], execution=Execution()))
    [(0, 1), (1, 2), (2, 3)]
    >>> sorted(run_tasks(abs, [-1, 2, -3], execution=Execution(workers=2)))
    [(0, 1), (1, 2), (2, 3)]
    """
    with HeldInterrupts() as interrupts:
        if execution.is_here:
            yield from _run_here(function, tasks, interrupts)
            return
        waiting = iter(tasks)
        first = list(islice(waiting, 1))
        if not first:
            return  # no cluster is started, or asked, for nothing
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
            if results:  # it came just after the end
                yield position, results[0]
            raise
        yield position, results[0]


@dataclass(eq=False)
class _Attempt(Generic[Task]):
    """A task on its way, and how often its process has ended in which way."""

    position: int
    task: Task
    ends: Counter[FailureKind] = field(default_factory=Counter)

    def failure(self, error: WorkerDiedError) -> TaskFailure | None:
        """Count an end of its process; give the failure if the task is not to be tried again."""
        self.ends[error.kind] += error.times
        kills = self.ends[FailureKind.KILLED]
        if kills > MOST_KILLS or self.ends.total() - kills >= MOST_OWN_FAILURES:
            return TaskFailure(kind=error.kind, detail=str(error), attempts=self.ends.total())
        return None


class _Run(Generic[Task, Result]):
    """Tasks handed out to a place, never more than it can take, and their results."""

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
        """Give the results in the order in which they come."""
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
        """Hand out tasks; tell whether any is on its way."""
        while len(self._running) < self._place.capacity:
            attempt = self._again.popleft() if self._again else next(self._new, None)
            if attempt is None:
                break
            self._running[self._place.executor.submit(self._function, attempt.task)] = attempt
        return bool(self._running)

    def _whole(self) -> Iterator[tuple[int, Result]]:
        """Give the results that are there, before anything that went wrong is looked at."""
        done = [f for f in self._running if f.done() and not f.cancelled() and not f.exception()]
        for future in done:
            yield self._running.pop(future).position, future.result()
