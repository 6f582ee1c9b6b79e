"""Verdict on a ratio, from its interval and its p-value: one rule for every table and sentence."""

from __future__ import annotations

import math
from enum import StrEnum

from milplib.evaluation.statistics import RatioEstimate

__all__ = ["EQUAL", "SIGNIFICANT", "Verdict", "verdict"]

SIGNIFICANT = 0.05
"""Level of significance of corrected p-values."""

EQUAL = 1e-6
"""A ratio this close to 1 counts as 1: equal runs differ by rounding, and six digits show it."""


class Verdict(StrEnum):
    """Verdict on the ratio of two policies.

    The values are the words for times; `word` gives those for another quantity.
    """

    FASTER = "faster"
    """The interval is below 1, and the test confirms it."""
    PERHAPS_FASTER = "perhaps faster"
    """The interval is below 1, but the test does not confirm it."""
    NOT_TOLD_APART = "not told apart"
    """The interval contains 1, or there is none."""
    PERHAPS_SLOWER = "perhaps slower"
    """The interval is above 1, but the test does not confirm it."""
    SLOWER = "slower"
    """The interval is above 1, and the test confirms it."""
    UNKNOWN = "unknown"
    """There is no ratio."""

    @property
    def side(self) -> str:
        """``"better"`` or ``"worse"`` if the interval excludes 1, else an empty string."""
        if self in (Verdict.FASTER, Verdict.PERHAPS_FASTER):
            return "better"
        return "worse" if self in (Verdict.SLOWER, Verdict.PERHAPS_SLOWER) else ""

    def word(self, better: str, worse: str) -> str:
        """Return the words for a quantity other than time.

        Examples
        --------
        >>> Verdict.PERHAPS_SLOWER.word("fewer", "more")
        'perhaps more'
        """
        return self.value.replace("faster", better).replace("slower", worse)


def verdict(estimate: RatioEstimate, p_value: float | None = None) -> Verdict:
    """Judge a ratio by its interval, and by the p-value of a test.

    A verdict never contradicts the interval: it names a side only if the interval and the ratio
    itself are on that side of 1 by more than `EQUAL`.

    Parameters
    ----------
    estimate
        Ratio with its interval.
    p_value
        Corrected p-value, NaN if the test gave none. Without a test, as for node counts, the
        interval alone decides.

    Examples
    --------
    >>> from milplib.evaluation import compare
    >>> import numpy as np
    >>> estimate = compare(np.full((5, 1), 1.0), np.full((5, 1), 9.0), shift=1.0)
    >>> [verdict(estimate, p).value for p in (0.001, 0.2)], verdict(estimate).side
    (['faster', 'perhaps faster'], 'better')
    """
    if not math.isfinite(estimate.value):
        return Verdict.UNKNOWN
    is_sure = p_value is None or p_value < SIGNIFICANT
    # Comparisons with NaN, the ends of no interval, are false.
    if max(estimate.high, estimate.value) < 1 - EQUAL:
        return Verdict.FASTER if is_sure else Verdict.PERHAPS_FASTER
    if min(estimate.low, estimate.value) > 1 + EQUAL:
        return Verdict.SLOWER if is_sure else Verdict.PERHAPS_SLOWER
    return Verdict.NOT_TOLD_APART
