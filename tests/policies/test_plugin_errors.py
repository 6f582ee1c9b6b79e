"""Policies that fail in somebody else's model: counted, or raised as they are."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from market_split import market_split
from narrowing import present

import milplib
from milplib.errors import PolicyError
from milplib.scip import BranchingState
from milplib.solving import solve

from .plugged import BAD, INSTANCE, OPTIMUM, BoomError, First, quiet, raises, solved


@pytest.mark.parametrize("policy", [raises, *BAD])
def test_a_failing_policy_is_counted_and_scip_decides(
    policy: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    model = quiet(rule="mostinf")
    use = milplib.include_policy(model, policy)
    with caplog.at_level(logging.WARNING, logger="milplib"):
        assert solved(model)
    assert use.errors > 1
    assert use.calls == 0
    assert isinstance(use.first_error, BoomError if policy is raises else PolicyError)
    assert policy.__name__ in use.first_traceback
    assert len(caplog.records) == 1  # once, not at every node


def test_a_policy_that_fails_now_and_then_decides_at_the_other_nodes() -> None:
    calls = iter(range(10**9))

    def moody(state: BranchingState) -> Any:
        if next(calls) % 3 == 0:
            raise BoomError
        return -state.candidates

    model = quiet(rule="mostinf")
    use = milplib.include_policy(model, moody)
    assert solved(model)
    assert use.errors > 0
    assert use.calls > 0


def test_the_original_error_comes_out_of_optimize_with_its_traceback() -> None:
    model = quiet(market_split(0, n_columns=20))
    milplib.include_policy(model, raises, on_error="raise")
    with pytest.raises(BoomError, match="at a node") as caught:
        model.optimize()
    assert "raises" in [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert model.getStatus() == "userinterrupt"
    with pytest.raises(BoomError):  # going on meets the same policy
        model.optimize()
    model.freeTransform()
    with pytest.raises(BoomError):
        model.optimizeNogil()


@pytest.mark.parametrize("policy", BAD)
def test_wrong_scores_are_a_policy_error_that_names_the_policy(policy: Callable[..., Any]) -> None:
    model = quiet()
    milplib.include_policy(model, policy, on_error="raise")
    with pytest.raises(PolicyError, match=policy.__name__):
        model.optimize()


def test_the_error_comes_out_of_a_call_inside_an_expression_and_of_a_thread() -> None:
    def attempt() -> Any:
        model = quiet()
        milplib.include_policy(model, raises, on_error="raise")
        return [model.optimize() for _ in range(1)]  # type: ignore[func-returns-value]

    with pytest.raises(BoomError):
        attempt()
    caught = []

    def in_a_thread() -> None:
        try:
            attempt()
        except BoomError as error:
            caught.append(error)

    thread = threading.Thread(target=in_a_thread)
    thread.start()
    thread.join()
    assert len(caught) == 1


def test_ctrl_c_in_a_policy_is_no_policy_error() -> None:
    def interrupted(state: BranchingState) -> None:
        raise KeyboardInterrupt

    model = quiet()
    use = milplib.include_policy(model, interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.optimize()
    assert use.errors == 0


def test_a_state_function_that_fails_is_a_policy_error() -> None:
    class Broken:
        name, version, columns = "broken", 1, ("x",)

        def extract(self, model: Any) -> Any:
            return [np.nan]

    policy = First()
    policy.state_functions = (Broken(),)
    model = quiet()
    use = milplib.include_policy(model, policy)
    assert solved(model)
    assert use.errors > 0
    assert "broken" in str(use.first_error)


def test_solve_raises_the_original_error_or_counts_it() -> None:
    with pytest.raises(BoomError):
        solve(INSTANCE, policy=raises, on_error="raise")
    result = solve(INSTANCE, policy=raises)
    assert result.policy_errors > 0
    assert abs(present(result.objective) - OPTIMUM) < 1e-6
