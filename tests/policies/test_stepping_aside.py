"""``auto`` leaves to SCIP what is no plain MILP, without an error, and says so once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pyscipopt
import pytest
from narrowing import present
from pyscipopt import SCIP_RESULT, quicksum
from slow_parameters import slow

import milplib
from milplib import Instance
from milplib.generators import CombinatorialAuction, SetCover
from milplib.policies import Family, PickReason, Portfolio, Switch, portfolio_of
from milplib.policies.picked import SCIPS_OWN

from .plugged import BoomError, First, quiet

AUCTION = CombinatorialAuction(n_items=50, n_bids=200).generate(seed=0)


class Lazy(pyscipopt.Conshdlr):
    """The user's lazy rows, none of which is ever violated."""

    def conscheck(self, *arguments: Any) -> dict[str, int]:
        return {"result": SCIP_RESULT.FEASIBLE}

    def consenfolp(self, *arguments: Any) -> dict[str, int]:
        return {"result": SCIP_RESULT.FEASIBLE}

    def consenfops(self, *arguments: Any) -> dict[str, int]:
        return {"result": SCIP_RESULT.FEASIBLE}

    def conslock(self, *arguments: Any) -> None:
        pass


class Idle(pyscipopt.Pricer):
    """A pricer that finds no column."""

    def pricerredcost(self) -> dict[str, int]:
        return {"result": SCIP_RESULT.SUCCESS}

    def pricerfarkas(self) -> dict[str, int]:
        return {"result": SCIP_RESULT.SUCCESS}


class Silent(pyscipopt.scip.Relax):
    """A relaxation of the user's that does nothing."""

    def relaxexec(self) -> dict[str, int]:
        return {"result": SCIP_RESULT.DIDNOTRUN}


def lazy(model: pyscipopt.Model, x: list[Any]) -> None:
    model.includeConshdlr(Lazy(), "lazy", "lazy rows", needscons=False)


def logical(name: str) -> Callable[[pyscipopt.Model, list[Any]], None]:
    def add(model: pyscipopt.Model, x: list[Any]) -> None:
        result = model.addVar("result", vtype="B")
        getattr(model, name)(x[:3], result)

    return add


# What each addition makes of a model, and the word for it in the reason.
ADDITIONS: dict[str, tuple[Callable[[pyscipopt.Model, list[Any]], Any], str]] = {
    "quadratic": (lambda m, x: m.addCons(x[0] * x[1] + x[-1] * x[-1] <= 1e4), "nonlinear"),
    "indicator": (lambda m, x: m.addConsIndicator(x[1] + x[2] <= 1, x[0]), "indicator"),
    "SOS1": (lambda m, x: m.addConsSOS1(x[-2:]), "SOS1"),
    "SOS2": (lambda m, x: m.addConsSOS2(x[-3:]), "SOS2"),
    "and": (logical("addConsAnd"), "and"),
    "or": (logical("addConsOr"), "or"),
    "xor": (lambda m, x: m.addConsXor(x[:3], False), "xor"),
    "cardinality": (lambda m, x: m.addConsCardinality(x[-3:], 3), "cardinality"),
    "logicor": (lambda m, x: m.addConsLogicor(x[:4]), "logicor"),
    "knapsack": (lambda m, x: m.addConsKnapsack(x[:4], [1, 2, 3, 4], 10), "knapsack"),
    "disjunction": (
        lambda m, x: m.addConsDisjunction([x[0] + x[1] <= 2, x[2] + x[3] <= 2]),
        "disjunction",
    ),
    "lazy rows": (lazy, "the constraint handler 'lazy'"),
    "pricer": (lambda m, x: m.includePricer(Idle(), "idle", "no columns"), "the pricer 'idle'"),
    "relaxation": (
        lambda m, x: m.includeRelax(Silent(), "silent", "none"),
        "the relaxation 'silent'",
    ),
}


def changed(addition: str) -> pyscipopt.Model:
    model = quiet()
    model.setParam("limits/nodes", 200)
    x = sorted(model.getVars(), key=lambda variable: variable.getIndex())
    ADDITIONS[addition][0](model, x)
    return model


