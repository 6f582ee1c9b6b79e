"""SCIP's own rules, switches and portfolios in the plugin."""

from __future__ import annotations

from typing import Any

import pyscipopt

import milplib
from milplib import Instance
from milplib.errors import PolicyError
from milplib.policies import Portfolio, Switch
from milplib.solving import solve

from .plugged import INSTANCE, First, quiet, solved


def asked(model: pyscipopt.Model) -> dict[str, int]:
    """How often each of SCIP's rules was asked."""
    from milplib.solving import branching_statistics

    return {name: rule["nlpcalls"] for name, rule in branching_statistics(model).items()}


def test_a_rule_of_scips_runs_natively() -> None:
    model = quiet()
    use = milplib.include_policy(model, "mostinf")
    assert solved(model)
    assert asked(model)["mostinf"] > 0
    assert use.calls == 0


def test_a_switch_hands_over_at_its_depth_between_any_two_kinds() -> None:
    policy = First()
    for first, then, native_first in [("pscost", policy, True), (policy, "pscost", False)]:
        policy.candidates.clear()
        model = quiet()
        use = milplib.include_policy(model, Switch(first, then, depth=2), on_error="raise")
        assert solved(model)
        calls = asked(model)
        assert use.calls == len(policy.candidates) > 0
        assert calls["pscost"] > 0
        assert calls["relpscost"] == 0
        if native_first:
            assert calls["pscost"] <= 3  # the root and two children


def test_two_rules_of_scips_can_take_turns() -> None:
    model = quiet()
    milplib.include_policy(model, Switch("vanillafullstrong", "pscost", nodes=4))
    assert solved(model)
    calls = asked(model)
    assert 0 < calls["vanillafullstrong"] <= 4
    assert calls["pscost"] > 0
    assert calls["relpscost"] == 0
    # and leave the user's own order behind
    model.freeTransform()
    priorities: Any = [
        model.getParam(f"branching/{rule}/priority") for rule in ("relpscost", "pscost")
    ]
    assert priorities[0] > priorities[1]


def test_beyond_the_largest_depth_a_combination_leaves_the_nodes_to_scip() -> None:
    model = quiet()
    milplib.include_policy(model, Switch("mostinf", "pscost", depth=1), max_depth=2)
    assert solved(model)
    calls = asked(model)
    assert calls["mostinf"] == 1
    assert 0 < calls["pscost"] <= 6
    assert calls["relpscost"] > 0


def test_a_portfolio_picks_by_the_instance_in_any_model() -> None:
    sizes = []

    def pick(instance: Instance) -> Any:
        sizes.append(instance.n_columns)
        return "here" if instance.n_columns == INSTANCE.n_columns else "elsewhere"

    policy = First()
    portfolio = Portfolio(pick, {"here": Switch(policy, "mostinf", depth=3), "elsewhere": "random"})
    model = quiet()
    use = milplib.include_policy(model, portfolio, on_error="raise")
    assert solved(model)
    assert set(sizes) == {INSTANCE.n_columns}
    assert use.calls > 0
    assert asked(model)["mostinf"] > 0
    assert solve(INSTANCE, policy=portfolio).policy == "portfolio"


def test_a_portfolio_that_cannot_pick_leaves_the_solve_to_scip() -> None:
    model = quiet()
    use = milplib.include_policy(model, Portfolio(lambda instance: "none", {"a": First()}))
    assert solved(model)
    assert use.calls == 0
    assert isinstance(use.first_error, PolicyError)
