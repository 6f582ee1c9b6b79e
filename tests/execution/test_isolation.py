"""A function in a fresh process: what it gives or raises comes back, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from milplib.errors import UnknownNameError
from milplib.execution import WorkerDiedError
from milplib.isolation import WorkerTimeoutError, run_isolated

FUNCTIONS = """
import os, signal, time
from pathlib import Path
from milplib.errors import UnknownNameError

class Stubborn(Exception):
    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")

def environment(_):
    return os.getpid(), os.environ["OMP_NUM_THREADS"]

def raise_unknown(_):
    raise UnknownNameError("fruit", "aple", ["apple"])

def raise_stubborn(_):
    raise Stubborn(1, 2)

def give_a_lambda(_):
    return lambda: 1

def kill(number):
    os.kill(os.getpid(), number)

def interrupted(_):
    # SCIP sets a handler of its own for the time of a solve; so does this.
    signal.signal(signal.SIGINT, lambda *_: os._exit(99))
    os.kill(os.getpid(), signal.SIGINT)
    return "goes on"

def big(_):
    return bytes(5_000_000)

def never_ends(mark):
    # As a solve does: no turn for any other thread of Python's.
    import pyscipopt
    from milplib.generators import from_name
    model = from_name("SC-hard").generate(0).to_scip()
    model.hideOutput()
    Path(mark).write_text(str(os.getpid()))
    model.optimize()
"""


@pytest.fixture
def functions(tmp_path, monkeypatch):
    (tmp_path / "milplib_test_functions.py").write_text(textwrap.dedent(FUNCTIONS))
    monkeypatch.syspath_prepend(tmp_path)
    import milplib_test_functions

    yield milplib_test_functions
    del sys.modules["milplib_test_functions"]


def test_it_runs_in_another_process_on_one_thread(functions):
    pid, threads = run_isolated(functions.environment, None)
    assert pid != os.getpid()
    assert threads == os.environ.get("OMP_NUM_THREADS", "1")


def test_a_large_result_comes_back_whole(functions):
    assert len(run_isolated(functions.big, None, time_limit=60)) == 5_000_000


def test_what_it_raises_is_raised_here_with_its_traceback(functions):
    with pytest.raises(UnknownNameError, match="did you mean apple") as caught:
        run_isolated(functions.raise_unknown, None)
    assert "in raise_unknown" in caught.value.__notes__[0]


def test_an_error_or_a_result_that_cannot_travel_is_described(functions):
    with pytest.raises(Exception, match="Stubborn: 1 and 2"):
        run_isolated(functions.raise_stubborn, None)
    with pytest.raises(Exception, match="lambda"):
        run_isolated(functions.give_a_lambda, None)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
def test_a_process_that_is_killed_says_by_what(number, functions):
    with pytest.raises(WorkerDiedError, match=f"killed by {number.name}"):
        run_isolated(functions.kill, int(number))


def test_a_process_that_leaves_says_with_which_code():
    with pytest.raises(WorkerDiedError, match="exit code 3"):
        run_isolated(os._exit, 3)


def test_a_process_that_hangs_is_killed_at_the_limit():
    begin = time.monotonic()
    with pytest.raises(WorkerTimeoutError, match=r"within 0\.5 seconds"):
        run_isolated(time.sleep, 600, time_limit=0.5)
    assert time.monotonic() - begin < 300  # not the 600 that it wanted


def test_ctrl_c_is_left_to_the_parent_whatever_handler_is_set(functions):
    assert run_isolated(functions.interrupted, None, time_limit=60) == "goes on"


def test_a_script_without_a_main_guard_is_told_so(tmp_path):
    (tmp_path / "script.py").write_text(
        "from milplib.isolation import run_isolated\nrun_isolated(abs, -1)\n"
    )
    done = subprocess.run(
        [sys.executable, str(tmp_path / "script.py")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "__main__" in done.stderr.splitlines()[-1]


def test_a_solve_that_holds_the_interpreter_ends_with_its_parent(functions, tmp_path):
    mark = tmp_path / "pid"
    code = (
        "import milplib_test_functions as f\nfrom milplib.isolation import run_isolated\n"
        f"run_isolated(f.never_ends, {str(mark)!r})"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": str(tmp_path)}
    )
    deadline = time.monotonic() + 120
    while not (mark.exists() and mark.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    child = int(mark.read_text())
    time.sleep(0.5)  # into the solve
    parent.kill()
    parent.wait()
    while is_alive(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_alive(child)


def is_alive(pid):
    """Whether a process runs; one that is dead but not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
