"""Solutions are checked on the arrays: what SCIP's tolerance allows is right, the rest is named."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from narrowing import instance_from, present

from milplib import Instance
from milplib.evaluation.run import _described
from milplib.evaluation.solution_check import FEASIBILITY_TOLERANCE, violations
from milplib.generators import CombinatorialAuction, SetCover
from milplib.solving import solve

INF = np.inf


def instance(**changes: Any) -> Instance:
    """-3 ≤ 1000 x - y ≤ 1000, x + z ≥ 1; x in [0, 1] and y in [-5, 9] integer, z in [0, inf]."""
    arrays: dict[str, Any] = {
        "objective": [1.0, 2.0, 3.0],
        "A": np.array([[1000.0, -1.0, 0.0], [1.0, 0.0, 1.0]]),
        "row_lower": [-3.0, 1.0],
        "row_upper": [1000.0, INF],
        "lower": [0.0, -5.0, 0.0],
        "upper": [1.0, 9.0, INF],
        "integrality": [1, 1, 0],
        "offset": 10.0,
    }
    return Instance(**arrays | changes)


def words(solution: list[float], **options: Any) -> str:
    return " | ".join(map(str, violations(instance(), solution, **options)))


def test_a_solution_violates_nothing() -> None:
    assert violations(instance(), [1.0, 0.0, 0.0], objective=11.0) == ()
    assert violations(instance(), [0.0, 3.0, 1.0], objective=19.0) == ()


@pytest.mark.parametrize(
    ("solution", "objective", "word"),
    [
        ([1.0, -1.0, 0.0], 9.0, "row C1 has the value 1001"),
        ([0.0, 4.0, 1.0], 21.0, "row C1 has the value -4"),
        ([0.0, 0.0, 0.5], 11.5, "row C2 has the value 0.5"),
        ([1.0, 9.5, 0.0], 30.0, "column x2 has the value 9.5 and the bounds [-5, 9]"),
        ([1.0, 9.5, 0.0], 30.0, "integer column x2 has the value 9.5"),
        ([1.0, 0.0, -0.1], 10.7, "column x3 has the value -0.1"),
        ([1.0, 0.0, 0.0], 11.1, "objective is 11, not 11.1"),
        ([1.0, 0.0, 0.0], np.nan, "objective is 11, not nan"),
        ([1.0, np.nan, 0.0], 11.0, "column x2 has a value that is not finite"),
        ([1.0, 0.0, INF], INF, "column x3 has a value that is not finite"),
        ([1.0, 0.0], 11.0, "shape (2,)"),
    ],
)
def test_what_a_solution_violates_is_named(
    solution: list[float], objective: float, word: str
) -> None:
    assert word in words(solution, objective=objective)


@pytest.mark.parametrize(("factor", "fine"), [(0.9, True), (1.1, False)])
def test_the_tolerance_is_relative_for_rows_and_bounds_and_absolute_for_integers(
    factor: float, fine: bool
) -> None:
    step = factor * FEASIBILITY_TOLERANCE
    # The row's side is 1000: it may be missed by a thousand times as much. y is continuous here.
    loose = instance(integrality=[1, 0, 0])
    assert (violations(loose, [1.0, -1000 * step, 0.0]) == ()) == fine
    assert (violations(loose, [1.0, 9.0 + 9 * step, 0.0]) == ()) == fine
    assert (words([1.0, step, 0.0]) == "") == fine
    assert words([1.0, 9.0 + 9 * step, 0.0]) != ""
    assert (words([1.0, 0.0, 0.0], objective=11.0 * (1 + step)) == "") == fine


def test_large_terms_that_cancel_out_are_no_violation() -> None:
    n = 1000
    signs = np.where(np.arange(n) % 2, 1.0, -1.0)
    values = np.repeat(1e9 * np.random.RandomState(0).rand(n // 2), 2)
    row = instance_from(
        objective=np.zeros(n),
        A=sp.csr_array(signs[None, :] * 0.1),
        row_lower=[0.0],
        row_upper=[0.0],
        lower=np.zeros(n),
        upper=np.full(n, INF),
        integrality=np.zeros(n),
    )
    order = np.random.RandomState(1).permutation(n)
    shuffled = Instance(
        **{f: getattr(row, f) for f in ("objective", "row_lower", "row_upper", "lower", "upper")},
        A=sp.csr_array(row.A.toarray()[:, order]),
        integrality=row.integrality,
    )
    assert violations(shuffled, values[order]) == ()
    assert violations(shuffled, values[order] + np.eye(n)[0]) != ()


@pytest.mark.parametrize(
    "made",
    [
        SetCover(n_rows=40, n_columns=60, density=0.1).generate(seed=0),
        CombinatorialAuction(n_items=30, n_bids=100).generate(seed=0),
    ],
    ids=["minimised", "maximised"],
)
def test_real_solutions_are_right_and_every_change_of_a_tight_one_is_found(made: Instance) -> None:
    result = solve(made)
    assert violations(made, present(result.solution), objective=result.objective) == ()
    for column in np.flatnonzero(made.objective)[:20]:
        changed = present(result.solution).copy()
        changed[column] = 1 - changed[column]
        assert violations(made, changed, objective=result.objective)


def test_an_instance_without_rows_has_none_to_violate() -> None:
    empty = instance(A=sp.csr_array((0, 3)), row_lower=[], row_upper=[])
    assert violations(empty, [1.0, 0.0, 0.0]) == ()
    assert len(violations(empty, [2.0, 0.0, 0.0])) == 1


def test_a_run_with_a_wrong_solution_is_a_failure_that_says_what_is_violated() -> None:
    made = SetCover(n_rows=40, n_columns=60, density=0.1).generate(seed=0)
    result = solve(made)
    assert _described(result, made)["failure"] == ""
    wrong = dataclasses.replace(result, solution=np.zeros(made.n_columns))
    row = _described(wrong, made)
    assert (row["failure"], row["status"]) == ("wrong solution", "optimal")
    assert "the row" in row["failure_detail"]
    assert "the objective is 0" in row["failure_detail"]
