"""The plugin in other people's models: every kind of model, every kind of failure."""

from __future__ import annotations

import contextlib
import csv
import gc
import logging
import threading
import traceback
import weakref

import numpy as np
import pyscipopt
import pytest
from pyscipopt import SCIP_EVENTTYPE, SCIP_PARAMSETTING, SCIP_RESULT, SCIP_STAGE, quicksum

import milplib
from milplib.errors import ParameterError, PolicyError, UnknownNameError
from milplib.generators import CombinatorialAuction
from milplib.policies import Portfolio, Switch
from milplib.solving import solve

AUCTION = CombinatorialAuction(n_items=50, n_bids=150).generate(seed=0)
REAL = (
    "MANN_a9.clq",
    "bell5",
    "blend2",
    "cap41",
    "cap42",
    "dcmulti",
    "egout",
    "enigma",
    "flugpl",
    "lseu",
    "misc03",
    "p0548",
    "rgn",
    "stein27_inf",
)


class First:
    """Branch on the lowest column; keep what was seen."""

    name = "first"
    state_functions = ()

    def __init__(self):
        self.candidates, self.finite = [], True

    def score(self, state):
        arrays = (state.variable_features, state.row_features, state.edge_features)
        self.finite = self.finite and all(np.isfinite(array).all() for array in arrays)
        self.candidates.append(state.candidates)
        return -state.candidates


class BoomError(Exception):
    """An error of the user's own."""


def raises(state):
    raise BoomError("at a node")


def not_a_number(state):
    return np.where(np.arange(len(state.candidates)) == 0, np.nan, 1.0)


def infinite(state):
    return np.full(len(state.candidates), np.inf)


def too_short(state):
    return np.zeros(len(state.candidates) - 1)


def too_many_dimensions(state):
    return np.zeros((len(state.candidates), 1))


def nothing(state):
    return None


def words(state):
    return ["best"] * len(state.candidates)


def imaginary(state):
    return np.zeros(len(state.candidates), dtype=complex)


BAD = (not_a_number, infinite, too_short, too_many_dimensions, nothing, words, imaginary)


def quiet(instance=AUCTION, *, rule="relpscost"):
    """A model without restarts, in which one of SCIP's rules is the first one."""
    model = instance.to_scip()
    model.hideOutput()
    model.setParam("presolving/maxrestarts", 0)
    model.setParam(f"branching/{rule}/priority", 100_000)
    return model


OPTIMUM = 3445.5281667


def solved(model):
    model.optimize()
    return model.getStatus() == "optimal" and abs(model.getObjVal() - OPTIMUM) < 1e-6


@pytest.mark.parametrize(
    "policy", ["noise", raises, not_a_number], ids=["noise", "raises", "not_a_number"]
)
@pytest.mark.parametrize("name", REAL)
def test_every_real_instance_ends_with_its_optimum(name, policy, test_data, noise_file):
    folder = test_data / "miplib"
    with open(folder / "optima.csv") as stream:
        expected = next(row for row in csv.DictReader(stream) if row["instance"] == name)
    (path,) = (p for p in folder.iterdir() if p.name.startswith(f"{name}."))
    model = pyscipopt.Model()
    model.hideOutput()
    use = milplib.include_policy(model, noise_file if policy == "noise" else policy)
    model.readProblem(str(path))
    model.optimize()

    assert model.getStatus() == expected["status"]
    if expected["objective"]:
        optimum = float(expected["objective"])
        assert abs(model.getObjVal() - optimum) <= 1e-6 * max(1, abs(optimum))
    if policy == "noise":
        assert use.errors == 0
    else:
        assert use.calls == 0


@pytest.mark.parametrize("policy", [raises, *BAD])
def test_a_failing_policy_is_counted_and_scip_decides(policy, caplog):
    model = quiet(rule="mostinf")
    use = milplib.include_policy(model, policy)
    with caplog.at_level(logging.WARNING, logger="milplib"):
        assert solved(model)
    assert use.errors > 1
    assert use.calls == 0
    assert isinstance(use.first_error, BoomError if policy is raises else PolicyError)
    assert policy.__name__ in use.first_traceback
    assert len(caplog.records) == 1  # once, not at every node


def test_a_policy_that_fails_now_and_then_decides_at_the_other_nodes():
    calls = iter(range(10**9))

    def moody(state):
        if next(calls) % 3 == 0:
            raise BoomError
        return -state.candidates

    model = quiet(rule="mostinf")
    use = milplib.include_policy(model, moody)
    assert solved(model)
    assert use.errors > 0
    assert use.calls > 0


