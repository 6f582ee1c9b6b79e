"""Costs of a ranker's decision beyond extraction, and of the features that only rankers use.

Rankers of default size are trained on the given samples. The parts and the extraction of the
state take turns at real nodes, in one process on one thread, each directly after an LP solve.
States are extracted before the scoring is timed.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from families import Family
from pyscipopt import SCIP_RESULT
from rows import Row

from milplib.errors import MissingPackageError
from milplib.learn import SampleSet, train_ranker
from milplib.policies import load_policy
from milplib.policies.ranking import RankingPolicy
from milplib.scip import branching_candidates, extract_state, load_state_functions
from milplib.scip.blocks.khalil import KhalilBlock
from milplib.scip.native import native_at
from milplib.scip.rule import GuardedRule

EXTRACTION = "extraction"
MODELS = ("linear", "gbdt", "extratrees")


class Measure(GuardedRule):
    """Time a part at every node, and branch on the first candidate."""

    def __init__(self, policies: dict[str, RankingPolicy], samples: int) -> None:
        super().__init__()
        self.samples, self.count, self.sizes = samples, -1, ""
        self.seconds: dict[str, list[float]] = {}
        self.policies = policies
        names = {function.name for p in policies.values() for function in p.state_functions}
        self.functions = load_state_functions(sorted(names))
        self.parts: dict[str, Callable[[], object]] = {
            EXTRACTION: lambda: extract_state(self.model),
            "khalil block": lambda: KhalilBlock().extract(self.model),
        }

    def decide(self) -> int:
        """Measure at every node except the first, where calls load and allocate."""
        native_at(self.model)
        names = [*self.parts, *self.policies]
        if self.count < 0:
            state = extract_state(self.model, state_functions=self.functions)
            self.sizes = f"{len(state.candidates)} candidates, {len(state.edge_features)} edges"
        for name in names if self.count < 0 else [names[self.count % len(names)]]:
            seconds = self._seconds_of(name)
            if self.count >= 0:
                self.seconds.setdefault(name, []).append(seconds)
        self.count += 1
        if self.count >= self.samples * len(names):
            self.model.interruptSolve()
        self.model.branchVar(branching_candidates(self.model)[0])
        return int(SCIP_RESULT.BRANCHED)

    def _seconds_of(self, name: str) -> float:
        policy = self.policies.get(name)
        if policy is None:
            begin = time.perf_counter()
            self.parts[name]()
        else:
            state = extract_state(self.model, state_functions=self.functions)
            begin = time.perf_counter()
            policy.score(state)
        return time.perf_counter() - begin


def rows(
    family: Family,
    samples: SampleSet,
    folder: Path,
    *,
    nodes: int = 8,
    seeds: int = 2,
    smoke: bool = False,
) -> Iterator[Row]:
    """Measure every part `nodes` times at the first nodes of several instances."""
    policies: dict[str, RankingPolicy] = {}
    notes = {}
    for model in MODELS:
        out = folder / f"{model}.safetensors"
        sizes = {"trees": 5, "leaves": 5} if smoke and model != "linear" else {}
        try:
            train_ranker([samples.folder], out=out, model=model, blocks=("pseudocost",), **sizes)
        except MissingPackageError as error:
            print(f"no row of {model}: {error}", file=sys.stderr)
            continue
        policy = load_policy(out)
        assert isinstance(policy, RankingPolicy)
        policies[model] = policy
        trees = policy.content.hyperparameters.get("trees")
        if trees:
            notes[model] = f"{trees} trees, {policy.content.tensors['feature'].size} nodes"
    seconds: dict[str, list[float]] = {}
    size = ""
    for seed in range(seeds):
        solved = family.model(seed, smoke=smoke)
        rule = Measure(policies, nodes)
        rule.include(solved, "measure")
        solved.optimize()
        size = size or rule.sizes
        for name, times in rule.seconds.items():
            seconds.setdefault(name, []).extend(times)
    medians = {name: 1000 * statistics.median(times) for name, times in seconds.items()}
    for name, other in medians.items():
        if name != EXTRACTION:
            part = f"scores of {name} beyond it" if name in policies else f"{name} beside it"
            yield Row(
                family=family.name,
                name=f"extraction native / {part}",
                ours=medians[EXTRACTION],
                other=other,
                note=f"{other:.2f} ms; {notes.get(name, size)}",
            )
