"""Decoding of a record batch of a shard: states of one part of a tree, and their labels."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from types import MappingProxyType
from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from milplib.learn.samples.features import (
    NODE_ROWS,
    NODE_VARIABLES,
    POOL_ROWS,
    STATIC_VARIABLES,
    FeatureGroup,
    positions,
)
from milplib.scip import BlockSchema, BranchingState

__all__ = ["DecodedPart", "LabelFields", "PlaceFields"]


class LabelFields(TypedDict):
    """Label of the expert, by the field names of a sample."""

    scores: npt.NDArray[np.float64]
    valid: npt.NDArray[np.bool_]
    chosen: int


class PlaceFields(TypedDict):
    """Position of a node in its tree, by the field names of a sample."""

    node: int
    parent: int
    depth: int


class DecodedPart:
    """Part of a tree. Static features are decoded at once, states and labels on demand.

    Parameters
    ----------
    batch
        The record batch; its structure must have been checked.
    blocks
        Blocks recorded beside the state.
    finite
        Whether features that are not finite are an error.

    Raises
    ------
    ValueError
        If the requested data are inconsistent; all methods raise it, too.
    """

    def __init__(
        self, batch: pa.RecordBatch, *, blocks: Iterable[BlockSchema], finite: bool = True
    ) -> None:
        self._cells, self._blocks, self._finite = _Cells(batch), tuple(blocks), finite
        cells = self._cells
        lengths = cells.array("pool_length", 0)
        self._static = self._features(STATIC_VARIABLES, 0)
        self._pool_start = np.cumsum([0, *lengths])
        self._pool_column = cells.positions("pool_column_steps", 0)
        self._pool_value: npt.NDArray[np.float32] = cells.array("pool_value", 0)
        self._pool_features = self._features(POOL_ROWS, 0)
        if (
            len(lengths) != len(self._pool_features)
            or (lengths < 0).any()
            or not self._pool_start[-1] == len(self._pool_column) == len(self._pool_value)
            or not _inside(self._pool_column, len(self._static))
            or (finite and not np.isfinite(self._pool_value).all())
        ):
            raise ValueError("its rows do not fit together")

    @cached_property
    def scip_seed(self) -> int:
        """SCIP's seed in the tree."""
        return int(self._cells.value("scip_seed", 0))

    def state(self, line: int) -> BranchingState:
        """Decode the state of a line."""
        cells = self._cells
        rows, candidates = cells.positions("row_steps", line), cells.array("candidates", line)
        node_variables = self._features(NODE_VARIABLES, line)
        node_rows = self._features(NODE_ROWS, line)
        if (
            len(node_variables) != len(self._static)
            or len(node_rows) != len(rows)
            or not _inside(rows, len(self._pool_features))
            or not _inside(candidates, len(self._static))
        ):
            raise ValueError("a state does not fit its tree")
        lengths = np.diff(self._pool_start)[rows]
        ends = np.cumsum(lengths)
        first = self._pool_start[rows] - (ends - lengths)
        entry = np.arange(lengths.sum()) + np.repeat(first, lengths)
        edge_rows = np.repeat(np.arange(len(rows), dtype=np.int32), lengths)
        blocks = {}
        for block in self._blocks:
            values = cells.array(f"block_{block.name}", line)
            if len(values) % len(block.columns):
                raise ValueError(f"the block '{block.name}' is not whole")
            if self._finite and not np.isfinite(values).all():
                raise ValueError(f"the block '{block.name}' has a number that is not finite")
            blocks[block.name] = values.reshape(-1, len(block.columns))
        return BranchingState(
            variable_features=np.hstack((self._static, node_variables)),
            row_features=np.hstack((self._pool_features[rows], node_rows)),
            edge_index=np.vstack((edge_rows, self._pool_column[entry])),
            edge_features=self._pool_value[entry],
            candidates=candidates,
            has_incumbent=cells.value("has_incumbent", line),
            blocks=MappingProxyType(blocks),
        )

    def label(self, line: int) -> LabelFields:
        """Return the expert's label of a line, by the field names of a sample."""
        cells = self._cells
        scores, valid = cells.array("scores", line), cells.array("valid", line)
        chosen = cells.value("chosen", line)
        k = len(cells.array("candidates", line))
        if (
            len(scores) != k
            or len(valid) != k
            or chosen not in range(k)
            or not np.isfinite(scores).all()
        ):
            raise ValueError("its labels do not fit its candidates")
        if not valid.any():
            raise ValueError("none of a node's candidates has a valid score")
        return {"scores": scores, "valid": valid, "chosen": int(chosen)}

    def place(self, line: int) -> PlaceFields:
        """Return the position of a line's node in the tree, by the field names of a sample."""
        cells = self._cells
        return {
            "node": int(cells.value("node", line)),
            "parent": int(cells.value("parent", line)),
            "depth": int(cells.value("depth", line)),
        }

    def is_child_of_labelled(self, line: int) -> bool:
        """Whether a line's node was labelled because its parent had been."""
        return bool(self._cells.value("is_child_of_labelled", line))

    def _features(self, group: FeatureGroup, line: int) -> npt.NDArray[np.float32]:
        cells = {name: self._cells.array(name, line) for name in group.cells}
        return group.decode(cells, finite=self._finite)


def _inside(positions: npt.NDArray[np.int32], size: int) -> bool:
    return not len(positions) or bool(positions.min() >= 0 and positions.max() < size)


class _Cells:
    """Cells of a record batch as NumPy arrays; each column is converted once, on first use."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        self._batch = batch
        self._values: dict[str, npt.NDArray[Any]] = {}
        self._lists: dict[str, tuple[list[bool], list[int], npt.NDArray[Any]]] = {}

    def value(self, name: str, line: int) -> Any:
        """Return a cell that holds one value."""
        if name not in self._values:
            self._values[name] = self._batch.column(name).to_numpy(zero_copy_only=False)
        value = self._values[name][line]
        return value.item() if isinstance(value, np.generic) else value

    def array(self, name: str, line: int) -> npt.NDArray[Any]:
        """Return a cell that holds a list."""
        if name not in self._lists:
            column = self._batch.column(name)
            values = column.values.to_numpy(zero_copy_only=False)
            self._lists[name] = (column.is_valid().tolist(), column.offsets.tolist(), values)
        is_valid, offsets, values = self._lists[name]
        if not is_valid[line]:
            raise ValueError(f"the column '{name}' is empty where it must not be")
        return values[offsets[line] : offsets[line + 1]]

    def positions(self, name: str, line: int) -> npt.NDArray[np.int32]:
        return positions(self.array(name, line))
