"""SCIP and HiGHS: the same model, the same answers, the same units."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from market_split import unsolved
from narrowing import instance_from
from slow_parameters import slow, slow_where

from milplib.errors import InstanceError, MissingPackageError, UnknownNameError
from milplib.formats.reader import read
from milplib.generators import SetCover
from milplib.hardness import load_solver
from milplib.hardness.measurement import percent_gap, relative_gap
from milplib.instance import Instance

INF = np.inf
INSTANCES = (
    *("bell5", "egout", "flugpl", "lseu", "misc03", "p0548", "rgn", "MANN_a9.clq"),
    "stein27_inf",
)
SECONDS = ("bell5", "lseu", "misc03", "rgn", "stein27_inf")


def has_highs() -> bool:
    try:
        load_solver("highs")
    except MissingPackageError:
        return False
    return True


needs_highs = pytest.mark.skipif(not has_highs(), reason="highspy is not installed")
SOLVERS = ["scip", pytest.param("highs", marks=needs_highs)]


def tiny(**changes: Any) -> Any:
    """min x + y with x + y <= 3, both whole numbers."""
    content: dict[str, Any] = {
        "objective": [1.0, 1.0],
        "A": [[1.0, 1.0]],
        "row_lower": [-INF],
        "row_upper": [3.0],
        "lower": [0, 0],
        "upper": [INF, INF],
        "integrality": [1, 1],
    }
    return Instance(**content | changes)


def measured(solver: Any, instance: Instance, time_limit: float = 60) -> Any:
    return load_solver(solver).measure(instance, time_limit=time_limit, seed=0)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("name", slow_where(SECONDS, INSTANCES))
def test_real_instances_have_their_known_optima(solver: str, name: str, test_data: Path) -> None:
    folder = test_data / "miplib"
    with open(folder / "optima.csv", newline="") as stream:
        known = {row["instance"]: row for row in csv.DictReader(stream)}[name]
    (path,) = (p for p in folder.iterdir() if p.name.startswith(f"{name}."))
    found = measured(solver, read(path))
    assert (found.status, found.solved, found.gap) == (known["status"], True, 0.0)
    if known["objective"]:
        # The solvers' own feasibility tolerance is 1e-6; optima.csv has up to 10 digits.
        assert found.objective == pytest.approx(float(known["objective"]), rel=1e-6, abs=1e-6)
        assert found.dual_bound == pytest.approx(found.objective, rel=1e-6, abs=1e-6)
    else:
        assert found.objective is None
    assert 0 <= found.primal_dual_integral <= 100 * found.time * (1 + 1e-9)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(
    ("changes", "status", "objective"),
    [
        ({"sense": "maximize", "objective": [1.5, 1], "offset": 10}, "optimal", 14.5),
        ({"offset": -7}, "optimal", -7.0),
        ({"lower": [-INF, -INF], "row_lower": [-7]}, "optimal", -7.0),
        ({"lower": [0.5, 0.2], "upper": [2.7, 9], "sense": "maximize"}, "optimal", 3.0),
        ({"integrality": [0, 0], "row_upper": [2.5], "sense": "maximize"}, "optimal", 2.5),
        ({"row_upper": [2.5], "sense": "maximize"}, "optimal", 2.0),
        ({"row_lower": [5], "row_upper": [INF], "upper": [1, 1]}, "infeasible", None),
        (
            {"row_lower": [5], "row_upper": [INF], "upper": [1, 1], "integrality": [0, 0]},
            "infeasible",
            None,
        ),
        ({"A": np.zeros((0, 2)), "row_lower": [], "row_upper": []}, "optimal", 0.0),
    ],
)
def test_sense_offset_bounds_and_integrality_are_respected(
    solver: str, changes: dict[str, Any], status: str, objective: float | None
) -> None:
    found = measured(solver, tiny(**changes))
    assert (found.status, found.solved, found.gap) == (status, True, 0.0)
    assert found.objective == (None if objective is None else pytest.approx(objective))


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("integrality", [0, 1])
def test_an_unbounded_instance_is_a_result(solver: str, integrality: int) -> None:
    unbounded = tiny(
        objective=[-1, -1], row_lower=[0], row_upper=[INF], integrality=[integrality] * 2
    )
    found = measured(solver, unbounded)
    assert found.status in ("unbounded", "inforunbd")
    assert (found.solved, found.objective) == (True, None)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(("upper", "status"), [(1.0, "optimal"), (-1.0, "infeasible")])
def test_an_instance_without_columns_is_a_result(solver: str, upper: float, status: str) -> None:
    nothing = instance_from(
        objective=[], A=np.zeros((1, 0)), row_lower=[-INF], row_upper=[upper], lower=[],
        upper=[], integrality=[], offset=3,
    )  # fmt: skip
    found = measured(solver, nothing)
    assert (found.status, found.objective) == (status, 3.0 if status == "optimal" else None)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("sense", [slow("minimize"), "maximize"])
def test_a_solve_that_meets_its_limit_has_a_gap_on_the_right_side(solver: str, sense: str) -> None:
    instance = unsolved()
    if sense == "maximize":  # the same instance, upside down
        instance = Instance(
            objective=-instance.objective, A=instance.A, row_lower=instance.row_lower,
            row_upper=instance.row_upper, lower=instance.lower, upper=instance.upper,
            integrality=instance.integrality, sense="maximize",
        )  # fmt: skip
    found = measured(solver, instance, time_limit=0.5)
    assert (found.status, found.solved) == ("timelimit", False)
    assert found.objective is not None
    better = -1 if sense == "maximize" else 1
    assert better * found.dual_bound <= better * found.objective
    assert found.gap > 0
    assert 0 < found.primal_dual_integral <= 100 * found.time * (1 + 1e-9)


@needs_highs
def test_highs_without_a_solution_integrates_the_whole_time(test_data: Path) -> None:
    found = measured("highs", read(test_data / "miplib" / "stein27_inf.lp"))
    assert found.primal_dual_integral == pytest.approx(100 * found.time)


def test_branchings_are_nodes_with_children(test_data: Path) -> None:
    found = measured("scip", read(test_data / "miplib" / "bell5.mps.gz"))
    # In a tree with two children a branching; some are cut off before they are counted as nodes.
    assert 0 < found.branchings < found.nodes <= 2 * found.branchings + 1
    easy = measured("scip", tiny())
    assert easy.branchings == 0


@needs_highs
def test_highs_does_not_tell_branchings_and_solves_alike_every_time() -> None:
    cover = SetCover(n_rows=100, n_columns=150, density=0.08).generate(seed=1)
    first, second = (measured("highs", cover) for _ in range(2))
    assert first.branchings is None
    assert (first.nodes, first.objective) == (second.nodes, second.objective)
    assert first.objective == pytest.approx(measured("scip", cover).objective)


@needs_highs
def test_highs_writes_nothing_to_standard_output() -> None:
    script = (
        "from milplib.hardness import load_solver\n"
        "from milplib.generators import SetCover\n"
        "print('before')\n"
        "cover = SetCover(n_rows=20, n_columns=30, density=0.2).generate(seed=1)\n"
        "load_solver('highs').measure(cover, time_limit=60, seed=0)\n"
        "print('after')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("before\nafter\n", "")


@needs_highs
def test_a_number_that_highs_does_not_take_is_named() -> None:
    with pytest.raises(InstanceError, match="HiGHS does not take"):
        measured("highs", tiny(A=[[1e16, 1.0]]))


def test_a_missing_highspy_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "highspy", None)
    with pytest.raises(MissingPackageError, match=r"pip install 'milplib\[highs\]'"):
        load_solver("highs")


def test_an_unknown_solver_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UnknownNameError, match="did you mean highs"):
        load_solver("high")


def test_labels_hold_the_version() -> None:
    name, version = load_solver("scip").label.split()
    assert name == "SCIP"
    assert version.count(".") == 2


@pytest.mark.parametrize(
    ("objective", "bound", "relative", "percent"),
    [
        (110.0, 100.0, 0.1, 100 / 11),
        (-100.0, -110.0, 0.1, 100 / 11),
        (0.0, 0.0, 0.0, 0.0),
        (1.0, 0.0, INF, 100.0),
        (1.0, -1.0, INF, 100.0),
        (None, 5.0, INF, 100.0),
        (5.0, -INF, INF, 100.0),
    ],
)
def test_gaps_are_those_of_scip(
    objective: float | None, bound: Any, relative: float, percent: float
) -> None:
    assert relative_gap(objective, bound) == pytest.approx(relative)
    assert percent_gap(objective, bound) == pytest.approx(percent)
