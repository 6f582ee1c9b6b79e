"""Khalil's features against numbers by hand, a slow reading of their definition, and Ecole's."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyscipopt
import pytest
from pyscipopt import SCIP_BRANCHDIR, SCIP_PARAMSETTING, SCIP_RESULT
from slow_parameters import slow, slow_where

from milplib.generators import CapacitatedFacilityLocation, IndependentSet, SetCover
from milplib.library import InstanceGenerator
from milplib.scip import branching_candidates, extract_state, load_state_functions
from milplib.scip.blocks.khalil import KhalilBlock, KhalilFeature
from milplib.scip.cutoffs import cutoffs_and_branchings
from milplib.scip.rule import GuardedRule

FAMILIES: dict[str, InstanceGenerator] = {
    "set cover": SetCover(n_rows=300, n_columns=400, density=0.05),
    "facility location": CapacitatedFacilityLocation(n_customers=15, n_facilities=15),
    "independent set": IndependentSet(n_nodes=120),
}


class Visit(GuardedRule):
    """Call a function at each of the first nodes, and branch on the lowest candidate."""

    def __init__(self, look: Any, nodes: Any) -> None:
        super().__init__()
        self.look, self.left = look, nodes

    def decide(self) -> Any:
        self.look(self.model)
        self.left -= 1
        if not self.left:
            self.model.interruptSolve()
        self.model.branchVar(branching_candidates(self.model)[0])
        return SCIP_RESULT.BRANCHED


def visit(model: Any, look: Any, *, nodes: Any) -> None:
    model.hideOutput()
    rule = Visit(look, nodes)
    rule.include(model, "visit")
    model.optimize()
    assert rule.left < nodes


def plain(model: Any, *, cuts: bool = False) -> Any:
    """Leave the problem as it is written, and its LP but for cuts that are asked for."""
    for name in ("presolving/maxrounds", *(() if cuts else ("separating/maxroundsroot",))):
        model.setParam(name, 0)
    model.setHeuristics(SCIP_PARAMSETTING.OFF)
    return model


def test_all_columns_of_a_tiny_problem_are_those_computed_by_hand() -> None:
    """The LP optimum is x = 3, y = 1.5, z = 0.25; all rows are active; y is the candidate."""
    model = plain(pyscipopt.Model())
    x, y = (model.addVar(name, vtype="I", ub=10) for name in "xy")
    z = model.addVar("z", ub=10)
    model.setObjective(-5 * x - 4 * y + z)
    model.addCons(6 * x + 4 * y <= 24)  # dual value -13/16
    model.addCons(x + 2 * y <= 6)  # -1/8
    model.addCons((2 * z - y <= 3) >= -1)  # 1/2
    found = []
    visit(model, lambda m: found.append(KhalilBlock().extract(m)), nodes=1)
    by_hand = {
        "objective": -4,
        "objective_negative_part": -4,
        "constraints": 3,
        **dict.fromkeys(("degree_mean", "degree_min", "degree_max"), 2),
        "positive_coefficients_count": 2,
        "positive_coefficients_mean": 3,
        "positive_coefficients_deviation": 1,
        "positive_coefficients_min": 2,
        "positive_coefficients_max": 4,
        "negative_coefficients_count": 1,
        **{f"negative_coefficients_{name}": -1 for name in ("mean", "min", "max")},
        "slack": 0.5,
        "ceil_distance": 0.5,
        "pseudocost_up": 0.5,  # SCIP's default for a variable never branched on is 1
        "pseudocost_down": 0.5,
        "pseudocost_ratio": 1,
        "pseudocost_sum": 1,
        "pseudocost_product": 0.25,
        **dict.fromkeys(("node_degree_mean", "node_degree_min", "node_degree_max"), 2),
        **dict.fromkeys(("degree_ratio_mean", "degree_ratio_min", "degree_ratio_max"), 1),
        "positive_side_ratio_min": -1 / 4,  # -y + 2 z <= 3
        "positive_side_ratio_max": 1 / 2,  # y - 2 z <= 1
        "negative_side_ratio_min": 1,
        "negative_side_ratio_max": -1,
        "positive_to_positive_ratio_min": 4 / 10,
        "positive_to_positive_ratio_max": 2 / 3,
        "positive_to_negative_ratio_min": 1,
        "positive_to_negative_ratio_max": 1,
        "negative_to_positive_ratio_min": 1 / 3,
        "negative_to_positive_ratio_max": 1 / 3,
        "negative_to_negative_ratio_min": 1,
        "negative_to_negative_ratio_max": 1,
    }
    weights: dict[str, list[float]] = {
        "unit": [1, 1, 1],
        "all": [1 / 10, 1 / 3, 1 / 3],
        "candidates": [1 / 4, 1 / 2, 1],
        "dual": [13 / 16, 1 / 8, 1 / 2],
    }
    for name, weight in weights.items():
        values = np.array(weight) * [4, 2, 1]
        by_hand |= {
            f"active_{name}_count": sum(weight),
            f"active_{name}_sum": values.sum(),
            f"active_{name}_mean": values.mean(),
            f"active_{name}_deviation": math.sqrt(np.mean((values - values.mean()) ** 2)),
            f"active_{name}_min": values.min(),
            f"active_{name}_max": values.max(),
        }
    assert by_hand.keys() <= set(KhalilFeature.columns())
    expected = [by_hand.get(name, 0) for name in KhalilFeature.columns()]
    np.testing.assert_allclose(found[0], [expected], rtol=1e-12, atol=1e-12)


def statistics(values: Any) -> Any:
    if not values:
        return [0.0] * 4
    mean = sum(values) / len(values)
    deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))
    return [mean, deviation, min(values), max(values)]


def slow_features(model: Any) -> Any:
    """The definition of the docstring, read line by line through PySCIPOpt's own calls."""
    infinity, epsilon = model.infinity(), model.epsilon()
    candidates = branching_candidates(model)
    positions = {v.getCol().getLPPos() for v in candidates}
    rows = []
    for row in model.getLPRowsData():
        pairs = [(c.getLPPos(), c.getLb() < c.getUb()) for c in row.getCols()]
        values, left, right = row.getVals(), row.getLhs(), row.getRhs()
        activity = model.getRowLPActivity(row)
        absolute = sum(map(abs, values))
        among = sum(abs(a) for (p, _), a in zip(pairs, values, strict=True) if p in positions)
        rows.append(
            {
                "coefficients": {p: a for (p, _), a in zip(pairs, values, strict=True)},
                "free": sum(free for _, free in pairs),
                "left": left - row.getConstant() if left > -infinity else None,
                "right": right - row.getConstant() if right < infinity else None,
                "active": any(abs(activity - side) <= epsilon for side in (left, right)),
                "static": not row.isRemovable() and not row.isLocal(),
                "weights": [
                    1.0,
                    1 / absolute if absolute else 1.0,
                    1 / among if among else 1.0,
                    abs(row.getDualsol()),
                ],
            }
        )
    return np.array([slow_line(model, variable, rows) for variable in candidates])


