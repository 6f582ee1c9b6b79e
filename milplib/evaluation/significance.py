"""Whether a difference between two policies could be chance: Wilcoxon's test, Holm's correction."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from milplib.evaluation.statistics import mean_logs, paired

__all__ = ["CLAIM_INSTANCES", "SignedRank", "corrected_tests", "holm", "signed_rank"]

CLAIM_INSTANCES = 6
"""Fewest instances of a claim: with 5 the smallest two-sided p-value of the test is 2/32."""

_DIGITS = 12
"""Log ratios that agree to so many digits are ties: they differ by rounding alone."""

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class SignedRank:
    """Wilcoxon's signed-rank test of a policy against another one, on one value an instance.

    Parameters
    ----------
    policy, other, distribution
        What is compared, and on which instances.
    statistic
        The smaller one of the sums of ranks of the positive and of the negative log ratios.
    p_value
        Two-sided; NaN if there is no instance.
    corrected
        The p-value by Holm's method, for all tests of the evaluation together; NaN before that
        (see `corrected_tests`).
    instances
        Instances on which both have a value.
    """

    policy: str
    other: str
    distribution: str
    statistic: float
    p_value: float
    corrected: float
    instances: int


def signed_rank(
    values: Values,
    others: Values,
    *,
    shift: float,
    policy: str = "",
    other: str = "",
    distribution: str = "",
) -> SignedRank:
    """Test whether the log ratios of two policies lie around 0.

    The value of an instance is the mean over its seeds of log((value + shift) / (other + shift)),
    over the seeds that both have a value for: seeds of one instance are no independent evidence.

    Parameters
    ----------
    values, others
        Of the policy and of what it is compared with: a row an instance, a column a seed, NaN
        where there is no value. Shape (n, seeds).
    shift
        Of the geometric means that are compared beside it.
    policy, other, distribution
        What stands in the result.

    Returns
    -------
    SignedRank
        With no correction yet. Instances with a log ratio of 0 have no rank, as Wilcoxon has it;
        where all have, the p-value is 1.

    References
    ----------
    Wilcoxon, "Individual comparisons by ranking methods", Biometrics Bulletin 1 (1945).

    Examples
    --------
    >>> fast, slow = np.arange(1.0, 7.0)[:, None], np.arange(3.0, 15.0, 2.0)[:, None]
    >>> signed_rank(fast, slow, shift=0.0).p_value
    0.03125
    """
    a, b = (mean_logs(part, shift=shift) for part in paired(values, others))
    logs = np.round(a - b, _DIGITS)
    statistic, p_value = _wilcoxon(logs)
    return SignedRank(
        policy=policy,
        other=other,
        distribution=distribution,
        statistic=statistic,
        p_value=p_value,
        corrected=math.nan,
        instances=len(logs),
    )


def _wilcoxon(logs: Values) -> tuple[float, float]:
    if not len(logs) or not np.isfinite(logs).all():
        return math.nan, math.nan
    if not logs.any():
        return 0.0, 1.0
    from scipy.stats import wilcoxon

    # Without the zeros, so that scipy can take the exact distribution where there are no ties.
    test = wilcoxon(logs[logs != 0])
    return float(test.statistic), float(test.pvalue)


def holm(p_values: npt.ArrayLike) -> Values:
    """Correct p-values for their number by Holm's method: they hold all at once then.

    Parameters
    ----------
    p_values
        The p-values; NaN where there was nothing to test, which does not count. Shape (n,).

    Returns
    -------
    ndarray
        In the order given, at most 1. Shape (n,).

    References
    ----------
    Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
    Statistics 6 (1979).

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    given = np.asarray(p_values, dtype=np.float64)
    corrected = np.full(given.shape, np.nan)
    (tested,) = np.nonzero(~np.isnan(given))
    order = tested[np.argsort(given[tested], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(given[order] * factors), 1.0)
    return corrected


def corrected_tests(tests: Iterable[SignedRank]) -> tuple[SignedRank, ...]:
    """Correct tests for their number by Holm's method.

    Examples
    --------
    >>> test = signed_rank(np.array([[1.0], [2.0]]), np.array([[3.0], [9.0]]), shift=0.0)
    >>> [found.corrected for found in corrected_tests([test, test])]
    [1.0, 1.0]
    """
    listed: Sequence[SignedRank] = tuple(tests)
    values = holm([test.p_value for test in listed]).tolist()
    return tuple(replace(test, corrected=value) for test, value in zip(listed, values, strict=True))
