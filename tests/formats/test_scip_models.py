"""An instance as a PySCIPOpt model, and the way back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyscipopt
import pytest
from slow_parameters import slow, slow_where

import milplib
from milplib import Instance
from milplib.errors import InstanceError
from milplib.formats.from_scip import column_variables, from_scip

# cap41 and cap42 take longer to presolve than all others to solve.
SOLVED = (
    *("MANN_a9.clq.lp", "bell5.mps.gz", "blend2.mps.gz", "dcmulti.mps.gz", "egout.mps.gz"),
    *("enigma.mps.gz", "flugpl.mps.gz", "lseu.mps.gz", "misc03.mps.gz", "p0548.mps.gz"),
    *("rgn.mps.gz", "stein27_inf.lp"),
)
SECONDS = (
    *("bell5.mps.gz", "blend2.mps.gz", "dcmulti.mps.gz", "enigma.mps.gz", "lseu.mps.gz"),
    *("misc03.mps.gz", "rgn.mps.gz", "stein27_inf.lp"),
)


def mixed(**changes: Any) -> Any:
    content: dict[str, Any] = {
        "objective": [1.0, 2.0, 3.0, 4.0],
        "A": [[1.0, 0.0, -2.0, 1.0], [0.0, 0.0, 0.0, 0.0]],
        "row_lower": [1.0, -np.inf],
        "row_upper": [5.0, np.inf],
        "lower": [-np.inf, 0, 0, -1],
        "upper": [7.5, 1, np.inf, 1],
        "integrality": [0, 1, 0, 1],
        "sense": "maximize",
        "offset": 2.5,
        "name": "mixed",
    }
    return Instance(**(content | changes))


def path_of(model: Any) -> Any:
    """What a solve went through: equal for equal models."""
    model.hideOutput()
    # SCIP's symmetry detection depends on addresses in memory: two solves of one file differ.
    model.setParam("misc/usesymmetry", 0)
    model.optimize()
    objective = model.getObjVal() if model.getNSols() else None
    return model.getStatus(), model.getNTotalNodes(), model.getNLPIterations(), objective


def test_a_model_has_everything_of_the_instance() -> None:
    model = mixed().to_scip()
    variables = column_variables(model)
    assert [variable.name for variable in variables] == ["x1", "x2", "x3", "x4"]
    assert [variable.vtype() for variable in variables] == [
        *("CONTINUOUS", "BINARY", "CONTINUOUS", "INTEGER")
    ]
    assert [row.name for row in model.getConss()] == ["C1", "C2"]
    assert (model.getObjectiveSense(), model.getObjoffset()) == ("maximize", 2.5)
    assert model.getProbName() == "mixed"
    returned = from_scip(model)
    assert returned.content_hash == mixed().content_hash
    assert returned.name == "mixed"


def test_columns_keep_their_order_where_scip_sorts_them_by_type() -> None:
    model = mixed().to_scip()
    assert [variable.name for variable in model.getVars()] == ["x2", "x4", "x3", "x1"]
    assert from_scip(model).column_names == ("x1", "x2", "x3", "x4")


def test_an_instance_is_that_of_the_original_problem_after_the_solve_as_well() -> None:
    instance = mixed(objective=[1.0, 2.0, -1.0, 4.0])
    model = instance.to_scip()
    model.hideOutput()
    model.optimize()
    assert model.getStatus() == "optimal"
    assert from_scip(model).content_hash == instance.content_hash


def test_a_variable_that_occurs_twice_in_a_row_counts_twice() -> None:
    model = pyscipopt.Model()
    x = model.addVar("x")
    row = model.addCons(x >= 1)
    model.addCoefLinear(row, x, 2.5)
    assert from_scip(model).A.toarray().tolist() == [[3.5]]


@pytest.mark.parametrize(
    "changes", [{"objective": [1.0, 2e20, 0, 0]}, {"A": [[0, 0, -1e20, 0], [0, 0, 0, 0]]}]
)
def test_a_coefficient_that_is_infinite_to_scip_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InstanceError, match="which SCIP takes for infinite"):
        mixed(**changes).to_scip()


def test_a_nonlinear_constraint_is_refused_by_name() -> None:
    model = pyscipopt.Model()
    x = model.addVar("x", ub=4)
    model.addCons(x * x <= 3, "circle")
    with pytest.raises(InstanceError, match="the constraint 'circle' is nonlinear"):
        from_scip(model)


@pytest.mark.parametrize("name", slow_where(SECONDS, SOLVED))
def test_arrays_lead_scip_on_the_same_path_as_the_file(test_data: Path, name: str) -> None:
    path = test_data / "miplib" / name
    model = pyscipopt.Model()
    model.hideOutput()
    model.readProblem(str(path))
    # SCIP keeps variables sorted by type and moves others out of the way when one is added or
    # changes its type, as its readers do when they come to bounds. So its order is not that of
    # the file; solving depends on it, and the columns are brought into it.
    instance = milplib.read(path)
    position = {column: j for j, column in enumerate(instance.column_names)}
    order = [position[variable.name] for variable in model.getVars()]
    reordered = replace(
        instance,
        A=instance.A[:, order],
        column_names=tuple(instance.column_names[j] for j in order),
        **{
            key: getattr(instance, key)[order]
            for key in ("objective", "lower", "upper", "integrality")
        },
    )
    assert path_of(reordered.to_scip()) == path_of(model)


@pytest.mark.parametrize("name", ["MANN_a9.clq.lp", slow("lseu.mps.gz"), "p0548.mps.gz"])
def test_files_that_scip_leaves_in_order_need_no_reordering(test_data: Path, name: str) -> None:
    path = test_data / "miplib" / name
    model = pyscipopt.Model()
    model.hideOutput()
    model.readProblem(str(path))
    assert path_of(milplib.read(path).to_scip()) == path_of(model)
