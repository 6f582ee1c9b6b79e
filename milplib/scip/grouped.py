"""Statistics of values by group, such as of coefficients by candidate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["GroupStatistics", "group_statistics", "sorted_by_group"]

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class GroupStatistics:
    """Statistics of the values of g groups, in c columns.

    Parameters
    ----------
    count, sum, mean, deviation
        Number of values, their sum, mean and population standard deviation; 0 without values.
        Shape (g, c), float64.
    minimum, maximum
        Extremes of the values; infinity and minus infinity without values. Shape (g, c), float64.
    """

    count: _Floats
    sum: _Floats
    mean: _Floats
    deviation: _Floats
    minimum: _Floats
    maximum: _Floats

    def extremes(self, *, none: tuple[float, float] = (0.0, 0.0)) -> tuple[_Floats, _Floats]:
        """Return minimum and maximum, with the numbers `none` for groups without values."""
        empty = self.count == 0
        return np.where(empty, none[0], self.minimum), np.where(empty, none[1], self.maximum)


def sorted_by_group(group: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.intp]:
    """Return the order that sorts values by group, stably.

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
        Group of each line of values, ascending. Shape (e,), int.
    values
        Values, finite. Fastest if each column is contiguous in memory. Shape (e, c), float64.
    n_groups
        Number of groups g.
    counts
        Whether each value counts. Default: all count. Shape (e, c), bool.

    Examples
    --------
    >>> values = np.array([[1.0], [3.0], [5.0]])
    >>> statistics = group_statistics(np.array([0, 0, 2]), values, 3)
    >>> statistics.count.ravel().tolist(), statistics.mean.ravel().tolist()
    ([2.0, 0.0, 1.0], [2.0, 0.0, 5.0])
    >>> statistics.deviation.ravel().tolist()
    [1.0, 0.0, 0.0]
    """
    if counts is None:
        counts = np.ones(values.shape, dtype=np.bool_)
    values, counts = values.T, counts.T
    size = np.bincount(group, minlength=n_groups)
    some = size.nonzero()[0]
    starts = (size.cumsum() - size)[some]
    room = np.empty(values.shape)  # reused, because fresh memory costs more than the arithmetic

    def reduced(operation: np.ufunc, empty: float = 0.0) -> _Floats:
        result = np.full((len(values), n_groups), empty)
        if len(some):
            result[:, some] = operation.reduceat(room, starts, axis=1)
        return result

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
