"""What the tests of the native network share: networks, states, and the nodes of a solve."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pyscipopt
from pyscipopt import SCIP_PARAMSETTING, SCIP_RESULT

from milplib.library import InstanceGenerator
from milplib.policies import PolicyFile
from milplib.policies.choice import TIE_TOLERANCE
from milplib.policies.folded import FoldedGcnn
from milplib.scip import BranchingState, branching_candidates
from milplib.scip.native import native_status
from milplib.scip.rule import GuardedRule
from milplib.scip.self_test import mixed_model

from .conftest import FAMILIES, noise
from .plugged import knapsack_with_integers

native = native_status().module
LEVELS = native.levels() if native else ()


def _model_of(family: InstanceGenerator) -> pyscipopt.Model:
    return family.generate(seed=4).to_scip()


MODELS: dict[str, Callable[[], Any]] = {
    **{name: partial(_model_of, family) for name, family in FAMILIES.items()},
    "knapsack": lambda: knapsack_with_integers("maximize").to_scip(),
    "mixed": mixed_model,
}


def network_content(
    *, hidden: int = 64, blocks: tuple[Any, ...] = (), seed: int = 0, sums: str = "absolute"
) -> PolicyFile:
    """Drawn weights that keep the size of what goes through them, as trained ones do."""
    content = noise(hidden=hidden, blocks=blocks, seed=seed, sums=sums)
    for name, tensor in content.tensors.items():
        if name.endswith("weight"):
            tensor *= np.float32(3.0 / np.sqrt(tensor.shape[1]))
    return content


def folded(content: PolicyFile) -> FoldedGcnn:
    return FoldedGcnn.of(
        {name: t.astype(np.float64) for name, t in content.tensors.items()},
        sums=content.hyperparameters.get("sums", "absolute"),
    )


def close(found: npt.NDArray[np.float32], expected: npt.NDArray[Any]) -> np.bool:
    # the bound; float32 sums of up to thousands of terms come to about 1e-6
    result: np.bool = (np.abs(found - expected) <= 1e-5 * np.maximum(1, np.abs(expected))).all()
    return result


def random_state(
    rng: Any, n: int | np.int64, m: int | np.int64, n_edges: int, k: int | np.int64
) -> BranchingState:
    """A state of no instance, with edges in no order."""
    return BranchingState(
        variable_features=rng.normal(size=(n, 19)).astype(np.float32),
        row_features=rng.normal(size=(m, 5)).astype(np.float32),
        edge_index=np.vstack((rng.integers(m, size=n_edges), rng.integers(n, size=n_edges))).astype(
            np.int32
        )
        if n_edges
        else np.empty((2, 0), dtype=np.int32),
        edge_features=rng.normal(size=n_edges).astype(np.float32),
        candidates=rng.permutation(n)[:k].astype(np.int32),
        has_incumbent=True,
    )


class AtNodes(GuardedRule):
    """Call a function at every node, then branch on the first candidate."""

    def __init__(self, function: Any, count: Any) -> None:
        super().__init__()
        self.function, self.count, self.calls = function, count, 0

    def decide(self) -> int:
        self.calls += 1
        self.function(self.model)
        if self.calls >= self.count:
            self.model.interruptSolve()
        self.model.branchVar(branching_candidates(self.model)[0])
        return SCIP_RESULT.BRANCHED


def at_nodes(model: pyscipopt.Model, function: Callable[..., Any], *, count: int = 12) -> None:
    model.hideOutput()
    for key in ("presolving/maxrounds", "separating/maxroundsroot"):
        model.setParam(key, 0)
    model.setHeuristics(SCIP_PARAMSETTING.OFF)
    rule = AtNodes(function, count)
    rule.include(model, "at-nodes")
    model.optimize()
    assert rule.calls


# What is wrong


GOOD = random_state(np.random.default_rng(0), 6, 4, 12, 3)
NETWORK = native.Network(16, 0, False, TIE_TOLERANCE, folded(noise()).tensors) if native else None
NAMES = ("variable_features", "row_features", "edge_index", "edge_features", "candidates")


def arguments(**changes: Any) -> list[Any]:
    arrays = {name: getattr(GOOD, name) for name in NAMES}
    arrays |= {"blocks": np.empty((3, 0), np.float32), "out": np.empty(3, np.float32)}
    return list((arrays | changes).values())
