"""Functions that worker processes can import, and what the tests know of processes."""

from __future__ import annotations

import importlib
import os
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

FUNCTIONS = """
import ctypes, os, signal, sys, threading, time
from pathlib import Path
from milplib.errors import UnknownNameError

class Stubborn(Exception):
    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")

def same(number):
    return number

def process(_):
    return os.getpid()

def environment(_):
    return os.getpid(), os.environ["OMP_NUM_THREADS"]

def raise_unknown(_):
    raise UnknownNameError("fruit", "aple", ["apple"])

def raise_stubborn(_):
    raise Stubborn(1, 2)

def raise_at_seven(number):
    if number == 7:
        raise ValueError("seven")
    return number

def parent_of(_):
    return os.getppid()

def count_up(_):
    signal.changes = getattr(signal, "changes", 0) + 1
    return signal.changes

def surroundings(_):
    return os.getcwd(), os.environ.get("MILPLIB_TEST_WORD"), sys.path[0]

def give_a_lambda(_):
    return lambda: 1

def give_a_lock(_):
    return threading.Lock()

def kill(number):
    os.kill(os.getpid(), number)

def interrupted(_):
    # SCIP sets a handler of its own for the time of a solve; so does this.
    signal.signal(signal.SIGINT, lambda *_: os._exit(99))
    os.kill(os.getpid(), signal.SIGINT)
    return "goes on"

def big(_):
    return bytes(5_000_000)

held = []

def hold(megabytes):
    held.append(b"x" * (megabytes * 1_000_000))
    return os.getpid()

def end(how):
    # Each way in which a process can end, and one in which it does not.
    if how == "segfault":
        ctypes.string_at(0)
    elif how == "abort":
        os.abort()
    elif how == "exit":
        os._exit(3)
    elif how == "sys.exit":
        sys.exit("enough")
    elif how == "bus":
        os.kill(os.getpid(), signal.SIGBUS)
    elif how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif how == "memory error":
        raise MemoryError
    elif how == "huge":
        bytearray(1 << 40)
    elif how == "grow":
        held = []
        while True:
            held.append(bytearray(b"x" * 10_000_000))
            time.sleep(0.005)
    elif how == "kill the parent":
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(600)
    return how

def wait_once(mark):
    # The first time it waits to be killed.
    mark = Path(mark)
    if mark.exists():
        return "done"
    write(mark, os.getpid())
    time.sleep(600)

def touch_and_wait(mark):
    # Ends if its mark says so, and waits for its end otherwise.
    mark = Path(mark)
    write(mark, os.getpid())
    if not mark.name.startswith("quick"):
        time.sleep(600)
    return mark.name

def write(mark, number):
    aside = mark.with_suffix(".aside")
    aside.write_text(str(number))
    aside.rename(mark)

def never_ends(mark):
    # As a solve does: no turn for any other thread of Python's.
    import pyscipopt
    from milplib.generators import from_name
    model = from_name("SC-hard").generate(0).to_scip()
    model.hideOutput()
    write(Path(mark), os.getpid())
    model.optimize()
"""


SOLVING = """
import os, signal, time
from dataclasses import dataclass
from pathlib import Path
from milplib.generators import SetCover
from milplib.scip import VariableFeature

@dataclass(frozen=True, kw_only=True)
class Crashing(SetCover):
    # Every other instance ends the process, unless somebody has mended it.
    mended: str

    def generate(self, seed):
        if seed % 2 and not Path(self.mended).exists():
            os.abort()
        return super().generate(seed)

def ends_the_worker(state):
    # Not the process of the run, nor the one that forked it, but the worker that asked for it.
    if "MILPLIB_TEST_MENDED" not in os.environ:
        status = Path(f"/proc/{os.getppid()}/stat").read_text()
        os.kill(int(status.rsplit(")", 1)[1].split()[1]), signal.SIGABRT)
        time.sleep(600)
    fraction = state.variable_features[state.candidates, VariableFeature.FRACTIONALITY]
    return -abs(fraction - 0.5)
"""


@pytest.fixture(scope="package")
def functions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """A module of functions that every process started from here can import."""
    yield from _module("milplib_test_functions", FUNCTIONS, tmp_path_factory)


@pytest.fixture(scope="package")
def solving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """A module of a family and a policy that end processes; it takes longer to import."""
    yield from _module("milplib_test_solving", SOLVING, tmp_path_factory)


def _module(name: str, text: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    folder = tmp_path_factory.mktemp(name)
    (folder / f"{name}.py").write_text(textwrap.dedent(text))
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        patch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
        yield importlib.import_module(name)
        del sys.modules[name]


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that is dead but not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def wait_until(condition: Any, seconds: float = 120.0) -> None:
    """Wait for what must come; a machine under load takes its time."""
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "it never came"
        time.sleep(0.02)


def kill_when_marked(mark: Path, number: int) -> threading.Thread:
    """Kill, from outside, the process that writes its id into a file."""

    def kill() -> None:
        wait_until(mark.exists)
        os.kill(int(mark.read_text()), number)

    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    return thread


@pytest.fixture
def processes() -> SimpleNamespace:
    """What the tests know of processes."""
    return SimpleNamespace(
        is_alive=is_alive, wait_until=wait_until, kill_when_marked=kill_when_marked
    )
