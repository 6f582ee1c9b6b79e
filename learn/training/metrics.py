"""Metrics of choices, by the expert's scores."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from milplib.policies.choice import best_candidate, tied_with_best

__all__ = ["TOP_K", "Judgement", "Metrics", "judge", "judge_batch", "mean_metrics"]

TOP_K = (1, 3, 5, 10)
"""Values of k for accuracy@k."""

_Floats = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """Rank and regret of the scores for one state.

    Parameters
    ----------
    rank
        Position of the first of the expert's best candidates, ties included, in the order of the
        scores; 1 is a correct choice.
    regret
        ``(best - score of the choice) / |best|`` by the expert's scores; 0 where the best is 0.
    """

    rank: int
    regret: float


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """Means over samples.

    Parameters
    ----------
    samples
        Number of samples.
    accuracy
        Share of samples in which one of the expert's best candidates is among the first k, for
        each k of `TOP_K`.
    regret
        Mean score regret of the choice.
    loss
        Mean loss; NaN if none was computed.
    """

    samples: int
    accuracy: tuple[float, ...]
    regret: float
    loss: float = float("nan")

    def as_dict(self) -> dict[str, float | int]:
        """Return the metrics by name, in order."""
        named = {f"accuracy_{k}": a for k, a in zip(TOP_K, self.accuracy, strict=True)}
        return {"loss": self.loss, **named, "regret": self.regret, "samples": self.samples}


def judge(
    scores: _Floats,
    *,
    candidates: npt.NDArray[np.integer[Any]],
    expert: _Floats,
    valid: npt.NDArray[np.bool_] | None = None,
) -> Judgement:
    """Judge the scores for a state's candidates.

    Candidates without a score of the expert are ignored. Scores that tie
    (`milplib.policies.choice`) are ordered by column, as when a policy runs: first those tied with
    the best score, then those tied with the best of the remaining scores, and so on. With fewer
    than k candidates, all of them are among the first k.

    Parameters
    ----------
    scores
        Finite scores of the candidates. Shape (k,).
    candidates
        Columns of the candidates. Shape (k,).
    expert, valid
        Scores of the expert, and whether each is valid; all are if not given. Shape (k,).

    Examples
    --------
    >>> judge(np.array([1.0, 3.0, 2.0]), candidates=np.arange(3), expert=np.array([4.0, 3.0, 1.0]))
    Judgement(rank=3, regret=0.25)
    """
    if valid is not None:
        scores, candidates, expert = scores[valid], candidates[valid], expert[valid]
    tied = tied_with_best(expert)
    columns = candidates.astype(np.int32)
    place = choice = best_candidate(scores, columns)
    rank, left = 1, np.arange(len(scores))
    while not tied[place]:
        left = left[left != place]
        rank += 1
        place = left[best_candidate(scores[left], columns[left])]
        if rank > max(TOP_K):
            break
    best = expert.max()
    regret = float((best - expert[choice]) / abs(best)) if best else 0.0
    return Judgement(rank=rank, regret=regret)


def judge_batch(scores: _Floats, batch: Any) -> list[Judgement]:
    """Judge the scores for a batch of graphs."""
    graph = batch.candidates_batch.cpu().numpy()
    ends = np.cumsum(np.bincount(graph, minlength=batch.num_graphs))
    columns = batch.candidates.cpu().numpy()  # columns keep their order in a batch
    expert, valid = batch.scores.cpu().numpy(), batch.valid.cpu().numpy()
    return [
        judge(scores[a:b], candidates=columns[a:b], expert=expert[a:b], valid=valid[a:b])
        for a, b in zip([0, *ends[:-1]], ends, strict=True)
    ]


def mean_metrics(judgements: Iterable[Judgement], losses: Sequence[float] = ()) -> Metrics:
    """Average judgements and losses.

    Examples
    --------
    >>> mean_metrics([Judgement(rank=1, regret=0.0), Judgement(rank=4, regret=0.5)]).accuracy
    (0.5, 0.5, 1.0, 1.0)
    """
    judgements = list(judgements)
    ranks = np.array([judgement.rank for judgement in judgements])
    return Metrics(
        samples=len(judgements),
        accuracy=tuple(float(np.mean(ranks <= k)) for k in TOP_K),
        regret=float(np.mean([judgement.regret for judgement in judgements])),
        loss=float(np.mean(losses)) if len(losses) else float("nan"),
    )
