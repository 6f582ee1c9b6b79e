"""Part of Khalil's candidate features that depends on the rows of the LP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from milplib.display import Shown
from milplib.scip.features import RowFeature, VariableFeature
from milplib.scip.grouped import GroupStatistics, group_statistics, sorted_by_group

if TYPE_CHECKING:
    import pyscipopt

    from milplib.scip.state import BranchingState

__all__ = ["LpRows", "features_of_rows"]

_Floats = npt.NDArray[np.float64]

_AT_BOUNDS = [
    VariableFeature.IS_SOLUTION_AT_LOWER_BOUND,
    VariableFeature.IS_SOLUTION_AT_UPPER_BOUND,
]


@dataclass(frozen=True, eq=False, repr=False)
class LpRows(Shown):
    """Data of the m rows of the LP, without coefficients.

    ``side`` is the position of one side of each row in the state. Multiplying this side's
    coefficients by ``scale`` gives those of the row. ``left`` and ``right`` are the sides in the
    state's form, NaN if missing.
    """

    side: npt.NDArray[np.intp]
    row_of_side: npt.NDArray[np.intp]
    scale: _Floats
    left: _Floats
    right: _Floats
    dual: _Floats
    is_active: npt.NDArray[np.bool_]
    is_constraint: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, model: pyscipopt.Model, state: BranchingState) -> LpRows:
        """Read the rows from SCIP, given the state of the same node in float64."""
        infinity = model.infinity()
        numbers = [
            (
                row.getLhs() > -infinity,
                row.getRhs() < infinity,
                row.getNorm(),
                row.getDualsol(),
                not (row.isRemovable() or row.isLocal()),
            )
            for row in model.getLPRowsData()
        ]
        has_left, has_right, norm, dual, is_constraint = (
            np.array(numbers, dtype=np.float64).reshape(len(numbers), 5).T
        )
        m = len(numbers)
        exists = np.vstack((has_left, has_right)).T > 0  # the state's sides, in its order
        row_of_side = np.repeat(np.arange(m), 2)[exists.ravel()]
        sides = np.full((m, 2), np.nan)
        sides[exists] = state.row_features[:, RowFeature.BIAS]
        tight = np.zeros((m, 2), dtype=np.bool_)
        tight[exists] = state.row_features[:, RowFeature.IS_TIGHT] > 0
        # A row without finite sides has no edges in the state, and no feature counts it.
        last = np.cumsum(exists.sum(axis=1)) - 1
        return cls(
            side=last,
            row_of_side=row_of_side,
            scale=np.where(has_right > 0, 1.0, -1.0) * np.where(norm == 0.0, 1.0, norm),
            left=sides[:, 0],
            right=sides[:, 1],
            dual=np.abs(dual),
            is_active=tight[:, 0] | tight[:, 1],
            is_constraint=is_constraint > 0,
        )


def features_of_rows(rows: LpRows, state: BranchingState) -> tuple[_Floats, _Floats]:
    """Compute the columns of the block ``khalil`` that depend on rows.

    Returns
    -------
    static : ndarray
        Columns of the constraints, from ``CONSTRAINTS`` on. Shape (k, 15), float64.
    dynamic : ndarray
        Columns of the rows at the node, from ``NODE_DEGREE_MEAN`` on. Shape (k, 43), float64.
    """
    side, column = state.edge_index
    k, m = len(state.candidates), len(rows.side)
    # The state groups edges by side: number of edges per side, and sums over them.
    length = np.bincount(side, minlength=state.n_rows)
    filled = length.nonzero()[0]
    starts = (length.cumsum() - length)[filled]

    def by_side(values: _Floats) -> _Floats:
        sums = np.zeros(state.n_rows)
        if len(filled):
            sums[filled] = np.add.reduceat(values, starts)
        return sums

    is_free = ~state.variable_features[:, _AT_BOUNDS].all(axis=1)
    edges = state.edge_features.astype(np.float64, copy=False)
    above, signed = by_side(np.maximum(edges, 0.0)), by_side(edges)
    # One side per row gives the row's coefficients, possibly with the opposite sign.
    one, size = rows.side, np.abs(rows.scale)
    sums = np.vstack((above, above - signed))[:, one] * size
    positive_sum, negative_sum = np.where(rows.scale > 0, sums, sums[::-1])
    degree, free_degree = length[one], by_side(is_free.astype(np.float64).take(column))[one]

    place_of_column = np.full(state.n_variables, -1, dtype=np.intp)
    place_of_column[state.candidates] = np.arange(k)
    mine = (place_of_column >= 0).take(column).nonzero()[0]
    if len(rows.row_of_side) > m:
        of_row = rows.row_of_side[side[mine]]
        mine = mine[side[mine] == one[of_row]]
    mine = mine[sorted_by_group(place_of_column[column[mine]])]
    edge, r, candidate = edges[mine], rows.row_of_side[side[mine]], place_of_column[column[mine]]
    a = edge * rows.scale[r]
    size, edge = np.abs(a), np.abs(edge)
    candidate_sum = np.bincount(r, size, minlength=m)[r]
    positive, negative, static = a > 0, a < 0, rows.is_constraint[r]
    left, right, active = rows.left[r], rows.right[r], rows.is_active[r]
    to_right = np.sign(a) * edge / (edge + np.where(np.isnan(right), 0.0, np.abs(right)))
    to_left = -np.sign(a) * edge / (edge + np.where(np.isnan(left), 0.0, np.abs(left)))
    # The row's sum over the sign of an entry already includes the entry.
    to_positive = size / np.where(positive, positive_sum[r], positive_sum[r] + size)
    to_negative = size / np.where(negative, negative_sum[r], negative_sum[r] + size)
    whole = (positive_sum + negative_sum)[r]
    weights = np.vstack((np.ones(len(r)), 1.0 / whole, 1.0 / candidate_sum, rows.dual[r]))
    everywhere = np.ones(len(r), dtype=np.bool_)
    pairs = (
        *((degree[r], static), (a, static & positive), (a, static & negative)),
        (free_degree[r], everywhere),
        *((to_right, right >= 0), (to_left, left >= 0), (to_right, right < 0), (to_left, left < 0)),
        *((to_positive, positive), (to_negative, positive)),
        *((to_positive, negative), (to_negative, negative)),
        *((values, active) for values in weights),
        *((values * size, active) for values in weights),
    )
    statistics = group_statistics(
        candidate,
        np.array([values for values, _ in pairs], dtype=np.float64).T,
        k,
        counts=np.array([counts for _, counts in pairs]).T,
    )
    return _assembled(statistics, k)


def _assembled(statistics: GroupStatistics, k: int) -> tuple[_Floats, _Floats]:
    """Arrange the statistics, whose columns are the `pairs` above, as features."""
    low, high = statistics.extremes()
    usual = np.array([statistics.mean, statistics.deviation, low, high])  # (4, k, columns)
    degrees, node_degrees = usual[:, :, 0].T, usual[:, :, 3].T
    counts = statistics.count
    of_coefficients = [np.hstack((counts[:, c, None], usual[:, :, c].T)) for c in (1, 2)]
    chosen = [0, 2, 3]
    ratios = np.divide(
        degrees[:, chosen],
        node_degrees[:, chosen],
        out=np.zeros((k, 3)),
        where=node_degrees[:, chosen] != 0,
    )
    low, high = statistics.extremes(none=(1.0, -1.0))
    sides = (np.minimum(low[:, 4:8:2], low[:, 5:8:2]), np.maximum(high[:, 4:8:2], high[:, 5:8:2]))
    low, high = statistics.extremes(none=(1.0, 0.0))
    columns = (low[:, 8:12], high[:, 8:12])
    weights, values = statistics.sum[:, 12:16], usual[:, :, 16:20]
    active = np.array([weights, statistics.sum[:, 16:20], *values])  # (6, k, 4)
    static = np.hstack((counts[:, 0, None], degrees, *of_coefficients))
    dynamic = np.hstack(
        (
            *(node_degrees, ratios),
            *(np.stack(pair, axis=2).reshape(k, -1) for pair in (sides, columns)),
            active.transpose(1, 2, 0).reshape(k, -1),
        )
    )
    return static, dynamic
