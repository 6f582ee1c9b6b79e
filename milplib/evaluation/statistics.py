"""The arithmetic of a comparison: shifted geometric means, their ratios, intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

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
"""Resamples of the instances."""

Values = npt.NDArray[np.float64]


def mean_logs(values: Values, *, shift: float) -> Values:
    """Mean over the seeds of log(value + shift).

    Parameters
    ----------
    values
        A row an instance, a column a seed; NaN where there is no value. Shape (n, seeds).
    shift
        What is added before the logarithm.

    Returns
    -------
    ndarray
        One value an instance, NaN where it has none. Shape (n,).

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


def shifted_geometric_mean(values: Values, *, shift: float) -> float:
    """Shifted geometric mean over instances, each with the mean over its seeds.

    ``exp(mean over instances of the mean over seeds of log(value + shift)) - shift``

    Parameters
    ----------
    values
        A row an instance, a column a seed; NaN where there is no value. Shape (n, seeds).
    shift
        The shift, named beside the result: `TIME_SHIFT` or `NODE_SHIFT`.

    Returns
    -------
    float
        The mean; NaN if there are no values.

    Examples
    --------
    >>> round(shifted_geometric_mean(np.array([[1.0, 1.0], [7.0, 7.0]]), shift=1.0), 9)
    3.0
    """
    logs = mean_logs(values, shift=shift)
    logs = logs[~np.isnan(logs)]
    return float(np.exp(logs.mean()) - shift) if logs.size else math.nan


@dataclass(frozen=True, kw_only=True)
class RatioEstimate:
    """The ratio of two policies' shifted geometric means, and how sure it is.

    Parameters
    ----------
    value
        SGM(policy) / SGM(other); below 1 the policy is better. NaN if it is not defined.
    low, high
        The 95 % interval: by the percentiles of resampled instances, or Student's t for
        log(value) where there are fewer than 30 instances. NaN with fewer than 2.
    method
        How the interval was computed.
    percentile
        The interval by percentiles, beside it.
    geometric_mean
        The ratio without a shift: exp of the mean log ratio. NaN where a value is 0.
    instances, runs
        Instances that it is about, and pairs of runs on them.
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
        """The ratio the other way round."""
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


def compare(
    values: Values,
    others: Values,
    *,
    shift: float,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> RatioEstimate:
    """Compare two policies on the runs that both have a value for.

    Instances are resampled, with all of their seeds together; the seeds of an instance say
    nothing about other instances.

    Parameters
    ----------
    values, others
        Of the policy and of what it is compared with: a row an instance, a column a seed, NaN
        where there is no value. Shape (n, seeds).
    shift
        Shift of the geometric means.
    resamples
        Number of resamples.
    seed
        Of the resampling.

    Returns
    -------
    RatioEstimate
        The ratio with its interval.

    Notes
    -----
    With few instances the percentile interval is too narrow, by about (n - 1)/n in the variance
    and by using normal instead of Student's quantiles (Hesterberg 2015). There the interval is
    ``log R ± t(n - 1) SE`` with the jackknife's standard error, which for a shift of 0 is the
    t-interval of the mean log ratio.

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
    """Keep the runs that both have a value for, and the instances that have such runs.

    Parameters
    ----------
    values, others
        A row an instance, a column a seed, NaN where there is no value. Shape (n, seeds).

    Returns
    -------
    values, others : ndarray
        The same without what is not paired. Shape (paired instances, seeds).

    Examples
    --------
    >>> one, two = np.array([[1.0, 2.0], [np.nan, 5.0]]), np.array([[3.0, np.nan], [4.0, np.nan]])
    >>> [array.tolist() for array in paired(one, two)]
    [[[1.0, nan]], [[3.0, nan]]]
    """
    both = ~(np.isnan(values) | np.isnan(others))
    used = both.any(axis=1)
    return np.where(both, values, np.nan)[used], np.where(both, others, np.nan)[used]


def mean_log_ratio(values: Values, others: Values) -> float:
    """Mean over instances of the mean over seeds of log(value / other); NaN where one is 0.

    Parameters
    ----------
    values, others
        Paired, as `paired` gives them. Shape (n, seeds).

    Examples
    --------
    >>> mean_log_ratio(np.array([[2.0], [3.0]]), np.array([[2.0], [3.0]]))
    0.0
    """
    if not len(values) or (values == 0).any() or (others == 0).any():
        return math.nan
    return float(mean_logs(values / others, shift=0.0).mean())
