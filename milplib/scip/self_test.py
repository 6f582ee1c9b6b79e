"""Self-test: solves of a few milliseconds that use everything milplib needs from SCIP."""

from __future__ import annotations

import numpy as np
import pyscipopt
import scipy.sparse as sp
from pyscipopt import SCIP_PARAMSETTING, SCIP_RESULT

from milplib.errors import MilplibError
from milplib.instance import Instance
from milplib.scip.extraction import branching_candidates, extract_state
from milplib.scip.rule import GuardedRule
from milplib.scip.strong_branching import strong_branching

__all__ = ["mixed_model", "odd_cycle", "self_test"]


def odd_cycle(length: int) -> Instance:
    """Make a maximum independent set instance on an odd cycle, with one row per edge.

    The optimal value is ``(length - 1) / 2``. The LP solution is 1/2 everywhere, so SCIP must
    branch unless presolving or cuts find the odd cycle.

    Examples
    --------
    >>> odd_cycle(5).n_rows
    5
    """
    edges = np.arange(length)
    matrix = sp.csr_array(
        (
            np.ones(2 * length),
            (np.repeat(edges, 2), np.column_stack((edges, (edges + 1) % length)).ravel()),
        ),
        shape=(length, length),
    )
    return Instance(
        objective=np.ones(length),
        A=matrix,
        row_lower=np.full(length, -np.inf),
        row_upper=np.ones(length),
        lower=np.zeros(length),
        upper=np.ones(length),
        integrality=np.ones(length, dtype=np.uint8),
        sense="maximize",
        name=f"odd cycle of {length}",
    )


class _Probe(GuardedRule):
    """Extract a state and ask the expert at every node."""

    states = 0

    def decide(self) -> int:
        candidates = branching_candidates(self.model)
        state = extract_state(self.model)
        if len(state.candidates) != len(candidates) or state.edge_index.max() >= max(
            state.n_rows, state.n_variables
        ):
            raise MilplibError("the extracted state does not fit the LP")
        self.states += 1
        self.model.branchVar(candidates[strong_branching(self.model, candidates).best])
        return int(SCIP_RESULT.BRANCHED)


class _Failing(GuardedRule):
    """Raise at the first branching node."""

    def decide(self) -> int:
        raise _MeantToFailError


class _MeantToFailError(Exception):
    pass


def _branching_model() -> pyscipopt.Model:
    """Make a model that SCIP cannot solve without branching."""
    model = odd_cycle(9).to_scip()
    model.hideOutput()
    for name in ("presolving/maxrounds", "separating/maxroundsroot", "propagating/maxroundsroot"):
        model.setParam(name, 0)
    model.setHeuristics(SCIP_PARAMSETTING.OFF)
    return model


def mixed_model() -> pyscipopt.Model:
    """Make a model that requires branching and has every kind of row and column.

    It is a maximisation with an odd cycle, an equation, a row with two sides, and a general
    integer, a continuous and a free column.

    Examples
    --------
    >>> mixed_model().getNVars()
    12
    """
    model = _branching_model()
    x = model.getVars()
    count = model.addVar("count", vtype="I", lb=-2, ub=8, obj=0.25)
    share = model.addVar("share", vtype="C", lb=0.0, ub=3.5, obj=0.125)
    free = model.addVar("free", vtype="C", lb=None, ub=None, obj=-0.5)
    model.addCons(2 * count + 3 * x[0] - share == 1.5)
    model.addCons((count - 0.5 * x[4] + free <= 2.75) >= -1.25)
    model.addCons(free + share >= 0.1)
    return model


def self_test() -> None:
    """Solve a small instance by branching, with state extraction and the expert.

    Raises
    ------
    MilplibError
        If SCIP, PySCIPOpt or the extraction do not do what milplib needs.
    """
    model = mixed_model()
    model.setParam("limits/nodes", 5)
    _Probe().include(model, "milplib-self-test")
    model.optimize()
    model = _branching_model()
    probe = _Probe()
    probe.include(model, "milplib-self-test")
    model.optimize()
    if model.getStatus() != "optimal" or abs(model.getObjVal() - 4) > 1e-6:
        raise MilplibError(
            f"SCIP ended a test instance with optimum 4 as '{model.getStatus()}': reinstall "
            "pyscipopt from its wheel"
        )
    if probe.states == 0:
        raise MilplibError(
            "SCIP never called a Python branching rule: reinstall pyscipopt from its wheel"
        )
    model = _branching_model()
    _Failing().include(model, "milplib-self-test")
    try:
        model.optimize()
    except _MeantToFailError:
        return
    raise MilplibError(
        "an error in a branching rule gets lost in this Python: milplib is tested with Python 3.11"
    )
