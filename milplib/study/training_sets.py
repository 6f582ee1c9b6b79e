"""Comparison of groups of policies that differ only in their training seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from milplib.evaluation.paired import PairedRuns
from milplib.evaluation.resampling import percentile_interval, ratio_of_means
from milplib.evaluation.results import Evaluation
from milplib.evaluation.statistics import TIME_SHIFT, mean_logs
from milplib.study.models import TrainingSet

__all__ = ["PolicyGroup", "compare_groups", "resampled_group_ratios"]

RESAMPLES = 10_000
_SIDES = (
    (TrainingSet.MIXED, TrainingSet.HOMOGENEOUS),
    (TrainingSet.LEAVE_ONE_OUT, TrainingSet.HOMOGENEOUS),
    (TrainingSet.MIXED, TrainingSet.LEAVE_ONE_OUT),
)

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class PolicyGroup:
    """Policies that differ only in their training seed.

    Parameters
    ----------
    model, budget, training_set
        Model, budget and kind of training set of all policies.
    policies
        Names of the policies in the results.
    """

    model: str
    budget: str
    training_set: str
    policies: tuple[str, ...]


def compare_groups(results: Evaluation, groups: Sequence[PolicyGroup]) -> list[dict[str, object]]:
    """Compare the times of groups with the baseline, and of training sets with each other.

    The result has a row per distribution and comparison. A row holds the ratio of shifted
    geometric means (1 s) over all training seeds, SCIP seeds and instances, and its 95 % interval,
    for which both training seeds and instances are resampled. A failure counts as the time limit.
    """
    runs = results.runs
    by_key = {(g.model, g.budget, g.training_set): g for g in groups}
    rows: list[dict[str, object]] = []
    for distribution in dict.fromkeys(results.table.column("distribution").to_pylist()):
        distribution_runs = runs.of_distribution(distribution)
        for group in groups:
            against: list[tuple[str, tuple[str, ...]]] = [("", (results.baseline,))]
            for training_set, rival in _SIDES:
                key = (group.model, group.budget, rival)
                if group.training_set == training_set and key in by_key:
                    against.append((rival, by_key[key].policies))
            for name, others in against:
                row = _compared(distribution_runs, group.policies, others)
                if row is not None:
                    rows.append(
                        {
                            "distribution": distribution,
                            "model": group.model,
                            "budget": group.budget,
                            "training_set": group.training_set,
                            "against": name or results.baseline,
                            **row,
                        }
                    )
    return rows


def _compared(
    runs: PairedRuns, policies: Sequence[str], others: Sequence[str]
) -> dict[str, object] | None:
    logs = [
        np.array([mean_logs(runs.time[runs.policies.index(p)], shift=TIME_SHIFT) for p in side])
        for side in (policies, others)
    ]
    known = ~np.isnan(np.concatenate(logs)).any(axis=0)
    if not known.any():
        return None
    first, second = (side[:, known] for side in logs)
    value = float(ratio_of_means(first.mean(), second.mean(), TIME_SHIFT))
    low, high = percentile_interval(resampled_group_ratios(first, second, TIME_SHIFT))
    enough = known.sum() > 1
    return {
        "training_seeds": len(policies),
        "instances": int(known.sum()),
        "time_ratio": value,
        "time_ratio_low": low if enough else None,
        "time_ratio_high": high if enough else None,
    }


def resampled_group_ratios(
    one: Values, other: Values, shift: float, *, resamples: int = RESAMPLES, seed: int = 0
) -> Values:
    """Return ratios of the means of two groups, resampling instances and each group's policies.

    Parameters
    ----------
    one, other
        Mean logarithms, one row per policy and one column per instance. Shapes (k, n) and (m, n).
    shift
        Shift of the geometric means.
    resamples, seed
        Number of resamples, and their seed.

    Returns
    -------
    ndarray
        Ratio of each resample. Shape (resamples,).

    Examples
    --------
    >>> one, other = np.zeros((2, 3)), np.full((1, 3), np.log(2))
    >>> resampled_group_ratios(one, other, 0.0, resamples=2).round(9).tolist()
    [0.5, 0.5]
    """
    random = np.random.RandomState(np.random.MT19937(np.random.SeedSequence(seed)))
    instances = _shares(random, one.shape[1], resamples)
    first, second = (
        np.einsum("rk,kn,rn->r", _shares(random, len(logs), resamples), logs, instances)
        for logs in (one, other)
    )
    return ratio_of_means(first, second, shift)


def _shares(random: np.random.RandomState, count: int, resamples: int) -> Values:
    """Return the share of each element in each resample. Shape (resamples, count)."""
    drawn = random.randint(0, count, size=(resamples, count))
    places = drawn + count * np.arange(resamples)[:, None]
    counts = np.bincount(places.ravel(), minlength=resamples * count)
    return counts.reshape(resamples, count) / count
