"""Tasks run in processes that may die, and each result comes once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from milplib.errors import ParameterError
from milplib.execution import run_tasks

SCRIPT = """
import os, signal, sys, time
from pathlib import Path
from milplib.execution import WorkerDiedError, run_tasks

marks = Path(sys.argv[1])

def task(number):
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    if number == 5 and not (marks / "once").exists():
        (marks / "once").touch()
        os.kill(os.getpid(), signal.SIGSEGV)
    if number == 7 and "raise" in sys.argv:
        raise ValueError("seven")
    if "sleep" in sys.argv:
        (marks / f"pid{os.getpid()}").touch()
        time.sleep(600)
    time.sleep(0.02)
    return number * number, os.environ["OMP_NUM_THREADS"]

if __name__ == "__main__":
    tasks = [0] * 4 if "sleep" in sys.argv else list(range(10))
    for position, result in sorted(run_tasks(task, tasks, workers=3), key=lambda pair: pair[0]):
        print(position, "died" if isinstance(result, WorkerDiedError) else result)
"""


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "script.py"
    path.write_text(textwrap.dedent(SCRIPT))
    return path


def start(script, *arguments):
    return subprocess.Popen(
        [sys.executable, str(script), str(script.parent), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell's background job ignores Ctrl-C, and so would what it starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def test_a_task_that_kills_its_worker_twice_is_reported_and_the_others_are_done(script):
    out, err = start(script).communicate(timeout=60)
    lines = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert lines.pop("3") == "died", err
    # 5 died once by itself, and whichever ran beside a dying worker was run again.
    assert lines == {str(n): f"({n * n}, '1')" for n in range(10) if n != 3}


def test_a_worker_may_die_at_once(tmp_path):
    # A pool that started its workers one by one would be starting the others when the first dies.
    code = """
    import os, signal
    from milplib.execution import WorkerDiedError, run_tasks

    def task(number):
        if number == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return number

    if __name__ == "__main__":
        for _ in range(3):
            results = dict(run_tasks(task, range(8), workers=8))
            assert isinstance(results.pop(0), WorkerDiedError)
            assert results == {number: number for number in range(1, 8)}
    """
    path = tmp_path / "script.py"
    path.write_text(textwrap.dedent(code))
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_what_a_task_raises_is_raised_in_the_parent(script):
    process = start(script, "raise")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "ValueError: seven" in err


def running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_workers_end_with_their_parent(script, how):
    process = start(script, "sleep")
    deadline = time.monotonic() + 60
    while len(pids := list(script.parent.glob("pid*"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(pids) == 3
    process.send_signal(how)
    process.communicate(timeout=30)
    while any(running(int(path.name[3:])) for path in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(running(int(path.name[3:])) for path in pids)


def test_one_worker_runs_in_this_process_in_order():
    assert list(run_tasks(lambda task: (task, os.getpid()), "ab", workers=1)) == [
        (0, ("a", os.getpid())),
        (1, ("b", os.getpid())),
    ]


def test_no_workers_are_refused():
    with pytest.raises(ParameterError, match="workers"):
        list(run_tasks(abs, [1], workers=0))
