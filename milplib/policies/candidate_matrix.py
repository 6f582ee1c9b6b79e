"""Feature matrix of a ranking model: one line per candidate, normalised within the state."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from milplib.policies.gcnn import joined_blocks
from milplib.scip.features import ROW_FEATURES, VARIABLE_FEATURES
from milplib.scip.grouped import sorted_by_group
from milplib.scip.state import BranchingState
from milplib.scip.state_functions import BlockSchema

__all__ = [
    "AGGREGATED_FEATURES",
    "aggregated_rows",
    "candidate_matrix",
    "matrix_columns",
    "normalised",
]

_Floats = npt.NDArray[np.float32]

_OF_EDGE = (*ROW_FEATURES, "coefficient")
AGGREGATED_FEATURES: tuple[str, ...] = (
    *(f"row_{name}_{statistic}" for statistic in ("mean", "min", "max") for name in _OF_EDGE),
    "row_sides",
)
"""Names of the columns of `aggregated_rows`, in order."""

LEAST_SPREAD = 1e-6
"""Smallest range of a feature, relative to its size, that counts as a difference."""


def matrix_columns(blocks: Iterable[BlockSchema] = ()) -> tuple[str, ...]:
    """Return the column names of `candidate_matrix`: variable, row and block features.

    Examples
    --------
    >>> columns = matrix_columns()
    >>> len(columns), columns[0], columns.index("row_bias_mean")
    (38, 'objective', 19)
    """
    of_blocks = (f"{block.name}_{column}" for block in blocks for column in block.columns)
    return (*VARIABLE_FEATURES, *AGGREGATED_FEATURES, *of_blocks)


def aggregated_rows(state: BranchingState) -> _Floats:
    """Aggregate the features of each candidate's rows.

    The columns are the mean, minimum and maximum of the five row features and of the coefficient
    over the candidate's edges, and the number of edges. They are 0 for a candidate in no row.

    Returns
    -------
    ndarray
        Columns named by `AGGREGATED_FEATURES`. Shape (k, 19), float32.

    Raises
    ------
    ValueError, IndexError
        If a position is out of range, or a candidate occurs twice.

    References
    ----------
    Gasse et al., "Exact combinatorial optimization with graph convolutional neural networks",
    NeurIPS 2019, use the mean, minimum and maximum over a variable's rows in their tree and
    ranking models, in addition to Khalil's features.

    Examples
    --------
    >>> state = BranchingState(
    ...     variable_features=np.zeros((2, 19)), row_features=np.arange(10.0).reshape(2, 5),
    ...     edge_index=np.array([[0, 1], [1, 1]], dtype=np.int32),
    ...     edge_features=np.array([0.5, 1.0]), candidates=np.array([1], dtype=np.int32),
    ...     has_incumbent=False)
    >>> dict(zip(AGGREGATED_FEATURES, aggregated_rows(state)[0].tolist()))["row_bias_mean"]
    2.5
    """
    k = len(state.candidates)
    side, column = state.edge_index
    if (k and state.candidates.min() < 0) or (len(column) and column.min() < 0):
        raise ValueError("candidates or edge_index[1] holds a negative position")
    place_of_column = np.full(state.n_variables, -1, dtype=np.int64)
    place_of_column[state.candidates] = np.arange(k)
    is_candidate = place_of_column >= 0
    if np.count_nonzero(is_candidate) != k:
        raise ValueError("candidates names a column twice")
    mine = is_candidate.take(column).nonzero()[0]
    place = place_of_column.take(column.take(mine))
    order = sorted_by_group(place)
    mine = mine.take(order)
    side = side.take(mine)
    if len(side) and side.min() < 0:
        raise ValueError("edge_index[0] holds a negative position")
    # One line per feature, so that the sums below run along contiguous memory.
    values = np.empty((len(_OF_EDGE), len(mine)))
    values[:-1] = np.ascontiguousarray(state.row_features.T).take(side, axis=1)
    values[-1] = state.edge_features.take(mine)
    count = np.bincount(place, minlength=k)
    some = count.nonzero()[0]
    features = np.zeros((len(AGGREGATED_FEATURES), k))
    if len(some):
        starts = (count.cumsum() - count)[some]
        parts = [np.add.reduceat(values, starts, axis=1) / count[some]]
        parts += [f.reduceat(values, starts, axis=1) for f in (np.minimum, np.maximum)]
        features[:-1, some if len(some) < k else slice(None)] = np.concatenate(parts)
    features[-1] = count
    return features.T.astype(np.float32)


def candidate_matrix(state: BranchingState, blocks: tuple[str, ...] = ()) -> _Floats:
    """Compute the features of the candidates, each scaled to [0, 1] within the state.

    Parameters
    ----------
    state
        Branching state with k candidates.
    blocks
        Names of the blocks to add. Each block has a single line, or one line per candidate.

    Returns
    -------
    ndarray
        Columns named by `matrix_columns`. Shape (k, d), float32.

    Raises
    ------
    PolicyError
        If a block is missing, or has neither one nor k lines.
    ValueError, IndexError
        If a position is out of range, a candidate occurs twice, or a feature is not finite.

    Notes
    -----
    As in Khalil et al. 2016, features are normalised within the state ("query-based"): the smallest
    value among the candidates becomes 0, the largest 1. A model therefore compares the candidates
    of one state, at any scale of the instance. A feature that all candidates share, such as those
    of the block ``tree``, becomes 0 and carries no information. Values whose range is at most
    `LEAST_SPREAD` of the largest absolute value count as equal; otherwise the last digits of
    float32 would be spread over the whole range.

    Examples
    --------
    >>> from milplib.scip import VariableFeature
    >>> features = np.zeros((3, len(VariableFeature)))
    >>> features[:, VariableFeature.SOLUTION_VALUE] = [2.5, 0.5, 1.0]
    >>> state = BranchingState(
    ...     variable_features=features, row_features=np.zeros((0, 5)),
    ...     edge_index=np.zeros((2, 0), dtype=np.int32), edge_features=np.zeros(0),
    ...     candidates=np.arange(3, dtype=np.int32), has_incumbent=False)
    >>> candidate_matrix(state)[:, VariableFeature.SOLUTION_VALUE].tolist()
    [1.0, 0.0, 0.25]
    """
    of_blocks = joined_blocks(state, blocks)
    of_variables = state.variable_features[state.candidates]
    return normalised(np.hstack((of_variables, aggregated_rows(state), of_blocks)))


def normalised(features: npt.NDArray[np.floating[Any]]) -> _Floats:
    """Scale each column to [0, 1]; columns of (nearly) equal values become 0.

    Raises
    ------
    ValueError
        If a number is not finite.
    """
    if not len(features):
        return features.astype(np.float32)
    features = features.astype(np.float64)
    low, high = features.min(axis=0), features.max(axis=0)
    spread = high - low
    if not np.isfinite(spread).all():  # also catches NaN
        raise ValueError("a feature of the candidates is not finite")
    varies = spread > LEAST_SPREAD * np.maximum(np.abs(low), np.abs(high))
    scale = varies / np.where(varies, spread, 1.0)
    scaled: _Floats = ((features - low) * scale).astype(np.float32)
    return scaled
