"""Performance profiles: how often a policy is within a factor of the best."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from milplib.display import Shown

__all__ = ["PerformanceProfile", "performance_profile"]

CLOCK = 0.01
"""Resolution of time measurements in seconds; shorter times count as equal."""

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class PerformanceProfile(Shown):
    """Performance profiles: per policy, the share of pairs within a factor of the best.

    Parameters
    ----------
    ratios
        Times divided by the best time of their pair of instance and seed, ascending for every
        policy. Infinite for a failure, NaN for a policy without runs. Shape (policies, pairs),
        float64.
    """

    ratios: Values

    @property
    def pairs(self) -> int:
        """Number of pairs."""
        return int(self.ratios.shape[1])

    def fraction(self, policy: int, tau: float) -> float:
        """Compute the share of pairs on which a policy takes at most `tau` times the best time.

        Parameters
        ----------
        policy
            Index of the policy.
        tau
            Factor, 1 or more. At infinity, the result is the share of solved pairs.

        Returns
        -------
        float
            Share in [0, 1]; NaN without pairs, and for a policy without runs.
        """
        ratios = self.ratios[policy]
        if not ratios.size or np.isnan(ratios).any():
            return math.nan
        return float(np.mean((ratios <= tau) & np.isfinite(ratios)))

    def steps(self, policy: int) -> tuple[Values, Values]:
        """Return the steps of a policy's curve.

        Returns
        -------
        taus : ndarray
            Factors at which the curve rises, ascending from 1, float64.
        fractions : ndarray
            Share of pairs from each factor up to the next, float64. The last one is the share of
            solved pairs.
        """
        ratios = self.ratios[policy]
        taus = np.unique(np.append(ratios[np.isfinite(ratios)], 1.0))
        return taus, np.array([self.fraction(policy, tau) for tau in taus.tolist()])


def performance_profile(times: Values, solved: npt.NDArray[np.bool_]) -> PerformanceProfile:
    """Compute performance profiles from times.

    Parameters
    ----------
    times
        Seconds, NaN where a run is missing. Only pairs with a run of every policy count; a policy
        without any run is ignored. Times below `CLOCK` seconds count as equal.
        Shape (policies, instances, seeds), float64.
    solved
        Whether a run solved its instance; if not, its ratio is infinite. Same shape, bool.

    Returns
    -------
    PerformanceProfile
        Profiles of the policies. Pairs that no policy solved count, with infinite ratios.

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
