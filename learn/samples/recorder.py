"""Recording of a tree's branching states as Arrow record batches."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from milplib.display import Shown
from milplib.learn.samples.features import (
    NODE_ROWS,
    NODE_VARIABLES,
    POOL_ROWS,
    STATIC_VARIABLES,
    steps,
)
from milplib.learn.samples.schema import SampleSchema
from milplib.scip import BranchingState

__all__ = ["Label", "NodePosition", "TreeRecorder"]

_N_STATIC = len(STATIC_VARIABLES.features)
_N_POOL = len(POOL_ROWS.features)


@dataclass(frozen=True, kw_only=True)
class NodePosition:
    """Position of a node in its tree: SCIP's numbers of node and parent (-1 at the root), depth."""

    node: int
    parent: int
    depth: int


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Label(Shown):
    """Label of the expert at a node.

    Parameters
    ----------
    scores, valid
        Scores of the candidates, and whether each is valid; see
        `milplib.scip.strong_branching.StrongBranchingResult`. Shape (k,).
    chosen
        Position of the expert's choice among the candidates; the solve followed it.
    is_child_of_labelled
        Whether the node was labelled because its parent had been.
    """

    scores: npt.NDArray[np.float64]
    valid: npt.NDArray[np.bool_]
    chosen: int
    is_child_of_labelled: bool = False


@dataclass
class _Part:
    """Part of a tree: its LP columns, the rows met so far, and the recorded nodes."""

    static: npt.NDArray[np.floating[Any]]
    pool: dict[bytes, int] = field(default_factory=dict)
    columns: list[npt.NDArray[np.int32]] = field(default_factory=list)
    values: list[npt.NDArray[np.floating[Any]]] = field(default_factory=list)
    row_features: list[npt.NDArray[np.floating[Any]]] = field(default_factory=list)
    nodes: list[dict[str, object]] = field(default_factory=list)

    def rows_of(self, state: BranchingState) -> npt.NDArray[np.int32]:
        """Return the positions of a state's rows in the pool; add rows not met before to it."""
        lengths = np.bincount(state.edge_index[0], minlength=state.n_rows)
        ends = np.cumsum(lengths)
        rows = np.empty(state.n_rows, dtype=np.int32)
        fixed = np.ascontiguousarray(state.row_features[:, :_N_POOL])
        for row, (start, end) in enumerate(zip(ends - lengths, ends, strict=True)):
            columns = state.edge_index[1, start:end]
            values = state.edge_features[start:end]
            key = columns.tobytes() + values.tobytes() + fixed[row].tobytes()
            place = self.pool.setdefault(key, len(self.pool))
            if place == len(self.columns):
                self.columns.append(columns)
                self.values.append(values)
                self.row_features.append(fixed[row])
            rows[row] = place
        return rows


class TreeRecorder:
    """Recorder of the states and labels of one tree, in float32.

    Parameters
    ----------
    schema
        Schema of the samples.
    instance, instance_hash, episode, scip_seed
        Identity of the tree.
    """

    def __init__(
        self,
        schema: SampleSchema,
        *,
        instance: str,
        instance_hash: str,
        episode: int,
        scip_seed: int,
    ) -> None:
        self._schema = schema
        self._identity = {
            "instance": instance,
            "instance_hash": instance_hash,
            "episode": episode,
            "scip_seed": scip_seed,
        }
        self._parts: list[_Part] = []
        self.n_samples = 0
        """Number of labelled nodes recorded."""

    def record(
        self, state: BranchingState, position: NodePosition, label: Label | None = None
    ) -> None:
        """Record a labelled node, or the root of a part of the tree.

        Parameters
        ----------
        state
            State of the node in float32.
        position
            Position of the node in the tree.
        label
            Label of the expert. A state without a label is kept only if it is the first of the
            tree, or the first with new columns.
        """
        static = state.variable_features[:, :_N_STATIC]
        if not self._parts or not np.array_equal(self._parts[-1].static, static):
            self._parts.append(_Part(static))
        elif label is None:
            return
        part = self._parts[-1]
        node: dict[str, object] = {
            "node": position.node,
            "parent": position.parent,
            "depth": position.depth,
            "is_child_of_labelled": label is not None and label.is_child_of_labelled,
            "has_incumbent": state.has_incumbent,
            "candidates": state.candidates,
            "row_steps": steps(part.rows_of(state)),
            "scores": None if label is None else label.scores,
            "valid": None if label is None else label.valid,
            "chosen": None if label is None else label.chosen,
            **NODE_VARIABLES.encode(state.variable_features[:, _N_STATIC:]),
            **NODE_ROWS.encode(state.row_features[:, _N_POOL:]),
        }
        for block in self._schema.blocks:
            node[f"block_{block.name}"] = state.blocks[block.name].ravel()
        part.nodes.append(node)
        self.n_samples += label is not None

    def batches(self) -> list[pa.RecordBatch]:
        """Return a record batch for each part of the tree that has samples."""
        schema = self._schema.arrow()
        return [
            self._encode(part, number, schema)
            for number, part in enumerate(self._parts)
            if any(node["scores"] is not None for node in part.nodes)
        ]

    def _encode(self, part: _Part, number: int, schema: pa.Schema) -> pa.RecordBatch:
        columns = np.concatenate([np.empty(0, dtype=np.int32), *part.columns])
        fixed = np.array(part.row_features, dtype=np.float32).reshape(len(part.columns), _N_POOL)
        static: dict[str, object] = {
            **self._identity,
            "part": number,
            "pool_length": list(map(len, part.columns)),
            "pool_column_steps": steps(columns),
            "pool_value": np.concatenate([np.empty(0, dtype=np.float32), *part.values]),
            **POOL_ROWS.encode(fixed),
            **STATIC_VARIABLES.encode(part.static),
        }
        arrays = []
        for column in schema:
            if column.name in static:
                lines = [static[column.name], *[None] * (len(part.nodes) - 1)]
            else:
                lines = [node[column.name] for node in part.nodes]
            arrays.append(_arrow_array(lines, column.type))
        return pa.record_batch(arrays, schema=schema)


def _arrow_array(lines: list[object], arrow_type: pa.DataType) -> pa.Array:
    if pa.types.is_list(arrow_type):
        dtype = arrow_type.value_type.to_pandas_dtype()
        lines = [None if line is None else np.asarray(line).astype(dtype) for line in lines]
    return pa.array(lines, type=arrow_type)
