"""A policy of the GCNN's form whose weights are drawn, and states to score."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyscipopt import SCIP_PARAMSETTING, SCIP_RESULT

from milplib.generators import (
    CapacitatedFacilityLocation,
    CombinatorialAuction,
    IndependentSet,
    SetCover,
)
from milplib.library import InstanceGenerator
from milplib.policies import PolicyFile, gcnn_shapes, write_policy
from milplib.scip import (
    BlockSchema,
    BranchingState,
    branching_candidates,
    extract_state,
    load_state_functions,
)
from milplib.scip.rule import GuardedRule

FAMILIES: dict[str, InstanceGenerator] = {
    "set cover": SetCover(n_rows=100, n_columns=150, density=0.08),
    "auction": CombinatorialAuction(n_items=60, n_bids=250),
    "facility location": CapacitatedFacilityLocation(n_customers=15, n_facilities=15),
    "independent set": IndependentSet(n_nodes=120),
}


def noise(
    *, hidden: int = 16, blocks: tuple[Any, ...] = (), seed: int = 0, sums: str = "absolute"
) -> PolicyFile:
    """A policy file's content: a network that nobody has trained."""
    rng = np.random.RandomState(seed)
    shapes = gcnn_shapes(hidden, sum(len(block.columns) for block in blocks))
    tensors = {
        name: (rng.normal(size=shape) * (0.3 if "weight" in name else 0.1)).astype(np.float32)
        for name, shape in shapes.items()
    }
    tensors |= {
        name: np.abs(tensor) + np.float32(0.5)
        for name, tensor in tensors.items()
        if name.endswith("norm.scale")
    }
    return PolicyFile(
        architecture="gcnn",
        hyperparameters={"hidden": hidden} | ({} if sums == "absolute" else {"sums": sums}),
        blocks=tuple(blocks),
        tensors=tensors,
        provenance={"trained on": "nothing"},
    )


@pytest.fixture(scope="session")
def noise_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("policies") / "noise.safetensors"
    write_policy(path, noise())
    return path


class _Watch(GuardedRule):
    def __init__(self, functions: Any, count: Any) -> None:
        super().__init__()
        self.functions = functions
        self.count = count
        self.states: list[Any] = []

    def decide(self) -> int:
        self.states.append(extract_state(self.model, state_functions=self.functions))
        if len(self.states) >= self.count:
            self.model.interruptSolve()
        self.model.branchVar(branching_candidates(self.model)[0])
        return SCIP_RESULT.BRANCHED


@pytest.fixture(scope="session")
def states() -> dict[str, list[BranchingState]]:
    """Some states of each family, with the blocks that come with milplib."""
    functions = load_state_functions(["pseudocost", "tree"])
    found = {}
    for name, family in FAMILIES.items():
        model = family.generate(seed=1).to_scip()
        model.hideOutput()
        for key in ("presolving/maxrounds", "separating/maxroundsroot"):
            model.setParam(key, 0)
        model.setHeuristics(SCIP_PARAMSETTING.OFF)
        rule = _Watch(functions, 4)
        rule.include(model, "watch")
        model.optimize()
        assert rule.states, name
        found[name] = rule.states
    return found


PSEUDOCOST = BlockSchema("pseudocost", 1, ("score", "down", "up"))
TREE = BlockSchema.of(load_state_functions(["tree"])[0])
