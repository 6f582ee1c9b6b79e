"""The arithmetic of a comparison: shifted geometric means, their ratios, intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

__all__ = [
    "NODE_SHIFT",
    "TIME_SHIFT",
    "RatioEstimate",
    "compare",
    "mean_logs",
    "shifted_geometric_mean",
]

TIME_SHIFT = 1.0
"""Shift of the geometric mean of times, in seconds."""
NODE_SHIFT = 10.0
"""Shift of the geometric mean of node counts."""

LEVEL = 0.95
"""Confidence level of the intervals."""
RESAMPLES = 10_000
"""Resamples of the instances."""
ENOUGH_INSTANCES = 30
"""From so many instances on the percentile interval is the interval."""

_CHUNK = 2_000_000

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
        ``"percentile"``, ``"t"``, or ``"none"``.
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
    method: str
    percentile: tuple[float, float]
    geometric_mean: float
    instances: int
    runs: int

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
    >>> round(estimate.value, 9), estimate.method, round(estimate.high, 9)
    (0.5, 't', 0.5)
    """
    both = ~(np.isnan(values) | np.isnan(others))
    values, others = np.where(both, values, np.nan), np.where(both, others, np.nan)
    a, b = mean_logs(values, shift=shift), mean_logs(others, shift=shift)
    used = both.any(axis=1)
    a, b = a[used], b[used]
    n = len(a)
    value = float(_ratio(a.mean(), b.mean(), shift)) if n else math.nan
    percentile = (math.nan, math.nan)
    interval, method = percentile, "none"
    if n >= 2 and math.isfinite(value):
        percentile = _percentile_interval(a, b, shift, resamples, seed)
        interval, method = percentile, "percentile"
        if n < ENOUGH_INSTANCES:
            jackknife = _jackknife_interval(a, b, shift, value)
            # It has no logarithm where the mean of some instances is 0.
            if jackknife is not None:
                interval, method = jackknife, "t"
        if math.isnan(interval[0]):
            method = "none"
    logs = mean_logs(values / others, shift=0.0)[used] if not _has_zero(values, others) else a[:0]
    return RatioEstimate(
        value=value,
        low=interval[0],
        high=interval[1],
        method=method,
        percentile=percentile,
        geometric_mean=float(np.exp(logs.mean())) if logs.size else math.nan,
        instances=n,
        runs=int(both.sum()),
    )


def _has_zero(*arrays: Values) -> bool:
    return any(bool((array == 0).any()) for array in arrays)


def _ratio(a: npt.ArrayLike, b: npt.ArrayLike, shift: float) -> Values:
    """Ratio of the means whose logarithms are given; NaN where the lower one is 0."""
    above, below = np.exp(a) - shift, np.exp(b) - shift
    tiny = 1e-12 * max(1.0, shift)  # what rounding leaves of 0
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(below > tiny, np.maximum(above, 0.0) / below, np.nan)


def _percentile_interval(
    a: Values, b: Values, shift: float, resamples: int, seed: int
) -> tuple[float, float]:
    # A stream that numpy has frozen: equal tables give equal intervals for ever.
    random = np.random.RandomState(np.random.MT19937(np.random.SeedSequence(seed)))
    step = max(1, _CHUNK // len(a))
    parts = []
    for start in range(0, resamples, step):
        drawn = random.randint(0, len(a), size=(min(step, resamples - start), len(a)))
        parts.append(_ratio(a[drawn].mean(axis=1), b[drawn].mean(axis=1), shift))
    ratios = np.concatenate(parts)
    if np.isnan(ratios).any():
        return math.nan, math.nan
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(ratios, [tail, 1 - tail])
    return float(low), float(high)


def _jackknife_interval(
    a: Values, b: Values, shift: float, value: float
) -> tuple[float, float] | None:
    from scipy.special import stdtrit

    n = len(a)
    without = _ratio((a.sum() - a) / (n - 1), (b.sum() - b) / (n - 1), shift)
    if value <= 0 or not (without > 0).all():
        return None
    logs = np.log(without)
    error = math.sqrt((n - 1) / n * float(((logs - logs.mean()) ** 2).sum()))
    reach = float(stdtrit(n - 1, (1 + LEVEL) / 2)) * error
    # In one exponential: a huge reach ends at 0 and infinity, not in an overflow.
    with np.errstate(over="ignore"):
        low, high = np.exp(math.log(value) + np.array([-reach, reach]))
    return float(low), float(high)
