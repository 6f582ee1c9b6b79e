"""Full strong branching, bit-identical to SCIP's rule ``vanillafullstrong``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from pyscipopt import SCIP_RESULT

from milplib.display import Shown
from milplib.scip.extraction import branching_candidates
from milplib.scip.rule import PRIORITY, GuardedRule

if TYPE_CHECKING:
    import pyscipopt

__all__ = [
    "CandidateScore",
    "StrongBranchingResult",
    "StrongBranchingRule",
    "score_candidate",
    "strong_branching",
]

NO_ITERATION_LIMIT = 2**31 - 1
"""SCIP's value for no limit on simplex iterations."""


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class StrongBranchingResult(Shown):
    """Result of strong branching at a node.

    Parameters
    ----------
    scores
        SCIP's product of both children's gains in dual bound, in the order of the candidates; 0 if
        `valid` is False. Shape (k,), float64.
    valid
        Whether each candidate has a score. In full strong branching, candidates from the first LP
        error on have none; other experts skip candidates (`milplib.scip.experts`). Shape (k,),
        bool.
    best
        Position of the candidate to branch on, the first one with the highest score.
    cutoff
        Whether both children of the best candidate are cut off by their bounds, so that the node
        can be cut off.
    iterations
        Number of simplex iterations of each candidate's last child LP, in total. SCIP does not
        count idempotent strong branching, and its LP interface only returns the iterations of the
        last LP. The number is therefore about half of the true one, but it is a deterministic
        measure of work for limits.
    """

    scores: npt.NDArray[np.float64]
    valid: npt.NDArray[np.bool_]
    best: int
    cutoff: bool
    iterations: int


@dataclass(frozen=True, kw_only=True)
class CandidateScore:
    """Score of a candidate from the LPs of its children.

    Parameters
    ----------
    score
        SCIP's product of the gains in dual bound.
    bound
        Dual bound of the node after branching on the candidate; the LP objective of the node if a
        child's LP was stopped early.
    is_final
        Whether both child LPs ended within the iteration limit.
    """

    score: float
    bound: float
    is_final: bool


def score_candidate(
    model: pyscipopt.Model,
    variable: pyscipopt.Variable,
    *,
    lp_objective: float,
    iteration_limit: int = NO_ITERATION_LIMIT,
) -> CandidateScore | None:
    """Solve the LPs of a candidate's children.

    Call this function between ``startStrongbranch`` and ``endStrongbranch``.

    Parameters
    ----------
    model
        Model being solved.
    variable
        The candidate.
    lp_objective
        Objective value of the node's LP.
    iteration_limit
        Limit on dual simplex iterations for each child's LP. The objective value of an LP that is
        stopped early is a lower bound.

    Returns
    -------
    CandidateScore or None
        Score, or None if SCIP could not solve an LP.
    """
    down, up, down_valid, up_valid, _, _, _, _, lp_error = model.getVarStrongbranch(
        variable, iteration_limit, idempotent=True
    )
    if lp_error:
        return None
    down, up = max(down, lp_objective), max(up, lp_objective)
    gains = [down - lp_objective, up - lp_objective]
    is_final = bool(down_valid and up_valid)
    return CandidateScore(
        score=model.getBranchScoreMultiple(variable, gains),
        bound=min(down, up) if is_final else lp_objective,
        is_final=is_final,
    )


def strong_branching(
    model: pyscipopt.Model, candidates: list[pyscipopt.Variable] | None = None
) -> StrongBranchingResult:
    """Solve both children's LPs of every candidate at the current node.

    Parameters
    ----------
    model
        Model being solved, inside the ``branchexeclp`` of a branching rule.
    candidates
        Variables to score. Default: `milplib.scip.branching_candidates`.

    Returns
    -------
    StrongBranchingResult
        Scores and the best candidate.

    Notes
    -----
    The calls are idempotent: they do not change the state of this node. The solve may still take
    another path some nodes later, because bases and ages differ in the last digits.

    SCIP's rule ``vanillafullstrong`` with ``idempotent = scoreall = TRUE`` scores *all* LP
    candidates, this function only those of highest branching priority. Without priorities, both
    score the same candidates and build the same tree.

    References
    ----------
    Achterberg, Koch, Martin, "Branching rules revisited", Operations Research Letters 33 (2005),
    section 2.3. SCIP's ``branch_vanillafullstrong.c`` for the treatment of infeasible children
    (their gain is cut-off bound - LP objective) and of LP errors.

    Examples
    --------
    >>> import pyscipopt
    >>> class BranchOnBest(pyscipopt.Branchrule):
    ...     def branchexeclp(self, allowaddcons):
    ...         candidates = branching_candidates(self.model)
    ...         result = strong_branching(self.model, candidates)
    ...         self.model.branchVar(candidates[result.best])
    ...         return {"result": pyscipopt.SCIP_RESULT.BRANCHED}
    """
    if candidates is None:
        candidates = branching_candidates(model)
    lp_objective = model.getLPObjVal()
    scores = np.zeros(len(candidates))
    valid = np.zeros(len(candidates), dtype=bool)
    best, best_score, best_bound = 0, -np.inf, lp_objective
    iterations = 0
    model.startStrongbranch()
    try:
        for position, variable in enumerate(candidates):
            scored = score_candidate(model, variable, lp_objective=lp_objective)
            iterations += model.lpiGetIterations()
            if scored is None:
                break
            scores[position], valid[position] = scored.score, True
            if scored.score > best_score:
                best, best_score, best_bound = position, scored.score, scored.bound
    finally:
        model.endStrongbranch()
    cutoff = bool(model.isGE(best_bound, model.getCutoffbound()))
    return StrongBranchingResult(
        scores=scores, valid=valid, best=best, cutoff=cutoff, iterations=iterations
    )


class StrongBranchingRule(GuardedRule):
    """Full strong branching as a branching rule.

    It builds the same tree, node by node, as SCIP's ``vanillafullstrong`` with
    ``idempotent = scoreall = TRUE``.

    Examples
    --------
    >>> from milplib.generators import SetCover
    >>> model = SetCover(n_rows=50, n_columns=60, density=0.1).generate(seed=0).to_scip()
    >>> model.hideOutput()
    >>> rule = StrongBranchingRule()
    >>> rule.include(model, "expert")
    >>> model.optimize()
    >>> model.getStatus()
    'optimal'
    """

    def include(
        self,
        model: pyscipopt.Model,
        name: str,
        *,
        max_depth: int = -1,
        priority: int = PRIORITY,
    ) -> None:
        """Include the rule, by default before all others, followed by ``vanillafullstrong``.

        Heuristics that solve a smaller copy of the problem copy SCIP's rules and parameters, but
        no Python rules. In these sub-SCIPs ``vanillafullstrong`` decides; otherwise the trees would
        differ.
        """
        super().include(model, name, max_depth=max_depth, priority=priority)
        for key, value in {
            "priority": priority - 1,
            "maxdepth": max_depth,
            "maxbounddist": 1.0,
            "idempotent": True,
            "scoreall": True,
            "integralcands": False,
        }.items():
            model.setParam(f"branching/vanillafullstrong/{key}", value)

    def decide(self) -> int:
        """Branch on the best candidate, or cut the node off."""
        candidates = branching_candidates(self.model)
        if not candidates:
            return int(SCIP_RESULT.DIDNOTRUN)
        result = strong_branching(self.model, candidates)
        if result.cutoff:
            return int(SCIP_RESULT.CUTOFF)
        self.model.branchVar(candidates[result.best])
        return int(SCIP_RESULT.BRANCHED)
