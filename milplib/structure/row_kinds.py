"""Classification of the rows of an instance by MIPLIB's classes, vectorised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from milplib.arguments import checked
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

# SCIP's epsilon.
_TOLERANCE = 1e-9

Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.float64]


def binary_columns(instance: Instance) -> Flags:
    """Mark the columns that can only be 0 or 1, fixed ones included. Shape (n,), bool.

    Examples
    --------
    >>> instance = Instance(objective=[0, 0], A=[[1, 1]], row_lower=[0], row_upper=[1],
    ...                     lower=[0, 0], upper=[1, 2], integrality=[1, 1])
    >>> binary_columns(instance).tolist()
    [True, False]
    """
    is_integer = instance.integrality == 1
    return np.asarray(is_integer & (instance.lower > -1) & (instance.upper < 2))


@checked
def row_kinds(instance: Instance) -> npt.NDArray[np.intp]:
    r"""Classify every row as the first class of `ROW_KINDS` that it belongs to.

    Parameters
    ----------
    instance
        The instance, which is not presolved.

    Returns
    -------
    ndarray
        Positions in `ROW_KINDS`. Shape (m,), intp.

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

    A row with two columns, one of them binary, is a variable bound or a more special class; an
    example is the conflict :math:`x_1 + x_2 \le 1`. A multiple of a row has the class of the row,
    and so has its negation (:math:`-x_1 - x_2 - x_3 \ge -1`). A binary column with a negative
    coefficient is replaced by its complement, so :math:`x_1 + x_2 - x_3 \le 0` is a set packing.
    The reading with fewer complements is tried first, so :math:`x_1 + x_2 + x_3 \le 2` is an
    invariant knapsack and not a set covering of complements. MIPLIB's program also complements
    columns, but does not negate rows, and counts a row with two different sides as two rows. Here
    such a row is a precedence, a variable bound, mixed binary or general.

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
    classes = np.full(instance.n_rows, -1, dtype=np.intp)

    def mark(kind: str, where: Flags) -> None:
        classes[where & (classes < 0)] = ROW_KINDS.index(kind)

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
    # Negating an equation replaces its columns by their complements.
    largest = np.maximum(below, rows.weight - below)
    mark("equation_knapsack", whole & rows.is_equation & (largest >= two_at_least))
    knapsack = whole & one_sided & (below >= two_at_least)
    mark("bin_packing", knapsack & rows.holds(below))
    mark("knapsack", knapsack)
    mark("integer_knapsack", rows.is_integer_knapsack & one_sided)
    mark("mixed_binary", rows.is_mixed_binary)
    mark("general_linear", classes < 0)
    return classes


def _mark_unit_rows(rows: _Rows, mark: Callable[[str, Flags], None]) -> None:
    """Mark the classes whose coefficients are all 1 or -1, up to a common factor."""
    with np.errstate(invalid="ignore"):
        below = rows.below / rows.scale
    unit = rows.is_binary & rows.is_unit & _is_whole(below)
    below = np.rint(np.where(unit, below, 0.0))
    above = rows.length - below
    equation = unit & rows.is_equation
    one_sided = unit & (rows.has_lower ^ rows.has_upper)
    # The reading with fewer complements comes first; on a tie both are tried together.
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
    """Properties of rows that define the classes; each array has shape (m,).

    A row is read as ``sum of |a_j| times a binary or its complement <= below``, negated if it has
    only a lower side. `weight` is the sum of all ``|a_j|``. With every factor replaced by its
    complement, the row reads ``sum of |a_j| times the complements <= weight - below`` for an
    equation, and ``>= weight - below`` for an inequality.
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
        """Return whether each row has a coefficient of the given absolute value."""
        near = np.abs(self._size - values[self._row]) <= _TOLERANCE
        return np.bincount(self._row[near], minlength=len(self.length)) > 0

    @classmethod
    def of(cls, instance: Instance) -> _Rows:
        """Compute the properties of the rows of an instance."""
        m, matrix = instance.n_rows, instance.A
        length = np.diff(matrix.indptr).astype(np.intp)
        row, column = np.repeat(np.arange(m), length), matrix.indices
        has_lower, has_upper = np.isfinite(instance.row_lower), np.isfinite(instance.row_upper)
        # Every row is read as <=; an equation may be read either way.
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
