"""Intervals for a ratio of shifted geometric means: by resampling, and by Student's t."""

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
"""Fewest instances for an interval by percentiles."""

_CHUNK = 2_000_000
_KEPT = 1_000_000

Values = npt.NDArray[np.float64]


class IntervalMethod(StrEnum):
    """How an interval was computed."""

    PERCENTILE = "percentile"
    STUDENT_T = "t"
    NONE = "none"


class Interval(NamedTuple):
    """A confidence interval; its ends are NaN if there is none."""

    low: float
    high: float
    method: IntervalMethod


NO_INTERVAL = Interval(math.nan, math.nan, IntervalMethod.NONE)


def ratio_of_means(a: npt.ArrayLike, b: npt.ArrayLike, shift: float) -> Values:
    """Ratio of shifted geometric means whose mean logarithms are given; NaN where `b`'s is 0.

    Examples
    --------
    >>> round(float(ratio_of_means(np.log(3.0), np.log(5.0), 1.0)), 9)
    0.5
    """
    above, below = np.exp(a) - shift, np.exp(b) - shift
    tiny = 1e-12 * max(1.0, shift)  # what rounding leaves of 0
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(below > tiny, np.maximum(above, 0.0) / below, np.nan)


def resampled_ratios(
    a: Values, b: Values, shift: float, *, resamples: int, seed: int = 0
) -> Values:
    """Ratios of the means of resampled instances.

    Parameters
    ----------
    a, b
        Mean logarithms of the two policies, one an instance (`mean_logs`). Shape (n,).
    shift
        Shift of the geometric means.
    resamples, seed
        How many, and of the resampling.

    Returns
    -------
    ndarray
        Shape (resamples,).

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
    """Share of each instance in each resample, in parts of shape (some resamples, n)."""
    # A stream that numpy has frozen: equal tables give equal intervals for ever.
    random = np.random.RandomState(np.random.MT19937(np.random.SeedSequence(seed)))
    step = max(1, _CHUNK // n)
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        drawn = random.randint(0, n, size=(size, n)) + n * np.arange(size)[:, None]
        yield np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n) / n


@lru_cache(maxsize=8)
def _kept_shares(n: int, resamples: int, seed: int) -> tuple[Values, ...]:
    """The same, kept: the many comparisons of an evaluation are about equally many instances."""
    return tuple(_drawn_shares(n, resamples, seed))


def percentile_interval(ratios: Values) -> tuple[float, float]:
    """The interval that holds the middle of resampled ratios; NaN where one is not defined.

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
    """Variance of the logarithm of the ratio of means, by leaving out an instance at a time.

    Parameters
    ----------
    a, b
        Mean logarithms of the two policies, one an instance. Shape (n,).
    shift
        Shift of the geometric means.

    Returns
    -------
    float
        NaN with fewer than 2 instances, or where a ratio without one of them has no logarithm.

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
    """Student's interval for a positive ratio whose logarithm has a variance.

    Parameters
    ----------
    value
        The ratio.
    variance
        Of its logarithm.
    freedom
        Degrees of freedom of the variance.

    Examples
    --------
    >>> t_interval(0.5, variance=0.0, freedom=3.0)
    (0.5, 0.5)
    """
    from scipy.special import stdtrit

    reach = float(stdtrit(freedom, (1 + LEVEL) / 2)) * math.sqrt(variance)
    # In one exponential: a huge reach ends at 0 and infinity, not in an overflow.
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
    """Choose the interval of a ratio: Student's if there are few instances, else `percentile`.

    Parameters
    ----------
    value
        The ratio.
    percentile
        Its percentile interval.
    variance, freedom
        Variance of its logarithm, NaN if unknown, and the degrees of freedom of that variance.
    instances
        Number of instances in the smallest group.

    Examples
    --------
    >>> interval = confidence_interval(
    ...     0.5, percentile=(0.4, 0.6), variance=0.01, freedom=29.0, instances=30)
    >>> interval.low, interval.method.value
    (0.4, 'percentile')
    """
    # A ratio of 0, of policies that need no time or nodes, has no logarithm.
    if instances < ENOUGH_INSTANCES and value > 0 and not math.isnan(variance):
        ends = t_interval(value, variance=variance, freedom=freedom)
        return Interval(*ends, IntervalMethod.STUDENT_T)
    if math.isnan(percentile[0]):
        return NO_INTERVAL
    return Interval(*percentile, IntervalMethod.PERCENTILE)