def test_the_original_error_comes_out_of_optimize_with_its_traceback():
    model = quiet()
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
def test_wrong_scores_are_a_policy_error_that_names_the_policy(policy):
    model = quiet()
    milplib.include_policy(model, policy, on_error="raise")
    with pytest.raises(PolicyError, match=policy.__name__):
        model.optimize()


def test_the_error_comes_out_of_a_call_inside_an_expression_and_of_a_thread():
    def attempt():
        model = quiet()
        milplib.include_policy(model, raises, on_error="raise")
        return [model.optimize() for _ in range(1)]

    with pytest.raises(BoomError):
        attempt()
    caught = []

    def in_a_thread():
        try:
            attempt()
        except BoomError as error:
            caught.append(error)

    thread = threading.Thread(target=in_a_thread)
    thread.start()
    thread.join()
    assert len(caught) == 1


def test_ctrl_c_in_a_policy_is_no_policy_error():
    def interrupted(state):
        raise KeyboardInterrupt

    model = quiet()
    use = milplib.include_policy(model, interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.optimize()
    assert use.errors == 0


def test_a_state_function_that_fails_is_a_policy_error():
    class Broken:
        name, version, columns = "broken", 1, ("x",)

        def extract(self, model):
            return [np.nan]

    policy = First()
    policy.state_functions = (Broken(),)
    model = quiet()
    use = milplib.include_policy(model, policy)
    assert solved(model)
    assert use.errors > 0
    assert "broken" in str(use.first_error)


def test_solve_raises_the_original_error_or_counts_it():
    with pytest.raises(BoomError):
        solve(AUCTION, policy=raises, on_error="raise")
    result = solve(AUCTION, policy=raises)
    assert result.policy_errors > 0
    assert abs(result.objective - OPTIMUM) < 1e-6


def test_the_policy_is_asked_down_to_the_largest_depth():
    depths = []

    class Depth:
        name, version, columns = "depth", 1, ("depth",)

        def extract(self, model):
            depths.append(model.getDepth())
            return [model.getDepth()]

    for limit in (0, 3):
        depths.clear()
        policy = First()
        policy.state_functions = (Depth(),)
        model = quiet()
        use = milplib.include_policy(model, policy, max_depth=limit)
        assert solved(model)
        assert set(depths) == set(range(limit + 1))
        assert use.calls == len(depths)


def test_models_do_not_share_anything():
    results = {}

    def run(seed):
        instance = CombinatorialAuction(n_items=50, n_bids=150).generate(seed=seed)
        alone = solve(instance, policy="relpscost").objective
        model = quiet(instance)
        policy = First()
        use = milplib.include_policy(model, policy)
        model.optimizeNogil()
        results[seed] = (model.getObjVal() - alone, use.calls - len(policy.candidates), use.errors)

    threads = [threading.Thread(target=run, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 3
    assert all(abs(d) < 1e-6 and (c, e) == (0, 0) for d, c, e in results.values())


def test_model_and_policy_are_freed():
    freed = []

    class Watched(First):
        pass

    class Last(pyscipopt.Eventhdlr):
        def eventexec(self, event):
            pass

        def eventfree(self):
            freed.append("model")

    for on_error, failing in (("fallback", False), ("fallback", True), ("raise", True)):
        policy = Watched()
        if failing:
            policy.score = raises
        alive = weakref.ref(policy)
        model = quiet()
        model.includeEventhdlr(Last(), "last", "tells when SCIP is freed")
        use = milplib.include_policy(model, policy, on_error=on_error)
        with contextlib.suppress(BoomError):
            model.optimize()
        del model
        gc.collect()
        assert freed.pop() == "model", "the handle must not keep the model"
        del use, policy
        gc.collect()
        assert alive() is None


def test_priorities_come_first():
    model = quiet()
    model.setParam("presolving/maxrounds", 0)  # which gives an aggregated variable the higher one
    favourites = {variable.name for variable in model.getVars()[::3]}
    for variable in model.getVars():
        model.chgVarBranchPriority(variable, 10 if variable.name in favourites else 0)
    seen = []

    class Names:
        name, version, columns = "names", 1, ("favourite",)

        def extract(self, model):
            columns = model.getLPColsData()
            names = {c.getLPPos(): c.getVar().name.removeprefix("t_") for c in columns}
            fractional = {v.name.removeprefix("t_") for v in model.getLPBranchCands()[0]}
            seen.append((names, bool(fractional & favourites)))
            return [0.0]

    policy = First()
    policy.state_functions = (Names(),)
    use = milplib.include_policy(model, policy, on_error="raise")
    assert solved(model)
    assert use.calls > 0
    for candidates, (names, has_favourite) in zip(policy.candidates, seen, strict=True):
        asked_about = {names[column] for column in candidates}
        assert asked_about <= favourites if has_favourite else not asked_about & favourites
    assert any(has_favourite for _, has_favourite in seen)


def knapsack_with_integers(sense):
    rng = np.random.RandomState(4)
    n, m = 20, 4
    weights = rng.randint(20, 100, size=(m, n))
    profit = weights.sum(axis=0) + rng.randint(-9, 10, size=n)
    return milplib.Instance(
        objective=profit * (1 if sense == "maximize" else -1),
        A=weights,
        row_lower=np.full(m, -np.inf),
        row_upper=weights.sum(axis=1) + 0.5,
        lower=np.full(n, -3),
        upper=np.full(n, 4),
        integrality=np.r_[np.ones(n - 2), np.zeros(2)],
        sense=sense,
        offset=5.0,
    )


@pytest.mark.parametrize("sense", ["maximize", "minimize"])
def test_general_integers_and_both_senses(sense):
    instance = knapsack_with_integers(sense)
    expected = solve(instance, policy="relpscost")
    found = solve(instance, policy=First(), on_error="raise")
    assert found.policy_calls > 0
    assert (found.status, expected.status) == ("optimal", "optimal")
    assert abs(found.objective - expected.objective) < 1e-6


class Restarter(pyscipopt.Eventhdlr):
    """Another plugin of the user's: restarts the solve twice."""

    def eventinit(self):
        self.nodes = 0
        self.model.catchEvent(SCIP_EVENTTYPE.NODEFOCUSED, self)

    def eventexec(self, event):
        self.nodes += 1
        if self.nodes in (8, 30):
            self.model.restartSolve()


def test_restarts():
    model = quiet()
    model.setParam("presolving/maxrestarts", -1)
    model.includeEventhdlr(Restarter(), "restarter", "restarts")
    policy = First()
    use = milplib.include_policy(model, policy, on_error="raise")
    assert solved(model)
    assert model.getNRuns() > 2
    assert use.calls == len(policy.candidates) > 2
    assert policy.finite


def test_reoptimisation():
    model = quiet()
    model.enableReoptimization(True)
    policy = First()
    use = milplib.include_policy(model, policy, on_error="raise")
    assert solved(model)
    for change in (1.1, 0.9):
        factors = [change if number % 2 else 1.0 for number in range(AUCTION.n_columns)]
        prices = {
            name: price * factor
            for name, price, factor in zip(
                AUCTION.column_names, AUCTION.objective, factors, strict=True
            )
        }
        before = use.calls
        model.freeReoptSolve()
        variables = model.getVars(transformed=False)
        model.chgReoptObjective(quicksum(prices[v.name] * v for v in variables), "maximize")
        model.optimize()
        fresh = quiet()
        fresh.setObjective(quicksum(prices[v.name] * v for v in fresh.getVars()), "maximize")
        fresh.optimize()
        assert abs(model.getObjVal() - fresh.getObjVal()) < 1e-6
        assert use.calls > before


class CuttingPricer(pyscipopt.Pricer):
    """Column generation for cutting stock: patterns enter during the solve."""

    def __init__(self, widths, roll, rows, patterns):
        self.widths, self.roll, self.rows, self.patterns = widths, roll, rows, patterns

    def pricerinit(self):
        self.rows = [self.model.getTransformedCons(row) for row in self.rows]

    def pricerredcost(self):
        return self.price([self.model.getDualsolLinear(row) for row in self.rows], cost=1.0)

    def pricerfarkas(self):
        return self.price([self.model.getDualfarkasLinear(row) for row in self.rows], cost=0.0)

    def price(self, duals, *, cost):
        sub = pyscipopt.Model()
        sub.hideOutput()
        counts = [sub.addVar(vtype="I") for _ in self.widths]
        sub.addCons(quicksum(w * x for w, x in zip(self.widths, counts)) <= self.roll)  # noqa: B905
        sub.setObjective(quicksum(d * x for d, x in zip(duals, counts)), "maximize")  # noqa: B905
        sub.optimize()
        if cost - sub.getObjVal() < -1e-7:
            pattern = self.model.addVar(
                f"p{len(self.patterns)}", vtype="I", obj=1.0, pricedVar=True
            )
            for row, x in zip(self.rows, counts, strict=True):
                self.model.addConsCoeff(row, pattern, round(sub.getVal(x)))
            self.patterns.append(pattern)
        return {"result": SCIP_RESULT.SUCCESS}


def test_pricing_with_columns_that_are_not_in_the_lp():
    widths, demand, roll = [14, 31, 36, 45], [211, 395, 610, 97], 100
    model = pyscipopt.Model()
    model.hideOutput()
    model.setPresolve(SCIP_PARAMSETTING.OFF)
    model.setSeparating(SCIP_PARAMSETTING.OFF)
    model.setHeuristics(SCIP_PARAMSETTING.OFF)
    model.setParam("limits/nodes", 60)
    policy = First()
    use = milplib.include_policy(model, policy, on_error="raise")
    patterns = [model.addVar(f"p{i}", vtype="I", obj=1.0) for i in range(len(widths))]
    rows = [
        model.addCons((roll // width) * x >= wanted, modifiable=True, separate=False)
        for width, wanted, x in zip(widths, demand, patterns, strict=True)
    ]
    pricer = CuttingPricer(widths, roll, rows, patterns)
    model.includePricer(pricer, "cutting", "prices patterns")
    model.optimize()

    assert len(patterns) > 4, "the pricer must have priced something"
    assert use.calls > 0
    assert use.errors == 0
    assert policy.finite
    assert model.getDualbound() >= 452.25 - 1e-6  # the LP bound of this textbook instance


def test_the_policy_may_be_included_when_the_problem_is_there_and_presolved():
    model = quiet()
    model.presolve()
    assert model.getStage() == SCIP_STAGE.PRESOLVED
    with pytest.raises(Exception, match="cannot be called"):
        milplib.include_policy(model, First())
    model.freeTransform()
    use = milplib.include_policy(model, First())
    assert solved(model)
    assert use.calls > 0


def test_a_second_policy_in_a_model_is_refused():
    model = quiet()
    milplib.include_policy(model, First())
    with pytest.raises(ParameterError, match="has a milplib policy already"):
        milplib.include_policy(model, First())


def test_bad_options_are_refused():
    with pytest.raises(ParameterError, match="on_error"):
        milplib.include_policy(quiet(), First(), on_error="ignore")
    with pytest.raises(ParameterError, match="depth"):
        milplib.include_policy(quiet(), First(), max_depth=-2)
    with pytest.raises(UnknownNameError, match="did you mean"):
        milplib.include_policy(quiet(), "pscosts")


def asked(model):
    """How often each of SCIP's rules was asked."""
    from milplib.solving import branching_statistics

    return {name: rule["nlpcalls"] for name, rule in branching_statistics(model).items()}


def test_a_rule_of_scips_runs_natively():
    model = quiet()
    use = milplib.include_policy(model, "mostinf")
    assert solved(model)
    assert asked(model)["mostinf"] > 0
    assert use.calls == 0


def test_a_switch_hands_over_at_its_depth_between_any_two_kinds():
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


def test_two_rules_of_scips_can_take_turns():
    model = quiet()
    milplib.include_policy(model, Switch("vanillafullstrong", "pscost", nodes=4))
    assert solved(model)
    calls = asked(model)
    assert 0 < calls["vanillafullstrong"] <= 4
    assert calls["pscost"] > 0
    assert calls["relpscost"] == 0
    # and leave the user's own order behind
    model.freeTransform()
    assert model.getParam("branching/relpscost/priority") > model.getParam(
        "branching/pscost/priority"
    )


def test_beyond_the_largest_depth_a_combination_leaves_the_nodes_to_scip():
    model = quiet()
    milplib.include_policy(model, Switch("mostinf", "pscost", depth=1), max_depth=2)
    assert solved(model)
    calls = asked(model)
    assert calls["mostinf"] == 1
    assert 0 < calls["pscost"] <= 6
    assert calls["relpscost"] > 0


def test_a_portfolio_picks_by_the_instance_in_any_model():
    sizes = []

    def pick(instance):
        sizes.append(instance.n_columns)
        return "here" if instance.n_columns == AUCTION.n_columns else "elsewhere"

    policy = First()
    portfolio = Portfolio(pick, {"here": Switch(policy, "mostinf", depth=3), "elsewhere": "random"})
    model = quiet()
    use = milplib.include_policy(model, portfolio, on_error="raise")
    assert solved(model)
    assert set(sizes) == {AUCTION.n_columns}
    assert use.calls > 0
    assert asked(model)["mostinf"] > 0
    assert solve(AUCTION, policy=portfolio).policy == "portfolio"


def test_a_portfolio_that_cannot_pick_leaves_the_solve_to_scip():
    model = quiet()
    use = milplib.include_policy(model, Portfolio(lambda instance: "none", {"a": First()}))
    assert solved(model)
    assert use.calls == 0
    assert isinstance(use.first_error, PolicyError)
