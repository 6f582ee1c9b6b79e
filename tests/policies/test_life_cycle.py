"""Policies come and go in one model, and leave nothing behind."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyscipopt
import pytest
from narrowing import present

import milplib
from milplib.errors import ParameterError, StageError, UnknownNameError
from milplib.policies import PolicyUse, Portfolio, Switch, included_policy

from .plugged import INSTANCE, First, quiet, raises, solved


def lowest(state: Any) -> Any:
    return -state.candidates


def ready() -> pyscipopt.Model:
    """A model whose solves depend on nothing but the policy, also when repeated."""
    model = quiet()
    model.setParam("misc/usesymmetry", 0)  # depends on memory addresses
    model.setParam("limits/maxorigsol", 0)  # solutions that freeTransform would keep
    model.setParam("branching/pscost/maxdepth", 7)
    model.setParam("branching/mostinf/maxbounddist", 0.9)
    model.setParam("branching/relpscost/initcand", 17)
    return model


def five(noise_file: Path) -> list[Any]:
    return [
        lowest,
        "relpscost:initcand=3,maxreliable=1",
        Switch("mostinf", lowest, depth=3),
        str(noise_file),
        Portfolio(lambda instance: "all", {"all": "pscost"}),
    ]


def work(model: pyscipopt.Model, use: PolicyUse) -> tuple[int, int, int]:
    assert solved(model)
    return model.getNTotalNodes(), model.getNLPIterations(), use.calls


def parameters(model: pyscipopt.Model) -> dict[str, Any]:
    """All parameters but those of milplib's own plugin, and one that SCIP itself changes."""
    skipped = ("branching/milplib-policy/", "propagating/genvbounds/timingmask")
    return {k: v for k, v in model.getParams().items() if not k.startswith(skipped)}


@pytest.fixture(scope="module")
def fresh(noise_file: Path) -> list[tuple[int, int, int]]:
    """The work of each policy in a model of its own."""
    results = []
    for policy in five(noise_file):
        model = ready()
        results.append(work(model, milplib.include_policy(model, policy, on_error="raise")))
    assert len({nodes for nodes, _, _ in results}) >= 4
    return results


def read_again(model: pyscipopt.Model) -> None:
    model.freeProb()
    model.createProbBasic("again")
    variables = [
        model.addVar(name, "C" if whole == 0 else "B", lb=low, ub=up, obj=price)
        for name, whole, low, up, price in zip(
            INSTANCE.column_names,
            INSTANCE.integrality.tolist(),
            INSTANCE.lower.tolist(),
            [up if up < 1e20 else None for up in INSTANCE.upper.tolist()],
            INSTANCE.objective.tolist(),
            strict=True,
        )
    ]
    for row in range(INSTANCE.n_rows):
        entries = slice(*INSTANCE.A.indptr[row : row + 2])
        terms = zip(INSTANCE.A.data[entries], INSTANCE.A.indices[entries], strict=True)
        left, right = INSTANCE.row_lower[row], INSTANCE.row_upper[row]
        total = pyscipopt.quicksum(float(a) * variables[j] for a, j in terms)
        model.addCons((total <= float(right)) >= float(left), INSTANCE.row_names[row])


@pytest.mark.slow
def test_five_policies_in_turn_work_as_in_fresh_models(
    noise_file: Path, fresh: list[tuple[int, int, int]]
) -> None:
    model = ready()
    before = parameters(model)
    for policy, expected in zip(five(noise_file), fresh, strict=True):
        use = milplib.include_policy(model, policy, on_error="raise")
        assert work(model, use) == expected
        use.remove()
        assert parameters(model) == before
        model.freeTransform()
    # Without a policy the model is what it was.
    plain = ready()
    assert solved(plain)
    assert solved(model)
    assert model.getNTotalNodes() == plain.getNTotalNodes()


@pytest.mark.slow
def test_replacing_works_as_in_fresh_models(
    noise_file: Path, fresh: list[tuple[int, int, int]]
) -> None:
    model = ready()
    before = parameters(model)
    use = milplib.include_policy(model, "random", on_error="raise")
    for policy, expected in zip(five(noise_file), fresh, strict=True):
        same = use.replace(policy)
        assert same is use is included_policy(model)
        assert work(model, use) == expected
        model.freeTransform()
    use.remove()
    assert parameters(model) == before


def test_a_policy_stays_through_free_prob() -> None:
    model = ready()
    use = milplib.include_policy(model, lowest, on_error="raise")
    assert solved(model)
    calls = use.calls
    read_again(model)
    assert solved(model)
    assert use.calls > calls
    use.remove()
    read_again(model)
    calls = use.calls
    assert solved(model)
    assert use.calls == calls