def slow_line(model: Any, variable: Any, rows: Any) -> Any:
    position = variable.getCol().getLPPos()
    mine = [(row, row["coefficients"][position]) for row in rows if position in row["coefficients"]]
    static = [(row, a) for row, a in mine if row["static"]]
    objective = variable.getObj()
    line = [objective, max(objective, 0), min(objective, 0), len(static)]
    degrees = statistics([len(row["coefficients"]) for row, _ in static])
    line += degrees
    for chosen in ([a for _, a in static if a > 0], [a for _, a in static if a < 0]):
        line += [len(chosen), *statistics(chosen)]
    value = variable.getLPSol()
    f = value - math.floor(value + model.feastol())
    up = (1 - f) * model.getVarPseudocost(variable, SCIP_BRANCHDIR.UPWARDS)
    down = f * model.getVarPseudocost(variable, SCIP_BRANCHDIR.DOWNWARDS)
    low, high = sorted((max(up, 1e-5), max(down, 1e-5)))
    line += [min(f, 1 - f), 1 - f, up, down, low / high, up + down, up * down]
    cut_up, cut_down, tried_up, tried_down = cutoffs_and_branchings([variable])[0]
    line += [cut_up, cut_down, cut_up / max(1, tried_up), cut_down / max(1, tried_down)]
    free = statistics([row["free"] for row, _ in mine])
    line += free
    line += [degrees[i] / free[i] if free[i] else 0.0 for i in (0, 2, 3)]
    sides = [(a, row["right"]) for row, a in mine if row["right"] is not None]
    sides += [(-a, -row["left"]) for row, a in mine if row["left"] is not None]
    for wanted in (True, False):
        ratios = [a / (abs(a) + abs(b)) for a, b in sides if (b >= 0) == wanted]
        line += [min(ratios, default=1), max(ratios, default=-1)]
    for own in (1, -1):
        for other in (1, -1):
            ratios = []
            for row, a in mine:
                if a * own > 0:
                    others = sum(
                        abs(c)
                        for p, c in row["coefficients"].items()
                        if p != position and c * other > 0
                    )
                    ratios.append(abs(a) / (abs(a) + others))
            line += [min(ratios, default=1), max(ratios, default=0)]
    active = [(row["weights"], abs(a)) for row, a in mine if row["active"]]
    for w in range(4):
        values = [weights[w] * a for weights, a in active]
        line += [sum(weights[w] for weights, _ in active), sum(values), *statistics(values)]
    return line


@pytest.mark.parametrize("name", slow_where(["set cover"], FAMILIES))
def test_real_nodes_agree_with_the_definition_read_slowly(name: str) -> None:
    model = plain(FAMILIES[name].generate(seed=1).to_scip(), cuts=name == "set cover")
    seen = []

    def look(model: Any) -> None:
        found = KhalilBlock().extract(model)
        slow = slow_features(model)
        for column, feature in enumerate(KhalilFeature.columns()):
            np.testing.assert_allclose(
                found[:, column],
                slow[:, column],
                # Coefficients went through a division by the row's norm; deviations cancel.
                rtol=1e-9,
                atol=1e-9,
                err_msg=feature,
            )
        seen.append(found)

    visit(model, look, nodes=5)
    assert sum(map(len, seen)) >= 5
    varying = (np.ptp(np.vstack(seen), axis=0) > 0).sum()
    assert varying > 25  # they tell something


