"""The native code gives the pure path's arrays at every node, and an error for everything else."""

from __future__ import annotations

import gc
import resource
from pathlib import Path
from typing import Any

import numpy as np
import pyscipopt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyscipopt import SCIP_EVENTTYPE, SCIP_PARAMSETTING, SCIP_RESULT
from slow_parameters import slow_where

from milplib.errors import StateError
from milplib.generators import (
    CapacitatedFacilityLocation,
    CombinatorialAuction,
    IndependentSet,
    SetCover,
)
from milplib.library import InstanceGenerator
from milplib.scip import VariableFeature, branching_candidates, extract_state, load_state_functions
from milplib.scip.native import native_status
from milplib.scip.pure_extraction import extract_state_pure, pseudocosts_pure
from milplib.scip.rule import GuardedRule
from milplib.scip.self_test import mixed_model

native = native_status().module
needs_native = pytest.mark.skipif(native is None, reason=native_status().reason)
FAMILIES: dict[str, InstanceGenerator] = {
    "auction": CombinatorialAuction(n_items=50, n_bids=200),
    "set cover": SetCover(n_rows=80, n_columns=120, density=0.08),
    "facility location": CapacitatedFacilityLocation(n_customers=12, n_facilities=10),
    "independent set": IndependentSet(n_nodes=100),
}
REAL = ("bell5", "blend2", "dcmulti", "egout", "enigma", "flugpl", "lseu", "misc03", "p0548", "rgn")
SECONDS = ("blend2", "dcmulti", "lseu", "misc03", "p0548")
TYPES = [
    VariableFeature.IS_TYPE_BINARY,
    VariableFeature.IS_TYPE_INTEGER,
    VariableFeature.IS_TYPE_IMPLICIT_INTEGER,
    VariableFeature.IS_TYPE_CONTINUOUS,
]
BOUNDS = [VariableFeature.HAS_LOWER_BOUND, VariableFeature.HAS_UPPER_BOUND]
PSEUDOCOSTS = tuple(load_state_functions(["pseudocost"]))


class Compare(GuardedRule):
    """Compare both paths at every node; branch on the first candidate."""

    def __init__(self, before: Any = lambda model: None) -> None:
        super().__init__()
        self.before = before
        self.shapes: list[Any] = []
        self.states: list[Any] = []

    def decide(self) -> Any:
        self.before(self.model)
        expected = extract_state_pure(self.model, dtype=np.float64)
        pseudocosts = pseudocosts_pure(self.model)
        for dtype in (np.float64, np.float32):
            found = extract_state(self.model, state_functions=PSEUDOCOSTS, dtype=dtype)
            # 1e-12: sums are taken in another order; float32 rounds what may differ by that
            tolerance = 1e-12 if dtype is np.float64 else 2e-7
            for name in ("variable_features", "row_features", "edge_features"):
                array = getattr(found, name)
                assert array.dtype == dtype
                np.testing.assert_allclose(
                    array, getattr(expected, name), rtol=tolerance, atol=tolerance, err_msg=name
                )
            np.testing.assert_allclose(
                found.blocks["pseudocost"], pseudocosts, rtol=tolerance, atol=tolerance
            )
            assert found.edge_index.dtype == found.candidates.dtype == np.int32
            assert np.array_equal(found.edge_index, expected.edge_index)
            assert np.array_equal(found.candidates, expected.candidates)
            assert found.has_incumbent is expected.has_incumbent
        self.states.append(expected)
        self.model.branchVar(branching_candidates(self.model)[0])
        return SCIP_RESULT.BRANCHED


def hard(model: Any) -> Any:
    """Leave SCIP little but branching."""
    for name in ("presolving/maxrounds", "separating/maxroundsroot", "presolving/maxrestarts"):
        model.setParam(name, 0)
    model.setHeuristics(SCIP_PARAMSETTING.OFF)
    return model


def compared(model: Any, *, nodes: int = 60, before: Any = lambda model: None) -> Any:
    """Solve a model, comparing at its nodes; give their states."""
    model.hideOutput()
    model.setParam("limits/totalnodes", nodes)
    rule = Compare(before)
    rule.include(model, "compare")
    model.optimize()
    assert rule.states
    return rule.states


@needs_native
@pytest.mark.parametrize("family", FAMILIES)
def test_both_paths_agree_on_generated_instances(family: str) -> None:
    compared(hard(FAMILIES[family].generate(seed=2).to_scip()))


@needs_native
@pytest.mark.parametrize("name", slow_where(SECONDS, REAL))
def test_both_paths_agree_on_real_instances(name: str, test_data: Path) -> None:
    (path,) = (test_data / "miplib").glob(f"{name}.*")
    model = pyscipopt.Model()
    model.hideOutput()
    model.readProblem(str(path))
    compared(hard(model) if name in ("egout", "enigma", "flugpl", "p0548", "rgn") else model)


@needs_native
def test_both_paths_agree_on_every_kind_of_row_and_column() -> None:
    states = compared(mixed_model())
    kinds = np.vstack([state.variable_features[:, TYPES].any(axis=0) for state in states])
    assert np.any(kinds, axis=0)[[0, 1, 3]].all()  # binary, integer, continuous
    assert not all(state.variable_features[:, BOUNDS].all() for state in states)  # a free column


@needs_native
def test_both_paths_agree_when_cuts_resize_the_lp() -> None:
    model = hard(FAMILIES["facility location"].generate(seed=2).to_scip())
    model.setSeparating(SCIP_PARAMSETTING.AGGRESSIVE)
    model.setParam("separating/maxroundsroot", 1)
    states = compared(model, nodes=100)
    assert len({state.n_rows for state in states}) > 1


