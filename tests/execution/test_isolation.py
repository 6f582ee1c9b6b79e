"""A function in a fresh process: what it gives or raises comes back, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from milplib.errors import UnknownNameError
from milplib.execution import WorkerDiedError
from milplib.execution.isolated_solve import isolated_row
from milplib.execution.isolation import WorkerTimeoutError, run_isolated
from milplib.execution.memory import peak_memory


def test_it_runs_in_another_process_on_one_thread(functions: ModuleType) -> None:
    pid, threads = run_isolated(functions.environment, None)
    assert pid != os.getpid()
    assert threads == os.environ.get("OMP_NUM_THREADS", "1")


def test_a_large_result_comes_back_whole(functions: ModuleType) -> None:
    assert len(run_isolated(functions.big, None, time_limit=60)) == 5_000_000


def test_what_it_raises_is_raised_here_with_its_traceback(functions: ModuleType) -> None:
    with pytest.raises(UnknownNameError, match="did you mean apple") as caught:
        run_isolated(functions.raise_unknown, None)
    assert "in raise_unknown" in caught.value.__notes__[0]


def test_an_error_or_a_result_that_cannot_travel_is_described(functions: ModuleType) -> None:
    with pytest.raises(Exception, match="Stubborn: 1 and 2"):
        run_isolated(functions.raise_stubborn, None)
    with pytest.raises(Exception, match="lock"):
        run_isolated(functions.give_a_lock, None)
    assert run_isolated(functions.give_a_lambda, None)() == 1  # code travels by value


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
def test_a_process_that_is_killed_says_by_what(number: Any, functions: ModuleType) -> None:
    with pytest.raises(WorkerDiedError, match=f"killed by {number.name}"):
        run_isolated(functions.kill, int(number))


def test_a_process_that_leaves_says_with_which_code() -> None:
    with pytest.raises(WorkerDiedError, match="exit code 3"):
        run_isolated(os._exit, 3)


def test_a_process_that_hangs_is_killed_at_the_limit() -> None:
    begin = time.monotonic()
    with pytest.raises(WorkerTimeoutError, match=r"within 0\.5 seconds"):
        run_isolated(time.sleep, 600, time_limit=0.5)
    assert time.monotonic() - begin < 300  # not the 600 that it wanted


def test_ctrl_c_is_left_to_the_parent_whatever_handler_is_set(functions: ModuleType) -> None:
    assert run_isolated(functions.interrupted, None, time_limit=60) == "goes on"


def test_a_script_without_a_main_guard_can_use_a_process_and_its_own_functions(
    tmp_path: Path,
) -> None:
    (tmp_path / "script.py").write_text(
        "from milplib.execution.isolation import run_isolated\n"
        "factor = 3\n"
        "def tripled(number):\n"
        "    return factor * number\n"
        "print(run_isolated(tripled, -1))\n"
    )
    done = subprocess.run(
        [sys.executable, str(tmp_path / "script.py")], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "-3\n", "")


def test_a_process_over_its_memory_is_killed(functions: ModuleType) -> None:
    with pytest.raises(WorkerDiedError, match="more than the limit of 300 MB") as caught:
        run_isolated(functions.end, "grow", memory_limit=300)
    assert caught.value.kind == "out of memory"


def test_a_run_killed_from_outside_is_made_again(
    functions: ModuleType, processes: SimpleNamespace, tmp_path: Path
) -> None:
    mark = tmp_path / "pid"
    processes.kill_when_marked(mark, signal.SIGKILL)
    row: Any = isolated_row(functions.wait_once, mark, time_limit=300, grace=60)
    assert row == "done"


@pytest.mark.slow
def test_a_run_that_is_killed_each_time_is_a_crash(functions: ModuleType) -> None:
    row = isolated_row(functions.kill, int(signal.SIGKILL), time_limit=300, grace=60)
    assert (row["status"], row["failure"]) == ("died", "crash")
    assert "SIGKILL" in row["failure_detail"]
    assert row["failure_detail"].endswith("tried 6 times")


def test_a_run_over_its_memory_is_a_failure_of_that_kind(functions: ModuleType) -> None:
    row = isolated_row(functions.end, "grow", time_limit=300, grace=60, memory_limit=300)
    assert (row["status"], row["failure"]) == ("killed", "memlimit")


@pytest.mark.slow
def test_a_solve_that_holds_the_interpreter_ends_with_its_parent(
    functions: ModuleType, processes: SimpleNamespace, tmp_path: Path
) -> None:
    mark = tmp_path / "pid"
    code = (
        "import milplib_test_functions as f\nfrom milplib.execution.isolation import run_isolated\n"
        f"run_isolated(f.never_ends, {str(mark)!r})"
    )
    parent = subprocess.Popen([sys.executable, "-c", code])
    processes.wait_until(mark.exists)
    child = int(mark.read_text())
    time.sleep(0.5)  # into the solve
    parent.kill()
    parent.wait()
    processes.wait_until(lambda: not processes.is_alive(child))


def test_the_peak_memory_of_a_process_does_not_count_the_one_that_started_it() -> None:
    held = b"x" * 400_000_000
    told = subprocess.run(
        [sys.executable, "-c", "from milplib.execution.memory import peak_memory as p; print(p())"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert float(told.stdout) < len(held) / 1e6 < peak_memory()
