"""Extraction of the branching state through PySCIPOpt's own calls: slow, and the tests' oracle."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from pyscipopt import SCIP_LPSOLSTAT, SCIP_STAGE

from milplib.errors import StateError
from milplib.scip.state import ROW_FEATURES, VARIABLE_FEATURES, BranchingState
from milplib.scip.state_functions import StateFunction, extract_blocks

if TYPE_CHECKING:
    import pyscipopt

__all__ = ["branching_candidates", "check_stage", "extract_state_pure"]

_TYPES = {"BINARY": 0, "INTEGER": 1, "IMPLINT": 2, "CONTINUOUS": 3}
_BASIS = {"lower": 0, "basic": 1, "upper": 2, "zero": 3}
_CONTINUOUS = _TYPES["CONTINUOUS"]


def branching_candidates(model: pyscipopt.Model) -> list[pyscipopt.Variable]:
    """List the variables to branch on at the current node.

    Returns
    -------
    list of pyscipopt.Variable
        The fractional LP candidates of highest branching priority, in SCIP's order. Implied
        integers are never among them: SCIP lists them behind the others.

    Examples
    --------
    >>> import pyscipopt
    >>> class BranchOnFirst(pyscipopt.Branchrule):
    ...     def branchexeclp(self, allowaddcons):
    ...         self.model.branchVar(branching_candidates(self.model)[0])
    ...         return {"result": pyscipopt.SCIP_RESULT.BRANCHED}
    """
    variables, _, _, n_candidates, n_priority, _ = model.getLPBranchCands()
    return list(variables[: min(n_candidates, n_priority)])


def check_stage(model: pyscipopt.Model) -> None:
    """Raise a StateError unless the current node has an LP solved to optimality."""
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
    """Do what `milplib.scip.extract_state` does, without native code.

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
    # A variable that is not in the LP has no place in the state but counts in this norm.
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

    features = np.zeros((n, len(VARIABLE_FEATURES)))
    features[:, 0] = objective / objective_norm
    kind = np.array([_TYPES[variable.vtype()] for variable in variables], dtype=np.intp)
    everyone = np.arange(n)
    features[everyone, 1 + kind] = 1.0
    lower = array([column.getLb() for column in columns])
    upper = array([column.getUb() for column in columns])
    value = array([column.getPrimsol() for column in columns])
    has_lower, has_upper = lower > -infinity, upper < infinity
    features[:, 5] = has_lower
    features[:, 6] = has_upper
    # Not Model.getVarRedcost: for a maximisation it flips the sign, and only there.
    features[:, 7] = array([model.getColRedCost(c) for c in columns]) / objective_norm
    features[:, 8] = value
    # SCIP's feasFrac; the LP solution of a continuous column has no fractionality.
    fraction = value - np.floor(value + model.feastol())
    features[:, 9] = np.where(kind == _CONTINUOUS, 0.0, fraction)
    features[:, 10] = has_lower & (np.abs(value - lower) <= epsilon)
    features[:, 11] = has_upper & (np.abs(value - upper) <= epsilon)
    features[:, 12] = array([column.getAge() for column in columns]) * age_scale
    if has_incumbent:
        best = model.getBestSol()
        features[:, 13] = [model.getSolVal(best, variable) for variable in variables]
        features[:, 14] = [variable.getAvgSol() for variable in variables]
    basis = np.array([_BASIS[column.getBasisStatus()] for column in columns], dtype=np.intp)
    features[everyone, 15 + basis] = 1.0
    return features


def _row_side(
    model: pyscipopt.Model,
    objective: npt.NDArray[np.float64],
    objective_norm: float,
    age_scale: float,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int32], npt.NDArray[np.float64]]:
    """Features of the row sides, and the edges that end in them."""
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
    # A row may hold columns that have left the LP or not entered it (pricing): no edge there.
    in_lp = position >= 0
    if not in_lp.all():
        position, coefficient = position[in_lp], coefficient[in_lp]
        row_of_entry = row_of_entry[in_lp]
        lengths = np.bincount(row_of_entry, minlength=len(rows))
    parallel = np.bincount(
        row_of_entry, weights=coefficient * objective[position], minlength=len(rows)
    ) / (norm * objective_norm)

    # Two sides a row, the left one first; the missing ones are dropped.
    exists = np.column_stack((left > -infinity, right < infinity)).ravel()
    of_row = np.repeat(np.arange(len(rows)), 2)[exists]
    sign = np.tile([-1.0, 1.0], len(rows))[exists]
    side = np.column_stack((left, right)).ravel()[exists]
    features = np.empty((len(of_row), len(ROW_FEATURES)))
    features[:, 0] = sign * (side - constant[of_row]) / norm[of_row]
    features[:, 1] = sign * parallel[of_row]
    features[:, 2] = np.abs(activity[of_row] - side) <= epsilon
    features[:, 3] = sign * dual[of_row] / (norm[of_row] * objective_norm)
    features[:, 4] = age[of_row] * age_scale

    lengths_of_side = lengths[of_row]
    start = (np.cumsum(lengths) - lengths)[of_row]
    offset = np.cumsum(lengths_of_side) - lengths_of_side
    entry = np.arange(lengths_of_side.sum()) + np.repeat(start - offset, lengths_of_side)
    side_of_edge = np.repeat(np.arange(len(of_row)), lengths_of_side)
    edge_index = np.vstack((side_of_edge, position[entry])).astype(np.int32, copy=False)
    edge_features = (sign / norm[of_row])[side_of_edge] * coefficient[entry]
    return features, edge_index, edge_features
