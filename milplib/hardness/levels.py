"""Levels of difficulty, relative to a solver and its version."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from milplib.errors import ParameterError

__all__ = ["LevelThresholds", "level_of", "majority_level"]

MIXED = "mixed"
"""Name for the level of instances if no level has a majority."""


@dataclass(frozen=True, kw_only=True)
class LevelThresholds:
    """Thresholds between the levels of difficulty.

    The defaults are the paper's numbers, but the paper's levels are Gurobi's on another machine.
    Levels by these thresholds hold only for the measured solver.

    Parameters
    ----------
    easy, medium
        Seconds. An instance solved in less than `easy` is easy, in less than `medium` is medium,
        and otherwise hard.
    limit
        Minimum time limit in seconds to distinguish ``very-hard`` and ``ext-hard``.
    gap
        Maximum gap of a ``very-hard`` instance that is unsolved after `limit`; beyond it, the
        instance is ``ext-hard``. The paper uses the final gap without a number; 10 % is milplib's
        reading.

    Raises
    ------
    ParameterError
        If the times do not ascend, or if a number is not positive and finite.

    References
    ----------
    Huang, Huang, Ferber, Dilkina, "Distributional MIPLIB: a multi-domain library
    for advancing ML-guided MILP methods", arXiv 2406.06954 (2024).

    Examples
    --------
    >>> LevelThresholds(easy=10, medium=5)
    Traceback (most recent call last):
        ...
    milplib.errors.ParameterError: the levels' times do not ascend: easy 10, medium 5, limit 3600
    """

    easy: float = 100.0
    medium: float = 1000.0
    limit: float = 3600.0
    gap: float = 0.10

    def __post_init__(self) -> None:
        for name in ("easy", "medium", "limit", "gap"):
            value = getattr(self, name)
            if not 0 < value < math.inf:
                raise ParameterError(
                    f"the levels' threshold '{name}' is {value}; it must be positive and finite"
                )
        if not self.easy < self.medium < self.limit:
            raise ParameterError(
                f"the levels' times do not ascend: easy {self.easy:g}, medium {self.medium:g}, "
                f"limit {self.limit:g}"
            )


def level_of(
    *, solved: bool, time: float, gap: float, time_limit: float, thresholds: LevelThresholds
) -> str:
    """Return the level of an instance from one solve.

    Parameters
    ----------
    solved
        Whether the solve finished (optimal, infeasible or unbounded). Otherwise the time limit
        stopped it; a failed solve has no level.
    time, time_limit
        Seconds of the solve, and its limit.
    gap
        Final gap between incumbent and dual bound, as a fraction; infinite if either is missing.
    thresholds
        Thresholds between the levels.

    Returns
    -------
    str
        ``"easy"``, ``"medium"``, ``"hard"``, ``"very-hard"`` or ``"ext-hard"``. If the limit was
        too short to tell: ``"hard or harder"``, ``"medium or harder"``, or ``"not solved in … s"``
        with the limit.

    Examples
    --------
    >>> thresholds = LevelThresholds()
    >>> for solved, seconds, gap in [(True, 3, 0), (False, 3600, 0.02), (False, 300, 0.02)]:
    ...     level_of(solved=solved, time=seconds, gap=gap, time_limit=max(seconds, 60),
    ...              thresholds=thresholds)
    'easy'
    'very-hard'
    'medium or harder'
    """
    if solved:
        if time < thresholds.easy:
            return "easy"
        return "medium" if time < thresholds.medium else "hard"
    if time_limit >= thresholds.limit:
        return "very-hard" if gap <= thresholds.gap else "ext-hard"
    if time_limit >= thresholds.medium:
        return "hard or harder"
    if time_limit >= thresholds.easy:
        return "medium or harder"
    return f"not solved in {time_limit:g} s"


def majority_level(levels: Iterable[str]) -> str:
    """Return the level of more than half of the levels, ``"mixed"`` without one, or empty for none.

    Examples
    --------
    >>> majority_level(["easy", "easy", "hard"]), majority_level(["easy", "hard"])
    ('easy', 'mixed')
    """
    listed = list(levels)
    for level in dict.fromkeys(listed):
        if 2 * listed.count(level) > len(listed):
            return level
    return MIXED if listed else ""