def test_a_rule_keeps_the_depth_and_bound_distance_of_the_user() -> None:
    for policy in ("pscost", Switch("pscost", lowest, depth=9)):
        model = ready()
        model.setParam("branching/pscost/maxbounddist", 0.5)
        milplib.include_policy(model, policy)
        assert solved(model)
        assert model.getParam("branching/pscost/maxdepth") == 7
        assert model.getParam("branching/pscost/maxbounddist") == 0.5
    model = ready()
    use = milplib.include_policy(model, "pscost", max_depth=2)
    assert model.getParam("branching/pscost/maxdepth") == 2
    use.remove()
    assert model.getParam("branching/pscost/maxdepth") == 7


def test_removing_keeps_what_the_user_changed_since() -> None:
    model = ready()
    use = milplib.include_policy(model, "relpscost:initcand=3")
    model.setParam("branching/relpscost/initcand", 5)
    use.remove()
    assert model.getParam("branching/relpscost/initcand") == 5
    assert model.getParam("branching/relpscost/priority") == 100_000


@pytest.mark.parametrize("policy", [lowest, "pscost", Switch("pscost", "mostinf", depth=2)])
def test_a_policy_can_be_removed_in_the_middle_of_a_solve(policy: Any) -> None:
    model = ready()
    before = parameters(model)
    model.setParam("limits/nodes", 10)
    use = milplib.include_policy(model, policy)
    model.optimize()
    assert model.getStatus() == "nodelimit"
    use.remove()
    model.setParam("limits/nodes", -1)
    assert parameters(model) == before
    calls = use.calls
    assert solved(model)
    assert (use.calls, use.is_included, included_policy(model)) == (calls, False, None)


def presolved(model: pyscipopt.Model) -> str:
    model.presolve()
    return "presolved"


def optimized(model: pyscipopt.Model) -> str:
    model.optimize()
    return "solved"


def stopped(model: pyscipopt.Model) -> str:
    model.setParam("limits/nodes", 3)
    model.optimize()
    return "being solved"


def freed(model: pyscipopt.Model) -> str:
    model.free()
    return "freed"


@pytest.mark.parametrize("policy", [lowest, "pscost"])
@pytest.mark.parametrize("advance", [presolved, optimized, stopped, freed])
def test_the_wrong_stage_is_an_error_with_the_mend(
    advance: Callable[[pyscipopt.Model], str], policy: Any
) -> None:
    model = ready()
    state = advance(model)
    mend = "make another one" if state == "freed" else r"model\.freeTransform\(\) first"
    with pytest.raises(StageError, match=f"include_policy cannot .* that is {state}: .*{mend}"):
        milplib.include_policy(model, policy)
    model = ready()
    use = milplib.include_policy(model, policy)
    state = advance(model)
    with pytest.raises(StageError, match=f"replace cannot .* that is {state}"):
        use.replace("mostinf")
    assert use.policy.name == ("lowest" if policy is lowest else "pscost")
    use.remove()


def test_wrong_replacements_leave_the_policy_in_place() -> None:
    model = ready()
    use = milplib.include_policy(model, "pscost")
    with pytest.raises(UnknownNameError):
        use.replace("pscosts")
    with pytest.raises(ParameterError, match="'pscost': call replace"):
        milplib.include_policy(model, lowest)
    raised: Any = model.getParam("branching/pscost/priority")
    assert raised > 100_000
    use.remove()
    use.remove()
    with pytest.raises(ParameterError, match="removed"):
        use.replace("mostinf")


def test_bad_priorities_and_models_are_refused() -> None:
    for priority in (2**31, -(2**31), True, "high", 1.5):
        wrong: Any = priority
        with pytest.raises(ParameterError, match="priority"):
            milplib.include_policy(quiet(), lowest, priority=wrong)
    no_model: Any = INSTANCE
    with pytest.raises(ParameterError, match=r"it must be a pyscipopt\.Model"):
        milplib.include_policy(no_model, lowest)


def test_policies_come_and_go_in_several_threads() -> None:
    results: list[bool] = []

    def turns() -> None:
        model = quiet()
        for policy in (First(), "pscost", First()):
            use = milplib.include_policy(model, policy)
            model.optimizeNogil()
            results.append(model.getStatus() == "optimal")
            use.remove()
            model.freeTransform()

    threads = [threading.Thread(target=turns) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == 9 * [True]


def test_counts_start_again_for_a_replacement() -> None:
    model = ready()
    use = milplib.include_policy(model, raises)
    assert solved(model)
    assert use.errors > 0
    assert present(use.first_error)
    model.freeTransform()
    use.replace(lowest)
    assert (use.calls, use.errors, use.first_error, use.time) == (0, 0, None, 0.0)
