"""Performance profiles: how often a policy is within a factor of the best."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["PerformanceProfile", "performance_profile"]

CLOCK = 0.01
"""Seconds below which two times are the same to a clock."""

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class PerformanceProfile:
    """For every policy the share of pairs on which it is within a factor of the best.

    Parameters
    ----------
    ratios
        Times divided by the best time of their pair (of instance and seed), ascending for every
        policy; infinite where it failed, NaN for a policy without any run. Shape (policies,
        pairs).
    """

    ratios: Values

    @property
    def pairs(self) -> int:
        """Number of pairs."""
        return int(self.ratios.shape[1])

    def fraction(self, policy: int, tau: float) -> float:
        """Share of pairs on which a policy takes at most `tau` times the best time.

        Parameters
        ----------
        policy
            Its position.
        tau
            The factor, 1 or more. At infinity it is the share of pairs that the policy solved.

        Returns
        -------
        float
            NaN without pairs, and for a policy without runs.
        """
        ratios = self.ratios[policy]
        if not ratios.size or np.isnan(ratios).any():
            return math.nan
        return float(np.mean((ratios <= tau) & np.isfinite(ratios)))

    def steps(self, policy: int) -> tuple[Values, Values]:
        """Where the curve of a policy rises, and how high it is from there on.

        Returns
        -------
        taus : ndarray
            The factors, from 1 on, ascending. float64.
        fractions : ndarray
            The share of pairs from each on to the next; the last one is the share of solved
            pairs. float64.
        """
        ratios = self.ratios[policy]
        taus = np.unique(np.append(ratios[np.isfinite(ratios)], 1.0))
        return taus, np.array([self.fraction(policy, tau) for tau in taus.tolist()])


def performance_profile(times: Values, solved: npt.NDArray[np.bool_]) -> PerformanceProfile:
    """Compare times with the best of their pair.

    Parameters
    ----------
    times
        Seconds, NaN where there is no run. A pair counts where every policy has one; a policy
        without any run takes no pair from the others. Times below `CLOCK` seconds are the same.
        Shape (policies, instances, seeds).
    solved
        Whether a run solved its instance; if not, its ratio is infinite. Same shape, bool.

    Returns
    -------
    PerformanceProfile
        The profile. Pairs that nobody solved count, with infinite ratios.

    References
    ----------
    Dolan & Moré, "Benchmarking optimization software with performance profiles", Mathematical
    Programming 91 (2002).

    Examples
    --------
    >>> times = np.array([[[2.0], [3.0]], [[4.0], [60.0]]])
    >>> solved = np.array([[[True], [True]], [[True], [False]]])
    >>> profile = performance_profile(times, solved)
    >>> profile.ratios.tolist()
    [[1.0, 1.0], [2.0, inf]]
    >>> profile.fraction(1, 1.5), profile.fraction(1, 2.0)
    (0.0, 0.5)
    >>> [array.tolist() for array in profile.steps(1)]
    [[1.0, 2.0], [0.0, 0.5]]
    """
    flat, done = times.reshape(len(times), -1), solved.reshape(len(times), -1)
    has_run = ~np.isnan(flat)
    taking_part = has_run.any(axis=1)
    pairs = has_run[taking_part].all(axis=0) & taking_part.any()
    flat, done = np.maximum(flat[:, pairs], CLOCK), done[:, pairs]
    counted = np.where(done, flat, np.inf)
    best = counted.min(axis=0, initial=np.inf)
    with np.errstate(invalid="ignore"):
        ratios = np.where(done, counted / best, np.inf)
    ratios[~taking_part] = np.nan
    return PerformanceProfile(ratios=np.sort(ratios, axis=1))
