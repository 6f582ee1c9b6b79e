"""Local worker processes as an executor; the death of a process affects only its own task."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from multiprocessing.util import Finalize
from threading import Thread
from typing import Any, ParamSpec, TypeVar

from milplib.execution.calls import Call, OpenCalls
from milplib.execution.errors import FailureKind, WorkerDiedError, WorkerStartError
from milplib.execution.memory import MEMORY_PERIOD
from milplib.execution.processes import UNGUARDED, end_in_words, end_kind
from milplib.execution.worker import Worker, call_content, result_of

__all__ = ["ProcessExecutor"]

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

_START_ATTEMPTS = 5
_LEAVE_LIMIT = 10.0  # seconds for a dismissed worker to end by itself
_LONGEST_WAIT = 3600.0


class ProcessExecutor(Executor):
    """Executor of calls in local worker processes, each of which may crash, hang or be killed.

    Every worker has its own connection and handles one call at a time, so it is always clear
    which call a dead process was running. That call's future gets a `WorkerDiedError` with the
    kind of the end, and the worker is replaced. No shared lock can be left behind by a dying
    process.

    Workers are fresh processes that compute on one thread and leave Ctrl-C to this process. They
    end when this process ends, for whatever reason.

    Parameters
    ----------
    workers
        Maximum number of concurrent worker processes. They start on demand.
    memory_limit
        Private memory in MB of a worker and its children, above which the worker is killed. Linux
        only; elsewhere it has no effect.
    time_limit
        Wall-clock seconds after which a call's worker is killed.
    calls_per_worker
        Number of calls after which a worker is replaced by a fresh one.
    idle_limit
        Seconds without a call after which a worker ends; None for never.
    imports_main
        Whether workers import this process's main module, as `multiprocessing` does.

    Notes
    -----
    `concurrent.futures.ProcessPoolExecutor` breaks as a whole when a worker dies. In pebble's
    pool, workers read tasks from one pipe under a shared lock: a worker killed at that moment
    keeps the lock, and the death of an idle worker breaks the pool.

    Examples
    --------
    >>> import os
    >>> with ProcessExecutor(1) as executor:
    ...     executor.submit(abs, -1).result(), type(executor.submit(os.abort).exception()).__name__
    (1, 'WorkerDiedError')
    """

    def __init__(
        self,
        workers: int,
        *,
        memory_limit: float | None = None,
        time_limit: float | None = None,
        calls_per_worker: int | None = None,
        idle_limit: float | None = None,
        imports_main: bool = True,
    ) -> None:
        self._most_workers = workers
        self._memory_limit = memory_limit
        self._time_limit = time_limit
        self._calls_per_worker = calls_per_worker
        self._idle_limit = idle_limit
        self._imports_main = imports_main
        self._calls = OpenCalls()
        self._workers: list[Worker[Call]] = []
        self._leaving: list[tuple[Worker[Call], float]] = []
        self._wakes, self._wake_end = Pipe(duplex=False)
        self._thread: Thread | None = None
        self._is_closed = self._is_ending = False
        self._has_started = False
        self._failed_starts = 0
        self._next_start = 0.0

    def submit(
        self, fn: Callable[Arguments, Result], /, *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Future[Result]:
        """Submit a call to the workers.

        Parameters
        ----------
        fn
            Function to call. The function, its arguments and its result must be picklable;
            definitions of a script or a notebook are sent by value.
        *args, **kwargs
            Arguments of the function.

        Returns
        -------
        concurrent.futures.Future
            Future of the call. It raises a `WorkerDiedError` if the call's process died, and a
            `WorkerStartError` if workers cannot start.

        Raises
        ------
        RuntimeError
            If the executor was shut down.
        """
        call = Call(call_content(fn, args, kwargs), Future())
        with self._calls.lock:
            if self._is_closed:
                raise RuntimeError("the executor was shut down")
            self._calls.add(call)
            if self._thread is None:
                # Workers end with this thread, because the kernel sees the thread as their parent.
                self._thread = Thread(target=self._manage, name="milplib workers", daemon=True)
                # Terminate before multiprocessing waits for its children at exit.
                self._at_exit = Finalize(None, self.terminate, exitpriority=10)
                self._thread.start()
        self._wake()
        return call.future

    @property
    def has_calls(self) -> bool:
        """Whether some calls have not ended."""
        return bool(self._calls)

    def abandon(self, future: Future[Any]) -> None:
        """Abandon a call. If it has started, its worker is killed."""
        if self._calls.abandon(future):
            self._wake()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Refuse further calls, and end the workers after the submitted ones."""
        with self._calls.lock:
            self._is_closed = True
            if cancel_futures:
                self._calls.cancel_waiting()
        self._wake()
        if wait and self._thread is not None:
            self._thread.join()

    def terminate(self) -> None:
        """End all workers now; unfinished calls fail."""
        self._is_ending = True
        self.shutdown(wait=True, cancel_futures=True)

    def _wake(self) -> None:
        with suppress(OSError):  # the thread may have ended
            self._wake_end.send_bytes(b"")

    def _manage(self) -> None:
        """Start workers, hand out calls, collect results and reap dead workers, in a thread."""
        try:
            while not self._is_over():
                self._calls.drop_cancelled()
                self._start_workers()
                self._hand_out()
                if self._is_over():
                    break  # nothing would end the wait
                self._wait()
                for worker in list(self._workers):
                    self._look_after(worker)
                self._reap()
        finally:
            self._end()

    def _is_over(self) -> bool:
        return self._is_ending or (self._is_closed and not self._calls)

    def _start_workers(self) -> None:
        while (
            sum(worker.job is None for worker in self._workers) < self._calls.n_waiting
            and len(self._workers) < self._most_workers
            and time.monotonic() >= self._next_start
        ):
            try:
                self._workers.append(Worker(self._memory_limit, imports_main=self._imports_main))
            except OSError as error:
                self._count_failed_start(f"cannot start worker processes: {error.strerror}")

    def _count_failed_start(self, reason: str, *, is_final: bool = False) -> None:
        """Delay the next start, and fail the waiting calls after too many attempts."""
        self._failed_starts += 1
        self._next_start = time.monotonic() + 0.2 * self._failed_starts
        if is_final or self._failed_starts >= _START_ATTEMPTS:
            self._failed_starts = 0
            self._calls.fail_waiting(WorkerStartError(reason))

    def _hand_out(self) -> None:
        for worker in self._workers:
            if worker.is_idle and (call := self._calls.next()) is not None:
                worker.begin(call, call.content, self._time_limit)

    def _wait(self) -> None:
        """Wait for a message, a death or the next deadline."""
        now = time.monotonic()
        times = [worker.deadline for worker in self._workers]
        times += [limit for _, limit in self._leaving]
        if self._memory_limit is not None:
            times += [worker.next_look for worker in self._workers if worker.job is not None]
        if self._idle_limit is not None:
            times += [w.idle_since + self._idle_limit for w in self._workers if w.is_idle]
        if self._calls.n_waiting and len(self._workers) < self._most_workers:
            times.append(self._next_start)
        waited: list[Connection | int] = [self._wakes]
        for worker in self._workers:
            waited += [worker.connection, worker.sentinel]
        waited += [worker.sentinel for worker, _ in self._leaving]
        seconds = min((limit - now for limit in times), default=_LONGEST_WAIT)
        wait(waited, min(max(seconds, 0.0), _LONGEST_WAIT))
        while self._wakes.poll():
            self._wakes.recv_bytes()

    def _look_after(self, worker: Worker[Call]) -> None:
        now = time.monotonic()
        # Take a message even from a dead worker: a result it has sent counts.
        message = worker.receive()
        if message is not None:
            self._failed_starts = 0
            self._has_started = True
            if worker.job is not None:
                self._take_result(worker, message)
        elif worker.is_dead:
            self._handle_death(worker)
        elif not worker.has_started:
            if now >= worker.deadline:
                self._kill(worker)
                self._count_failed_start("a worker process does not start")
        elif worker.job is None:
            if self._idle_limit is not None and now >= worker.idle_since + self._idle_limit:
                self._dismiss(worker)
        elif worker.job.is_unwanted:
            self._kill(worker, FailureKind.KILLED, "nobody waits for the task any more")
        elif now >= worker.deadline:
            self._kill(
                worker,
                FailureKind.HANG,
                f"the task took more than {self._time_limit:g} s and was killed",
            )
        elif self._memory_limit is not None and now >= worker.next_look:
            worker.next_look = now + MEMORY_PERIOD
            try:
                worker.check_memory(self._memory_limit)
            except WorkerDiedError as error:
                self._kill(worker, error.kind, str(error))

    def _take_result(self, worker: Worker[Call], message: bytes) -> None:
        job = worker.end()
        is_whole, content = result_of(message, where="a worker process")
        if is_whole:
            self._calls.finish(job, result=content)
        else:
            self._calls.finish(job, error=content)
        # Replace a worker that keeps much memory, so that the next call does not pay for it.
        is_full = self._memory_limit is not None and worker.has_more_than(self._memory_limit / 2)
        is_broken = isinstance(content, WorkerDiedError)
        if is_full or is_broken or worker.calls == self._calls_per_worker:
            self._dismiss(worker)

    def _handle_death(self, worker: Worker[Call]) -> None:
        self._workers.remove(worker)
        code = worker.reap()
        if worker.job is not None:
            error = WorkerDiedError(end_in_words(code), end_kind(code))
            self._calls.finish(worker.job, error=error)
        elif not worker.has_started:
            reason = (
                f"the worker processes end before they can take a task ({end_in_words(code)}): "
                "run with one worker to see why"
                if code != UNGUARDED
                else "several workers need a main guard in a script, since each of them imports it "
                "anew: call this under 'if __name__ == \"__main__\":', or run with one worker"
            )
            self._count_failed_start(
                reason,
                is_final=end_kind(code) == FailureKind.CRASH and not self._has_started,
            )

    def _kill(
        self, worker: Worker[Call], kind: FailureKind = FailureKind.KILLED, detail: str = ""
    ) -> None:
        self._workers.remove(worker)
        job = worker.job
        worker.reap()
        if job is not None:
            self._calls.finish(job, error=WorkerDiedError(detail, kind))

    def _dismiss(self, worker: Worker[Call]) -> None:
        """Let a worker end by itself, and free its place for another one."""
        self._workers.remove(worker)
        worker.dismiss()
        self._leaving.append((worker, time.monotonic() + _LEAVE_LIMIT))

    def _reap(self) -> None:
        now = time.monotonic()
        for entry in list(self._leaving):
            worker, limit = entry
            if worker.is_dead or now >= limit:
                worker.reap()
                self._leaving.remove(entry)

    def _end(self) -> None:
        with self._calls.lock:
            self._is_closed = True
        for worker in self._workers:
            worker.reap()
        for worker, _ in self._leaving:
            worker.reap()
        self._calls.fail_all(WorkerDiedError("the executor was ended", FailureKind.KILLED))
        self._wakes.close()
        self._wake_end.close()
        self._at_exit.cancel()
