"""Wrong uses of the native code end in an error of one line, never in a crash of the process."""

from __future__ import annotations

import subprocess
import sys

import pytest
from slow_parameters import slow

from milplib.scip.native import native_status

pytestmark = pytest.mark.skipif(native_status().module is None, reason="needs the native code")

ARRAYS = """
import numpy as np
import milplib.scip.native as loading
native = loading.native_module()
n, width = 6, 4
def arrays(dtype=np.float32):
    rng = np.random.default_rng(0)
    ends = rng.integers(0, n, (2, 20)).astype(np.int32)
    ends[0].sort()
    return [rng.normal(size=shape).astype(dtype) for shape in ((n, width), (n, width), width)] + [
        ends, rng.normal(size=20).astype(dtype)]
def attempt(call, *arguments):
    try:
        call(*arguments)
    except ValueError as error:
        assert "\\n" not in str(error)
        print(type(error).__name__, error)
    else:
        print("accepted")
"""


def run(code: str) -> list[str]:
    """Run a program in a process of its own, which must end well; return the lines it prints."""
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", ARRAYS + code],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, (done.returncode, done.stderr[-2000:])
    assert not done.stderr, done.stderr[-2000:]
    return done.stdout.splitlines()


def test_outputs_that_overlap_inputs_or_each_other_are_refused() -> None:
    lines = run(
        """
for dtype in (np.float32, np.float64):
    for place in (0, 1):
        given = arrays(dtype)
        attempt(native.edge_sum, *given, given[place])
    given = arrays(dtype)
    block = np.zeros((n + 2, width), dtype)
    given[0] = block[:n]
    attempt(native.edge_sum, *given, block[2:])
    attempt(native.edge_sum, *given, block.copy()[2:])
    given = arrays(dtype)
    of = [np.zeros_like(each) for each in (given[0], given[0], given[1], given[2])]
    attempt(native.edge_gradient, *given, *of)
    attempt(native.edge_gradient, *given, of[0], of[0], of[2], of[3])
    attempt(native.edge_gradient, *given, of[0], of[1], of[1], of[3])
    attempt(native.edge_gradient, *given, of[0], of[1], given[1], of[3])
    attempt(native.edge_gradient, *given, of[0], of[1], of[2], of[1][2])
"""
    )
    expected = [
        "ValueError out overlaps target in memory; it must be an array of its own",
        "ValueError out overlaps source in memory; it must be an array of its own",
        "ValueError out overlaps target in memory; it must be an array of its own",
        "accepted",
        "accepted",
        "ValueError of_target overlaps gradient in memory; it must be an array of its own",
        "ValueError of_source overlaps of_target in memory; it must be an array of its own",
        "ValueError of_source overlaps source in memory; it must be an array of its own",
        "ValueError of_weight overlaps of_target in memory; it must be an array of its own",
    ]
    assert lines == 2 * expected


@pytest.mark.parametrize(
    "how", [slow("del model"), "model.free()", slow("del model; gc.collect()")]
)
def test_a_capsule_of_a_freed_model_is_refused(how: str) -> None:
    lines = run(
        f"""
import gc, pyscipopt
from milplib.policies import GcnnPolicy, load_policy
network = load_policy("gcnn-auctions").native_decision()._network
model = pyscipopt.Model()
other = pyscipopt.Model()
capsule = model.to_ptr(False)
{how}
calls = [lambda *a: native.extract(capsule, True, *a), lambda *a: native.pseudocosts(capsule, *a),
         lambda *a: network.decide(capsule, *a), lambda *a: network.judge(capsule, *a)]
for call in calls:
    attempt(call)
    attempt(call, other)
    attempt(call, 0)
"""
    )
    assert lines == 12 * ["ValueError the model of this capsule is freed: make a new capsule"]


def test_the_state_of_a_freed_model_is_a_state_error() -> None:
    lines = run(
        """
import pyscipopt
from milplib.errors import StateError
from milplib.scip import extract_state
model = pyscipopt.Model()
model.free()
try:
    extract_state(model)
except StateError as error:
    print(error)
"""
    )
    assert lines == ["there is no branching state here: the model is freed"]


KERNEL = """
import sys, threading, time
n, width, edges = 200, 64, 400_000
rng = np.random.default_rng(0)
ends = rng.integers(0, n, (2, edges)).astype(np.int32)
given = [rng.normal(size=s).astype(np.float32) for s in ((n, width), (n, width), width)]
given += [ends, rng.normal(size=edges).astype(np.float32)]
out = np.zeros((n, width), np.float32)
started = threading.Event()
def work():
    while True:
        started.set()
        native.edge_sum(*given, out)
for _ in range(3):
    threading.Thread(target=work, daemon=True).start()
started.wait()
"""


@pytest.mark.parametrize("ending", ["time.sleep(0.05)", "time.sleep(0.05); sys.exit(0)"])
def test_daemon_threads_in_a_kernel_do_not_disturb_the_exit(ending: str) -> None:
    assert run(KERNEL + ending) == []


def test_a_forked_process_ends_although_a_thread_of_its_parent_is_in_a_kernel() -> None:
    lines = run(
        KERNEL
        + """
import os, warnings
warnings.simplefilter("ignore")
child = os.fork()
if child == 0:
    sys.exit(0)
print("child", os.waitpid(child, 0)[1])
"""
    )
    assert lines == ["child 0"]


def test_an_index_array_that_changes_under_the_kernel_is_never_followed() -> None:
    lines = run(
        KERNEL.replace("native.edge_sum(*given, out)", "ends[1] = 2**30; ends[1] = 0")
        + """
for _ in range(200):
    try:
        native.edge_sum(*given, out)
    except ValueError as error:
        assert "edge_index[1] holds" in str(error)
print("alive")
"""
    )
    assert lines == ["alive"]
