"""Arithmetic of a comparison: shifted geometric means, their ratios and intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from milplib.arguments import checked
from milplib.evaluation.resampling import (
    NO_INTERVAL,
    IntervalMethod,
    confidence_interval,
    jackknife_variance,
    percentile_interval,
    ratio_of_means,
    resampled_ratios,
)

__all__ = [
    "NODE_SHIFT",
    "TIME_SHIFT",
    "RatioEstimate",
    "compare",
    "mean_log_ratio",
    "mean_logs",
    "paired",
    "shifted_geometric_mean",
]

TIME_SHIFT = 1.0
"""Shift of the geometric mean of times, in seconds."""
NODE_SHIFT = 10.0
"""Shift of the geometric mean of node counts."""

RESAMPLES = 10_000
"""Number of resamples of the instances."""

Values = npt.NDArray[np.float64]


def mean_logs(values: Values, *, shift: float) -> Values:
    """Average log(value + shift) over the seeds.

    Parameters
    ----------
    values
        Values by instance and seed, NaN where missing. Shape (n, seeds), float64.
    shift
        Constant added before the logarithm.

    Returns
    -------
    ndarray
        Mean of each instance, NaN without values. Shape (n,), float64.

    Examples
    --------
    >>> mean_logs(np.array([[0.0, 0.0], [np.nan, np.nan]]), shift=1.0).tolist()
    [0.0, nan]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(values + shift)
    known = ~np.isnan(logs)
    counts = np.where(known.any(axis=1), known.sum(axis=1), np.nan)
    return np.asarray(np.where(known, logs, 0.0).sum(axis=1) / counts)


@checked
def shifted_geometric_mean(values: Values, *, shift: float) -> float:
    """Compute the shifted geometric mean over instances, from the means over their seeds.

    ``exp(mean over instances of the mean over seeds of log(value + shift)) - shift``

    Parameters
    ----------
    values
        Values by instance and seed, NaN where missing. Shape (n, seeds), float64.
    shift
        Shift: `TIME_SHIFT` or `NODE_SHIFT`.

    Returns
    -------
    float
        Mean; NaN if there are no values.

    Examples
    --------
    >>> round(shifted_geometric_mean(np.array([[1.0, 1.0], [7.0, 7.0]]), shift=1.0), 9)
    3.0
    >>> shifted_geometric_mean(np.zeros((2, 1)), shift=10.0)
    0.0
    """
    # In units of the shift, the logarithm of 0 is exactly 0: exp(log(shift)) - shift is not.
    unit = shift or 1.0
    logs = mean_logs(values / unit, shift=shift / unit)
    logs = logs[~np.isnan(logs)]
    if not logs.size:
        return math.nan
    return float(unit * (np.expm1(logs.mean()) if shift else np.exp(logs.mean())))


@dataclass(frozen=True, kw_only=True)
class RatioEstimate:
    """Ratio of two policies' shifted geometric means, with its confidence interval.

    Parameters
    ----------
    value
        SGM(policy) / SGM(other); the policy is better below 1. NaN if undefined.
    low, high
        Ends of the 95 % interval: percentiles of resampled instances, or Student's t for
        log(value) with fewer than 30 instances. NaN with fewer than 2.
    method
        Method of the interval.
    percentile
        Percentile interval, whatever the method.
    geometric_mean
        Ratio without a shift: exp of the mean log ratio. NaN if a value is 0.
    instances, runs
        Number of instances, and of pairs of runs on them.
    """

    value: float
    low: float
    high: float
    method: IntervalMethod
    percentile: tuple[float, float]
    geometric_mean: float
    instances: int
    runs: int

    @property
    def has_interval(self) -> bool:
        """Whether the data determine an interval."""
        return self.method != IntervalMethod.NONE

    def inverse(self) -> RatioEstimate:
        """Return the ratio with both policies swapped."""
        return replace(
            self,
            value=_inverse(self.value),
            low=_inverse(self.high),
            high=_inverse(self.low),
            percentile=(_inverse(self.percentile[1]), _inverse(self.percentile[0])),
            geometric_mean=_inverse(self.geometric_mean),
        )


