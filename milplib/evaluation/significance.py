"""Significance of differences between policies: Wilcoxon's test and Holm's correction."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from milplib.arguments import checked
from milplib.evaluation.statistics import mean_logs, paired

__all__ = ["CLAIM_INSTANCES", "SignedRank", "corrected_tests", "holm", "signed_rank"]

CLAIM_INSTANCES = 6
"""Minimum number of instances for a claim. With 5, the smallest two-sided p-value is 2/32."""

_DIGITS = 12
"""Number of digits to which log ratios count as ties; beyond it they differ by rounding."""

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class SignedRank:
    """Wilcoxon's signed-rank test between two policies, with one value per instance.

    Parameters
    ----------
    policy, other, distribution
        Names of the policies, and of the distribution of the instances.
    statistic
        Smaller one of the rank sums of the positive and the negative log ratios.
    p_value
        Two-sided p-value; NaN without instances.
    corrected
        Holm's p-value over all tests of the evaluation; NaN before the correction (see
        `corrected_tests`).
    instances
        Number of instances for which both policies have a value.
    """

    policy: str
    other: str
    distribution: str
    statistic: float
    p_value: float
    corrected: float
    instances: int


@checked
def signed_rank(
    values: Values,
    others: Values,
    *,
    shift: float,
    policy: str = "",
    other: str = "",
    distribution: str = "",
) -> SignedRank:
    """Test whether the log ratios of two policies are centred at 0.

    The value of an instance is the mean of log((value + shift) / (other + shift)) over the seeds
    for which both have a value, because seeds of one instance are not independent evidence.

    Parameters
    ----------
    values, others
        Values of the policy and of the other policy, NaN where missing. Shape (n, seeds),
        float64.
    shift
        Shift of the geometric means reported with the test.
    policy, other, distribution
        Names for the result.

    Returns
    -------
    SignedRank
        Test without correction. Instances with a log ratio of 0 have no rank, as in Wilcoxon's
        paper. If all log ratios are 0, the p-value is 1.

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

    # Dropping zeros lets scipy use the exact distribution if there are no ties.
    test = wilcoxon(logs[logs != 0])
    return float(test.statistic), float(test.pvalue)


def holm(p_values: npt.ArrayLike) -> Values:
    """Correct p-values for multiple tests by Holm's method.

    Parameters
    ----------
    p_values
        P-values; NaN for a test that was not made, which does not count. Shape (n,), float64.

    Returns
    -------
    ndarray
        Corrected p-values, at most 1, in the same order. Shape (n,), float64.

    References
    ----------
    Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
    Statistics 6 (1979).

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    raw = np.asarray(p_values, dtype=np.float64)
    corrected = np.full(raw.shape, np.nan)
    (tested,) = np.nonzero(~np.isnan(raw))
    order = tested[np.argsort(raw[tested], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(raw[order] * factors), 1.0)
    return corrected


def corrected_tests(tests: Iterable[SignedRank]) -> tuple[SignedRank, ...]:
    """Correct the p-values of all tests by Holm's method.

    Examples
    --------
    >>> test = signed_rank(np.array([[1.0], [2.0]]), np.array([[3.0], [9.0]]), shift=0.0)
    >>> [each.corrected for each in corrected_tests([test, test])]
    [1.0, 1.0]
    """
    listed: Sequence[SignedRank] = tuple(tests)
    values = holm([test.p_value for test in listed]).tolist()
    return tuple(replace(test, corrected=value) for test, value in zip(listed, values, strict=True))
