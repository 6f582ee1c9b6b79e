"""Strong branching with limits: fewer candidates, fewer simplex iterations."""

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
    """A first look at all candidates, after which few are left.

    Parameters
    ----------
    iterations
        Dual simplex iterations after which each child's LP is stopped.
    keep
        Number of candidates, those of the best scores by then, that go on. Where there are no more
        than that, nothing is screened.
    """

    iterations: int
    keep: int


@dataclass(frozen=True, kw_only=True)
class LimitedStrongBranching:
    """Strong branching that saves LPs or iterations.

    The limits work one after the other: the shortlist, the screening of what is on it, then the
    evaluation of what is left, best first, until the lookahead ends it.

    Parameters
    ----------
    shortlist
        Only so many candidates, those of the best pseudocost scores, are looked at; the others
        get no score.
    screening
        All of these are first solved for a few iterations. A candidate that the screening leaves
        out keeps the score of the LPs stopped there: the objective of the dual simplex only
        rises, but for rounding, so this is a lower bound on its score, and not above what any
        candidate that was kept had by then.
    lookahead
        So many candidates in a row without a better score end the evaluation. What was neither
        evaluated nor screened gets no score.
    iterations
        Dual simplex iterations after which each child's LP is stopped; the scores are lower
        bounds then.

    Raises
    ------
    ParameterError
        If a limit is not positive, or there is none, or the iteration limit is not above that of
        the screening.

    Notes
    -----
    An LP that ends within the iterations of the screening is not solved again. The node is cut
    off only where the children of the best candidate were solved to the end, so that this is as
    sound as full strong branching's.

    References
    ----------
    Achterberg, Koch, Martin, "Branching rules revisited", Operations Research Letters 33 (2005),
    sections 2.3 and 2.6: iteration limits, candidates in the order of their pseudocost scores, and
    the lookahead. There the pseudocosts also learn from the LPs solved; here they must not, since
    samples record them as a policy will see them.

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
        given = {name: limit for name, limit in limits.items() if limit is not None}
        if not given:
            raise ParameterError("an expert without limits is the expert 'full'")
        for name, limit in given.items():
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
        """The limits, in the order in which they work."""
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
            positions = sorted(positions, key=lambda position: -search.found[position].score)
            positions = positions[: screening.keep]
        best, without_better = -np.inf, 0
        for position in positions:
            done = search.found.get(position)
            if (done is None or not done.is_final) and not search.solve(
                position, self.iterations or NO_ITERATION_LIMIT
            ):
                return
            search.evaluated.append(position)
            score = search.found[position].score
            without_better = 0 if score > best else without_better + 1
            best = max(best, score)
            if without_better == self.lookahead:
                return


class _Search:
    """What is known so far about the candidates of a node."""

    def __init__(self, model: pyscipopt.Model, candidates: list[pyscipopt.Variable]) -> None:
        self.found: dict[int, CandidateScore] = {}
        self.evaluated: list[int] = []
        self._model = model
        self._candidates = candidates
        self._lp_objective = model.getLPObjVal()
        self._iterations = 0

    def solve(self, position: int, iteration_limit: int) -> bool:
        """Solve a candidate's LPs; say whether SCIP could."""
        found = score_candidate(
            self._model,
            self._candidates[position],
            lp_objective=self._lp_objective,
            iteration_limit=iteration_limit,
        )
        self._iterations += self._model.lpiGetIterations()
        if found is not None:
            self.found[position] = found
        return found is not None

    def result(self) -> StrongBranchingResult:
        """Give the scores; the best is one of those evaluated, where there are any."""
        scores = np.zeros(len(self._candidates))
        valid = np.zeros(len(self._candidates), dtype=bool)
        for position, found in self.found.items():
            scores[position], valid[position] = found.score, True
        chosen = sorted(self.evaluated or self.found)
        best = max(chosen, key=lambda position: scores[position], default=0)
        bound = self.found[best].bound if chosen else self._lp_objective
        return StrongBranchingResult(
            scores=scores,
            valid=valid,
            best=best,
            cutoff=bool(self._model.isGE(bound, self._model.getCutoffbound())),
            iterations=self._iterations,
        )
