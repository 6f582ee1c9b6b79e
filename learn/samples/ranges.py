"""Ranges of the features of samples, computed in one pass and constant memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from milplib.scip import ROW_FEATURES, VARIABLE_FEATURES, BlockSchema, BranchingState

__all__ = ["FeatureRange", "FeatureRanges"]


@dataclass(frozen=True, kw_only=True)
class FeatureRange:
    """Range of a feature over all variables, rows, edges or lines of a block.

    Parameters
    ----------
    group, name
        ``variable``, ``row``, ``edge`` or ``block NAME``, and the name of the feature in it.
    values, not_finite
        Number of values, and number of values that are infinite or NaN.
    minimum, mean, maximum
        Statistics of the finite values; None if no value is finite.
    zeros
        Share of zeros among the finite values; None if no value is finite.
    """

    group: str
    name: str
    values: int
    not_finite: int
    minimum: float | None
    mean: float | None
    maximum: float | None
    zeros: float | None

    @property
    def is_constant(self) -> bool:
        """Whether all finite values are equal; False if no value is finite."""
        return self.minimum is not None and self.minimum == self.maximum


class FeatureRanges:
    """Ranges of every named feature, accumulated state by state.

    Parameters
    ----------
    blocks
        Blocks of the states, beside the features of variables, rows and edges.

    Examples
    --------
    >>> from milplib.generators import GeneralizedIndependentSet
    >>> from milplib.learn import collect
    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> GeneralizedIndependentSet(n_nodes=40).generate(seed=0).write(folder + "/a.lp")
    >>> samples = collect([folder], out=folder + "/samples", samples_per_instance=1,
    ...                   expert_probability=1.0)
    >>> ranges = FeatureRanges(samples.blocks)
    >>> ranges.add(samples[0].state)
    >>> by_name = {(r.group, r.name): r for r in ranges.found()}
    >>> binary = by_name["variable", "is_type_binary"]
    >>> binary.minimum, binary.is_constant
    (1.0, True)
    """

    def __init__(self, blocks: Iterable[BlockSchema] = ()) -> None:
        self._variables = _Columns("variable", VARIABLE_FEATURES)
        self._rows = _Columns("row", ROW_FEATURES)
        self._edges = _Columns("edge", ("coefficient",))
        self._blocks = {
            block.name: _Columns(f"block {block.name}", block.columns) for block in blocks
        }

    def add(self, state: BranchingState) -> None:
        """Add the values of a state."""
        self._variables.add(state.variable_features)
        self._rows.add(state.row_features)
        self._edges.add(state.edge_features[:, None])
        for name, columns in self._blocks.items():
            columns.add(state.blocks[name])

    def found(self) -> tuple[FeatureRange, ...]:
        """Return the ranges so far: of variables, rows and edges, and of the blocks in order."""
        groups = (self._variables, self._rows, self._edges, *self._blocks.values())
        return tuple(feature for group in groups for feature in group.found())


class _Columns:
    def __init__(self, group: str, names: Sequence[str]) -> None:
        self._group, self._names = group, tuple(names)
        n = len(self._names)
        self._values = 0
        self._low, self._high = np.full(n, np.inf), np.full(n, -np.inf)
        self._total = np.zeros(n)
        self._zeros, self._finite = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)

    def add(self, matrix: npt.NDArray[Any]) -> None:
        if not len(matrix):
            return
        self._values += len(matrix)
        finite = np.isfinite(matrix)
        # Several times faster without a mask, which only damaged samples need.
        where: Any = True if finite.all() else finite
        low = np.min(matrix, axis=0, initial=np.inf, where=where)
        high = np.max(matrix, axis=0, initial=-np.inf, where=where)
        self._low, self._high = np.minimum(self._low, low), np.maximum(self._high, high)
        self._total += np.sum(matrix, axis=0, dtype=np.float64, where=where)
        self._zeros += np.count_nonzero(matrix == 0, axis=0)
        self._finite += np.count_nonzero(finite, axis=0)

    def found(self) -> Iterable[FeatureRange]:
        for place, name in enumerate(self._names):
            finite = int(self._finite[place])
            yield FeatureRange(
                group=self._group,
                name=name,
                values=self._values,
                not_finite=self._values - finite,
                minimum=float(self._low[place]) if finite else None,
                mean=float(self._total[place] / finite) if finite else None,
                maximum=float(self._high[place]) if finite else None,
                zeros=float(self._zeros[place] / finite) if finite else None,
            )
