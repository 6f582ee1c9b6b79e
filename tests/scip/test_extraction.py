"""Extraction of the state where the recorded arrays do not reach."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyscipopt
import pytest
from pyscipopt import SCIP_PARAMSETTING, SCIP_RESULT

from milplib.errors import ParameterError, StateError, UnknownNameError
from milplib.generators import from_name
from milplib.scip import (
    ROW_FEATURES,
    VARIABLE_FEATURES,
    BranchingState,
    RowFeature,
    VariableFeature,
    branching_candidates,
    extract_state,
    load_state_functions,
)
from milplib.scip.rule import GuardedRule
from milplib.scip.self_test import odd_cycle

TYPES = [
    VariableFeature.IS_TYPE_BINARY,
    VariableFeature.IS_TYPE_INTEGER,
    VariableFeature.IS_TYPE_IMPLICIT_INTEGER,
    VariableFeature.IS_TYPE_CONTINUOUS,
]
BASIS = [
    VariableFeature.IS_BASIS_LOWER,
    VariableFeature.IS_BASIS_BASIC,
    VariableFeature.IS_BASIS_UPPER,
    VariableFeature.IS_BASIS_ZERO,
]


class AtNodes(GuardedRule):
    """Call a function at every branching node, then branch on the first candidate."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function
        self.results: list[Any] = []

    def decide(self) -> Any:
        self.results.append(self.function(self.model))
        self.model.branchVar(branching_candidates(self.model)[0])
        return SCIP_RESULT.BRANCHED


def at_nodes(model: Any, function: Any, *, nodes: int = 5) -> Any:
    model.hideOutput()
    for name in ("presolving/maxrounds", "separating/maxroundsroot", "propagating/maxroundsroot"):
        model.setParam(name, 0)
    model.setHeuristics(SCIP_PARAMSETTING.OFF)
    model.setParam("limits/nodes", nodes)
    rule = AtNodes(function)
    rule.include(model, "at-nodes")
    model.optimize()
    assert rule.results
    return rule.results


def column(state: BranchingState, name: str) -> Any:
    return state.variable_features[:, VARIABLE_FEATURES.index(name)]


def test_outside_a_branching_node_there_is_no_state() -> None:
    with pytest.raises(StateError, match="branchexeclp"):
        extract_state(pyscipopt.Model())


def test_features_are_finite_and_float32_and_one_hots_sum_to_one() -> None:
    for state in at_nodes(odd_cycle(9).to_scip(), extract_state):
        assert state.variable_features.shape == (9, len(VARIABLE_FEATURES))
        assert state.row_features.shape[1] == len(ROW_FEATURES)
        assert {a.dtype for a in (state.variable_features, state.row_features)} == {
            np.dtype("float32")
        }
        assert state.edge_index.dtype == state.candidates.dtype == np.int32
        assert np.isfinite(state.variable_features).all()
        assert np.isfinite(state.row_features).all()
        assert (state.variable_features[:, TYPES].sum(axis=1) == 1).all()
        assert (state.variable_features[:, BASIS].sum(axis=1) == 1).all()


def test_a_maximisation_shows_its_minimised_objective() -> None:
    state = at_nodes(odd_cycle(5).to_scip(), extract_state)[0]
    np.testing.assert_allclose(column(state, "objective"), -1 / np.sqrt(5), rtol=1e-6)


def test_an_unbounded_column_and_an_equation_and_a_ranged_row_show_as_such() -> None:
    model = pyscipopt.Model()
    x, y = (model.addVar(name, vtype="I", lb=None, ub=None) for name in "xy")
    z = model.addVar("z", lb=None, ub=7.5)
    model.addCons(2 * x + 3 * y + z == 5.5)
    model.addCons((x - 2 * y <= 3) >= -4)
    model.addCons(z >= 1)
    model.setObjective(x + y + 0.5 * z)
    model.addCons(x + y >= -10.25)
    state = at_nodes(model, lambda m: extract_state(m, dtype=np.float64))[0]
    names = [v.name for v in model.getVars(transformed=True)]
    order = [names.index(f"t_{name}") for name in "xyz"]
    assert column(state, "has_lower_bound")[order].tolist() == [
        0,
        0,
        column(state, "has_lower_bound")[order][2],
    ]
    assert column(state, "has_upper_bound")[order].tolist() == [0, 0, 1]
    assert column(state, "is_type_continuous")[order].tolist() == [0, 0, 1]
    # The equation gives two sides, each the negative of the other.
    bias = state.row_features[:, RowFeature.BIAS]
    norm = np.sqrt(4 + 9 + 1)
    assert np.isclose(bias, 5.5 / norm).any()
    assert np.isclose(bias, -5.5 / norm).any()
    # The ranged row as well: 4 / r for the left side -4, 3 / r for the right one.
    norm = np.sqrt(1 + 4)
    assert np.isclose(bias, 4 / norm).any()
    assert np.isclose(bias, 3 / norm).any()


