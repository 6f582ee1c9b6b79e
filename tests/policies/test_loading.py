"""What names a policy, and what does not."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pyscipopt
import pytest
from market_split import market_split

from milplib.errors import ParameterError, PolicyError, UnknownNameError
from milplib.policies import FunctionPolicy, Portfolio, ScipRule, Switch, load_policy
from milplib.scip import BranchingState
from milplib.solving import solve

from .conftest import FAMILIES, PSEUDOCOST, noise


def first(state: BranchingState) -> Any:
    return -state.candidates


def test_a_rule_a_file_a_function_and_a_policy_are_policies(noise_file: Path) -> None:
    assert isinstance(load_policy("pscost"), ScipRule)
    assert load_policy(noise_file).name == load_policy(str(noise_file)).name == "noise"
    assert load_policy(first).name == "first"
    policy = FunctionPolicy(first, name="mine", blocks=["pseudocost"])
    assert load_policy(policy) is policy
    assert [function.name for function in policy.state_functions] == ["pseudocost"]


def test_a_function_of_a_module_is_a_policy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_policies.py").write_text("def last(state):\n    return state.candidates\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert load_policy("my_policies:last").name == "last"
    for name in ("my_policies:none", "no_such_module:x", "my_policies:__doc__"):
        with pytest.raises(ParameterError):
            load_policy(name)
    sys.modules.pop("my_policies")


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean relpscost"):
        load_policy("relpscst")


@pytest.mark.parametrize("policy", [3, None, FunctionPolicy, object()])
def test_what_is_no_policy_is_refused(policy: object | int | type[FunctionPolicy] | None) -> None:
    with pytest.raises(ParameterError):
        load_policy(policy)


class Mine:
    name, version, columns = "mine", 1, ("x",)

    def extract(self, model: pyscipopt.Model) -> list[float]:
        return [float(model.getDepth())]


def test_a_policy_reads_blocks_of_its_users_own(tmp_path: Path) -> None:
    from milplib.policies import write_policy
    from milplib.scip import BlockSchema

    write_policy(tmp_path / "own.safetensors", noise(blocks=(BlockSchema.of(Mine()), PSEUDOCOST)))
    with pytest.raises(PolicyError, match="pass its state function"):
        load_policy(tmp_path / "own.safetensors")
    policy = load_policy(tmp_path / "own.safetensors", blocks=[Mine()])
    result = solve(market_split(0), policy=policy, on_error="raise")
    assert result.status == "optimal"
    assert result.policy_calls > 0


@pytest.mark.parametrize("limits", [{}, {"depth": 0}, {"nodes": -1}])
def test_a_switch_needs_a_positive_limit(limits: dict[str, Any]) -> None:
    with pytest.raises(ParameterError, match="limit"):
        Switch("pscost", first, **limits)


def test_a_portfolio_needs_policies_and_a_key_of_theirs() -> None:
    with pytest.raises(ParameterError, match="needs policies"):
        Portfolio(lambda instance: "a", {})
    portfolio = Portfolio(lambda instance: "b", {"a": "pscost"})
    with pytest.raises(PolicyError, match="gave 'b'"):
        solve(FAMILIES["auction"].generate(seed=1), policy=portfolio)
