"""Forked processes: each begins as a process that has only imported, wherever it is asked for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from milplib.execution import forks
from milplib.execution.isolation import run_isolated

pytestmark = pytest.mark.skipif(not forks.CAN_FORK, reason="processes are not forked here")


@pytest.fixture
def template(functions: ModuleType) -> Callable[[], int]:
    """Function that returns the id of the process that forks for this thread."""

    def pid() -> int:
        parent: int = run_isolated(functions.parent_of, None)
        return parent

    return pid


def test_processes_are_forked_from_one_that_is_kept(template: Callable[[], int]) -> None:
    assert template() == template() != os.getpid()


def test_no_process_sees_what_an_earlier_one_did(functions: ModuleType) -> None:
    assert [run_isolated(functions.count_up, None) for _ in range(3)] == [1, 1, 1]


def test_a_process_has_the_folder_the_environment_and_the_import_path_of_its_parent(
    functions: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_isolated(functions.surroundings, None)  # the template has the former ones
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MILPLIB_TEST_WORD", "here")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert run_isolated(functions.surroundings, None) == (str(tmp_path), "here", str(tmp_path))


def test_a_template_that_is_killed_is_replaced(
    template: Callable[[], int], processes: SimpleNamespace
) -> None:
    first = template()
    os.kill(first, signal.SIGKILL)
    processes.wait_until(lambda: not processes.is_alive(first))
    assert template() not in (first, os.getpid())


@pytest.mark.slow
def test_threads_have_processes_at_once(functions: ModuleType) -> None:
    meeting = threading.Barrier(4, timeout=120)

    def run(number: int) -> int:
        meeting.wait()
        return sum(run_isolated(functions.same, number) for _ in range(5))

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(run, range(4))) == [0, 5, 10, 15]


def test_a_script_ends_with_its_template(processes: SimpleNamespace) -> None:
    code = (
        "import os\n"
        "from milplib.execution.isolation import run_isolated\n"
        "print(run_isolated(lambda _: os.getppid(), None))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300
    )
    assert done.stderr == ""
    processes.wait_until(lambda: not processes.is_alive(int(done.stdout)))