def test_static_columns_stay_the_same_at_all_nodes_of_a_tree() -> None:
    model = plain(FAMILIES["set cover"].generate(seed=3).to_scip(), cuts=True)
    known: dict[Any, Any] = {}
    checked: list[Any] = []

    def look(model: Any) -> None:
        lines = KhalilBlock().extract(model)[:, : KhalilFeature.SLACK]
        for variable, line in zip(branching_candidates(model), lines.tolist(), strict=True):
            checked.append(variable.name in known)
            assert known.setdefault(variable.name, line) == line

    visit(model, look, nodes=15)
    assert sum(checked) > 10


def test_the_block_has_a_name_and_comes_with_states() -> None:
    model = plain(FAMILIES["independent set"].generate(seed=0).to_scip())
    functions = load_state_functions(["khalil"])
    states = []
    visit(model, lambda m: states.append(extract_state(m, state_functions=functions)), nodes=2)
    for state in states:
        assert state.blocks["khalil"].shape == (len(state.candidates), 72)
    assert len(set(KhalilFeature.columns())) == 72


def test_cutoffs_are_counted_once_children_were_cut_off() -> None:
    model = plain(FAMILIES["facility location"].generate(seed=2).to_scip())
    visit(model, lambda m: None, nodes=10**6)
    # Interrupting or ending a solve frees the tree, not the counters of its variables.
    found = cutoffs_and_branchings(model.getVars(transformed=True))
    assert found[:, :2].sum() > 0
    assert found[:, 2:].sum() > 0


# A process of its own finds this module and those of the fixtures.
FINDABLE = {"PYTHONPATH": os.pathsep.join(str(p) for p in list(Path(__file__).parents)[:2])}

WITHOUT_NATIVE = """
import sys
import numpy as np
from test_candidate_features import FAMILIES, plain, visit
from milplib.scip.blocks.khalil import KhalilBlock
found = []
visit(plain(FAMILIES["facility location"].generate(seed=1).to_scip()),
      lambda m: found.append(KhalilBlock().extract(m)), nodes=1)
np.save(sys.argv[1], found[0])
"""


def test_without_native_code_the_features_are_the_same(tmp_path: Path) -> None:
    arrays = []
    for native in ("0", ""):
        path = tmp_path / f"features{native}.npy"
        subprocess.run(
            [sys.executable, "-c", WITHOUT_NATIVE, str(path)],
            env=os.environ | FINDABLE | {"MILPLIB_NATIVE": native},
            check=True,
        )
        arrays.append(np.load(path))
    np.testing.assert_allclose(arrays[0], arrays[1], rtol=1e-11, atol=1e-11)


# Columns in which Ecole has no defect and this block has made no other choice.
LIKE_ECOLE = (0, 1, 2, *range(18, 29))
LIKE_ECOLE_OF_LP_ROWS = (*range(36, 48), *(c + w for w in (48, 54, 66) for c in (0, 1, 2, 4)))


@pytest.mark.recorded_on("10.0.2")
@pytest.mark.parametrize("name", ["flugpl", slow("lseu"), slow("p0548")])
def test_where_ecole_follows_the_paper_its_numbers_are_found(name: str, test_data: Path) -> None:
    record = test_data / "ecole" / f"{name}.scores.npz"
    instance = test_data / "miplib" / f"{name}.mps.gz"
    # In a process of its own: the path of a solve after the first one may be another.
    subprocess.run(
        [sys.executable, __file__, str(instance), str(record)],
        env=os.environ | FINDABLE,
        check=True,
    )


def compare_with_ecole(instance: Any, record: Any) -> None:
    record = dict(np.load(record, allow_pickle=False))
    model = pyscipopt.Model()
    model.readProblem(instance)
    for line in record["scip_parameters"]:
        key, value = str(line).split(" = ")
        model.setParam(key, value == "TRUE" if value in ("TRUE", "FALSE") else int(value))
    found: list[Any] = []

    def look(model: Any) -> None:
        node = len(found)
        assert model.getCurrentNode().getNumber() == record["node_number"][node]
        found.append(KhalilBlock().extract(model))

    visit(model, look, nodes=1)  # later ones depend on the strong branching that was recorded
    theirs = record["khalil_features"][: len(found[0])]
    only_lp_rows = record["khalil_only_lp_rows"][: len(found[0])]
    assert len(found[0]) == record["action_offsets"][1]
    for columns, lines in ((LIKE_ECOLE, slice(None)), (LIKE_ECOLE_OF_LP_ROWS, only_lp_rows)):
        for column in columns:
            np.testing.assert_allclose(
                found[0][lines, column],
                theirs[lines, column],
                rtol=1e-9,
                atol=1e-12,
                err_msg=KhalilFeature.columns()[column],
            )


if __name__ == "__main__":
    compare_with_ecole(*sys.argv[1:])
