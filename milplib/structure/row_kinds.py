"""The classes of rows that MIPLIB distinguishes, of all rows of an instance at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from milplib.instance import Instance

__all__ = ["ROW_KINDS", "binary_columns", "row_kinds"]

ROW_KINDS = (
    "empty",
    "free",
    "singleton",
    "aggregation",
    "precedence",
    "variable_bound",
    "set_partitioning",
    "set_packing",
    "set_covering",
    "cardinality",
    "invariant_knapsack",
    "equation_knapsack",
    "bin_packing",
    "knapsack",
    "integer_knapsack",
    "mixed_binary",
    "general_linear",
)
"""MIPLIB's classes of rows, from the most special to the most general."""

# What SCIP, too, takes for equal.
_TOLERANCE = 1e-9

Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.float64]


def binary_columns(instance: Instance) -> Flags:
    """Which columns can be 0 and 1 only, those that are fixed included; shape (n,).

    Examples
    --------
    >>> instance = Instance(objective=[0, 0], A=[[1, 1]], row_lower=[0], row_upper=[1],
    ...                     lower=[0, 0], upper=[1, 2], integrality=[1, 1])
    >>> binary_columns(instance).tolist()
    [True, False]
    """
    is_integer = instance.integrality == 1
    return np.asarray(is_integer & (instance.lower > -1) & (instance.upper < 2))


def row_kinds(instance: Instance) -> npt.NDArray[np.intp]:
    r"""Class of every row, as a position in `ROW_KINDS`: the first one that it belongs to.

    Parameters
    ----------
    instance
        The instance; its rows are taken as they stand, without presolving.

    Returns
    -------
    ndarray
        Shape (m,), intp.

    Notes
    -----
    With x and :math:`x_i` binary, s continuous, :math:`a_i` and b whole numbers:

    ================== =========================================================================
    empty              no columns
    free               no finite side
    singleton          one column
    aggregation        :math:`ay + bz = c`
    precedence         :math:`ay - az \le b`, both binary, both general integer or both continuous
    variable bound     :math:`ax + by \le c`
    set partitioning   :math:`\sum x_i = 1`
    set packing        :math:`\sum x_i \le 1`
    set covering       :math:`\sum x_i \ge 1`
    cardinality        :math:`\sum x_i = k`, :math:`k \ge 2`
    invariant knapsack :math:`\sum x_i \le b`, :math:`b \ge 2`
    equation knapsack  :math:`\sum a_i x_i = b`, :math:`b \ge 2`
    bin packing        :math:`\sum a_i x_i + ax \le a`, :math:`a \ge 2`
    knapsack           :math:`\sum a_i x_i \le b`, :math:`b \ge 2`
    integer knapsack   :math:`\sum a_i z_i \le b`, z integer and not negative, :math:`a_i \ge 0`
    mixed binary       :math:`\sum a_i x_i + \sum p_j s_j`, any sides
    general linear     all others
    ================== =========================================================================

    So every row with two columns, one of them binary, is a variable bound at most: the conflict
    :math:`x_1 + x_2 \le 1`, too. Multiples of a row count as the row. A row and its negation
    (:math:`-x_1 - x_2 - x_3 \ge -1`) are the same row, and a binary with a negative coefficient
    stands for its complement (:math:`x_1 + x_2 - x_3 \le 0` is a set packing); of the two readings
    the one with fewer complements is tried first, so that :math:`x_1 + x_2 + x_3 \le 2` is an
    invariant knapsack, not a set covering of complements. MIPLIB's program complements likewise,
    but reads rows as they are written, and counts a row with two different sides as two; here that
    is one row, a precedence, a variable bound, mixed binary or general.

    References
    ----------
    Gleixner, Hendel, Gamrath, et al., "MIPLIB 2017: data-driven compilation of the 6th
    mixed-integer programming library", Mathematical Programming Computation 13 (2021); the table
    of classes is at miplib.zib.de/statistics.html.

    Examples
    --------
    >>> instance = Instance(
    ...     objective=[0, 0, 0], A=[[1, 1, 1], [-2, -2, -2], [3, 2, 2]],
    ...     row_lower=[1, -2, -np.inf], row_upper=[1, np.inf, 4],
    ...     lower=[0, 0, 0], upper=[1, 1, 1], integrality=[1, 1, 1])
    >>> [ROW_KINDS[kind] for kind in row_kinds(instance)]
    ['set_partitioning', 'set_packing', 'knapsack']
    """
    rows = _Rows.of(instance)
    found = np.full(instance.n_rows, -1, dtype=np.intp)

    def mark(kind: str, where: Flags) -> None:
        found[where & (found < 0)] = ROW_KINDS.index(kind)

    one, two = rows.length == 1, rows.length == 2
    mark("empty", rows.length == 0)
    mark("free", ~rows.has_lower & ~rows.has_upper)
    mark("singleton", one)
    mark("aggregation", two & rows.is_equation)
    mark("precedence", two & rows.cancels & rows.is_of_one_type)
    mark("variable_bound", two & rows.has_binary)
    _mark_unit_rows(rows, mark)
    below = rows.below
    whole = rows.is_binary & rows.is_integral & _is_whole(below)
    one_sided = rows.has_lower ^ rows.has_upper
    two_at_least = 2 - _TOLERANCE
    # An equation may be negated; then it is about the complements.
    largest = np.maximum(below, rows.weight - below)
    mark("equation_knapsack", whole & rows.is_equation & (largest >= two_at_least))
    knapsack = whole & one_sided & (below >= two_at_least)
    mark("bin_packing", knapsack & rows.holds(below))
    mark("knapsack", knapsack)
    mark("integer_knapsack", rows.is_integer_knapsack & one_sided)
    mark("mixed_binary", rows.is_mixed_binary)
    mark("general_linear", found < 0)
    return found