@pytest.mark.parametrize("on_error", [slow("fallback"), "raise"])
@pytest.mark.parametrize("addition", ADDITIONS)
def test_auto_steps_aside_with_one_line_and_no_failure(
    addition: str, on_error: Any, caplog: pytest.LogCaptureFixture
) -> None:
    plain = changed(addition)
    plain.optimize()
    model = changed(addition)
    use = milplib.include_policy(model, "auto", on_error=on_error)
    with caplog.at_level(logging.INFO, logger="milplib"):
        model.optimize()

    assert (model.getStatus(), model.getNTotalNodes()) == (
        plain.getStatus(),
        plain.getNTotalNodes(),
    )
    assert model.getNTotalNodes() > 1, "the model must branch"
    assert (use.calls, use.errors, use.first_error) == (0, 0, None)
    picked = present(use.picked)
    assert (picked.policy, picked.reason) == (SCIPS_OWN, PickReason.BEYOND_ROWS)
    assert ADDITIONS[addition][1] in picked.detail
    (record,) = caplog.records
    assert record.levelno == logging.INFO
    assert str(picked) in record.getMessage()
    assert record.exc_info is None


def repeated_names(instance: Instance, name: str) -> pyscipopt.Model:
    model = pyscipopt.Model()
    model.hideOutput()
    model.setParam("limits/nodes", 3)
    model.setParam("separating/maxroundsroot", 0)
    x = [model.addVar(name, "B", obj=price) for price in instance.objective.tolist()]
    for row in range(instance.n_rows):
        start, stop = instance.A.indptr[row : row + 2]
        model.addCons(quicksum(x[j] for j in instance.A.indices[start:stop]) <= 1, name)
    model.setMaximize()
    return model


@pytest.mark.parametrize("name", ["x", "", "a b\\c"])
def test_auto_picks_by_the_arrays_whatever_the_names(name: str) -> None:
    model = repeated_names(AUCTION, name)
    use = milplib.include_policy(model, "auto", on_error="raise")
    model.optimize()
    assert use.calls > 0
    assert str(use.picked) == "gcnn-auctions (family: auctions)"


def test_an_instance_of_no_family_keeps_the_users_own_order_of_rules() -> None:
    rows = []
    for policy in (None, "auto"):
        model = quiet(rule="mostinf")
        if policy:
            use = milplib.include_policy(model, policy)
        model.optimize()
        rows.append(model.getNTotalNodes())
    assert rows[0] == rows[1]
    assert present(use.picked).reason == PickReason.NO_FAMILY


def test_numbers_that_no_instance_may_have_make_auto_step_aside() -> None:
    model = quiet()
    model.addVar("costly", obj=0.0, lb=-1e25, ub=-1e24)
    model.addVar("free", obj=0.0, lb=1.0, ub=0.0)
    use = milplib.include_policy(model, "auto", on_error="raise")
    model.optimize()
    assert use.errors == 0


def test_a_portfolio_with_a_policy_for_the_rest_uses_it_beyond_rows() -> None:
    family = Family.of(
        "covers", "mostinf", [SetCover(n_rows=9, n_columns=9, density=0.5).generate(0)]
    )
    for otherwise in ("pscost", None):
        model = changed("SOS1")
        portfolio = portfolio_of([family], otherwise=otherwise)
        use = milplib.include_policy(model, portfolio, on_error="raise")
        model.optimize()
        assert present(use.picked).policy == (otherwise or SCIPS_OWN)
        assert use.errors == 0


def test_portfolios_inside_a_switch_step_aside_as_well() -> None:
    policy = First()
    model = changed("pricer")
    use = milplib.include_policy(model, Switch("auto", policy, depth=2), on_error="raise")
    model.optimize()
    assert present(use.picked).policy == SCIPS_OWN
    assert use.calls == len(policy.candidates) > 0


def test_a_function_of_a_portfolio_that_fails_is_an_error_of_the_users() -> None:
    def pick(instance: Instance) -> str:
        raise BoomError("in pick")

    model = quiet()
    milplib.include_policy(model, Portfolio(pick, {"a": "pscost"}), on_error="raise")
    with pytest.raises(BoomError, match="in pick"):
        model.optimize()
    # Where there is no instance to pick by, it is not asked.
    model = changed("SOS1")
    use = milplib.include_policy(model, Portfolio(pick, {"a": "pscost"}), on_error="raise")
    model.optimize()
    assert present(use.picked).policy == SCIPS_OWN


def test_a_result_holds_the_pick() -> None:
    picked = present(milplib.solve(AUCTION, policy="auto", time_limit=0.5).picked)
    assert str(picked) == "gcnn-auctions (family: auctions)"
    cover = SetCover(n_rows=50, n_columns=60, density=0.1).generate(seed=0)
    picked = present(milplib.solve(cover, policy="auto").picked)
    assert (picked.policy, picked.reason) == ("relpscost", PickReason.NO_FAMILY)
    assert picked.detail.startswith("nearest set covers, outside in log_rows")
    assert milplib.solve(cover, policy="pscost").picked is None
    portfolio = Portfolio(lambda instance: "any", {"any": "pscost"})
    assert str(milplib.solve(cover, policy=portfolio).picked) == "pscost (function: any)"