def test_candidates_are_those_of_highest_branching_priority() -> None:
    model = odd_cycle(9).to_scip()
    first, second = model.getVars()[3], model.getVars()[6]
    model.chgVarBranchPriority(first, 10)
    model.chgVarBranchPriority(second, 10)
    found = at_nodes(model, lambda m: [v.name for v in branching_candidates(m)])
    assert set(found[0]) <= {"t_x4", "t_x7"}
    state = at_nodes(odd_cycle(9).to_scip(), extract_state)[0]
    assert len(state.candidates) > 2


def test_implied_integers_are_no_candidates() -> None:
    model = pyscipopt.Model()
    x = [model.addVar(f"x{i}", vtype="B", obj=-1) for i in range(5)]
    y = model.addVar("y", vtype="M", lb=0, ub=10, obj=-0.1)
    for i in range(5):
        model.addCons(x[i] + x[(i + 1) % 5] <= 1)
    model.addCons(y - sum(x) <= 0)
    results = at_nodes(
        model,
        lambda m: (
            [v.name for v in branching_candidates(m)],
            [v.name for v in m.getVars(transformed=True) if v.isImpliedIntegral()],
            extract_state(m).candidates,
        ),
    )
    for names, implied, candidates in results:
        assert "t_y" in implied
        assert not set(names) & set(implied)
        assert len(candidates) == len(names)


class Pricer(pyscipopt.Pricer):
    """Adds nothing: its presence alone makes SCIP treat columns as possibly missing."""

    def pricerredcost(self) -> Any:
        return {"result": SCIP_RESULT.SUCCESS}


def test_a_variable_that_is_not_in_the_lp_has_no_place_in_the_state() -> None:
    model = odd_cycle(7).to_scip()
    for name in ("presolving/maxrounds", "separating/maxroundsroot", "propagating/maxroundsroot"):
        model.setParam(name, 0)
    model.includePricer(Pricer(), "pricer", "")
    extra: dict[Any, Any] = {}

    def look(m: Any) -> Any:
        if not extra:
            # A priced variable enters the problem at this node, and the LP only later.
            extra["variable"] = m.addVar("late", vtype="C", obj=5.0, pricedVar=True)
        state = extract_state(m)
        return state.n_variables, m.getNLPCols(), m.getNVars()

    columns, lp_columns, variables = at_nodes(model, look)[0]
    assert columns == lp_columns == 7
    assert variables == 8


class Tree:
    name, version, columns = "mine", 3, ("depth", "nodes")

    def extract(self, model: Any) -> Any:
        return [model.getDepth(), model.getNNodes()]


class Wrong(Tree):
    def extract(self, model: Any) -> Any:
        return [1.0, 2.0, 3.0]


class NotFinite(Tree):
    def extract(self, model: Any) -> Any:
        return [1.0, np.nan]


def test_a_users_state_function_becomes_a_block() -> None:
    model = from_name("SC-milplib-small").generate(0).to_scip()
    states = at_nodes(model, lambda m: extract_state(m, state_functions=(Tree(),)))
    assert [state.blocks["mine"].shape for state in states] == [(1, 2)] * len(states)
    assert states[1].blocks["mine"][0, 0] == 1


@pytest.mark.parametrize("function", [Wrong(), NotFinite()])
def test_a_block_that_breaks_its_promise_is_an_error_that_names_it(function: Any) -> None:
    with pytest.raises(StateError, match="mine"):
        at_nodes(odd_cycle(9).to_scip(), lambda m: extract_state(m, state_functions=(function,)))


def test_built_in_blocks_have_a_line_a_candidate_or_one_a_node() -> None:
    functions = load_state_functions(["pseudocost", "tree"])
    for state in at_nodes(
        odd_cycle(9).to_scip(), lambda m: extract_state(m, state_functions=functions)
    ):
        assert state.blocks["pseudocost"].shape == (len(state.candidates), 3)
        assert state.blocks["tree"].shape == (1, 8)


def test_unknown_and_unimportable_blocks_are_named() -> None:
    with pytest.raises(UnknownNameError, match="pseudocost"):
        load_state_functions(["pseudocosts"])
    with pytest.raises(ParameterError, match="no_such_module"):
        load_state_functions(["no_such_module:Block"])
    with pytest.raises(ParameterError, match="not a state function"):
        load_state_functions(["json:dumps"])
    with pytest.raises(ParameterError, match="two state functions"):
        load_state_functions([Tree(), Tree()])


def test_an_error_in_a_rule_stops_the_solve_and_is_raised_afterwards() -> None:
    def fail(model: Any) -> None:
        raise ZeroDivisionError("from the rule")

    with pytest.raises(ZeroDivisionError, match="from the rule"):
        at_nodes(odd_cycle(9).to_scip(), fail)
