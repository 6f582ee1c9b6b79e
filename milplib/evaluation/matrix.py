"""Policies by test distributions: a ratio in every cell, and means in which domains weigh alike."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from milplib.errors import MilplibError
from milplib.evaluation.paired import PairedRuns
from milplib.evaluation.resampling import (
    NO_INTERVAL,
    confidence_interval,
    jackknife_variance,
    percentile_interval,
    ratio_of_means,
    resampled_ratios,
)
from milplib.evaluation.statistics import (
    NODE_SHIFT,
    RESAMPLES,
    TIME_SHIFT,
    RatioEstimate,
    compare,
    mean_log_ratio,
    mean_logs,
    paired,
)

__all__ = ["Matrix", "catalogue_domains", "combined_ratio", "matrix"]

Values = npt.NDArray[np.float64]
Measure = Literal["time", "nodes", "fair_nodes"]


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """Every policy against the baseline on every distribution.

    Where a policy or the baseline has no run on a distribution the cell is empty: its value is
    NaN, and so are the means that it belongs to. A mean over the other distributions would be
    another mean, and a better one if the missing distribution is the hard one.

    Parameters
    ----------
    policies, baseline
        The policies, without the baseline, and the baseline.
    distributions
        The test distributions on which there are runs.
    domains
        The problem domain of each: the catalogue's, or the distribution itself.
    what
        ``"time"``, ``"nodes"`` or ``"fair_nodes"``.
    cells
        The ratio by policy and distribution.
    by_domain
        The ratio by policy and domain: its distributions weigh the same.
    balanced
        The ratio by policy: every domain weighs the same, and in it every distribution.
    pooled
        The ratio by policy over all instances: larger distributions weigh more.
    """

    policies: tuple[str, ...]
    baseline: str
    distributions: tuple[str, ...]
    domains: dict[str, str]
    what: Measure
    cells: dict[tuple[str, str], RatioEstimate]
    by_domain: dict[tuple[str, str], RatioEstimate]
    balanced: dict[str, RatioEstimate]
    pooled: dict[str, RatioEstimate]

    @property
    def empty(self) -> tuple[tuple[str, str], ...]:
        """Policies and distributions of the cells that are about no pair of runs."""
        return tuple(place for place, cell in self.cells.items() if not cell.instances)


def matrix(
    runs: PairedRuns,
    *,
    baseline: str,
    what: Measure = "time",
    domains: Mapping[str, str] | None = None,
) -> Matrix:
    """Compare every policy with the baseline on every distribution.

    Parameters
    ----------
    runs
        The runs.
    baseline
        One of their policies.
    what
        ``"time"`` of all pairs, a failure counting as its limit; ``"nodes"`` or ``"fair_nodes"``
        of the pairs that both solved.
    domains
        The domain of a distribution; the catalogue's if None. Others are domains of their own.

    Returns
    -------
    Matrix
        The ratios with their intervals.

    Examples
    --------
    >>> from milplib.evaluation.table import run_table
    >>> table = run_table([
    ...     {"policy": policy, "instance": f"{family}{n}", "distribution": family, "seed": 0,
    ...      "failure": "", "time": time, "time_limit": 60.0}
    ...     for family, policy, time in [("CA", "mine", 3.0), ("CA", "base", 1.0),
    ...                                  ("SC", "mine", 3.0), ("SC", "base", 9.0)]
    ...     for n in range(3)])
    >>> found = matrix(PairedRuns.of(table), baseline="base")
    >>> {place: round(cell.value, 3) for place, cell in found.cells.items()}
    {('mine', 'CA'): 3.0, ('mine', 'SC'): 0.333}
    >>> round(found.balanced["mine"].value, 9)
    1.0
    """
    # Where no run could be made nothing is missing.
    distributions = tuple(dict.fromkeys(runs.distributions[runs.tried].tolist()))
    if domains is None:
        domains = catalogue_domains(distributions)
    domain_of = {name: domains.get(name, name) for name in distributions}
    sizes = Counter(domain_of.values())
    shift = TIME_SHIFT if what == "time" else NODE_SHIFT
    values = runs.time if what == "time" else runs.when_solved(getattr(runs, what))
    reference = values[runs.policies.index(baseline)]
    policies = tuple(policy for policy in runs.policies if policy != baseline)
    cells, by_domain, balanced, pooled = {}, {}, {}, {}
    for policy in policies:
        own = values[runs.policies.index(policy)]
        pairs = {}
        for name in distributions:
            chosen = runs.distributions == name
            pairs[name] = own[chosen], reference[chosen]
            cells[policy, name] = compare(*pairs[name], shift=shift)
        for domain in sizes:
            inside = [pairs[name] for name in distributions if domain_of[name] == domain]
            equal = [1 / len(inside)] * len(inside)
            by_domain[policy, domain] = combined_ratio(inside, weights=equal, shift=shift)
        weights = [1 / (len(sizes) * sizes[domain_of[name]]) for name in distributions]
        balanced[policy] = combined_ratio(list(pairs.values()), weights=weights, shift=shift)
        is_whole = all(cells[policy, name].instances for name in distributions)
        pooled[policy] = compare(own, reference, shift=shift) if is_whole else _UNKNOWN
    return Matrix(
        policies=policies,
        baseline=baseline,
        distributions=distributions,
        domains=domain_of,
        what=what,
        cells=cells,
        by_domain=by_domain,
        balanced=balanced,
        pooled=pooled,
    )


_UNKNOWN = RatioEstimate(
    value=math.nan,
    low=math.nan,
    high=math.nan,
    method=NO_INTERVAL.method,
    percentile=(math.nan, math.nan),
    geometric_mean=math.nan,
    instances=0,
    runs=0,
)


def combined_ratio(
    groups: Sequence[tuple[Values, Values]], *, weights: Sequence[float], shift: float
) -> RatioEstimate:
    """Weighted geometric mean of the ratios of several groups of instances.

    Parameters
    ----------
    groups
        Values of the policy and of the other one, as for `compare`, for each group.
    weights
        Of the groups; they sum to 1.
    shift
        Shift of the geometric means.

    Returns
    -------
    RatioEstimate
        NaN if a group has no pair. The interval comes from resampling the instances inside each
        group; with fewer than 30 in one it is Student's, the variances of the groups by the
        jackknife and the degrees of freedom by Welch and Satterthwaite. Of a group of one
        instance nobody knows the variance: there is none then.

    References
    ----------
    Satterthwaite, "An approximate distribution of estimates of variance components", Biometrics
    Bulletin 2 (1946).

    Examples
    --------
    >>> one = np.ones((3, 1)), np.full((3, 1), 4.0)
    >>> two = np.ones((5, 1)), np.ones((5, 1))
    >>> round(combined_ratio([one, two], weights=[0.5, 0.5], shift=0.0).value, 9)
    0.5
    """
    kept = [paired(*group) for group in groups]
    if not kept or not all(len(values) for values, _ in kept):
        return _UNKNOWN
    logs = [tuple(mean_logs(part, shift=shift) for part in pair) for pair in kept]
    w = np.asarray(weights, dtype=np.float64)
    sizes = np.array([len(values) for values, _ in kept])
    value = _weighted(w, [ratio_of_means(a.mean(), b.mean(), shift) for a, b in logs])
    if not math.isfinite(value) or sizes.min() < 2:
        interval, percentile = NO_INTERVAL, _UNKNOWN.percentile
    else:
        drawn = [
            resampled_ratios(a, b, shift, resamples=RESAMPLES, seed=number)
            for number, (a, b) in enumerate(logs)
        ]
        percentile = percentile_interval(_weighted_rows(w, drawn))
        parts = w**2 * np.array([jackknife_variance(a, b, shift) for a, b in logs])
        variance = float(parts.sum())
        below = float((parts**2 / (sizes - 1)).sum())
        interval = confidence_interval(
            value,
            percentile=percentile,
            variance=variance,
            freedom=variance**2 / below if below else float(sizes.sum() - len(sizes)),
            instances=int(sizes.min()),
        )
    return RatioEstimate(
        value=value,
        low=interval.low,
        high=interval.high,
        method=interval.method,
        percentile=percentile,
        geometric_mean=math.exp(float(w @ [mean_log_ratio(*pair) for pair in kept])),
        instances=int(sizes.sum()),
        runs=sum(int((~np.isnan(values)).sum()) for values, _ in kept),
    )


def _weighted(weights: Values, ratios: Sequence[npt.ArrayLike]) -> float:
    return float(_weighted_rows(weights, [np.atleast_1d(ratio) for ratio in ratios])[0])


def _weighted_rows(weights: Values, ratios: Sequence[npt.ArrayLike]) -> Values:
    stacked = np.asarray(ratios, dtype=np.float64)
    # A ratio of 0 would make any mean 0.
    stacked = np.where(stacked > 0, stacked, np.nan)
    return np.asarray(np.exp(weights @ np.log(stacked)))


def catalogue_domains(names: Iterable[str]) -> dict[str, str]:
    """Look up the problem domains of those names that are distributions of the catalogue.

    Examples
    --------
    >>> catalogue_domains(["CA-easy", "CA-medium", "my folder"])
    {'CA-easy': 'CA', 'CA-medium': 'CA'}
    """
    from milplib.library.catalogue import distributions

    try:
        known = {entry.name: entry.domain for entry in distributions()}
    except MilplibError:
        return {}  # a third party's family that does not load must not cost the results
    return {name: known[name] for name in names if name in known}
