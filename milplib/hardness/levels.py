"""Levels of difficulty, by the solver that was measured and its version."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from milplib.errors import ParameterError

__all__ = ["LevelThresholds", "level_of", "majority_level"]

MIXED = "mixed"
"""What stands for the level of instances of which no more than half have one level."""


@dataclass(frozen=True, kw_only=True)
class LevelThresholds:
    """Where the levels of difficulty begin.

    The defaults are the paper's numbers; the paper's levels are Gurobi's, on another machine.
    Levels by these thresholds are those of the solver that was measured, and of no other.

    Parameters
    ----------
    easy, medium
        Seconds: solved in less than `easy` is easy, in less than `medium` is medium, in more is
        hard.
    limit
        Seconds that an instance must have had before ``very-hard`` and ``ext-hard`` are told
        apart.
    gap
        Gap up to which an instance that was not solved in `limit` is ``very-hard``; beyond it is
        ``ext-hard``. The paper parts the two by the final gap without a number: 10 % is milplib's
        reading.

    Raises
    ------
    ParameterError
        If the times do not ascend, or a number is not positive and finite.

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
    """Level of an instance by one solve, in the words of the solver that did it.

    Parameters
    ----------
    solved
        Whether the solve ended by itself (optimal, infeasible or unbounded). Otherwise the time
        limit stopped it; a solve that failed has no level.
    time, time_limit
        Seconds that it took, and that it had.
    gap
        Final gap between the solution and the bound, as a fraction; infinite without one of them.
    thresholds
        Where the levels begin.

    Returns
    -------
    str
        ``"easy"``, ``"medium"``, ``"hard"``, ``"very-hard"`` or ``"ext-hard"``. Where the limit
        was too short to tell: ``"hard or harder"``, ``"medium or harder"``, or that it was not
        solved in so many seconds.

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
    """Level of more than half of the instances; ``"mixed"`` if none is, empty if there are none.

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
