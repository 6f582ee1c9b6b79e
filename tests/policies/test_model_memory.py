"""Models with a policy are freed with their last reference, without the garbage collector."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pyscipopt
import pytest
from slow_parameters import slow

import milplib
from milplib.errors import PolicyError
from milplib.policies import Portfolio, Switch
from milplib.scip.plugins import is_freed
from milplib.solving import solve

from .plugged import INSTANCE, BoomError, First, not_a_number, quiet, raises


@pytest.fixture(autouse=True)
def no_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


def lowest(state: Any) -> Any:
    return -state.candidates


POLICIES: dict[str, Callable[[Path], Any]] = {
    "function": lambda noise: lowest,
    "rule": lambda noise: "pscost",
    "switch": lambda noise: Switch("mostinf", lowest, depth=2),
    "portfolio": lambda noise: Portfolio(lambda instance: "all", {"all": lowest}),
    "auto": lambda noise: "auto",
    "network": str,
    "raises": lambda noise: raises,
    "not a number": lambda noise: not_a_number,
    "no key": lambda noise: Portfolio(lambda instance: "none", {"all": lowest}),
}


FAILING = ("raises", "not a number", "no key")


@pytest.mark.parametrize("on_error", [slow("fallback"), "raise"])
@pytest.mark.parametrize("name", POLICIES)
def test_a_dropped_model_is_freed_at_once(name: str, on_error: Any, noise_file: Path) -> None:
    model = quiet()
    alive = weakref.ref(model)
    milplib.include_policy(model, POLICIES[name](noise_file), on_error=on_error)
    fails = on_error == "raise" and name in FAILING
    with pytest.raises((BoomError, PolicyError)) if fails else nullcontext() as caught:
        model.optimize()
    del caught
    del model
    assert alive() is None


@pytest.mark.parametrize("when", ["never solved", "removed", "replaced", "interrupted"])
def test_a_dropped_model_is_freed_whatever_happened_before(when: str) -> None:
    model = quiet()
    alive = weakref.ref(model)
    use = milplib.include_policy(model, lowest)
    if when == "interrupted":
        model.setParam("limits/nodes", 5)
    if when != "never solved":
        model.optimize()
    if when == "removed":
        use.remove()
    if when == "replaced":
        model.freeTransform()
        use.replace("pscost")
        model.optimize()
    del model
    assert alive() is None


def test_a_policy_is_freed_with_its_model() -> None:
    policy = First()
    alive = weakref.ref(policy)
    model = quiet()
    use = milplib.include_policy(model, policy)
    model.optimize()
    del model, policy
    assert alive() is not None, "the handle names it"
    del use
    assert alive() is None
    policy = First()
    alive = weakref.ref(policy)
    model = quiet()
    milplib.include_policy(model, policy).remove()
    del policy
    assert alive() is None


class Spy:
    """Policy that notes the model, and fails."""

    name = "spy"

    def __init__(self) -> None:
        self.state_functions = (self,)
        self.version, self.columns = 1, ("nothing",)
        self.models: list[Any] = []

    def extract(self, model: pyscipopt.Model) -> list[float]:
        self.models.append(weakref.ref(model))
        return [0.0]

    def score(self, state: Any) -> Any:
        raise BoomError


def test_a_solve_frees_its_scip_even_if_its_error_is_kept() -> None:
    spy = Spy()
    with pytest.raises(BoomError) as caught:
        solve(INSTANCE, policy=spy, on_error="raise")
    model = spy.models[0]()
    assert model is None or is_freed(model)  # frames of the traceback may hold the empty model
    assert caught.value is not None
    assert solve(INSTANCE, policy=spy).policy_errors > 0
    assert spy.models[-1]() is None


SOLVES = """
import gc
gc.disable()
import milplib
from market_split import market_split
instance = market_split(0, n_columns=11)
def lowest(state):
    return -state.candidates
def resident():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:")) / 1024
calls = 0
def go(count):
    global calls
    for seed in range(count):
        policy = ("gcnn-auctions", lowest)[seed % 2]
        result = milplib.solve(instance, policy=policy, setting="learn2branch", seed=seed)
        calls += result.policy_calls
go(50)
before = resident()
go(500)
print(calls, before, resident())
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_500_solves_do_not_grow_the_process() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SOLVES],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
        timeout=900,
    )
    calls, before, after = map(float, done.stdout.split())
    assert calls > 550, "the solves must branch"
    assert after - before < 25, (before, after)  # 50 KiB a solve; one model kept has 2 MiB


AT_EXIT = """
import milplib
from milplib.generators import SetCover
def lowest(state):
    return -state.candidates
model = SetCover(n_rows=50, n_columns=60, density=0.1).generate(seed=0).to_scip()
model.hideOutput()
use = milplib.include_policy(model, lowest)
model.optimize()
"""


@pytest.mark.parametrize("last", ["", slow("import sys; sys.exit()"), slow("use.remove()")])
def test_a_program_that_ends_with_a_model_is_silent(last: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", AT_EXIT + last], capture_output=True, text=True, timeout=300
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
