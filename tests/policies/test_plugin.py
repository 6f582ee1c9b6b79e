"""The plugin in other people's models, of every kind."""

from __future__ import annotations

import contextlib
import csv
import gc
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyscipopt
import pytest
from market_split import market_split
from narrowing import present
from pyscipopt import SCIP_EVENTTYPE, SCIP_PARAMSETTING, SCIP_RESULT, SCIP_STAGE, quicksum
from slow_parameters import slow, slow_where

import milplib
from milplib.errors import ParameterError, StageError, UnknownNameError
from milplib.solving import solve

from .plugged import (
    INSTANCE,
    BoomError,
    First,
    knapsack_with_integers,
    not_a_number,
    quiet,
    raises,
    solved,
)

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
SECONDS = ("bell5", "blend2", "cap41", "cap42", "dcmulti", "enigma", "lseu", "misc03", "rgn")


@pytest.mark.parametrize(
    "policy",
    [
        "noise",
        pytest.param(raises, id="raises"),
        pytest.param(not_a_number, id="not_a_number", marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("name", slow_where(SECONDS, REAL))
def test_every_real_instance_ends_with_its_optimum(
    name: str, policy: Callable[..., Any] | str, test_data: Path, noise_file: Path
) -> None:
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


def test_the_policy_is_asked_down_to_the_largest_depth() -> None:
    depths = []

    class Depth:
        name, version, columns = "depth", 1, ("depth",)

        def extract(self, model: Any) -> Any:
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


def test_models_do_not_share_anything() -> None:
    results = {}

    def run(seed: int) -> None:
        instance = market_split(seed, n_columns=12)
        alone = solve(instance, policy="relpscost").objective
        model = quiet(instance)
        policy = First()
        use = milplib.include_policy(model, policy)
        model.optimizeNogil()
        results[seed] = (
            model.getObjVal() - present(alone),
            use.calls - len(policy.candidates),
            use.errors,
        )

    threads = [threading.Thread(target=run, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 3
    assert all(abs(d) < 1e-6 and (c, e) == (0, 0) for d, c, e in results.values())


@pytest.mark.slow
def test_model_and_policy_are_freed() -> None:
    freed = []

    class Watched(First):
        pass

    class Last(pyscipopt.Eventhdlr):
        def eventexec(self, event: Any) -> None:
            pass

        def eventfree(self) -> None:
            freed.append("model")

    cases: list[tuple[Any, bool]] = [("fallback", False), ("fallback", True), ("raise", True)]
    for on_error, failing in cases:
        policy = Watched()
        if failing:
            setattr(policy, "score", raises)  # noqa: B010
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


def test_priorities_come_first() -> None:
    model = quiet()
    model.setParam("presolving/maxrounds", 0)  # which gives an aggregated variable the higher one
    favourites = {variable.name for variable in model.getVars()[::3]}
    for variable in model.getVars():
        model.chgVarBranchPriority(variable, 10 if variable.name in favourites else 0)
    seen = []

    class Names:
        name, version, columns = "names", 1, ("favourite",)

        def extract(self, model: Any) -> Any:
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


@pytest.mark.parametrize("sense", ["maximize", slow("minimize")])
def test_general_integers_and_both_senses(sense: str) -> None:
    instance = knapsack_with_integers(sense)
    expected = solve(instance, policy="relpscost")
    found = solve(instance, policy=First(), on_error="raise")
    assert found.policy_calls > 0
    assert (found.status, expected.status) == ("optimal", "optimal")
    assert abs(present(found.objective) - present(expected.objective)) < 1e-6


class Restarter(pyscipopt.Eventhdlr):
    """Another plugin of the user's: restarts the solve twice."""

    def eventinit(self) -> None:
        self.nodes = 0
        self.model.catchEvent(SCIP_EVENTTYPE.NODEFOCUSED, self)

    def eventexec(self, event: Any) -> None:
        self.nodes += 1
        if self.nodes in (5, 12):
            self.model.restartSolve()


def test_restarts() -> None:
    model = quiet()
    model.setParam("presolving/maxrestarts", -1)
    model.includeEventhdlr(Restarter(), "restarter", "restarts")
    policy = First()
    use = milplib.include_policy(model, policy, on_error="raise")
    assert solved(model)
    assert model.getNRuns() > 2
    assert use.calls == len(policy.candidates) > 2
    assert policy.finite


def test_reoptimisation() -> None:
    model = quiet()
    model.enableReoptimization(True)
    policy = First()
    use = milplib.include_policy(model, policy, on_error="raise")
    assert solved(model)
    for change in (1.1, 0.9):
        factors = [change if number % 2 else 1.0 for number in range(INSTANCE.n_columns)]
        prices = {
            name: price * factor
            for name, price, factor in zip(
                INSTANCE.column_names, INSTANCE.objective, factors, strict=True
            )
        }
        before = use.calls
        model.freeReoptSolve()
        variables = model.getVars(transformed=False)
        model.chgReoptObjective(quicksum(prices[v.name] * v for v in variables), INSTANCE.sense)
        model.optimize()
        fresh = quiet()
        fresh.setObjective(quicksum(prices[v.name] * v for v in fresh.getVars()), INSTANCE.sense)
        fresh.optimize()
        assert abs(model.getObjVal() - fresh.getObjVal()) < 1e-6
        assert use.calls > before


class CuttingPricer(pyscipopt.Pricer):
    """Column generation for cutting stock: patterns enter during the solve."""

    def __init__(self, widths: Any, roll: Any, rows: Any, patterns: Any) -> None:
        self.widths, self.roll, self.rows, self.patterns = widths, roll, rows, patterns

    def pricerinit(self) -> None:
        self.rows = [self.model.getTransformedCons(row) for row in self.rows]

    def pricerredcost(self) -> dict[str, int]:
        return self.price([self.model.getDualsolLinear(row) for row in self.rows], cost=1.0)

    def pricerfarkas(self) -> dict[str, int]:
        return self.price([self.model.getDualfarkasLinear(row) for row in self.rows], cost=0.0)

    def price(self, duals: list[float], *, cost: float) -> dict[str, int]:
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


def test_pricing_with_columns_that_are_not_in_the_lp() -> None:
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


def test_the_policy_may_be_included_when_the_problem_is_there_and_presolved() -> None:
    model = quiet()
    model.presolve()
    assert model.getStage() == SCIP_STAGE.PRESOLVED
    with pytest.raises(StageError, match=r"cannot be called .* presolved: .*freeTransform"):
        milplib.include_policy(model, First())
    model.freeTransform()
    use = milplib.include_policy(model, First())
    assert solved(model)
    assert use.calls > 0


def test_a_second_policy_in_a_model_is_refused() -> None:
    model = quiet()
    milplib.include_policy(model, First())
    with pytest.raises(ParameterError, match="has a milplib policy already"):
        milplib.include_policy(model, First())


def test_bad_options_are_refused() -> None:
    ignore: Any = "ignore"
    with pytest.raises(ParameterError, match="on_error"):
        milplib.include_policy(quiet(), First(), on_error=ignore)
    with pytest.raises(ParameterError, match="depth"):
        milplib.include_policy(quiet(), First(), max_depth=-2)
    with pytest.raises(UnknownNameError, match="did you mean"):
        milplib.include_policy(quiet(), "pscosts")
