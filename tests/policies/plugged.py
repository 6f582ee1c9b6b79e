"""What the tests of the plugin share: a model to solve, and policies that work and that fail."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyscipopt
from market_split import market_split
from narrowing import instance_from

from milplib import Instance
from milplib.scip import BranchingState

INSTANCE = market_split(0, n_columns=12)


class First:
    """Branch on the lowest column; keep what was seen."""

    name = "first"
    state_functions: tuple[Any, ...] = ()

    def __init__(self) -> None:
        self.candidates: list[Any] = []
        self.finite = True

    def score(self, state: BranchingState) -> npt.NDArray[np.int32]:
        arrays = (state.variable_features, state.row_features, state.edge_features)
        self.finite = self.finite and all(np.isfinite(array).all() for array in arrays)
        self.candidates.append(state.candidates)
        return -state.candidates


class BoomError(Exception):
    """An error of the user's own."""


def raises(state: BranchingState) -> None:
    raise BoomError("at a node")


def not_a_number(state: BranchingState) -> Any:
    return np.where(np.arange(len(state.candidates)) == 0, np.nan, 1.0)


def infinite(state: BranchingState) -> Any:
    return np.full(len(state.candidates), np.inf)


def too_short(state: BranchingState) -> Any:
    return np.zeros(len(state.candidates) - 1)


def too_many_dimensions(state: BranchingState) -> Any:
    return np.zeros((len(state.candidates), 1))


def nothing(state: BranchingState) -> Any:
    return None


def words(state: BranchingState) -> Any:
    return ["best"] * len(state.candidates)


def imaginary(state: BranchingState) -> Any:
    return np.zeros(len(state.candidates), dtype=complex)


BAD = (not_a_number, infinite, too_short, too_many_dimensions, nothing, words, imaginary)


def quiet(instance: Instance = INSTANCE, *, rule: str = "relpscost") -> pyscipopt.Model:
    """A model without restarts, in which one of SCIP's rules is the first one."""
    model = instance.to_scip()
    model.hideOutput()
    model.setParam("presolving/maxrestarts", 0)
    model.setParam(f"branching/{rule}/priority", 100_000)
    return model


OPTIMUM = 14.0


def solved(model: pyscipopt.Model) -> bool:
    model.optimize()
    return model.getStatus() == "optimal" and abs(model.getObjVal() - OPTIMUM) < 1e-6


def knapsack_with_integers(sense: str) -> Instance:
    rng = np.random.RandomState(4)
    n, m = 20, 4
    weights = rng.randint(20, 100, size=(m, n))
    profit = weights.sum(axis=0) + rng.randint(-9, 10, size=n)
    return instance_from(
        objective=profit * (1 if sense == "maximize" else -1),
        A=weights,
        row_lower=np.full(m, -np.inf),
        row_upper=weights.sum(axis=1) + 0.5,
        lower=np.full(n, -3),
        upper=np.full(n, 4),
        integrality=np.r_[np.ones(n - 2), np.zeros(2)],
        sense=sense,
        offset=5.0,
    )