def _inverse(value: float) -> float:
    return 1 / value if value else math.nan


@checked
def compare(
    values: Values,
    others: Values,
    *,
    shift: float,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> RatioEstimate:
    """Compare two policies on the runs for which both have a value.

    Instances are resampled together with all their seeds, because the seeds of an instance say
    nothing about other instances.

    Parameters
    ----------
    values, others
        Values of the policy and of the other policy by instance and seed, NaN where missing.
        Shape (n, seeds), float64.
    shift
        Shift of the geometric means.
    resamples
        Number of resamples.
    seed
        Seed of the resampling.

    Returns
    -------
    RatioEstimate
        Ratio with its interval.

    Notes
    -----
    With few instances the percentile interval is too narrow, by about (n - 1)/n in the variance
    and by using normal instead of Student's quantiles (Hesterberg 2015). In that case the
    interval is ``log R ± t(n - 1) SE`` with the jackknife's standard error. For a shift of 0, it
    is the t-interval of the mean log ratio.

    References
    ----------
    Efron & Tibshirani, "An introduction to the bootstrap", 1993, chapters 11 and 13.

    Examples
    --------
    >>> fast, slow = np.array([[1.0], [2.0], [3.0]]), np.array([[2.0], [4.0], [6.0]])
    >>> estimate = compare(fast, slow, shift=0.0)
    >>> round(estimate.value, 9), estimate.method.value, round(estimate.high, 9)
    (0.5, 't', 0.5)
    """
    values, others = paired(values, others)
    a, b = mean_logs(values, shift=shift), mean_logs(others, shift=shift)
    n = len(a)
    value = float(ratio_of_means(a.mean(), b.mean(), shift)) if n else math.nan
    interval, percentile = NO_INTERVAL, (math.nan, math.nan)
    if n >= 2 and math.isfinite(value):
        ratios = resampled_ratios(a, b, shift, resamples=resamples, seed=seed)
        percentile = percentile_interval(ratios)
        variance = jackknife_variance(a, b, shift)
        interval = confidence_interval(
            value, percentile=percentile, variance=variance, freedom=n - 1, instances=n
        )
    return RatioEstimate(
        value=value,
        low=interval.low,
        high=interval.high,
        method=interval.method,
        percentile=percentile,
        geometric_mean=math.exp(mean_log_ratio(values, others)),
        instances=n,
        runs=int((~np.isnan(values)).sum()),
    )


def paired(values: Values, others: Values) -> tuple[Values, Values]:
    """Keep the runs for which both have a value, and the instances that have such runs.

    Parameters
    ----------
    values, others
        Values by instance and seed, NaN where missing. Shape (n, seeds), float64.

    Returns
    -------
    values, others : ndarray
        Paired values, NaN elsewhere. Shape (paired instances, seeds), float64.

    Examples
    --------
    >>> a, b = np.array([[1.0, 2.0], [np.nan, 5.0]]), np.array([[3.0, np.nan], [4.0, np.nan]])
    >>> [array.tolist() for array in paired(a, b)]
    [[[1.0, nan]], [[3.0, nan]]]
    """
    both = ~(np.isnan(values) | np.isnan(others))
    used = both.any(axis=1)
    return np.where(both, values, np.nan)[used], np.where(both, others, np.nan)[used]


def mean_log_ratio(values: Values, others: Values) -> float:
    """Average log(value / other) over seeds, then over instances; NaN if a value is 0.

    Parameters
    ----------
    values, others
        Paired values, as returned by `paired`. Shape (n, seeds), float64.

    Examples
    --------
    >>> mean_log_ratio(np.array([[2.0], [3.0]]), np.array([[2.0], [3.0]]))
    0.0
    """
    if not len(values) or (values == 0).any() or (others == 0).any():
        return math.nan
    return float(mean_logs(values / others, shift=0.0).mean())
