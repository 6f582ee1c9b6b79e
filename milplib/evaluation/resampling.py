"""Confidence intervals of ratios of shifted geometric means: resampled, or Student's t."""

from __future__ import annotations

import math
from collections.abc import Iterator
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = [
    "ENOUGH_INSTANCES",
    "LEVEL",
    "NO_INTERVAL",
    "Interval",
    "IntervalMethod",
    "confidence_interval",
    "jackknife_variance",
    "percentile_interval",
    "ratio_of_means",
    "resampled_ratios",
    "t_interval",
]

LEVEL = 0.95
"""Confidence level of the intervals."""
ENOUGH_INSTANCES = 30
"""Minimum number of instances for a percentile interval."""

_CHUNK = 2_000_000
_KEPT = 1_000_000

Values = npt.NDArray[np.float64]


class IntervalMethod(StrEnum):
    """Method of a confidence interval."""

    PERCENTILE = "percentile"
    STUDENT_T = "t"
    NONE = "none"


class Interval(NamedTuple):
    """Confidence interval; both ends are NaN if it does not exist."""

    low: float
    high: float
    method: IntervalMethod


NO_INTERVAL = Interval(math.nan, math.nan, IntervalMethod.NONE)


def ratio_of_means(a: npt.ArrayLike, b: npt.ArrayLike, shift: float) -> Values:
    """Return the ratio of shifted geometric means from mean logarithms; NaN where `b`'s mean is 0.

    Examples
    --------
    >>> round(float(ratio_of_means(np.log(3.0), np.log(5.0), 1.0)), 9)
    0.5
    """
    above, below = np.exp(a) - shift, np.exp(b) - shift
    tiny = 1e-12 * max(1.0, shift)  # rounding turns an exact 0 into a value below this
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(below > tiny, np.maximum(above, 0.0) / below, np.nan)


def resampled_ratios(
    a: Values, b: Values, shift: float, *, resamples: int, seed: int = 0
) -> Values:
    """Resample the instances, and return the ratio of means of each resample.

    Parameters
    ----------
    a, b
        Mean logarithms of each policy per instance (`mean_logs`). Shape (n,), float64.
    shift
        Shift of the geometric means.
    resamples
        Number of resamples.
    seed
        Seed of the resampling.

    Returns
    -------
    ndarray
        Ratios of shape (resamples,), float64.

    Examples
    --------
    >>> resampled_ratios(np.zeros(3), np.log(2) * np.ones(3), 0.0, resamples=2).round(9).tolist()
    [0.5, 0.5]
    """
    draw = _kept_shares if len(a) * resamples <= _KEPT else _drawn_shares
    return np.concatenate(
        [ratio_of_means(shares @ a, shares @ b, shift) for shares in draw(len(a), resamples, seed)]
    )


def _drawn_shares(n: int, resamples: int, seed: int) -> Iterator[Values]:
    """Yield each instance's share of each resample, in chunks of shape (chunk, n)."""
    # numpy guarantees this stream for good, so equal tables always give equal intervals.
    random = np.random.RandomState(np.random.MT19937(np.random.SeedSequence(seed)))
    step = max(1, _CHUNK // n)
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        drawn = random.randint(0, n, size=(size, n)) + n * np.arange(size)[:, None]
        yield np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n) / n


@lru_cache(maxsize=8)
def _kept_shares(n: int, resamples: int, seed: int) -> tuple[Values, ...]:
    """Cache the shares: most comparisons of an evaluation have the same number of instances."""
    return tuple(_drawn_shares(n, resamples, seed))


def percentile_interval(ratios: Values) -> tuple[float, float]:
    """Return the central interval of resampled ratios; NaN if any ratio is NaN.

    Examples
    --------
    >>> low, high = percentile_interval(np.arange(1001.0))
    >>> round(low, 9), round(high, 9)
    (25.0, 975.0)
    """
    if np.isnan(ratios).any():
        return math.nan, math.nan
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(ratios, [tail, 1 - tail])
    return float(low), float(high)


def jackknife_variance(a: Values, b: Values, shift: float) -> float:
    """Estimate the variance of the log ratio of means, leaving out one instance at a time.

    Parameters
    ----------
    a, b
        Mean logarithms of each policy per instance. Shape (n,), float64.
    shift
        Shift of the geometric means.

    Returns
    -------
    float
        Variance; NaN with fewer than 2 instances, or if a leave-one-out ratio has no logarithm.

    Examples
    --------
    >>> round(jackknife_variance(np.log([1.0, 4.0]), np.zeros(2), 0.0), 9)  # (log 2)²
    0.480453014
    """
    n = len(a)
    if n < 2:
        return math.nan
    without = ratio_of_means((a.sum() - a) / (n - 1), (b.sum() - b) / (n - 1), shift)
    if not (without > 0).all():
        return math.nan
    logs = np.log(without)
    return (n - 1) / n * float(((logs - logs.mean()) ** 2).sum())


def t_interval(value: float, *, variance: float, freedom: float) -> tuple[float, float]:
    """Compute Student's t interval of a positive ratio from the variance of its logarithm.

    Parameters
    ----------
    value
        Ratio.
    variance
        Variance of the ratio's logarithm.
    freedom
        Degrees of freedom of the variance.

    Examples
    --------
    >>> t_interval(0.5, variance=0.0, freedom=3.0)
    (0.5, 0.5)
    """
    from scipy.special import stdtrit

    reach = float(stdtrit(freedom, (1 + LEVEL) / 2)) * math.sqrt(variance)
    # As one exponential, a huge reach yields 0 and infinity rather than an overflow.
    with np.errstate(over="ignore"):
        low, high = np.exp(math.log(value) + np.array([-reach, reach]))
    return float(low), float(high)


def confidence_interval(
    value: float,
    *,
    percentile: tuple[float, float],
    variance: float,
    freedom: float,
    instances: int,
) -> Interval:
    """Choose the interval of a ratio: Student's t for few instances, else `percentile`.

    Parameters
    ----------
    value
        Ratio.
    percentile
        Percentile interval of the ratio.
    variance, freedom
        Variance of the ratio's logarithm, NaN if unknown, and its degrees of freedom.
    instances
        Number of instances in the smallest group.

    Examples
    --------
    >>> interval = confidence_interval(
    ...     0.5, percentile=(0.4, 0.6), variance=0.01, freedom=29.0, instances=30)
    >>> interval.low, interval.method.value
    (0.4, 'percentile')
    """
    # A ratio of 0 (a policy that needs no time or nodes) has no logarithm.
    if instances < ENOUGH_INSTANCES and value > 0 and not math.isnan(variance):
        ends = t_interval(value, variance=variance, freedom=freedom)
        return Interval(*ends, IntervalMethod.STUDENT_T)
    if math.isnan(percentile[0]):
        return NO_INTERVAL
    return Interval(*percentile, IntervalMethod.PERCENTILE)