def _mark_unit_rows(rows: _Rows, mark: Callable[[str, Flags], None]) -> None:
    """Mark the classes whose coefficients are all 1 or -1, up to a factor."""
    with np.errstate(invalid="ignore"):
        below = rows.below / rows.scale
    unit = rows.is_binary & rows.is_unit & _is_whole(below)
    below = np.rint(np.where(unit, below, 0.0))
    above = rows.length - below
    equation = unit & rows.is_equation
    one_sided = unit & (rows.has_lower ^ rows.has_upper)
    # The reading that complements fewer columns comes first; where both do alike, neither does.
    for at_most in (rows.prefers_at_most, ~rows.prefers_at_most):
        low, high = at_most | rows.is_tied, ~at_most | rows.is_tied
        mark("set_partitioning", equation & ((low & (below == 1)) | (high & (above == 1))))
        mark("cardinality", equation & (np.where(at_most, below, above) >= 2))
        mark("set_packing", one_sided & low & (below == 1))
        mark("set_covering", one_sided & high & (above == 1))
        mark("invariant_knapsack", one_sided & at_most & (below >= 2))


def _is_whole(values: Numbers) -> Flags:
    with np.errstate(invalid="ignore"):
        return np.isfinite(values) & (np.abs(values - np.rint(values)) <= _TOLERANCE)


@dataclass(frozen=True, eq=False, kw_only=True)
class _Rows:
    """What the classes ask of every row; each array has shape (m,).

    A row is read as ``sum of |a_j| times a binary or its complement <= below``, negated if it has
    a lower side only; `weight` is the sum of all ``|a_j|``. Read the other way round it is
    ``sum of |a_j| times the others of these <= weight - below`` for an equation, and
    ``>= weight - below`` for an inequality.
    """

    length: npt.NDArray[np.intp]
    has_lower: Flags
    has_upper: Flags
    is_equation: Flags
    cancels: Flags
    is_of_one_type: Flags
    has_binary: Flags
    is_binary: Flags
    is_integral: Flags
    is_unit: Flags
    is_integer_knapsack: Flags
    is_mixed_binary: Flags
    prefers_at_most: Flags
    is_tied: Flags
    scale: Numbers
    below: Numbers
    weight: Numbers
    _row: npt.NDArray[np.intp]
    _size: Numbers

    def holds(self, values: Numbers) -> Flags:
        """Whether a row has a coefficient of this size."""
        near = np.abs(self._size - values[self._row]) <= _TOLERANCE
        return np.bincount(self._row[near], minlength=len(self.length)) > 0

    @classmethod
    def of(cls, instance: Instance) -> _Rows:
        """Look at the rows of an instance."""
        m, matrix = instance.n_rows, instance.A
        length = np.diff(matrix.indptr).astype(np.intp)
        row, column = np.repeat(np.arange(m), length), matrix.indices
        has_lower, has_upper = np.isfinite(instance.row_lower), np.isfinite(instance.row_upper)
        # Written as at most; an equation may be read either way.
        flip = np.where(has_upper, 1.0, -1.0)
        side = np.where(has_upper, instance.row_upper, -instance.row_lower)
        value = matrix.data * flip[row]
        size = np.abs(value)
        binary = binary_columns(instance)
        kind = np.where(binary, 0, np.where(instance.integrality == 1, 1, 2))[column]

        def every(flags: Flags) -> Flags:
            return np.asarray(np.bincount(row[~flags], minlength=m) == 0)

        def total(values: Numbers) -> Numbers:
            return np.bincount(row, weights=values, minlength=m).astype(np.float64)

        scale = np.ones(m)
        filled = length > 0
        starts = matrix.indptr[:-1][filled]
        if starts.size:
            scale[filled] = np.maximum.reduceat(size, starts)
        negative = total((value < 0).astype(np.float64))
        whole = _is_whole(value)
        kinds_equal = every(kind == kind[matrix.indptr[:-1].clip(max=max(len(kind) - 1, 0))[row]])
        is_integer = every((kind < 2) & whole & (value > 0) & (instance.lower[column] >= 0))
        return cls(
            length=length,
            has_lower=has_lower,
            has_upper=has_upper,
            is_equation=has_lower & (instance.row_lower == instance.row_upper),
            cancels=np.abs(total(value)) <= _TOLERANCE * scale,
            is_of_one_type=kinds_equal,
            has_binary=~every(kind != 0),
            is_binary=every(kind == 0),
            is_integral=every(whole),
            is_unit=every(np.abs(size - scale[row]) <= _TOLERANCE * scale[row]),
            is_integer_knapsack=is_integer & _is_whole(side) & (side >= 0),
            is_mixed_binary=every(kind != 1),
            prefers_at_most=2 * negative <= length,
            is_tied=2 * negative == length,
            scale=scale,
            below=side + total(np.where(value < 0, size, 0.0)),
            weight=total(size),
            _row=row,
            _size=size,
        )
