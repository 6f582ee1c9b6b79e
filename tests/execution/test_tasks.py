"""Tasks run in processes that may die, and each result comes once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from milplib.errors import ParameterError, UnknownNameError
from milplib.execution import Execution, TaskFailure, execution_or_workers, run_tasks

SCRIPT = """
import os, sys, time
from pathlib import Path
import milplib_test_functions as functions
from milplib.execution import Execution, run_tasks

marks = Path(sys.argv[1])

if __name__ == "__main__":
    names = ["quick1", "quick2", "quick3", "slow1", "slow2"]
    if sys.argv[2] == "solve":
        tasks, function = [marks / name for name in names[3:]], functions.never_ends
    else:
        tasks, function = [marks / name for name in names], functions.touch_and_wait
    for position, result in run_tasks(function, tasks, execution=Execution(workers=2)):
        print(position, result, flush=True)
"""


@pytest.fixture
def start(functions: ModuleType, tmp_path: Path) -> Iterator[Any]:
    """Start the script as the leader of a process group, as a shell does."""
    path = tmp_path / "script.py"
    path.write_text(textwrap.dedent(SCRIPT))
    started = []

    def start(*arguments: Any) -> Any:
        process = subprocess.Popen(
            [sys.executable, str(path), str(tmp_path), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            # A shell's background job ignores Ctrl-C, and so would what it starts.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()


def results(function: Any, tasks: Any, **execution: Any) -> Any:
    return dict(run_tasks(function, tasks, execution=Execution(**execution)))


WAYS = {
    "segfault": ("crash", "SIGSEGV", 2),
    "abort": ("crash", "SIGABRT", 2),
    "bus": ("crash", "SIGBUS", 2),
    "exit": ("crash", "exit code 3", 2),
    "sys.exit": ("crash", "SystemExit: enough", 2),
    "memory error": ("out of memory", "allocation", 2),
    "huge": ("out of memory", "allocation", 2),
    "grow": ("out of memory", "more than the limit of 300 MB", 2),
    "kill": ("killed", "SIGKILL", 6),
}


@pytest.mark.parametrize(
    "ways",
    [
        ["segfault", "memory error", "exit"],
        pytest.param(list(WAYS), marks=pytest.mark.slow),
    ],
    ids=["some", "all"],
)
def test_each_kind_of_death_is_told_apart_and_touches_no_other_task(
    functions: ModuleType, ways: Any
) -> None:
    tasks = []
    for way in ways:  # every one that ends has others beside it, before it and after it
        tasks += [f"before {way}", way, f"after {way}"]
    found = results(functions.end, tasks, workers=2, memory_limit=300)
    assert sorted(found) == list(range(len(tasks)))
    for position, task in enumerate(tasks):
        result = found[position]
        if task not in WAYS:
            assert result == task
            continue
        kind, words, attempts = WAYS[task]
        assert isinstance(result, TaskFailure), task
        assert (result.kind, result.attempts) == (kind, attempts), result
        assert words in result.detail
        assert str(result).startswith(f"{kind}: ")


def test_a_task_that_hangs_is_killed_at_the_limit_and_tried_twice() -> None:
    found = results(time.sleep, [600, 600], workers=2, task_time_limit=0.5)
    assert {(found[n].kind, found[n].attempts) for n in (0, 1)} == {("hang", 2)}
    assert "more than 0.5 s" in found[0].detail


def test_a_task_whose_worker_is_killed_from_outside_is_done_by_another(
    functions: ModuleType, processes: SimpleNamespace, tmp_path: Path
) -> None:
    marks = {number: tmp_path / number.name for number in (signal.SIGKILL, signal.SIGTERM)}
    for number, mark in marks.items():
        processes.kill_when_marked(mark, number)
    assert results(functions.wait_once, list(marks.values()), workers=2) == {0: "done", 1: "done"}


@pytest.mark.slow
def test_a_worker_is_replaced_after_its_tasks(functions: ModuleType) -> None:
    # The limit moves even a single worker out of this process.
    found = results(functions.process, range(5), task_time_limit=600, tasks_per_worker=2)
    pids = [found[position] for position in range(5)]
    assert os.getpid() not in pids
    assert pids[0] == pids[1]
    assert pids[2] == pids[3]
    assert len(set(pids)) == 3


def test_workers_compute_on_one_thread(functions: ModuleType) -> None:
    found = results(functions.environment, range(2), workers=2)
    assert {threads for _, threads in found.values()} == {os.environ.get("OMP_NUM_THREADS", "1")}


def test_what_a_task_raises_is_raised_here_after_the_results_that_were_there(
    functions: ModuleType,
) -> None:
    found: list[Any] = []
    running = run_tasks(functions.raise_at_seven, range(8), execution=Execution(workers=2))
    with pytest.raises(ValueError, match="seven") as caught:
        found.extend(running)
    assert len(found) >= 4  # no more than four are on their way at once
    assert all(position == result != 7 for position, result in found)
    assert "in raise_at_seven" in caught.value.__notes__[0]


def test_errors_keep_their_kind_on_the_way(functions: ModuleType) -> None:
    with pytest.raises(UnknownNameError, match="did you mean apple"):
        results(functions.raise_unknown, [1], workers=2)


def test_no_more_tasks_are_taken_than_can_be_handed_out(functions: ModuleType) -> None:
    taken = given = most = 0

    def tasks() -> Iterator[Any]:
        nonlocal taken
        for number in range(500):
            taken += 1
            yield number

    for position, result in run_tasks(functions.same, tasks(), execution=Execution(workers=2)):
        assert position == result
        most = max(most, taken - given)
        given += 1
    assert given == 500
    assert most <= 4


def test_for_no_tasks_nothing_is_started_or_asked() -> None:
    nowhere = Execution(cluster="tcp://127.0.0.1:9")
    assert list(run_tasks(abs, [], execution=nowhere)) == []


def test_one_worker_runs_in_this_process_in_order() -> None:
    found = run_tasks(lambda task: (task, os.getpid()), "ab", execution=Execution())
    assert list(found) == [(0, ("a", os.getpid())), (1, ("b", os.getpid()))]


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_while_a_result_is_being_kept_waits_until_it_is(
    functions: ModuleType, tmp_path: Path, workers: int
) -> None:
    kept = []
    tasks = [tmp_path / name for name in ("quick1", "slow1", "slow2")]

    def keep() -> None:
        execution = Execution(workers=workers)
        for _, result in run_tasks(functions.touch_and_wait, tasks, execution=execution):
            signal.raise_signal(signal.SIGINT)
            kept.append(result)

    with pytest.raises(KeyboardInterrupt):
        keep()
    assert kept == ["quick1"]
    with pytest.raises(KeyboardInterrupt):  # afterwards it is what it was
        signal.raise_signal(signal.SIGINT)


def test_ctrl_c_gives_what_was_finished_and_leaves_no_process(
    start: Any, processes: SimpleNamespace, tmp_path: Path
) -> None:
    process = start("wait")
    marks = [tmp_path / f"slow{number}" for number in (1, 2)]
    processes.wait_until(lambda: all(mark.exists() for mark in marks))
    pids = [int(mark.read_text()) for mark in marks]
    os.killpg(process.pid, signal.SIGINT)  # to all of them, as a terminal does
    out, err = process.communicate(timeout=120)
    assert sorted(out.split()) == ["0", "1", "2", "quick1", "quick2", "quick3"]
    assert err.count("Traceback") == 1
    assert "KeyboardInterrupt" in err.splitlines()[-1]
    assert not any(map(processes.is_alive, pids))


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_workers_inside_a_solve_end_with_their_parent(
    start: Any, processes: SimpleNamespace, tmp_path: Path, how: Any
) -> None:
    process = start("solve")
    marks = [tmp_path / f"slow{number}" for number in (1, 2)]
    processes.wait_until(lambda: all(mark.exists() for mark in marks))
    pids = [int(mark.read_text()) for mark in marks]
    assert all(map(processes.is_alive, pids))
    process.send_signal(how)
    process.communicate(timeout=120)
    processes.wait_until(lambda: not any(map(processes.is_alive, pids)))


def test_a_script_without_a_main_guard_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(
        "from milplib.execution import Execution, run_tasks\n"
        "list(run_tasks(abs, [1, 2], execution=Execution(workers=2)))\n"
    )
    done = subprocess.run(
        [sys.executable, str(tmp_path / "script.py")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "__main__" in done.stderr.splitlines()[-1]
    assert done.stderr.count("Traceback") == 1  # the script's own, and none of the workers


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"workers": 0}, "number of workers is 0"),
        ({"tasks_per_worker": 0}, "tasks per worker is 0"),
        ({"memory_limit": 0.0}, "memory limit is 0 MB"),
        ({"memory_limit": float("inf")}, "memory limit is inf MB"),
        ({"task_time_limit": float("nan")}, "time limit of a task is nan seconds"),
        ({"cluster": ""}, "neither local:N"),
        ({"cluster": "local:0"}, "neither local:N"),
        ({"cluster": "local:two"}, "neither local:N"),
        ({"cluster": "somewhere"}, "neither local:N"),
        ({"cluster": "local:2", "workers": 2}, "either workers or a cluster"),
    ],
)
def test_wrong_places_and_limits_are_refused(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        Execution(**wrong)


def test_workers_and_an_execution_are_not_taken_together() -> None:
    with pytest.raises(ParameterError, match="either workers or execution"):
        execution_or_workers(Execution(), 2)
