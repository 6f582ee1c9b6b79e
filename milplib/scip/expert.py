"""The expert: full strong branching, the same to the bit as SCIP's own rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from pyscipopt import SCIP_RESULT

from milplib.scip.extraction import branching_candidates
from milplib.scip.rule import PRIORITY, GuardedRule

if TYPE_CHECKING:
    import pyscipopt

__all__ = ["StrongBranchingResult", "StrongBranchingRule", "strong_branching"]

_NO_ITERATION_LIMIT = 2**31 - 1


@dataclass(frozen=True, eq=False, kw_only=True)
class StrongBranchingResult:
    """What full strong branching found at a node.

    Parameters
    ----------
    scores
        SCIP's product of the two children's gains in dual bound. Shape (k,), float64, in the
        order of the candidates; 0 where `valid` is False.
    valid
        Whether there is a score: False from the first LP error on. Shape (k,), bool.
    best
        Position of the candidate that SCIP's rule takes: the first of the highest score.
    cutoff
        Whether both children of the best candidate are cut off by their bounds, so that the
        node itself can be.
    iterations
        Simplex iterations of the candidates' last child LPs. SCIP does not count idempotent
        strong branching and its LP interface tells only the last LP's iterations, so this is
        about half of the true number: a deterministic measure of work, for limits.
    """

    scores: npt.NDArray[np.float64]
    valid: npt.NDArray[np.bool_]
    best: int
    cutoff: bool
    iterations: int


def strong_branching(
    model: pyscipopt.Model, candidates: list[pyscipopt.Variable] | None = None
) -> StrongBranchingResult:
    """Solve both children's LPs of every candidate at the current node.

    Parameters
    ----------
    model
        A model being solved, inside a branching rule's ``branchexeclp``.
    candidates
        The variables to score; `milplib.scip.branching_candidates` if not given.

    Returns
    -------
    StrongBranchingResult
        The scores.

    Notes
    -----
    The calls are idempotent: at this node they change nothing that a policy sees, but the solve
    may take another path some nodes later (bases and ages differ in the last digits).

    SCIP's rule ``vanillafullstrong`` with ``idempotent = scoreall = TRUE`` scores *all* LP
    candidates, this one those of highest branching priority. Without priorities that is the
    same, and so is the tree.

    References
    ----------
    Achterberg, Koch, Martin, "Branching rules revisited", Operations Research Letters 33 (2005),
    section 2.3; SCIP's ``branch_vanillafullstrong.c`` for the treatment of infeasible children
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
            down, up, down_valid, up_valid, _, _, _, _, lp_error = model.getVarStrongbranch(
                variable, _NO_ITERATION_LIMIT, idempotent=True
            )
            iterations += model.lpiGetIterations()
            if lp_error:
                break
            down, up = max(down, lp_objective), max(up, lp_objective)
            gains = [down - lp_objective, up - lp_objective]
            score = model.getBranchScoreMultiple(variable, gains)
            scores[position], valid[position] = score, True
            if score > best_score:
                best, best_score = position, score
                best_bound = min(down, up) if down_valid and up_valid else lp_objective
    finally:
        model.endStrongbranch()
    cutoff = bool(model.isGE(best_bound, model.getCutoffbound()))
    return StrongBranchingResult(
        scores=scores, valid=valid, best=best, cutoff=cutoff, iterations=iterations
    )


class StrongBranchingRule(GuardedRule):
    """Full strong branching as a branching rule.

    Builds the same tree, node for node, as SCIP's ``vanillafullstrong`` with
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

    def include(self, model: pyscipopt.Model, name: str, *, max_depth: int = -1) -> None:
        """Include the rule before all others, and SCIP's own behind it for its sub-SCIPs.

        Heuristics that solve a smaller copy of the problem copy SCIP's rules and parameters, but
        no Python rule: there ``vanillafullstrong`` stands in, or the trees would differ.
        """
        super().include(model, name, max_depth=max_depth)
        for key, value in {
            "priority": PRIORITY - 1,
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
