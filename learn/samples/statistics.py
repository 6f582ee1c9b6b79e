"""What a set of samples is like, and how far trivial choices agree with the expert."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from milplib.errors import SampleError
from milplib.learn.samples.sample_set import Sample, SampleSet
from milplib.scip import VARIABLE_FEATURES

__all__ = ["ChoiceAgreement", "SampleStatistics", "agreement", "sample_statistics"]

_FRACTION = VARIABLE_FEATURES.index("solution_frac")


@dataclass(frozen=True, kw_only=True)
class ChoiceAgreement:
    """How far a way of choosing agrees with the expert, as means over samples.

    Parameters
    ----------
    accuracy
        Share of samples in which the choice is one of the expert's best, ties included.
    regret
        ``(best score - score of the choice) / |best score|``; 0 where the best score is 0.
    samples
        Number of samples it was computed on.
    """

    accuracy: float
    regret: float
    samples: int


@dataclass(frozen=True, kw_only=True)
class SampleStatistics:
    """Numbers that describe a set of samples.

    Parameters
    ----------
    samples, trees, instances
        Counts of samples, of trees they come from, and of instances these belong to.
    candidates
        Candidates a sample: minimum, mean, median, maximum.
    tied
        Candidates tied as the best a sample, the best itself included: mean.
    samples_with_ties
        Share of samples in which more than one candidate is the best.
    invalid_scores
        Share of candidates without a score.
    rows, columns, edges
        Mean sizes of the states.
    depth
        Mean and largest depth.
    choices
        Agreement of trivial choices with the expert, by name.
    """

    samples: int
    trees: int
    instances: int
    candidates: tuple[int, float, float, int]
    tied: float
    samples_with_ties: float
    invalid_scores: float
    rows: float
    columns: float
    edges: float
    depth: tuple[float, int]
    choices: dict[str, ChoiceAgreement]


def agreement(sample: Sample, probability: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Accuracy and regret of a choice at one sample.

    Parameters
    ----------
    sample
        The sample; candidates without a score count as worst.
    probability
        With which each candidate is chosen. Shape (k,).

    Returns
    -------
    tuple of float
        Expected accuracy and expected regret.
    """
    scores = np.where(sample.valid, sample.scores, 0.0)
    best = scores[sample.valid].max()
    regret = (best - scores) / abs(best) if best else np.zeros_like(scores)
    return float(probability @ sample.tied), float(probability @ regret)


def _at_best(scores: npt.NDArray[np.floating], sample: Sample) -> npt.NDArray[np.float64]:
    """Choose the best score, of equal ones the lowest column."""
    order = np.lexsort((sample.state.candidates, -scores))
    probability = np.zeros(len(scores))
    probability[order[0]] = 1.0
    return probability


def _random(sample: Sample) -> npt.NDArray[np.float64]:
    k = len(sample.state.candidates)
    return np.full(k, 1.0 / k)


def _most_fractional(sample: Sample) -> npt.NDArray[np.float64]:
    fraction = sample.state.variable_features[sample.state.candidates, _FRACTION]
    return _at_best(np.minimum(fraction, 1 - fraction), sample)


def _pseudocost(sample: Sample) -> npt.NDArray[np.float64]:
    return _at_best(sample.state.blocks["pseudocost"][:, 0], sample)


def _has_pseudocosts(sample: Sample) -> bool:
    block = sample.state.blocks.get("pseudocost")
    return block is not None and len(block) == len(sample.scores)


_CHOICES: dict[str, Callable[[Sample], npt.NDArray[np.float64]]] = {
    "random": _random,
    "most fractional": _most_fractional,
    "pseudocost": _pseudocost,
}


def sample_statistics(samples: SampleSet | Iterable[Sample]) -> SampleStatistics:
    """Compute the statistics of samples.

    ``random`` chooses each candidate with the same probability (its numbers are expectations,
    nothing is drawn), ``most fractional`` the one whose LP value is nearest to a half, and
    ``pseudocost``, where the block of that name was recorded, the best pseudocost score.

    Raises
    ------
    SampleError
        If there are no samples.
    """
    candidates, tied, valid, sizes, depths = [], [], [], [], []
    trees, instances = set(), set()
    results: dict[str, list[tuple[float, float]]] = {name: [] for name in _CHOICES}
    for sample in samples:
        state = sample.state
        candidates.append(len(state.candidates))
        tied.append(int(sample.tied.sum()))
        valid.append(int(sample.valid.sum()))
        sizes.append((state.n_rows, state.n_variables, len(state.edge_features)))
        depths.append(sample.depth)
        trees.add((sample.tree.instance, sample.tree.episode))
        instances.add(sample.tree.instance)
        for name, choose in _CHOICES.items():
            if name != "pseudocost" or _has_pseudocosts(sample):
                results[name].append(agreement(sample, choose(sample)))
    if not candidates:
        raise SampleError("there are no samples to describe")
    rows, columns, edges = np.mean(sizes, axis=0)
    choices = {}
    for name, values in results.items():
        if values:
            accuracy, regret = np.mean(values, axis=0)
            choices[name] = ChoiceAgreement(
                accuracy=float(accuracy), regret=float(regret), samples=len(values)
            )
    return SampleStatistics(
        samples=len(candidates),
        trees=len(trees),
        instances=len(instances),
        candidates=(
            min(candidates),
            float(np.mean(candidates)),
            float(np.median(candidates)),
            max(candidates),
        ),
        tied=float(np.mean(tied)),
        samples_with_ties=float(np.mean(np.array(tied) > 1)),
        invalid_scores=1.0 - sum(valid) / sum(candidates),
        rows=float(rows),
        columns=float(columns),
        edges=float(edges),
        depth=(float(np.mean(depths)), max(depths)),
        choices=choices,
    )
