"""Statistics of a set of samples, and agreement of trivial choices with the expert."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from milplib.display import Shown
from milplib.errors import SampleError
from milplib.learn.samples.sample_set import Sample, SampleSet
from milplib.scip import PseudocostFeature, VariableFeature

__all__ = [
    "ChoiceAgreement",
    "SampleStatistics",
    "agreement",
    "sample_statistics",
    "trivial_choices",
]


@dataclass(frozen=True, kw_only=True)
class ChoiceAgreement:
    """Agreement of a way of choosing with the expert, as means over samples.

    Parameters
    ----------
    accuracy
        Share of samples in which the choice is one of the expert's best, ties included.
    regret
        ``(best score - score of the choice) / |best score|``; 0 where the best score is 0.
    samples
        Number of samples.
    """

    accuracy: float
    regret: float
    samples: int


@dataclass(frozen=True, kw_only=True, repr=False)
class SampleStatistics(Shown):
    """Statistics of a set of samples.

    Parameters
    ----------
    samples, trees, instances
        Numbers of samples, of their trees, and of their instances.
    candidates
        Minimum, mean, median and maximum number of candidates per sample.
    tied
        Mean number of candidates per sample that are tied as the best, the best itself included.
    samples_with_ties
        Share of samples in which several candidates are tied as the best.
    invalid_scores
        Share of candidates without a score.
    rows, columns, edges
        Mean sizes of the states.
    depth
        Mean and maximum depth.
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
    """Compute the accuracy and regret of a choice at one sample.

    Parameters
    ----------
    sample
        The sample.
    probability
        Probability of choosing each candidate; 0 for those without a score. Shape (k,).

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
    """Choose the best of the candidates with a valid label; ties go to the lowest column."""
    order = np.lexsort((sample.state.candidates, -scores, ~sample.valid))
    probability = np.zeros(len(scores))
    probability[order[0]] = 1.0
    return probability


def _random(sample: Sample) -> npt.NDArray[np.float64]:
    probability: npt.NDArray[np.float64] = sample.valid / sample.valid.sum()
    return probability


def _most_fractional(sample: Sample) -> npt.NDArray[np.float64]:
    fraction = sample.state.variable_features[
        sample.state.candidates, VariableFeature.FRACTIONALITY
    ]
    return _at_best(np.minimum(fraction, 1 - fraction), sample)


def _pseudocost(sample: Sample) -> npt.NDArray[np.float64]:
    return _at_best(sample.state.blocks["pseudocost"][:, PseudocostFeature.SCORE], sample)


def _has_pseudocosts(sample: Sample) -> bool:
    block = sample.state.blocks.get("pseudocost")
    return block is not None and len(block) == len(sample.scores)


_CHOICES: dict[str, Callable[[Sample], npt.NDArray[np.float64]]] = {
    "random": _random,
    "most fractional": _most_fractional,
    "pseudocost": _pseudocost,
}


def trivial_choices(sample: Sample) -> dict[str, npt.NDArray[np.float64]]:
    """Return the probabilities with which trivial choices take each candidate.

    Only candidates that the expert scored are chosen, as in the metrics of training. ``random``
    chooses them with equal probability. ``most fractional`` chooses the candidate whose fractional
    part is nearest to a half, and ``pseudocost``, if that block was recorded, the one with the best
    pseudocost score. Ties go to the lowest column.

    Returns
    -------
    dict
        Arrays of shape (k,), by the name of the choice.
    """
    return {
        name: choose(sample)
        for name, choose in _CHOICES.items()
        if name != "pseudocost" or _has_pseudocosts(sample)
    }


def sample_statistics(samples: SampleSet | Iterable[Sample]) -> SampleStatistics:
    """Compute the statistics of samples, in one pass.

    Memory grows with the number of trees, not of samples. The choices are those of
    `trivial_choices`; the numbers of ``random`` are exact expectations.

    Raises
    ------
    SampleError
        If there are no samples.
    """
    # Number of samples by their number of candidates: a median needs no more.
    candidates: Counter[int] = Counter()
    tied = with_ties = valid = deepest = 0
    sums = np.zeros(4)  # rows, columns, edges, depth
    trees: set[tuple[str, int]] = set()
    instances: dict[str, str] = {}
    results = {name: [0.0, 0.0, 0] for name in _CHOICES}
    for sample in samples:
        state, n_tied = sample.state, int(sample.tied.sum())
        candidates[len(state.candidates)] += 1
        tied += n_tied
        with_ties += n_tied > 1
        valid += int(sample.valid.sum())
        sums += (state.n_rows, state.n_variables, len(state.edge_features), sample.depth)
        deepest = max(deepest, sample.depth)
        # One string per instance, shared by all its trees.
        instance = instances.setdefault(sample.tree.instance, sample.tree.instance)
        trees.add((instance, sample.tree.episode))
        for name, probability in trivial_choices(sample).items():
            accuracy, regret = agreement(sample, probability)
            result = results[name]
            result[:] = result[0] + accuracy, result[1] + regret, result[2] + 1
    n = candidates.total()
    if not n:
        raise SampleError("there are no samples to describe")
    rows, columns, edges, depth = (sums / n).tolist()
    total = sum(size * times for size, times in candidates.items())
    return SampleStatistics(
        samples=n,
        trees=len(trees),
        instances=len(instances),
        candidates=(min(candidates), total / n, _median(candidates), max(candidates)),
        tied=tied / n,
        samples_with_ties=with_ties / n,
        invalid_scores=1.0 - valid / total,
        rows=rows,
        columns=columns,
        edges=edges,
        depth=(depth, deepest),
        choices={
            name: ChoiceAgreement(
                accuracy=accuracy / times, regret=regret / times, samples=int(times)
            )
            for name, (accuracy, regret, times) in results.items()
            if times
        },
    )


def _median(times: Counter[int]) -> float:
    """Return the median of numbers with their multiplicities."""
    numbers = sorted(times)
    ends = np.cumsum([times[number] for number in numbers])
    middle = ((ends[-1] - 1) // 2, ends[-1] // 2)
    low, high = np.searchsorted(ends, middle, side="right")
    return float(numbers[low] + numbers[high]) / 2
