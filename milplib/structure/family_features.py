"""Features of instances that distinguish families of instances."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from milplib.arguments import checked
from milplib.instance import Instance
from milplib.structure.row_kinds import ROW_KINDS, binary_columns, row_kinds

__all__ = ["FAMILY_FEATURES", "LENGTHS", "SHARES", "SIZES", "SPREADS", "Vector", "family_features"]

SIZES = ("log_rows", "log_columns", "log_nonzeros")
LENGTHS = ("log_row_length", "log_column_length")
SPREADS = ("row_length_spread", "column_length_spread", "objective_spread", "coefficient_spread")
SHARES = (
    "binary",
    "continuous",
    "in_objective",
    "objective_upward",
    "up_locks",
    "equations",
    *(f"{kind}_rows" for kind in ROW_KINDS),
)
"""Names of the shares, see `FAMILY_FEATURES`."""

FAMILY_FEATURES = (*SIZES, *LENGTHS, *SPREADS, *SHARES)
"""Names of the features, in order.

Sizes and lengths are natural logarithms of numbers of at least 1. Lengths are mean nonzeros per row
and per column. Spreads are standard deviations of natural logarithms: of the lengths, and of the
absolute values of the objective's and the matrix's nonzeros. ``binary``, ``continuous`` and
``in_objective`` are shares of all columns, the last of those with a nonzero objective coefficient;
``objective_upward`` is the share of the latter that the objective prefers larger. ``up_locks`` is
the share of nonzeros whose row bounds the column from above. The rest are shares of rows: equations
and MIPLIB's classes (`milplib.structure.row_kinds`).
"""

Vector = npt.NDArray[np.float64]


@checked
def family_features(instance: Instance) -> Vector:
    """Compute the features of an instance, in time linear in the nonzeros.

    Returns
    -------
    ndarray
        Values of `FAMILY_FEATURES`, finite; 0 for a statistic over no values. Shape
        ``(len(FAMILY_FEATURES),)``, float64.

    Examples
    --------
    >>> from milplib.generators import SetCover
    >>> values = family_features(SetCover(n_rows=50, n_columns=100, density=0.1).generate(seed=0))
    >>> features = dict(zip(FAMILY_FEATURES, values.tolist(), strict=True))
    >>> features["binary"], features["set_covering_rows"], features["objective_upward"]
    (1.0, 1.0, 0.0)
    """
    m, n, matrix = instance.n_rows, instance.n_columns, instance.A
    row_length = np.diff(matrix.indptr)
    column_length = np.bincount(matrix.indices, minlength=n)
    row = np.repeat(np.arange(m), row_length)
    in_objective = instance.objective != 0
    better_up = instance.objective[in_objective] > 0
    if instance.sense == "minimize":
        better_up = ~better_up
    # A row with two sides locks a column in both directions: half a lock each.
    above, below = np.isfinite(instance.row_upper)[row], np.isfinite(instance.row_lower)[row]
    upward = np.where(matrix.data > 0, above, below)
    sides = np.maximum(above.astype(np.int64) + below, 1)
    counts = np.bincount(row_kinds(instance), minlength=len(ROW_KINDS))
    values = [
        _log(m),
        _log(n),
        _log(instance.n_nonzeros),
        _log(_mean(row_length)),
        _log(_mean(column_length)),
        _spread(row_length),
        _spread(column_length),
        _spread(instance.objective),
        _spread(matrix.data),
        _mean(binary_columns(instance)),
        _mean(instance.integrality == 0),
        _mean(in_objective),
        _mean(better_up),
        _mean(upward / sides),
        _mean(instance.row_lower == instance.row_upper),
        *(counts / max(m, 1)),
    ]
    return np.array(values, dtype=np.float64)


def _log(value: float) -> float:
    return float(np.log(max(value, 1.0)))


def _mean(values: npt.NDArray[Any]) -> float:
    return float(values.mean()) if values.size else 0.0


def _spread(values: npt.NDArray[Any]) -> float:
    sizes = np.abs(values[values != 0]).astype(np.float64)
    return float(np.log(sizes).std()) if sizes.size else 0.0
