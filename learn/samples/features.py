"""Encoding of arrays as cells of a shard: features one after another, positions as steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from milplib.scip import ROW_FEATURES, VARIABLE_FEATURES, RowFeature, VariableFeature

__all__ = [
    "NODE_ROWS",
    "NODE_VARIABLES",
    "POOL_ROWS",
    "STATIC_VARIABLES",
    "FeatureGroup",
    "positions",
    "steps",
]

_FLAGS = ("has_", "is_")


@dataclass(frozen=True)
class FeatureGroup:
    """Features that a shard stores together, in up to two cells.

    A cell holds the first feature of all lines, then the second one, and so on. Similar features
    compress well side by side (a solution value and its fractionality, an incumbent and the
    average), and one cell costs less than many. A flag takes one bit.

    Parameters
    ----------
    name
        Prefix of the names of the cells.
    features
        Names of the features, in the order of the matrix.

    Examples
    --------
    >>> group = FeatureGroup("pool", ("bias", "is_tight"))
    >>> cells = group.encode(np.array([[0.5, 1.0], [2.0, 0.0]]))
    >>> {name: cell.tolist() for name, cell in cells.items()}
    {'pool_numbers': [0.5, 2.0], 'pool_flags': [True, False]}
    >>> group.decode(cells).tolist()
    [[0.5, 1.0], [2.0, 0.0]]
    """

    name: str
    features: Sequence[str]

    @cached_property
    def cells(self) -> dict[str, list[int]]:
        """Names of the cells, each with the positions of its features."""
        cells: dict[str, list[int]] = {f"{self.name}_numbers": [], f"{self.name}_flags": []}
        for place, feature in enumerate(self.features):
            cells[f"{self.name}_{'flags' if feature.startswith(_FLAGS) else 'numbers'}"].append(
                place
            )
        return {name: places for name, places in cells.items() if places}

    def fields(self, *, nullable: bool) -> list[pa.Field]:
        """Return the Arrow fields of the cells; their metadata name the features."""
        return [
            pa.field(
                name,
                pa.list_(pa.bool_() if name.endswith("_flags") else pa.float32()),
                nullable=nullable,
                metadata={"features": ",".join(self.features[place] for place in places)},
            )
            for name, places in self.cells.items()
        ]

    def encode(self, matrix: npt.NDArray[Any]) -> dict[str, npt.NDArray[Any]]:
        """Encode a matrix of shape (n, features) as cells."""
        return {
            name: matrix[:, places]
            .T.ravel()
            .astype(np.bool_ if name.endswith("_flags") else np.float32)
            for name, places in self.cells.items()
        }

    def decode(
        self, cells: dict[str, npt.NDArray[Any]], *, finite: bool = True
    ) -> npt.NDArray[np.float32]:
        """Decode cells to their matrix. Shape (n, features), float32.

        Raises
        ------
        ValueError
            If the lengths of the cells do not fit, or if `finite` is true and a number is not
            finite.
        """
        sizes = {divmod(len(cells[name]), len(places)) for name, places in self.cells.items()}
        if len(sizes) != 1 or next(iter(sizes))[1]:
            raise ValueError(f"the cells '{self.name}_*' have lengths that do not fit")
        ((n, _),) = sizes
        matrix = np.empty((n, len(self.features)), dtype=np.float32)
        for name, places in self.cells.items():
            matrix[:, places] = cells[name].reshape(len(places), n).T
        if finite and not np.isfinite(matrix).all():
            raise ValueError(f"the cells '{self.name}_*' have a number that is not finite")
        return matrix


STATIC_VARIABLES = FeatureGroup(
    "static_variable", VARIABLE_FEATURES[: VariableFeature.HAS_LOWER_BOUND]
)
"""Variable features that are constant within a part of a tree."""
NODE_VARIABLES = FeatureGroup("variable", VARIABLE_FEATURES[VariableFeature.HAS_LOWER_BOUND :])
"""Variable features that change from node to node."""
POOL_ROWS = FeatureGroup("pool", ROW_FEATURES[: RowFeature.IS_TIGHT])
"""Row features of a row of the pool, stored with its edges."""
NODE_ROWS = FeatureGroup("row", ROW_FEATURES[RowFeature.IS_TIGHT :])
"""Row features that change from node to node."""


def steps(positions: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.integer[Any]]:
    """Return the step from each position to the next, the first one from 0; see `positions`."""
    return np.diff(positions, prepend=0)


def positions(steps: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.int32]:
    """Undo `steps`.

    Raises
    ------
    ValueError
        If a position is negative or exceeds int32.

    Examples
    --------
    >>> positions(steps(np.array([4, 2, 7]))).tolist()
    [4, 2, 7]
    """
    totals = np.cumsum(steps, dtype=np.int64)
    if len(totals) and not 0 <= totals.min() <= totals.max() < 2**31:
        raise ValueError("positions are out of range")
    return totals.astype(np.int32)
