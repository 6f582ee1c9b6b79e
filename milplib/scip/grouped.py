"""Statistics of values by group: of coefficients by candidate, of row features by candidate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["GroupStatistics", "group_statistics", "sorted_by_group"]

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class GroupStatistics:
    """Statistics of the values of each of g groups, in c columns.

    Parameters
    ----------
    count, sum, mean, deviation
        Number of values, their sum, mean and standard deviation (divided by their number); 0
        where there are none. Shape (g, c).
    minimum, maximum
        Infinity and minus infinity where there are none. Shape (g, c).
    """

    count: _Floats
    sum: _Floats
    mean: _Floats
    deviation: _Floats
    minimum: _Floats
    maximum: _Floats

    def extremes(self, *, none: tuple[float, float] = (0.0, 0.0)) -> tuple[_Floats, _Floats]:
        """Minimum and maximum, with these numbers where there are no values."""
        empty = self.count == 0
        return np.where(empty, none[0], self.minimum), np.where(empty, none[1], self.maximum)


def sorted_by_group(group: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.intp]:
    """Give the order that sorts values by their group, and leaves the order within a group.

    Examples
    --------
    >>> sorted_by_group(np.array([1, 0, 1, 0])).tolist()
    [1, 3, 0, 2]
    """
    if len(group) and group.max() < 2**15:
        group = group.astype(np.int16)  # which numpy sorts in linear time
    return np.argsort(group, kind="stable")


def group_statistics(
    group: npt.NDArray[np.integer[Any]],
    values: _Floats,
    n_groups: int,
    *,
    counts: npt.NDArray[np.bool_] | None = None,
) -> GroupStatistics:
    """Compute the statistics of each group's values.

    Parameters
    ----------
    group
        Of each line of values, ascending. Shape (e,).
    values
        Finite. Shape (e, c); quickest where a column is contiguous in memory.
    n_groups
        Number of groups g.
    counts
        Which of the values count; all if not given. Shape (e, c).

    Examples
    --------
    >>> values = np.array([[1.0], [3.0], [5.0]])
    >>> found = group_statistics(np.array([0, 0, 2]), values, 3)
    >>> found.count.ravel().tolist(), found.mean.ravel().tolist(), found.deviation.ravel().tolist()
    ([2.0, 0.0, 1.0], [2.0, 0.0, 5.0], [1.0, 0.0, 0.0])
    """
    if counts is None:
        counts = np.ones(values.shape, dtype=np.bool_)
    values, counts = values.T, counts.T
    size = np.bincount(group, minlength=n_groups)
    some = size.nonzero()[0]
    starts = (size.cumsum() - size)[some]
    room = np.empty(values.shape)  # one for all: fresh memory costs more than the arithmetic

    def reduced(operation: np.ufunc, empty: float = 0.0) -> _Floats:
        found = np.full((len(values), n_groups), empty)
        if len(some):
            found[:, some] = operation.reduceat(room, starts, axis=1)
        return found

    np.copyto(room, counts)
    count = reduced(np.add)
    divisor = np.maximum(count, 1.0)
    np.multiply(values, counts, out=room)
    total = reduced(np.add)
    mean = total / divisor
    np.subtract(values, mean.take(group, axis=1), out=room)
    np.multiply(room, counts, out=room)
    np.multiply(room, room, out=room)
    deviation = np.sqrt(reduced(np.add) / divisor)
    out = ~counts
    np.copyto(room, values)
    np.copyto(room, np.inf, where=out)
    minimum = reduced(np.minimum, np.inf)
    np.copyto(room, -np.inf, where=out)
    maximum = reduced(np.maximum, -np.inf)
    return GroupStatistics(
        count=count.T,
        sum=total.T,
        mean=mean.T,
        deviation=deviation.T,
        minimum=minimum.T,
        maximum=maximum.T,
    )
