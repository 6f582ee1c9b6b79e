"""The part of Khalil's candidate features that the rows of the LP tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

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


@dataclass(frozen=True, eq=False)
class LpRows:
    """What is known of the m rows of the LP, without coefficients.

    ``scale`` turns the coefficients of the side that ``side`` names into the row's own;
    ``left`` and ``right`` are the sides in the state's form, NaN where there is none.
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
        """Ask SCIP for them; the state, in float64, is that of the same node."""
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
        # A row without any side has no coefficients in the state, and no feature counts it.
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
    """Compute what the rows tell the block ``khalil``.

    Returns
    -------
    static, dynamic
        The columns of the constraints, from their number on, and of the rows at the node, from
        their degrees on. Shapes (k, 15) and (k, 43).
    """
    side, column = state.edge_index
    k, m = len(state.candidates), len(rows.side)
    # Edges stand side by side: of each side, how many, how many free, and sums by their signs.
    length = np.bincount(side, minlength=state.n_rows)
    filled = length.nonzero()[0]
    starts = (length.cumsum() - length)[filled]

    def by_side(values: _Floats) -> _Floats:
        found = np.zeros(state.n_rows)
        if len(filled):
            found[filled] = np.add.reduceat(values, starts)
        return found

    is_free = ~state.variable_features[:, _AT_BOUNDS].all(axis=1)
    edges = state.edge_features.astype(np.float64, copy=False)
    above, signed = by_side(np.maximum(edges, 0.0)), by_side(edges)
    # Of a row's two sides one tells of the row; its edges may have the other sign.
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
    # A row's sum of the entry's own sign has the entry already.
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
    found = group_statistics(
        candidate,
        np.array([values for values, _ in pairs], dtype=np.float64).T,
        k,
        counts=np.array([counts for _, counts in pairs]).T,
    )
    return _assembled(found, k)


def _assembled(found: GroupStatistics, k: int) -> tuple[_Floats, _Floats]:
    """Put the statistics where they belong; their columns are the `pairs` above."""
    low, high = found.extremes()
    usual = np.array([found.mean, found.deviation, low, high])  # (4, k, columns)
    degrees, node_degrees = usual[:, :, 0].T, usual[:, :, 3].T
    of_coefficients = [np.hstack((found.count[:, c, None], usual[:, :, c].T)) for c in (1, 2)]
    chosen = [0, 2, 3]
    ratios = np.divide(
        degrees[:, chosen],
        node_degrees[:, chosen],
        out=np.zeros((k, 3)),
        where=node_degrees[:, chosen] != 0,
    )
    low, high = found.extremes(none=(1.0, -1.0))
    sides = (np.minimum(low[:, 4:8:2], low[:, 5:8:2]), np.maximum(high[:, 4:8:2], high[:, 5:8:2]))
    low, high = found.extremes(none=(1.0, 0.0))
    columns = (low[:, 8:12], high[:, 8:12])
    weights, values = found.sum[:, 12:16], usual[:, :, 16:20]
    active = np.array([weights, found.sum[:, 16:20], *values])  # (6, k, 4)
    static = np.hstack((found.count[:, 0, None], degrees, *of_coefficients))
    dynamic = np.hstack(
        (
            *(node_degrees, ratios),
            *(np.stack(pair, axis=2).reshape(k, -1) for pair in (sides, columns)),
            active.transpose(1, 2, 0).reshape(k, -1),
        )
    )
    return static, dynamic
