"""Runs of the command line that can be disturbed: many short tasks, and who kills what works."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from market_split import market_split

from milplib.learn import collect

N_TASKS = 200
OPTIONS: dict[str, Any] = {"samples_per_instance": 2, "expert_probability": 1.0}
"""Of every collection here, so that all have the same bytes."""


def write_instances(folder: Path, count: Any) -> Any:
    folder.mkdir(parents=True)
    for seed in range(count):
        market_split(seed).write(folder / f"{seed:03}.lp")
    return folder


@pytest.fixture(scope="session")
def instances(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A folder of `N_TASKS` instances."""
    return write_instances(tmp_path_factory.mktemp("faults") / "i", N_TASKS)


@pytest.fixture(scope="session")
def undisturbed(instances: Any) -> Any:
    """What an undisturbed collection from them with one worker writes."""
    out = instances.parent / "undisturbed"
    samples = collect([instances], out=out, **OPTIONS)
    assert len(samples) == 2 * N_TASKS
    return content(out)


def content(folder: Path) -> Any:
    """All files by name but the one that says where they were made."""
    return {
        path.name: path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "environment.json"
    }


def start(instances: Any, out: Any, *options: Any, largest_file: Any = None, **more: Any) -> Any:
    """Begin a collection as a user does, in a process group of its own.

    With `largest_file`, no process of it may write a file of more bytes: a quota, in effect.
    """

    def prepare() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))

    command = ["collect", instances, "--out", out, *options]
    for name, value in OPTIONS.items():
        command += [f"--{name.replace('_', '-')}", value]
    return subprocess.Popen(
        [sys.executable, "-m", "milplib.cli", *map(str, command)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=None if largest_file is None else prepare,
        **more,
    )


def run(instances: Any, out: Any, *options: Any, **more: Any) -> Any:
    """Run a collection to its end; give the exit code and the lines on stderr."""
    process = start(instances, out, *options, **more)
    _, errors = process.communicate(timeout=600)
    return process.returncode, errors.splitlines()


def n_finished(out: Any) -> Any:
    """Number of tasks that a run which goes on has finished."""
    try:
        names = os.listdir(Path(out) / "unfinished")
    except FileNotFoundError:
        return 0
    return sum(name.endswith(".json") and name[0].isdigit() for name in names)


def wait_for_tasks(process: subprocess.Popen[str], out: Any, count: Any) -> bool:
    """Wait until a number of tasks are finished; return whether the run still works."""
    deadline = time.monotonic() + 300
    while process.poll() is None and time.monotonic() < deadline:
        if n_finished(out) >= count:
            return True
        time.sleep(0.01)
    assert process.poll() is not None, f"{n_finished(out)} of {count} tasks in 300 s"
    return False


def descendants(pid: Any) -> Any:
    """Processes that a process has started, and those they have, with their command lines."""
    parents: dict[Any, Any] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                status = (folder / "stat").read_text().rpartition(")")[2].split()
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:  # it has just ended
                continue
            if status[0] != "Z":
                parents.setdefault(int(status[1]), []).append((int(folder.name), command))
    found, front = {}, [pid]
    while front:
        for child, command in parents.get(front.pop(), []):
            found[child] = command
            front.append(child)
    return found


def workers_of(process: subprocess.Popen[str]) -> Any:
    """Worker processes of a run: not the helper that minds shared resources."""
    return sorted(
        pid
        for pid, command in descendants(process.pid).items()
        if "spawn_main" in command and "resource_tracker" not in command
    )


def kill_workers(process: subprocess.Popen[str], out: Any, *, seed: int, kills: int = 8) -> Any:
    """Kill random workers after random numbers of finished tasks; give how many were killed."""
    rng = np.random.RandomState(seed)
    killed = 0
    for _ in range(kills):
        after = n_finished(out) + rng.randint(1, 2 * N_TASKS // kills - 5)
        if not wait_for_tasks(process, out, min(after, N_TASKS - 1)):
            break
        if workers := workers_of(process):
            try:
                os.kill(workers[rng.randint(len(workers))], signal.SIGKILL)
            except ProcessLookupError:
                continue
            killed += 1
    return killed
