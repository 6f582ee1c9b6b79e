"""Compare experts at the same nodes: seconds per label, agreement, regret (see ``labels.py``)."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pyscipopt
from pyscipopt import SCIP_RESULT

from milplib.learn.collecting.episode import _best_by_pseudocost
from milplib.library import generate_instance
from milplib.policies.choice import tied_with_best
from milplib.scip import (
    EXPERTS,
    Expert,
    StrongBranchingResult,
    apply_setting,
    branching_candidates,
    load_expert,
)
from milplib.scip.rule import GuardedRule

LIMITED = (
    "iterations:100",
    "iterations:50",
    "iterations:1",  # measures the overhead of starting an LP
    "screen:40/8",
    "screen:20/16",
    "screen:20/8",
    "screen:20/4",
    "shortlist:50+screen:20/8",
    "screen:20/8+lookahead:3",
    "shortlist:20+screen:20/4",
    "shortlist:10",
    "lookahead:8",
    "lookahead:8+iterations:100",
)
EVERY = 5  # branching nodes between comparisons


class Pseudocosts:
    """Expert with the pseudocosts of ``milplib collect``'s explorer. It solves no LP."""

    name = "pseudocost"

    def label(
        self, model: pyscipopt.Model, candidates: list[pyscipopt.Variable]
    ) -> StrongBranchingResult:
        """Score the candidates by pseudocosts."""
        scores = np.array([model.getVarPseudocostScore(v, v.getLPSol()) for v in candidates])
        return StrongBranchingResult(
            scores=scores,
            valid=np.ones(len(scores), dtype=bool),
            best=int(scores.argmax()),
            cutoff=False,
            iterations=0,
        )


class TimedModel:
    """A model that measures the processor time of its strong branching calls."""

    def __init__(self, model: pyscipopt.Model) -> None:
        self.seconds = 0.0
        self._model = model

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def getVarStrongbranch(self, *arguments: Any, **options: Any) -> Any:  # noqa: N802
        """Call the model and add the processor time."""
        begin = time.process_time()
        try:
            return self._model.getVarStrongbranch(*arguments, **options)
        finally:
            self.seconds += time.process_time() - begin


COMPARED: dict[str, Expert] = {
    "full": EXPERTS["full"],
    **{name: load_expert(name) for name in LIMITED},
    "pseudocost": Pseudocosts(),
}


class Comparison(GuardedRule):
    """Explore by pseudocosts, and ask all experts at some nodes, where the full one branches."""

    def __init__(self, *, nodes: int, draw: np.random.RandomState) -> None:
        super().__init__()
        self.compared: list[dict[str, Any]] = []
        self._nodes, self._draw, self._branchings = nodes, draw, 0

    def decide(self) -> int:
        """Compare the experts at some nodes, and branch."""
        model = self.model
        candidates = branching_candidates(model)
        if not candidates or len(self.compared) >= self._nodes:
            model.interruptSolve()
            return int(SCIP_RESULT.DIDNOTRUN)
        self._branchings += 1
        choice = _best_by_pseudocost(model, candidates)
        if len(candidates) > 1 and self._branchings % EVERY == 1:
            results, seconds, in_scip = self._asked(candidates)
            full = results["full"]
            if full.valid.all():
                self.compared.append(
                    {
                        "candidates": len(candidates),
                        "order": list(results),
                        "in_scip": in_scip,
                        "iterations": full.iterations,
                    }
                    | {name: compared(results[name], full, seconds[name]) for name in COMPARED}
                )
                if full.cutoff:
                    return int(SCIP_RESULT.CUTOFF)
                choice = candidates[full.best]
        model.branchVar(choice)
        return int(SCIP_RESULT.BRANCHED)

    def _asked(
        self, candidates: list[pyscipopt.Variable]
    ) -> tuple[dict[str, StrongBranchingResult], dict[str, float], float]:
        results, seconds = {}, {}
        timed = TimedModel(self.model)
        for number in self._draw.permutation(len(COMPARED)):
            name = list(COMPARED)[number]
            begin = time.process_time()
            model: Any = timed if name == "full" else self.model
            results[name] = COMPARED[name].label(model, candidates)
            seconds[name] = time.process_time() - begin
        return results, seconds, timed.seconds


def compared(
    result: StrongBranchingResult, full: StrongBranchingResult, seconds: float
) -> dict[str, Any]:
    """Compare an expert's scores at a node with the full ones."""
    best = tied_with_best(full.scores)
    first_five = np.argsort(-np.where(result.valid, result.scores, -np.inf), kind="stable")[:5]
    first_five = first_five[result.valid[first_five]]
    largest = full.scores.max()
    regret = (largest - full.scores[result.best]) / abs(largest) if largest else 0.0
    return {
        "seconds": seconds,
        "top_1": bool(best[result.best]),
        "top_5": bool(best[first_five].any()),
        "regret": float(regret),
        "scored": int(result.valid.sum()),
    }


def nodes_of(name: str, index: int, *, nodes: int) -> list[dict[str, Any]]:
    """Compare the experts at nodes of a test instance."""
    model = generate_instance(name, split="test", index=index).to_scip()
    model.hideOutput()
    apply_setting(model, "default", seed=index)
    model.setParam("misc/usesymmetry", 0)  # depends on memory addresses
    rule = Comparison(nodes=nodes, draw=np.random.RandomState(index))
    rule.include(model, "compare")
    model.optimize()
    return rule.compared
