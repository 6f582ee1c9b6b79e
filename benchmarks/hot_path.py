"""Cost of a branching decision.

The alternatives take turns at real nodes, in one process on one thread. Each node times one of
them directly after its LP solve, so that the processor's caches are in the state that a branching
rule finds. The benchmark compares extraction in native code, with PySCIPOpt's calls, and as arrays
of PySCIPOpt's getBipartiteGraphRepresentation. It also compares decisions of a network: in a single
native call, without native code (PySCIPOpt's calls and NumPy), and with PyTorch Geometric's
textbook network. The native decision includes the branching; the others stop at their choice.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyscipopt
from families import Family
from pyscipopt import SCIP_RESULT
from rows import Row

from milplib.policies import GcnnPolicy, PolicyFile, best_candidate, gcnn_shapes
from milplib.policies.folded import FoldedGcnn
from milplib.scip import extract_state
from milplib.scip.pure_extraction import extract_state_pure
from milplib.scip.rule import GuardedRule

OURS = {"extraction": "extraction native", "decision": "decision native"}
TEXTBOOK = "decision pure + textbook PyG"


def weights(hidden: int = 64) -> dict[str, np.ndarray]:
    """Draw weights of the magnitude of trained ones; their values do not affect the times."""
    rng = np.random.default_rng(0)
    tensors = {}
    for name, shape in gcnn_shapes(hidden).items():
        drawn = rng.normal(size=shape) / np.sqrt(shape[-1])
        tensors[name] = (np.ones(shape) if name.endswith("norm.scale") else drawn).astype(
            np.float32
        )
    return tensors


def bipartite_arrays(model: pyscipopt.Model) -> list[np.ndarray]:
    """Return the arrays of PySCIPOpt's own bipartite state."""
    columns, edges, rows, _ = model.getBipartiteGraphRepresentation()
    return [np.array(part, dtype=np.float64) for part in (columns, edges, rows)]


def textbook(tensors: dict[str, np.ndarray]) -> Callable[[Any], np.ndarray] | None:
    """Return the score function of PyTorch Geometric's textbook network; None without torch."""
    try:
        import torch
        from textbook_gcnn import TextbookGCNN

        from milplib.learn import GCNN
        from milplib.learn.dataset import BranchingGraph
    except ImportError as error:
        print(f"no rows with PyTorch Geometric: {error}", file=sys.stderr)
        return None
    torch.set_num_threads(1)
    model = GCNN()
    model.load_state_dict({name: torch.from_numpy(array) for name, array in tensors.items()})
    network = TextbookGCNN().eval()
    network.start_like(model)

    def score(state: Any) -> np.ndarray:
        with torch.inference_mode():
            graph = BranchingGraph(
                variable_features=torch.from_numpy(state.variable_features),
                row_features=torch.from_numpy(state.row_features),
                edge_index=torch.from_numpy(state.edge_index),
                edge_features=torch.from_numpy(state.edge_features),
                candidates=torch.from_numpy(state.candidates).long(),
                block_features=torch.empty(len(state.candidates), 0),
            )
            return np.asarray(network(graph).numpy())

    return score


class Measure(GuardedRule):
    """Time an alternative at every node, and branch with the native decision."""

    def __init__(self, tensors: dict[str, np.ndarray], samples: int) -> None:
        super().__init__()
        self.samples, self.count, self.sizes = samples, -1, ""
        self.seconds: dict[str, list[float]] = {}
        content = PolicyFile(architecture="gcnn", hyperparameters={"hidden": 64}, tensors=tensors)
        self.compiled: Any = GcnnPolicy(content, name="drawn").compiled()
        self.folded = FoldedGcnn.of({name: t.astype(np.float64) for name, t in tensors.items()})
        self.textbook = textbook(tensors)
        self.alternatives: dict[str, Callable[[], object]] = {
            "extraction native": lambda: extract_state(self.model),
            "extraction pure": lambda: extract_state_pure(self.model),
            "extraction getBipartiteGraphRepresentation": lambda: bipartite_arrays(self.model),
            "decision pure + numpy": self._decide_with_numpy,
        }
        if self.textbook is not None:
            self.alternatives[TEXTBOOK] = self._decide_with_textbook

    def _decide_with_numpy(self) -> int:
        state = extract_state_pure(self.model)
        none = np.empty((len(state.candidates), 0), dtype=np.float32)
        return best_candidate(self.folded.score(state, none), state.candidates)

    def _decide_with_textbook(self) -> int:
        assert self.textbook is not None
        state = extract_state_pure(self.model)
        return best_candidate(self.textbook(state), state.candidates)

    def decide(self) -> int:
        """Measure at every node except the first, where calls load and allocate."""
        names = [*self.alternatives, OURS["decision"]]
        name = names[self.count % len(names)]
        if self.count < 0:
            self._look()
        elif name in self.alternatives:
            self._time(name, self.alternatives[name])
        if self.count < 0 or name in self.alternatives:
            self.compiled.decide(self.model)
        else:
            self._time(name, lambda: self.compiled.decide(self.model))
        self.count += 1
        if self.count >= self.samples * len(names):
            self.model.interruptSolve()
        return int(SCIP_RESULT.BRANCHED)

    def _look(self) -> None:
        state = extract_state(self.model)
        self.sizes = (
            f"{state.n_variables} columns, {state.n_rows} row sides, "
            f"{len(state.edge_features)} edges, {len(state.candidates)} candidates"
        )
        _, _, chosen = self.compiled.judge(self.model)
        for name, alternative in self.alternatives.items():
            choice = alternative()
            if name.startswith("decision") and choice != chosen:
                raise RuntimeError(f"{name} chose candidate {choice}, the native code {chosen}")

    def _time(self, name: str, function: Callable[[], object]) -> None:
        begin = time.perf_counter()
        function()
        self.seconds.setdefault(name, []).append(time.perf_counter() - begin)


def rows(family: Family, *, samples: int = 8, seeds: int = 2, smoke: bool = False) -> Iterator[Row]:
    """Measure each alternative `samples` times at the first nodes of several instances."""
    seconds: dict[str, list[float]] = {}
    sizes = ""
    for seed in range(seeds):
        model = family.model(seed, smoke=smoke)
        rule = Measure(weights(), samples)
        rule.include(model, "measure")
        model.optimize()
        sizes = sizes or rule.sizes
        for name, times in rule.seconds.items():
            seconds.setdefault(name, []).extend(times)
    medians = {name: 1000 * statistics.median(times) for name, times in seconds.items()}
    for name, other in medians.items():
        ours = OURS[name.split()[0]]
        if name != ours:
            label = f"{ours} / {name.partition(' ')[2]}"
            yield Row(family=family.name, name=label, ours=medians[ours], other=other, note=sizes)
            sizes = ""
