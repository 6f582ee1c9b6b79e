"""Table of the candidates of samples, for models that do not use graphs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from milplib.errors import UnknownNameError
from milplib.learn.dataset.graph_dataset import GraphDataset
from milplib.learn.names import Mixture
from milplib.learn.options import MIXTURES
from milplib.learn.training.metrics import Judgement, judge
from milplib.policies.candidate_matrix import candidate_matrix

__all__ = ["RankingTable"]


@dataclass(frozen=True, eq=False, kw_only=True)
class RankingTable:
    """Candidates of S samples, one sample after another.

    Parameters
    ----------
    matrix
        `milplib.policies.candidate_matrix.candidate_matrix` of every state. Shape (N, d), float32.
    starts
        Position of the first candidate of each sample, and N at the end. Shape (S + 1,).
    scores, valid, tied
        Scores of the expert, as in `milplib.learn.Sample`. Shape (N,).
    columns
        Columns of the candidates, as in `BranchingState.candidates`. Shape (N,).
    sample_set
        Number of the data set of each sample. Shape (S,).
    """

    matrix: npt.NDArray[np.float32]
    starts: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float64]
    valid: npt.NDArray[np.bool_]
    tied: npt.NDArray[np.bool_]
    columns: npt.NDArray[np.int32]
    sample_set: npt.NDArray[np.int64]

    @classmethod
    def of(
        cls, graphs: GraphDataset, *, on_progress: Callable[[int, int], None] = lambda *_: None
    ) -> RankingTable:
        """Read all samples of a data set, with its blocks."""
        blocks = tuple(block.name for block in graphs.blocks)
        parts: dict[str, list[npt.NDArray[Any]]] = {
            name: [] for name in ("matrix", "scores", "valid", "tied", "columns")
        }
        for position in range(len(graphs)):
            sample = graphs.sample(position)
            parts["matrix"].append(candidate_matrix(sample.state, blocks))
            parts["scores"].append(sample.scores)
            parts["valid"].append(sample.valid)
            parts["tied"].append(sample.tied)
            parts["columns"].append(sample.state.candidates)
            on_progress(position + 1, len(graphs))
        sizes = [len(scores) for scores in parts["scores"]]
        return cls(
            starts=np.concatenate(([0], np.cumsum(sizes))),
            sample_set=np.array([graphs.set_of(i) for i in range(len(graphs))]),
            **{name: np.concatenate(arrays) for name, arrays in parts.items()},
        )

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def sizes(self) -> npt.NDArray[np.int64]:
        """Number of candidates of each sample. Shape (S,)."""
        return np.diff(self.starts)

    @property
    def sample(self) -> npt.NDArray[np.int64]:
        """Number of the sample of each candidate. Shape (N,)."""
        return np.repeat(np.arange(len(self)), self.sizes)

    def only_valid(self) -> RankingTable:
        """Return the table without candidates that lack a score; drop samples without scores."""
        counts = np.bincount(self.sample[self.valid], minlength=len(self))
        some = counts > 0
        return RankingTable(
            starts=np.concatenate(([0], np.cumsum(counts[some]))),
            sample_set=self.sample_set[some],
            **{
                name: getattr(self, name)[self.valid]
                for name in ("matrix", "scores", "valid", "tied", "columns")
            },
        )

    def weights(self, mixture: str) -> npt.NDArray[np.float64]:
        """Return the weight of each sample, 1 on average. Shape (S,).

        Parameters
        ----------
        mixture
            ``balanced`` weights all data sets equally, ``proportional`` all samples.

        Raises
        ------
        UnknownNameError
            If the mixture is unknown.
        """
        if mixture not in MIXTURES:
            raise UnknownNameError("mixture", mixture, MIXTURES)
        if mixture == Mixture.PROPORTIONAL:
            return np.ones(len(self))
        sizes = np.bincount(self.sample_set)
        return len(self) / (np.count_nonzero(sizes) * sizes[self.sample_set])

    def relative_scores(self) -> npt.NDArray[np.float64]:
        """Scale the expert's scores in each sample to [0, 1]. Shape (N,).

        The worst candidate gets 0, and those tied with the best get 1; if all scores of a sample
        are equal, all get 1. The table must hold valid scores only (see `only_valid`).
        """
        low = np.minimum.reduceat(self.scores, self.starts[:-1])[self.sample]
        high = np.maximum.reduceat(self.scores, self.starts[:-1])[self.sample]
        spread = np.where(high > low, high - low, 1.0)
        return np.where(self.tied, 1.0, (self.scores - low) / spread)

    def judged(self, scores: npt.NDArray[np.float64]) -> list[Judgement]:
        """Judge scores of all candidates, sample by sample."""
        return [
            judge(
                scores[a:b],
                candidates=self.columns[a:b],
                expert=self.scores[a:b],
                valid=self.valid[a:b],
            )
            for a, b in zip(self.starts[:-1], self.starts[1:], strict=True)
        ]
