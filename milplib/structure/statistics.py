"""Statistics of an instance: its size, and its kinds of columns and rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypedDict, cast

import numpy as np

from milplib.arguments import checked
from milplib.display import Shown
from milplib.instance import Instance
from milplib.structure.row_kinds import ROW_KINDS, binary_columns, row_kinds

__all__ = ["InstanceStatistics", "StatisticsRow", "instance_statistics"]


class StatisticsRow(TypedDict, total=False):
    """Statistics of an instance as columns of a table; None where they are unknown."""

    rows: int | None
    columns: int | None
    nonzeros: int | None
    density: float | None
    binary: int | None
    integer: int | None
    continuous: int | None
    empty_rows: int | None
    free_rows: int | None
    singleton_rows: int | None
    aggregation_rows: int | None
    precedence_rows: int | None
    variable_bound_rows: int | None
    set_partitioning_rows: int | None
    set_packing_rows: int | None
    set_covering_rows: int | None
    cardinality_rows: int | None
    invariant_knapsack_rows: int | None
    equation_knapsack_rows: int | None
    bin_packing_rows: int | None
    knapsack_rows: int | None
    integer_knapsack_rows: int | None
    mixed_binary_rows: int | None
    general_linear_rows: int | None


@dataclass(frozen=True, kw_only=True, repr=False)
class InstanceStatistics(Shown):
    """Size of an instance, and counts of its columns and rows by kind.

    Parameters
    ----------
    rows, columns, nonzeros
        Number of rows, columns and nonzeros of the matrix.
    density
        ``nonzeros / (rows * columns)``; 0 for an empty matrix.
    binary, integer, continuous
        Number of integer columns that can only be 0 or 1, of other integer columns, and of
        continuous columns.
    row_kinds
        Number of rows of every class of `milplib.structure.row_kinds.ROW_KINDS`, in that order.
    """

    rows: int
    columns: int
    nonzeros: int
    density: float
    binary: int
    integer: int
    continuous: int
    row_kinds: Mapping[str, int]

    def as_row(self) -> StatisticsRow:
        """Return the numbers by the column names of a table."""
        numbers = {name: getattr(self, name) for name in _PLAIN}
        by_kind = {f"{kind}_rows": count for kind, count in self.row_kinds.items()}
        return cast(StatisticsRow, numbers | by_kind)


_PLAIN = ("rows", "columns", "nonzeros", "density", "binary", "integer", "continuous")


@checked
def instance_statistics(instance: Instance) -> InstanceStatistics:
    """Count rows, columns and nonzeros of an instance by kind, without presolving.

    The classes of rows are those of MIPLIB 2017, see `milplib.structure.row_kinds.row_kinds`.

    Parameters
    ----------
    instance
        The instance.

    Returns
    -------
    InstanceStatistics
        The counts.

    References
    ----------
    Gleixner, Hendel, Gamrath, et al., "MIPLIB 2017: data-driven compilation of the 6th
    mixed-integer programming library", Mathematical Programming Computation 13 (2021).

    Examples
    --------
    >>> from milplib.generators import SetCover
    >>> statistics = instance_statistics(
    ...     SetCover(n_rows=50, n_columns=100, density=0.1).generate(seed=0))
    >>> statistics.rows, statistics.columns, statistics.binary, round(statistics.density, 3)
    (50, 100, 100, 0.1)
    >>> {kind: count for kind, count in statistics.row_kinds.items() if count}
    {'set_covering': 50}
    """
    binary = binary_columns(instance)
    n_binary, n_integer = int(binary.sum()), int((instance.integrality == 1).sum())
    counts = np.bincount(row_kinds(instance), minlength=len(ROW_KINDS))
    entries = instance.n_rows * instance.n_columns
    return InstanceStatistics(
        rows=instance.n_rows,
        columns=instance.n_columns,
        nonzeros=instance.n_nonzeros,
        density=instance.n_nonzeros / entries if entries else 0.0,
        binary=n_binary,
        integer=n_integer - n_binary,
        continuous=instance.n_columns - n_integer,
        row_kinds={kind: int(count) for kind, count in zip(ROW_KINDS, counts, strict=True)},
    )
