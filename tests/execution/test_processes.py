"""Local worker processes as an executor of concurrent.futures."""

from __future__ import annotations

import multiprocessing
import os
import signal
from concurrent.futures import CancelledError, as_completed
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from milplib.execution import WorkerDiedError
from milplib.execution.local import ProcessExecutor


def test_it_is_an_executor(functions: ModuleType) -> None:
    with ProcessExecutor(2) as executor:
        futures = [executor.submit(functions.same, number) for number in range(5)]
        assert sorted(future.result() for future in as_completed(futures)) == list(range(5))
        assert list(executor.map(abs, [-1, 2])) == [1, 2]
    with pytest.raises(RuntimeError, match="shut down"):
        executor.submit(abs, -1)


def test_a_worker_killed_while_idle_is_replaced(processes: SimpleNamespace) -> None:
    with ProcessExecutor(1) as executor:
        idle = executor.submit(os.getpid).result()
        os.kill(idle, signal.SIGKILL)
        processes.wait_until(lambda: not processes.is_alive(idle))
        future = executor.submit(os.getpid)
        # It may have been handed out before the death was seen; then that is what it died of.
        assert getattr(future.exception(), "kind", "killed") == "killed"
        assert executor.submit(os.getpid).result() != idle


def test_a_worker_killed_while_it_starts_is_replaced(processes: SimpleNamespace) -> None:
    def children() -> Any:
        return {process.pid for process in multiprocessing.active_children()}

    before = children()
    with ProcessExecutor(1) as executor:
        future = executor.submit(os.getpid)
        processes.wait_until(lambda: children() - before)
        (first,) = children() - before
        os.kill(first, signal.SIGKILL)
        assert future.result() != first


def test_workers_that_are_idle_for_long_end(processes: SimpleNamespace) -> None:
    with ProcessExecutor(1, idle_limit=0.2) as executor:
        pid = executor.submit(os.getpid).result()
        processes.wait_until(lambda: not processes.is_alive(pid))
        assert executor.submit(os.getpid).result() != pid


def test_a_call_that_nobody_waits_for_is_ended(
    functions: ModuleType, processes: SimpleNamespace, tmp_path: Path
) -> None:
    with ProcessExecutor(1) as executor:
        running = executor.submit(functions.wait_once, tmp_path / "pid")
        waiting = executor.submit(os.getpid)
        processes.wait_until((tmp_path / "pid").exists)
        executor.abandon(waiting)
        executor.abandon(running)
        with pytest.raises(WorkerDiedError, match="nobody waits"):
            running.result()
        with pytest.raises(CancelledError):
            waiting.result()
        processes.wait_until(lambda: not processes.is_alive(int((tmp_path / "pid").read_text())))


def test_ending_it_kills_what_runs(
    functions: ModuleType, processes: SimpleNamespace, tmp_path: Path
) -> None:
    executor = ProcessExecutor(1)
    running = executor.submit(functions.wait_once, tmp_path / "pid")
    processes.wait_until((tmp_path / "pid").exists)
    executor.terminate()
    assert getattr(running.exception(), "kind", None) == "killed"
    assert not processes.is_alive(int((tmp_path / "pid").read_text()))


def test_a_worker_is_not_blamed_for_the_memory_of_the_task_before(functions: ModuleType) -> None:
    with ProcessExecutor(1, memory_limit=300) as executor:
        first = executor.submit(functions.hold, 200).result()
        second = executor.submit(functions.hold, 200).result()
    assert first != second  # it was replaced, being more than half full


def test_a_result_or_error_that_cannot_travel_is_described(functions: ModuleType) -> None:
    with ProcessExecutor(1) as executor:
        with pytest.raises(Exception, match="lock"):
            executor.submit(functions.give_a_lock, None).result()
        assert executor.submit(functions.give_a_lambda, None).result()() == 1
        with pytest.raises(Exception, match="Stubborn: 1 and 2"):
            executor.submit(functions.raise_stubborn, None).result()
        assert len(executor.submit(functions.big, None).result()) == 5_000_000
