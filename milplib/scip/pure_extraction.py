"""Extraction of the branching state through PySCIPOpt: slow, and the reference of the tests."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import pyscipopt
from pyscipopt import SCIP_BRANCHDIR, SCIP_LPSOLSTAT, SCIP_STAGE

from milplib.arguments import given
from milplib.errors import ParameterError, StateError
from milplib.scip.features import RowFeature, VariableFeature
from milplib.scip.plugins import is_freed
from milplib.scip.state import BranchingState
from milplib.scip.state_functions import StateFunction, extract_blocks

__all__ = ["branching_candidates", "check_stage", "extract_state_pure", "pseudocosts_pure"]

_TYPES = {
    "BINARY": VariableFeature.IS_TYPE_BINARY,
    "INTEGER": VariableFeature.IS_TYPE_INTEGER,
    "IMPLINT": VariableFeature.IS_TYPE_IMPLICIT_INTEGER,
    "CONTINUOUS": VariableFeature.IS_TYPE_CONTINUOUS,
}
_BASIS = {
    "lower": VariableFeature.IS_BASIS_LOWER,
    "basic": VariableFeature.IS_BASIS_BASIC,
    "upper": VariableFeature.IS_BASIS_UPPER,
    "zero": VariableFeature.IS_BASIS_ZERO,
}


def branching_candidates(model: pyscipopt.Model) -> list[pyscipopt.Variable]:
    """List the candidates at the current node.

    Returns
    -------
    list of pyscipopt.Variable
        Fractional LP candidates of highest branching priority, in SCIP's order. Implied integers,
        which SCIP lists last, are never among them.

    Examples
    --------
    >>> import pyscipopt
    >>> class BranchOnFirst(pyscipopt.Branchrule):
    ...     def branchexeclp(self, allowaddcons):
    ...         self.model.branchVar(branching_candidates(self.model)[0])
    ...         return {"result": pyscipopt.SCIP_RESULT.BRANCHED}
    """
    check_stage(model)
    variables, _, _, n_candidates, n_priority, _ = model.getLPBranchCands()
    return list(variables[: min(n_candidates, n_priority)])


def check_stage(model: pyscipopt.Model) -> None:
    """Raise an error unless the current node of a model has an LP solved to optimality."""
    if not isinstance(model, pyscipopt.Model):
        raise ParameterError(f"model is {given(model)}; it must be a pyscipopt.Model")
    if is_freed(model):
        raise StateError("there is no branching state here: the model is freed")
    if model.getStage() != SCIP_STAGE.SOLVING or model.getLPSolstat() != SCIP_LPSOLSTAT.OPTIMAL:
        raise StateError(
            "there is no branching state here: the current node has no LP solved to optimality; "
            "extract inside a branching rule's branchexeclp"
        )


def extract_state_pure(
    model: pyscipopt.Model,
    *,
    state_functions: tuple[StateFunction, ...] = (),
    dtype: type[np.floating[Any]] = np.float32,
) -> BranchingState:
    """Extract the branching state without native code, see `milplib.scip.extract_state`.

    Examples
    --------
    >>> import pyscipopt
    >>> class Watch(pyscipopt.Branchrule):
    ...     def branchexeclp(self, allowaddcons):
    ...         self.shape = extract_state_pure(self.model).variable_features.shape
    ...         return {"result": pyscipopt.SCIP_RESULT.DIDNOTRUN}
    """
    check_stage(model)
    columns = model.getLPColsData()
    # Variables outside the LP are not in the state, but count in this norm.
    objective_norm = _norm([variable.getObj() for variable in model.getVars(transformed=True)])
    objective = np.array([column.getObjCoeff() for column in columns], dtype=np.float64)
    has_incumbent = model.getNSols() > 0
    age_scale = 1.0 / (model.getNLPs() + 5)
    variable_features = _variable_features(
        model, columns, objective, objective_norm, age_scale, has_incumbent
    )
    row_features, edge_index, edge_features = _row_side(model, objective, objective_norm, age_scale)
    candidates = [variable.getCol().getLPPos() for variable in branching_candidates(model)]
    return BranchingState(
        variable_features=variable_features.astype(dtype, copy=False),
        row_features=row_features.astype(dtype, copy=False),
        edge_index=edge_index,
        edge_features=edge_features.astype(dtype, copy=False),
        candidates=np.array(candidates, dtype=np.int32),
        has_incumbent=has_incumbent,
        blocks=MappingProxyType(extract_blocks(model, state_functions, dtype=dtype)),
    )


def pseudocosts_pure(model: pyscipopt.Model) -> npt.NDArray[np.float64]:
    """Extract the block ``pseudocost`` without native code. Shape (k, 3), float64."""
    lines = [
        (
            model.getVarPseudocostScore(variable, variable.getLPSol()),
            model.getVarPseudocost(variable, SCIP_BRANCHDIR.DOWNWARDS),
            model.getVarPseudocost(variable, SCIP_BRANCHDIR.UPWARDS),
        )
        for variable in branching_candidates(model)
    ]
    return np.array(lines, dtype=np.float64).reshape(len(lines), 3)


def _norm(values: list[float]) -> float:
    return float(np.linalg.norm(np.array(values, dtype=np.float64))) or 1.0


def _variable_features(
    model: pyscipopt.Model,
    columns: list[Any],
    objective: npt.NDArray[np.float64],
    objective_norm: float,
    age_scale: float,
    has_incumbent: bool,
) -> npt.NDArray[np.float64]:
    n = len(columns)
    variables = [column.getVar() for column in columns]
    infinity, epsilon = model.infinity(), model.epsilon()

    def array(values: list[float]) -> npt.NDArray[np.float64]:
        return np.array(values, dtype=np.float64)

    features = np.zeros((n, len(VariableFeature)))
    features[:, VariableFeature.OBJECTIVE] = objective / objective_norm
    type_column = np.array([_TYPES[variable.vtype()] for variable in variables], dtype=np.intp)
    everyone = np.arange(n)
    features[everyone, type_column] = 1.0
    lower = array([column.getLb() for column in columns])
    upper = array([column.getUb() for column in columns])
    value = array([column.getPrimsol() for column in columns])
    has_lower, has_upper = lower > -infinity, upper < infinity
    features[:, VariableFeature.HAS_LOWER_BOUND] = has_lower
    features[:, VariableFeature.HAS_UPPER_BOUND] = has_upper
    # Model.getVarRedcost is unsuitable: it flips the sign for a maximisation.
    features[:, VariableFeature.REDUCED_COST] = (
        array([model.getColRedCost(c) for c in columns]) / objective_norm
    )
    features[:, VariableFeature.SOLUTION_VALUE] = value
    # This is SCIP's feasFrac. A continuous column has no fractionality.
    fraction = value - np.floor(value + model.feastol())
    features[:, VariableFeature.FRACTIONALITY] = np.where(
        type_column == VariableFeature.IS_TYPE_CONTINUOUS, 0.0, fraction
    )
    features[:, VariableFeature.IS_SOLUTION_AT_LOWER_BOUND] = has_lower & (
        np.abs(value - lower) <= epsilon
    )
    features[:, VariableFeature.IS_SOLUTION_AT_UPPER_BOUND] = has_upper & (
        np.abs(value - upper) <= epsilon
    )
    features[:, VariableFeature.SCALED_AGE] = (
        array([column.getAge() for column in columns]) * age_scale
    )
    if has_incumbent:
        best = model.getBestSol()
        features[:, VariableFeature.INCUMBENT_VALUE] = [
            model.getSolVal(best, variable) for variable in variables
        ]
        features[:, VariableFeature.AVERAGE_INCUMBENT_VALUE] = [
            variable.getAvgSol() for variable in variables
        ]
    basis_column = np.array([_BASIS[column.getBasisStatus()] for column in columns], dtype=np.intp)
    features[everyone, basis_column] = 1.0
    return features


def _row_side(
    model: pyscipopt.Model,
    objective: npt.NDArray[np.float64],
    objective_norm: float,
    age_scale: float,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int32], npt.NDArray[np.float64]]:
    """Compute the features of the row sides, and their edges."""
    rows = model.getLPRowsData()
    infinity, epsilon = model.infinity(), model.epsilon()
    numbers = np.array(
        [
            (
                row.getLhs(),
                row.getRhs(),
                row.getConstant(),
                row.getNorm() or 1.0,
                row.getDualsol(),
                row.getAge(),
                model.getRowLPActivity(row),
            )
            for row in rows
        ],
        dtype=np.float64,
    ).reshape(len(rows), 7)
    left, right, constant, norm, dual, age, activity = numbers.T
    lengths = np.array([row.getNNonz() for row in rows], dtype=np.int64)
    position = np.array([c.getLPPos() for row in rows for c in row.getCols()], dtype=np.int32)
    coefficient = np.array([v for row in rows for v in row.getVals()], dtype=np.float64)
    row_of_entry = np.repeat(np.arange(len(rows)), lengths)
    # With pricing, a row may hold columns outside the LP; they get no edge.
    in_lp = position >= 0
    if not in_lp.all():
        position, coefficient = position[in_lp], coefficient[in_lp]
        row_of_entry = row_of_entry[in_lp]
        lengths = np.bincount(row_of_entry, minlength=len(rows))
    parallel = np.bincount(
        row_of_entry, weights=coefficient * objective[position], minlength=len(rows)
    ) / (norm * objective_norm)

    # Each row has two sides, the left one first; missing sides are dropped.
    exists = np.column_stack((left > -infinity, right < infinity)).ravel()
    of_row = np.repeat(np.arange(len(rows)), 2)[exists]
    sign = np.tile([-1.0, 1.0], len(rows))[exists]
    side = np.column_stack((left, right)).ravel()[exists]
    features = np.empty((len(of_row), len(RowFeature)))
    features[:, RowFeature.BIAS] = sign * (side - constant[of_row]) / norm[of_row]
    features[:, RowFeature.OBJECTIVE_COSINE_SIMILARITY] = sign * parallel[of_row]
    features[:, RowFeature.IS_TIGHT] = np.abs(activity[of_row] - side) <= epsilon
    features[:, RowFeature.DUAL_VALUE] = sign * dual[of_row] / (norm[of_row] * objective_norm)
    features[:, RowFeature.SCALED_AGE] = age[of_row] * age_scale

    lengths_of_side = lengths[of_row]
    start = (np.cumsum(lengths) - lengths)[of_row]
    offset = np.cumsum(lengths_of_side) - lengths_of_side
    entry = np.arange(lengths_of_side.sum()) + np.repeat(start - offset, lengths_of_side)
    side_of_edge = np.repeat(np.arange(len(of_row)), lengths_of_side)
    edge_index = np.vstack((side_of_edge, position[entry])).astype(np.int32, copy=False)
    edge_features = (sign / norm[of_row])[side_of_edge] * coefficient[entry]
    return features, edge_index, edge_features
