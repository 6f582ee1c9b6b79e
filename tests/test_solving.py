"""Solving: results in the instance's own terms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyscipopt
import pytest
from narrowing import present

from milplib import Instance
from milplib.errors import InstanceError, ParameterError, UnknownNameError
from milplib.formats import write
from milplib.generators import from_name
from milplib.scip import SETTINGS, apply_setting, branching_rule_names
from milplib.scip.self_test import self_test
from milplib.solving import solve
from milplib.tree import record_tree


def mixed(**changes: Any) -> Instance:
    """Maximise 3x + 2y + z + 10 with columns of three kinds, of which SCIP changes the order."""
    arrays: dict[str, Any] = {
        "objective": [1.0, 3.0, 2.0],
        "A": np.array([[1.0, 2.0, 1.0]]),
        "row_lower": [-np.inf],
        "row_upper": [7.5],
        "lower": [0.0, 0.0, 0.0],
        "upper": [0.75, 9.0, 1.0],
        "integrality": [0, 1, 1],
        "sense": "maximize",
        "offset": 10.0,
    }
    return Instance(**arrays | changes)


def test_the_solution_is_in_column_order_and_gives_the_objective() -> None:
    result = solve(mixed())
    assert result.status == "optimal"
    np.testing.assert_allclose(present(result.solution), [0.5, 3.0, 1.0], atol=1e-6)
    assert result.objective == pytest.approx(0.5 + 9 + 2 + 10)
    assert result.dual_bound == pytest.approx(result.objective)
    assert result.gap == 0


def test_infeasible_and_unbounded_have_no_objective_and_no_solution() -> None:
    infeasible = solve(mixed(row_lower=[100.0], row_upper=[np.inf]))
    unbounded = solve(mixed(row_upper=[np.inf], upper=[np.inf] * 3))
    assert infeasible.status == "infeasible"
    assert unbounded.status in ("unbounded", "inforunbd")
    for result in (infeasible, unbounded):
        assert result.objective is None
        assert result.solution is None


def test_a_path_is_solved_as_the_instance_in_it_is(tmp_path: Path) -> None:
    path = tmp_path / "mixed.lp"
    write(mixed(), path)
    for given in (path, str(path)):
        result = solve(given, policy="auto")
        assert result.objective == pytest.approx(21.5)
        assert result.policy == "auto"
    assert record_tree(path).title.startswith("mixed with relpscost")


def test_what_is_no_instance_is_named_and_a_missing_file_too(tmp_path: Path) -> None:
    nothing: dict[str, Any] = {"Model": pyscipopt.Model(), "None": None, "Instance": [mixed()]}
    for word, given in nothing.items():
        with pytest.raises(ParameterError, match=rf"instance is .*{word}.*; it must be a milplib"):
            solve(given)
    with pytest.raises(InstanceError, match=r"absent\.lp"):
        solve(tmp_path / "absent.lp")


@pytest.mark.slow
def test_equal_seeds_give_equal_solves_and_other_seeds_permute() -> None:
    instance = from_name("SC-milplib-small").generate(3)
    runs = [solve(instance, seed=seed, setting="learn2branch") for seed in (0, 0, 1, 2)]
    work = [(run.nodes, run.lp_iterations) for run in runs]
    assert work[0] == work[1]
    assert len(set(work)) > 1
    assert len({round(present(run.objective), 6) for run in runs}) == 1


def test_unknown_names_suggest_the_nearest_and_bad_numbers_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="relpscost"):
        solve(mixed(), policy="relpcost")
    with pytest.raises(UnknownNameError, match="learn2branch"):
        solve(mixed(), setting="learntobranch")
    for seed in (-1, 2**31):
        with pytest.raises(ParameterError, match="seed"):
            solve(mixed(), seed=seed)
    for limit in (0, -1, float("nan")):
        with pytest.raises(ParameterError, match="time limit"):
            solve(mixed(), time_limit=limit)


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_setting_sets_one_thread_and_every_seed(setting: Any) -> None:
    model = pyscipopt.Model()
    reference = {"reference_objective": 1.0} if setting == "clean" else {}
    apply_setting(model, setting, seed=7, **reference)
    for name in ("permutationseed", "randomseedshift", "lpseed"):
        assert model.getParam(f"randomization/{name}") == 7
    assert model.getParam("randomization/permutevars")
    assert model.getParam("lp/threads") == 1
    cuts = model.getParam("separating/maxrounds")
    assert (cuts == 0) == (setting == "learn2branch")


def test_every_rule_of_scip_is_known() -> None:
    expected = {"relpscost", "pscost", "vanillafullstrong", "mostinf", "random", "inference"}
    assert expected <= set(branching_rule_names(pyscipopt.Model()))


def test_the_self_test_passes_here() -> None:
    self_test()


@pytest.mark.parametrize("time_limit", [1e-6, 0.02, 0.3])
def test_a_solve_stopped_before_its_search_begins_has_a_result(
    time_limit: float, capfd: pytest.CaptureFixture[str]
) -> None:
    instance = from_name("SC-hard").generate(seed=0)
    result = solve(instance, policy="pscost", time_limit=time_limit)
    assert result.status == "timelimit"
    assert (result.policy_calls, result.policy_time) == (0, 0.0)
    assert result.nodes == result.fair_nodes <= 1
    assert not capfd.readouterr().err  # SCIP complains of what it has no answer to
