"""Ways of training compared: groups of policies that differ in their training seed alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from milplib.evaluation.paired import PairedRuns
from milplib.evaluation.resampling import percentile_interval, ratio_of_means
from milplib.evaluation.results import Evaluation
from milplib.evaluation.statistics import TIME_SHIFT, mean_logs

__all__ = ["PolicyGroup", "compare_groups", "resampled_group_ratios"]

RESAMPLES = 10_000
_SIDES = (("mixed", "homogeneous"), ("leave-one-out", "homogeneous"), ("mixed", "leave-one-out"))

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class PolicyGroup:
    """Policies that differ in their training seed alone.

    Parameters
    ----------
    model, budget, training_set
        What they share.
    policies
        Their names in the results.
    """

    model: str
    budget: str
    training_set: str
    policies: tuple[str, ...]


def compare_groups(results: Evaluation, groups: Sequence[PolicyGroup]) -> list[dict[str, Any]]:
    """Compare the times of groups with the baseline, and of training sets with each other.

    A row a distribution and comparison, with the ratio of shifted geometric means (1 s) over all
    training seeds, SCIP's seeds and instances, and a 95 % interval for which training seeds and
    instances are resampled, both. A failure counts as the limit.
    """
    runs = results.runs
    by_key = {(g.model, g.budget, g.training_set): g for g in groups}
    rows = []
    for distribution in dict.fromkeys(results.table.column("distribution").to_pylist()):
        found = runs.of_distribution(distribution)
        for group in groups:
            against: list[tuple[str, tuple[str, ...]]] = [("", (results.baseline,))]
            for one, other in _SIDES:
                key = (group.model, group.budget, other)
                if group.training_set == one and key in by_key:
                    against.append((other, by_key[key].policies))
            for name, others in against:
                row = _compared(found, group.policies, others)
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
) -> dict[str, Any] | None:
    logs = [
        np.array([mean_logs(runs.time[runs.policies.index(p)], shift=TIME_SHIFT) for p in side])
        for side in (policies, others)
    ]
    known = ~np.isnan(np.concatenate(logs)).any(axis=0)
    if not known.any():
        return None
    one, other = (side[:, known] for side in logs)
    value = float(ratio_of_means(one.mean(), other.mean(), TIME_SHIFT))
    low, high = percentile_interval(resampled_group_ratios(one, other, TIME_SHIFT))
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
    """Ratios of the means of two groups, with instances and each group's policies resampled.

    Parameters
    ----------
    one, other
        Mean logarithms, a row a policy and a column an instance. Shapes (k, n) and (m, n).
    shift
        Of the geometric means.
    resamples, seed
        How many, and of the resampling.

    Returns
    -------
    ndarray
        Shape (resamples,).

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
    """Share of each thing in each resample. Shape (resamples, count)."""
    drawn = random.randint(0, count, size=(resamples, count))
    places = drawn + count * np.arange(resamples)[:, None]
    counts = np.bincount(places.ravel(), minlength=resamples * count)
    return counts.reshape(resamples, count) / count
