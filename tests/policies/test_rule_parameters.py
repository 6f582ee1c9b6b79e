"""SCIP's own rules with parameters: by name, checked, run natively, everywhere a rule may stand."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pyscipopt
import pytest
from command_line import run_forked
from market_split import market_split
from narrowing import of_class

from milplib import SolveResult
from milplib.errors import ParameterError, PolicyError, UnknownNameError
from milplib.evaluation.policies import evaluated_policies
from milplib.generators import CombinatorialAuction
from milplib.policies import TUNED_RELPSCOST, ScipRule, Switch, include_policy, load_policy
from milplib.scip.parameters import branching_parameters
from milplib.scip.settings import apply_setting, use_branching_rule
from milplib.solving import solve

AUCTION = CombinatorialAuction(n_items=50, n_bids=150).generate(seed=0)
SMALL = market_split(1, n_columns=16)
FEWER = "relpscost:initcand=3,maxreliable=1"


def test_a_rule_with_parameters_has_one_name_in_any_order_and_notation() -> None:
    rule = load_policy("relpscost:maxreliable=1.0, initcand=3")
    assert isinstance(rule, ScipRule)
    assert (rule.rule, rule.name) == ("relpscost", FEWER)
    assert rule.parameters == {"initcand": 3, "maxreliable": 1.0}
    assert load_policy(rule.name).name == rule.name
    assert ScipRule("relpscost", parameters={"maxreliable": 1, "initcand": 3}).name == rule.name
    assert of_class(load_policy("relpscost:dynamiclookahead=TRUE"), ScipRule).parameters == {
        "dynamiclookahead": True
    }
    assert of_class(load_policy("pscost:strategy=d"), ScipRule).parameters == {"strategy": "d"}
    assert pickle.loads(pickle.dumps(rule)).parameters == rule.parameters


@pytest.fixture(scope="module")
def with_fewer() -> SolveResult:
    return solve(AUCTION, policy=FEWER)


@pytest.mark.slow
def test_it_solves_as_scip_does_with_these_parameters_set_by_hand(with_fewer: SolveResult) -> None:
    result = with_fewer
    model = AUCTION.to_scip()
    model.hideOutput()
    apply_setting(model, "default", seed=0)
    use_branching_rule(model, "relpscost")
    model.setParam("branching/relpscost/initcand", 3)
    model.setParam("branching/relpscost/maxreliable", 1.0)
    model.optimize()
    assert result.nodes == model.getNTotalNodes()
    assert result.strong_branching_iterations == model.getNStrongbranchLPIterations()
    assert result.policy == FEWER
    assert result.policy_calls > 0
    assert result.policy_time > 0
    plain = solve(AUCTION, policy="relpscost")
    assert result.strong_branching_iterations < plain.strong_branching_iterations


def test_the_parameters_are_set_in_a_model_of_ones_own() -> None:
    model = pyscipopt.Model()
    include_policy(model, FEWER)
    assert model.getParam("branching/relpscost/initcand") == 3
    assert model.getParam("branching/relpscost/maxreliable") == 1.0
    assert model.getParam("branching/relpscost/maxlookahead") == 9


@pytest.mark.slow
def test_in_a_switch_each_rule_has_its_own_parameters(with_fewer: SolveResult) -> None:
    # By the second name the same parameters are set anew, after four nodes.
    both = Switch(FEWER, "relpscost:initcand=3,maxreliable=1,maxlookahead=9", nodes=3)
    assert solve(AUCTION, policy=both).nodes == with_fewer.nodes > 4
    other = solve(AUCTION, policy=Switch(FEWER, "relpscost:initcand=0", nodes=3))
    assert 0 < other.strong_branching_iterations < with_fewer.strong_branching_iterations


def test_after_a_solve_with_a_switch_the_users_parameters_are_back() -> None:
    model = SMALL.to_scip()
    model.hideOutput()
    model.setParam("branching/relpscost/initcand", 77)
    model.setParam("limits/totalnodes", 5)
    include_policy(model, Switch(FEWER, "pscost", depth=2))
    model.optimize()
    assert model.getParam("branching/relpscost/initcand") == 77
    assert model.getParam("branching/relpscost/priority") == 10000


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("relpscost:maxrelible=1", "parameter of the rule relpscost 'maxrelible'.*maxreliable"),
        ("pscost:maxreliable=1", "parameter of the rule pscost 'maxreliable'"),
        ("relpscst:maxreliable=1", "unknown policy 'relpscst': did you mean relpscost"),
        ("relpscost:maxreliable=-1", "maxreliable is '-1'; it must be a number from 0"),
        ("relpscost:maxreliable=nan", "maxreliable is 'nan'"),
        ("relpscost:maxreliable=inf", "maxreliable is 'inf'"),
        ("relpscost:maxreliable=many", "maxreliable is 'many'"),
        ("relpscost:initcand=2.5", "initcand is '2.5'; it must be a whole number from 0"),
        ("relpscost:initcand=99999999999", "initcand is '99999999999'"),
        ("relpscost:degeneracyaware=3", "whole number from 0 to 2"),
        ("relpscost:probingbounds=1", "probingbounds is '1'; it must be true or false"),
        ("pscost:strategy=x", "one of the letters d, s, u, v"),
        ("relpscost:initcand=1,initcand=2", "sets initcand twice"),
        ("relpscost:initcand=", "'initcand=' in .* sets no parameter"),
        ("relpscost:initcand=1,", "'' in .* sets no parameter"),
        ("relpscost:initcand", "'initcand' in .* sets no parameter"),
        ("relpscost:", "sets no parameter"),
        ("relpscost:priority=5", "priority of relpscost is milplib's to set"),
        ("relpscost:maxdepth=5", "maxdepth of relpscost is milplib's to set"),
    ],
)
def test_what_is_wrong_with_a_name_is_said_without_scips_own_noise(
    name: str, words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises((UnknownNameError, ParameterError), match=words):
        load_policy(name)
    assert capfd.readouterr() == ("", "")


def test_a_rule_made_in_python_is_checked_when_it_meets_a_model() -> None:
    model = pyscipopt.Model()
    for rule, words in (
        (ScipRule("relpscst"), "relpscost"),
        (ScipRule("relpscost", parameters={"initcands": 1}), "initcand"),
        (ScipRule("relpscost", parameters={"initcand": True}), "whole number"),
        (ScipRule("relpscost", parameters={"probingbounds": 1}), "true or false"),
        (ScipRule("relpscost", parameters={"maxreliable": float("nan")}), "maxreliable"),
    ):
        with pytest.raises((UnknownNameError, ParameterError), match=words):
            include_policy(model, rule)
    assert model.getParam("branching/relpscost/priority") == 10000


def test_modules_and_files_keep_their_meaning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Python's own module `random` has the name of a rule.
    assert load_policy("random:choice").name == "choice"
    (tmp_path / "a:b=1.safetensors").write_bytes(b"no policy")
    monkeypatch.chdir(tmp_path)
    for name in ("a:b=1.safetensors", str(tmp_path / "a:b=1.safetensors")):
        with pytest.raises(PolicyError, match=r"a:b=1\.safetensors"):
            load_policy(name)


def test_the_tuned_settings_are_few_different_and_known_to_scip() -> None:
    assert len(TUNED_RELPSCOST) <= 8
    rules: list[Any] = [load_policy(name) for name in TUNED_RELPSCOST]
    assert {rule.rule for rule in rules} == {"relpscost"}
    assert [rule.name for rule in rules] == list(TUNED_RELPSCOST)
    defaults = branching_parameters(pyscipopt.Model(), "relpscost")
    for rule in rules:
        for name, value in rule.parameters.items():
            assert value != defaults[name].value(defaults[name].default), rule.name


def test_every_parameter_of_every_rule_takes_its_own_default() -> None:
    model = pyscipopt.Model()
    for rule in ("relpscost", "pscost", "lookahead", "distribution", "vanillafullstrong"):
        known = branching_parameters(model, rule)
        assert len(known) >= 3
        for name, parameter in known.items():
            value = model.getParam(f"branching/{rule}/{name}")
            assert parameter.value(parameter.default) == pytest.approx(value)
            assert parameter.value(value) == value


def test_an_evaluation_takes_rules_with_parameters_and_knows_equal_ones() -> None:
    found, baseline = evaluated_policies([FEWER, "pscost"], baseline="relpscost")
    assert [(policy.label, policy.kind) for policy in found] == [
        (FEWER, "rule"),
        ("pscost", "rule"),
        ("relpscost", "rule"),
    ]
    assert baseline == "relpscost"
    with pytest.raises(ParameterError, match="given twice"):
        evaluated_policies([FEWER, "relpscost:maxreliable=1,initcand=3"], baseline="relpscost")
    with pytest.raises(UnknownNameError, match="initcand"):
        evaluated_policies(
            [ScipRule("relpscost", parameters={"initcands": 1})], baseline="relpscost"
        )


def test_the_command_line_takes_them_too(tmp_path: Path) -> None:
    SMALL.write(tmp_path / "a.lp")

    def run(policy: str) -> Any:
        return run_forked("solve", "a.lp", "--policy", policy, cwd=tmp_path)

    assert f"{FEWER} (setting default" in run(FEWER).stdout
    failed = run("relpscost:maxrelible=1")
    assert (failed.returncode, failed.stdout) == (2, "")
    assert "did you mean maxreliable" in failed.stderr
    assert len(failed.stderr.splitlines()) == 1
