"""Strong branching with limits on candidates and simplex iterations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from milplib.errors import ParameterError
from milplib.scip.strong_branching import (
    NO_ITERATION_LIMIT,
    CandidateScore,
    StrongBranchingResult,
    score_candidate,
)

if TYPE_CHECKING:
    import pyscipopt

__all__ = ["LimitedStrongBranching", "Screening"]


@dataclass(frozen=True, kw_only=True)
class Screening:
    """Cheap first evaluation of all candidates, of which few are kept.

    Parameters
    ----------
    iterations
        Limit on dual simplex iterations for each child's LP.
    keep
        Number of candidates to keep, those with the best scores. If there are no more candidates
        than this, the screening is skipped.
    """

    iterations: int
    keep: int


@dataclass(frozen=True, kw_only=True)
class LimitedStrongBranching:
    """Strong branching with fewer LPs or fewer simplex iterations.

    The limits apply in order: first the shortlist, then the screening of its candidates, then the
    evaluation of the remaining candidates, best first, until the lookahead ends it.

    Parameters
    ----------
    shortlist
        Maximum number of candidates, those with the best pseudocost scores. The others get no
        score. None means all candidates.
    screening
        Cheap first evaluation of these candidates. A candidate that is not kept has the score of
        its interrupted LPs. This is a lower bound on its full score, because the objective of the
        dual simplex only rises (up to rounding), and it does not exceed the screening score of any
        kept candidate. None means no screening.
    lookahead
        Number of successive candidates without a better score that ends the evaluation. Candidates
        that were neither evaluated nor screened get no score. None means no such limit.
    iterations
        Limit on dual simplex iterations for each child's LP. Scores are then lower bounds. None
        means no limit.

    Raises
    ------
    ParameterError
        If a limit is not positive, no limit is set, or the iteration limit does not exceed that of
        the screening.

    Notes
    -----
    An LP that ends within the iterations of the screening is not solved again. The node is cut off
    only if both children of the best candidate were solved to the end, so cut-offs are as sound as
    those of full strong branching.

    References
    ----------
    Achterberg, Koch, Martin, "Branching rules revisited", Operations Research Letters 33 (2005),
    sections 2.3 and 2.6, for iteration limits, the order by pseudocost scores, and the lookahead.
    In the paper the LPs also update the pseudocosts. Here they must not, because samples record
    pseudocosts as a policy will see them.

    Examples
    --------
    >>> LimitedStrongBranching(shortlist=10, iterations=50).name
    'shortlist:10+iterations:50'
    """

    shortlist: int | None = None
    screening: Screening | None = None
    lookahead: int | None = None
    iterations: int | None = None

    def __post_init__(self) -> None:
        screening = self.screening
        limits = {
            "shortlist": self.shortlist,
            "screening's iterations": screening.iterations if screening else None,
            "number of candidates kept": screening.keep if screening else None,
            "lookahead": self.lookahead,
            "iteration limit": self.iterations,
        }
        limits_set = {name: limit for name, limit in limits.items() if limit is not None}
        if not limits_set:
            raise ParameterError("an expert without limits is the expert 'full'")
        for name, limit in limits_set.items():
            if not 1 <= limit < NO_ITERATION_LIMIT:
                raise ParameterError(
                    f"the expert's {name} is {limit}; it must be from 1 to {NO_ITERATION_LIMIT - 1}"
                )
        if screening and self.iterations is not None and self.iterations <= screening.iterations:
            raise ParameterError(
                f"the expert's iteration limit is {self.iterations}; it must be above the "
                f"{screening.iterations} of the screening"
            )

    @property
    def name(self) -> str:
        """Limits, in the order in which they apply."""
        screen = self.screening
        parts = {
            "shortlist": self.shortlist,
            "screen": f"{screen.iterations}/{screen.keep}" if screen else None,
            "lookahead": self.lookahead,
            "iterations": self.iterations,
        }
        return "+".join(f"{key}:{value}" for key, value in parts.items() if value is not None)

    def label(
        self, model: pyscipopt.Model, candidates: list[pyscipopt.Variable]
    ) -> StrongBranchingResult:
        """Score the candidates as far as the limits allow."""
        positions = list(range(len(candidates)))
        if self.shortlist is not None or self.lookahead is not None:
            by_pseudocost = [
                model.getVarPseudocostScore(variable, variable.getLPSol())
                for variable in candidates
            ]
            positions.sort(key=lambda position: -by_pseudocost[position])
            positions = positions[: self.shortlist]
        search = _Search(model, candidates)
        model.startStrongbranch()
        try:
            self._search(search, positions)
        finally:
            model.endStrongbranch()
        return search.result()

    def _search(self, search: _Search, positions: list[int]) -> None:
        screening = self.screening
        if screening is not None and len(positions) > screening.keep:
            for position in positions:
                if not search.solve(position, screening.iterations):
                    return
            positions = sorted(positions, key=lambda position: -search.scored[position].score)
            positions = positions[: screening.keep]
        best, without_better = -np.inf, 0
        for position in positions:
            done = search.scored.get(position)
            if (done is None or not done.is_final) and not search.solve(
                position, self.iterations or NO_ITERATION_LIMIT
            ):
                return
            search.evaluated.append(position)
            score = search.scored[position].score
            without_better = 0 if score > best else without_better + 1
            best = max(best, score)
            if without_better == self.lookahead:
                return


class _Search:
    """Progress of strong branching at a node."""

    def __init__(self, model: pyscipopt.Model, candidates: list[pyscipopt.Variable]) -> None:
        self.scored: dict[int, CandidateScore] = {}
        self.evaluated: list[int] = []
        self._model = model
        self._candidates = candidates
        self._lp_objective = model.getLPObjVal()
        self._iterations = 0

    def solve(self, position: int, iteration_limit: int) -> bool:
        """Solve a candidate's LPs; return False if SCIP could not."""
        scored = score_candidate(
            self._model,
            self._candidates[position],
            lp_objective=self._lp_objective,
            iteration_limit=iteration_limit,
        )
        self._iterations += self._model.lpiGetIterations()
        if scored is not None:
            self.scored[position] = scored
        return scored is not None

    def result(self) -> StrongBranchingResult:
        """Return the scores; the best candidate is an evaluated one if there are any."""
        scores = np.zeros(len(self._candidates))
        valid = np.zeros(len(self._candidates), dtype=bool)
        for position, scored in self.scored.items():
            scores[position], valid[position] = scored.score, True
        eligible = sorted(self.evaluated or self.scored)
        best = max(eligible, key=lambda position: scores[position], default=0)
        bound = self.scored[best].bound if eligible else self._lp_objective
        return StrongBranchingResult(
            scores=scores,
            valid=valid,
            best=best,
            cutoff=bool(self._model.isGE(bound, self._model.getCutoffbound())),
            iterations=self._iterations,
        )
