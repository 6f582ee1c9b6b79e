"""Matrix of ratios, policies by test distributions, with means that weigh domains equally."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from milplib.arguments import checked
from milplib.display import Shown
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


@dataclass(frozen=True, kw_only=True, repr=False)
class Matrix(Shown):
    """Ratio of every policy to the baseline on every distribution.

    A cell is empty (NaN) where the policy or the baseline has no run on the distribution. The
    means over that cell are NaN too: a mean over the remaining distributions would be a
    different one, and a better one if the missing distribution is the hard one.

    Parameters
    ----------
    policies, baseline
        Names of the policies without the baseline, and of the baseline.
    distributions
        Test distributions that have runs.
    domains
        Problem domain of each distribution: the catalogue's, or the distribution itself.
    what
        ``"time"``, ``"nodes"`` or ``"fair_nodes"``.
    cells
        Ratio by policy and distribution.
    by_domain
        Ratio by policy and domain. The distributions of a domain weigh the same.
    balanced
        Ratio by policy. Domains weigh the same, and so do the distributions in each.
    pooled
        Ratio by policy over all instances. Larger distributions weigh more.
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
        """Policy and distribution of each cell without a pair of runs."""
        return tuple(place for place, cell in self.cells.items() if not cell.instances)


@checked
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
        Runs of the policies.
    baseline
        Name of the policy to compare with.
    what
        ``"time"`` over all pairs, where a failure counts as its limit; ``"nodes"`` or
        ``"fair_nodes"`` over the pairs that both policies solved.
    domains
        Domain by distribution; None for the catalogue's. Other distributions are their own
        domains.

    Returns
    -------
    Matrix
        Ratios with their confidence intervals.

    Examples
    --------
    >>> from milplib.evaluation.table import run_table
    >>> table = run_table([
    ...     {"policy": policy, "instance": f"{family}{n}", "distribution": family, "seed": 0,
    ...      "failure": "", "time": time, "time_limit": 60.0}
    ...     for family, policy, time in [("CA", "mine", 3.0), ("CA", "base", 1.0),
    ...                                  ("SC", "mine", 3.0), ("SC", "base", 9.0)]
    ...     for n in range(3)])
    >>> ratios = matrix(PairedRuns.of(table), baseline="base")
    >>> {place: round(cell.value, 3) for place, cell in ratios.cells.items()}
    {('mine', 'CA'): 3.0, ('mine', 'SC'): 0.333}
    >>> round(ratios.balanced["mine"].value, 9)
    1.0
    """
    # A distribution without any possible run does not make a mean incomplete.
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
    """Compute the weighted geometric mean of the ratios of several groups of instances.

    Parameters
    ----------
    groups
        Values of the policy and of the other policy for each group, as for `compare`.
    weights
        Weights of the groups; they sum to 1.
    shift
        Shift of the geometric means.

    Returns
    -------
    RatioEstimate
        Weighted ratio; NaN if a group has no pair. The interval comes from resampling the
        instances inside each group. If a group has fewer than 30 instances, it is Student's
        instead, with jackknife variances and Welch-Satterthwaite degrees of freedom. If a group
        has a single instance, its variance is unknown and there is no interval.

    References
    ----------
    Satterthwaite, "An approximate distribution of estimates of variance components", Biometrics
    Bulletin 2 (1946).

    Examples
    --------
    >>> fast = np.ones((3, 1)), np.full((3, 1), 4.0)
    >>> equal = np.ones((5, 1)), np.ones((5, 1))
    >>> round(combined_ratio([fast, equal], weights=[0.5, 0.5], shift=0.0).value, 9)
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
    # A single ratio of 0 would make every mean 0.
    stacked = np.where(stacked > 0, stacked, np.nan)
    return np.asarray(np.exp(weights @ np.log(stacked)))


def catalogue_domains(names: Iterable[str]) -> dict[str, str]:
    """Return the problem domains of the names that are distributions of the catalogue.

    Examples
    --------
    >>> catalogue_domains(["CA-easy", "CA-medium", "my folder"])
    {'CA-easy': 'CA', 'CA-medium': 'CA'}
    """
    from milplib.library.catalogue import distributions

    try:
        known = {entry.name: entry.domain for entry in distributions()}
    except MilplibError:
        return {}  # a broken third-party family must not prevent the results
    return {name: known[name] for name in names if name in known}