class Restarter(pyscipopt.Eventhdlr):
    """Restart the solve twice."""

    def eventinit(self) -> None:
        self.nodes = 0
        self.model.catchEvent(SCIP_EVENTTYPE.NODEFOCUSED, self)

    def eventexec(self, event: Any) -> None:
        self.nodes += 1
        if self.nodes in (4, 9):
            self.model.restartSolve()


@needs_native
def test_both_paths_agree_after_restarts() -> None:
    model = hard(FAMILIES["auction"].generate(seed=3).to_scip())
    model.setParam("presolving/maxrestarts", -1)
    model.includeEventhdlr(Restarter(), "restarter", "restarts")
    compared(model, nodes=80)
    assert model.getNRuns() > 1


@needs_native
def test_both_paths_agree_on_the_candidates_of_highest_priority() -> None:
    model = hard(FAMILIES["auction"].generate(seed=2).to_scip())
    for variable in model.getVars()[::2]:
        model.chgVarBranchPriority(variable, 10)
    n_listed = []
    states = compared(model, before=lambda m: n_listed.append(m.getNLPBranchCands()))
    assert any(len(s.candidates) < n for s, n in zip(states, n_listed, strict=True))


@needs_native
@pytest.mark.parametrize("family", ["set cover", "facility location"])
def test_both_paths_agree_about_columns_that_left_the_lp_or_never_entered_it(
    family: str, tmp_path: Path
) -> None:
    """Columns of the rows that are not in the LP, and variables that have no column at all."""
    FAMILIES[family].generate(seed=2).write(tmp_path / "instance.lp")
    model = pyscipopt.Model()
    model.hideOutput()
    for name in ("reading/dynamiccols", "lp/cleanupcols", "lp/cleanupcolsroot"):
        model.setParam(name, True)
    model.readProblem(str(tmp_path / "instance.lp"))
    missing = set()

    def look(m: Any) -> None:
        n_in_rows = sum(row.getNNonz() - row.getNLPNonz() for row in m.getLPRowsData())
        n_outside = sum(not variable.isInLP() for variable in m.getVars(transformed=True))
        missing.add((n_in_rows > 0, n_outside > 0))

    compared(hard(model), before=look)
    assert (True, True) in missing


class Pricer(pyscipopt.Pricer):
    """Adds nothing: its presence alone makes SCIP treat columns as possibly missing."""

    def pricerredcost(self) -> Any:
        return {"result": SCIP_RESULT.SUCCESS}


@needs_native
def test_both_paths_agree_when_variables_are_priced_at_the_nodes() -> None:
    model = hard(FAMILIES["auction"].generate(seed=2).to_scip())
    model.includePricer(Pricer(), "pricer", "")
    added: list[Any] = []

    def add_loose(m: Any) -> None:
        if len(added) < 5:
            added.append(m.addVar(f"late{len(added)}", vtype="C", obj=5.0, pricedVar=True))

    states = compared(model, before=add_loose)
    assert len(added) == 5
    assert len({state.n_variables for state in states}) > 1


@needs_native
def test_a_node_without_a_solved_lp_or_a_wrong_capsule_is_an_error() -> None:
    model = pyscipopt.Model()
    with pytest.raises(StateError, match="branchexeclp"):
        extract_state(model)
    for function in (lambda c: native.extract(c, True), native.pseudocosts):
        with pytest.raises(native.ScipError, match="no LP solved"):
            function(model.to_ptr(False))
    presolved = mixed_model()
    presolved.presolve()
    with pytest.raises(native.ScipError, match="no LP solved"):
        native.extract(presolved.to_ptr(False), False)
    solved = mixed_model()
    solved.optimize()
    with pytest.raises(native.ScipError, match="no LP solved"):
        native.extract(solved.to_ptr(False), False)
    import datetime

    for thing in (None, 0, b"scip", model, datetime.datetime_CAPI):
        with pytest.raises(TypeError, match="capsule"):
            native.extract(thing, True)
        with pytest.raises(TypeError, match="capsule"):
            native.pseudocosts(thing)


@needs_native
def test_binding_to_what_is_no_scip_is_an_import_error() -> None:
    with pytest.raises(ImportError, match="is not loaded"):
        native.bind("no such library")
    import _ctypes

    with pytest.raises(ImportError, match="has no function SCIP"):
        native.bind(_ctypes.__file__)
    assert native.bind(pyscipopt.scip.__file__) == 10


anything = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()


@needs_native
@settings(max_examples=200)
@given(arguments=st.lists(anything, max_size=4))
def test_functions_refuse_whatever_is_no_argument_of_theirs(arguments: list[Any]) -> None:
    for function in (native.bind, native.extract, native.pseudocosts, native.Network):
        with pytest.raises((TypeError, ValueError, ImportError, OverflowError)):
            function(*arguments)


def resident_mib() -> Any:
    """Memory of this process now, in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


@needs_native
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux's /proc")
def test_extraction_does_not_grow_memory() -> None:
    def extract_often(model: Any) -> None:
        def rounds(n: Any) -> Any:
            for _ in range(n):
                extract_state(model, state_functions=PSEUDOCOSTS)
            gc.collect()
            return resident_mib()

        before = rounds(200)
        growth.append(rounds(3000) - before)

    growth: list[Any] = []
    compared(hard(FAMILIES["set cover"].generate(seed=2).to_scip()), nodes=1, before=extract_often)
    # one state has 20 KiB: losing one a call would be 60 MiB
    assert max(growth) < 4
