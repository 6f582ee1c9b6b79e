"""A folder of samples, read: any sample as a branching state with its labels."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, overload

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from milplib.errors import SampleError
from milplib.learn.samples.features import (
    NODE_ROWS,
    NODE_VARIABLES,
    POOL_ROWS,
    STATIC_VARIABLES,
    FeatureGroup,
    positions,
)
from milplib.learn.samples.shards import Manifest, Shard, TreeEntry
from milplib.policies.choice import tied_with_best
from milplib.scip import BlockSchema, BranchingState

__all__ = ["Sample", "SampleSet", "tied_with_best"]

_TREES_IN_MEMORY = 64


@dataclass(frozen=True, eq=False, kw_only=True)
class Sample:
    """A labelled branching node.

    Parameters
    ----------
    state
        What a policy sees there, float32.
    scores
        The expert's, in the order of ``state.candidates``. Shape (k,), float64; 0 where not
        valid.
    valid
        Whether there is a score. Shape (k,), bool.
    chosen
        Position among the candidates of the expert's choice.
    node, parent, depth
        SCIP's numbers of the node and its parent (-1 at the root), and its depth.
    is_child_of_labelled
        Whether it was labelled because its parent had been.
    tree
        Which tree it belongs to.
    scip_seed
        SCIP's seed in that tree.
    """

    state: BranchingState
    scores: npt.NDArray[np.float64]
    valid: npt.NDArray[np.bool_]
    chosen: int
    node: int
    parent: int
    depth: int
    is_child_of_labelled: bool
    tree: TreeEntry
    scip_seed: int

    @property
    def tied(self) -> npt.NDArray[np.bool_]:
        """Candidates that the expert scores best, ties included. Shape (k,), bool."""
        return tied_with_best(self.scores, self.valid)


@dataclass(frozen=True, eq=False)
class _Part:
    """The static part of a tree, decoded."""

    cells: _Cells
    static: npt.NDArray[np.float32]
    pool_start: npt.NDArray[np.int64]
    pool_column: npt.NDArray[np.int32]
    pool_value: npt.NDArray[np.float32]
    pool_features: npt.NDArray[np.float32]


class SampleSet(Sequence[Sample]):
    """The samples of a folder that ``milplib collect`` wrote.

    Parameters
    ----------
    folder
        The folder.
    verify
        Check every shard against the manifest's checksum first.

    Raises
    ------
    SampleError
        If the folder holds no finished collection, or a shard is missing, damaged or of
        another schema version; the message names it.

    Examples
    --------
    >>> import tempfile, milplib
    >>> from milplib.generators import CombinatorialAuction
    >>> from milplib.learn import collect
    >>> folder = tempfile.mkdtemp()
    >>> CombinatorialAuction(n_items=50, n_bids=200).generate(seed=0).write(folder + "/a.lp")
    >>> _ = collect([folder], out=folder + "/samples", samples_per_instance=1,
    ...             expert_probability=1.0)
    >>> samples = SampleSet(folder + "/samples")
    >>> samples[0].state.variable_features.shape[1], len(samples[0].scores) > 1
    (19, True)
    """

    def __init__(self, folder: str | os.PathLike[str], *, verify: bool = True) -> None:
        self.folder = Path(folder)
        self.manifest = Manifest.load(self.folder)
        # Open first: another schema version is a better answer than a wrong checksum.
        self._shards = [Shard(self.folder / entry.file) for entry in self.manifest.shards]
        for entry, shard in zip(self.manifest.shards, self._shards, strict=True):
            if verify:
                entry.verify(self.folder)
            if len(shard) != len(entry.trees) or shard.schema != self.manifest.schema:
                raise SampleError(f"{shard.path} is not the shard that the manifest describes")
        places = [
            (number, batch, line)
            for number, entry in enumerate(self.manifest.shards)
            for batch, tree in enumerate(entry.trees)
            for line in range(not tree.root_labelled, tree.samples + (not tree.root_labelled))
        ]
        self._places = np.array(places, dtype=np.int32).reshape(len(places), 3)
        self._part = lru_cache(maxsize=_TREES_IN_MEMORY)(self._decode_part)

    @property
    def blocks(self) -> tuple[BlockSchema, ...]:
        """The blocks recorded beside the state."""
        return self.manifest.schema.blocks

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> Sample: ...
    @overload
    def __getitem__(self, index: slice) -> list[Sample]: ...
    def __getitem__(self, index: int | slice) -> Sample | list[Sample]:
        if isinstance(index, slice):
            return [self[position] for position in range(*index.indices(len(self)))]
        shard, batch, line = self._places[index].tolist()
        tree = self.manifest.shards[shard].trees[batch]
        with self._naming(tree):
            part = self._part(shard, batch)
            cells = part.cells
            state = self._decode_state(part, line)
            scores, valid = cells.array("scores", line), cells.array("valid", line)
            chosen = cells.value("chosen", line)
            k = len(state.candidates)
            if (
                len(scores) != k
                or len(valid) != k
                or chosen not in range(k)
                or not np.isfinite(scores).all()
            ):
                raise ValueError("its labels do not fit its candidates")
            if not valid.any():
                raise ValueError("none of a node's candidates has a valid score")
        return Sample(
            state=state,
            scores=scores,
            valid=valid,
            chosen=int(chosen),
            **{
                name: cells.value(name, line)
                for name in ("node", "parent", "depth", "is_child_of_labelled")
            },
            tree=tree,
            scip_seed=int(cells.value("scip_seed", 0)),
        )

    def __iter__(self) -> Iterator[Sample]:
        return (self[position] for position in range(len(self)))

    def root_state(self, index: int) -> BranchingState:
        """State of the root (the first branching node) of the tree that a sample belongs to."""
        shard, batch, _ = self._places[index].tolist()
        with self._naming(self.manifest.shards[shard].trees[batch]):
            part = self._part(shard, batch)
            return self._decode_state(part, 0)

    @contextmanager
    def _naming(self, tree: TreeEntry) -> Iterator[None]:
        try:
            yield
        except ValueError as error:
            raise SampleError(
                f"{self.folder} is damaged at {tree.instance}, episode {tree.episode}: {error}"
            ) from error

    def _decode_part(self, shard: int, number: int) -> _Part:
        batch = self._shards[shard].batch(number)
        cells = _Cells(batch)
        lengths = cells.array("pool_length", 0)
        part = _Part(
            cells=cells,
            static=cells.features(STATIC_VARIABLES, 0),
            pool_start=np.cumsum([0, *lengths]),
            pool_column=cells.positions("pool_column_steps", 0),
            pool_value=cells.array("pool_value", 0),
            pool_features=cells.features(POOL_ROWS, 0),
        )
        if (
            TreeEntry.of(batch) != self.manifest.shards[shard].trees[number]
            or len(lengths) != len(part.pool_features)
            or (lengths < 0).any()
            or not part.pool_start[-1] == len(part.pool_column) == len(part.pool_value)
            or not _inside(part.pool_column, len(part.static))
            or not np.isfinite(part.pool_value).all()
        ):
            raise ValueError("its rows do not fit together")
        return part

    def _decode_state(self, part: _Part, line: int) -> BranchingState:
        cells = part.cells
        rows, candidates = cells.positions("row_steps", line), cells.array("candidates", line)
        node_variables = cells.features(NODE_VARIABLES, line)
        node_rows = cells.features(NODE_ROWS, line)
        if (
            len(node_variables) != len(part.static)
            or len(node_rows) != len(rows)
            or not _inside(rows, len(part.pool_features))
            or not _inside(candidates, len(part.static))
        ):
            raise ValueError("a state does not fit its tree")
        lengths = np.diff(part.pool_start)[rows]
        ends = np.cumsum(lengths)
        first = part.pool_start[rows] - (ends - lengths)
        entry = np.arange(lengths.sum()) + np.repeat(first, lengths)
        edge_rows = np.repeat(np.arange(len(rows), dtype=np.int32), lengths)
        blocks = {}
        for block in self.blocks:
            values = cells.array(f"block_{block.name}", line)
            if len(values) % len(block.columns):
                raise ValueError(f"the block '{block.name}' is not whole")
            if not np.isfinite(values).all():
                raise ValueError(f"the block '{block.name}' has a number that is not finite")
            blocks[block.name] = values.reshape(-1, len(block.columns))
        return BranchingState(
            variable_features=np.hstack((part.static, node_variables)),
            row_features=np.hstack((part.pool_features[rows], node_rows)),
            edge_index=np.vstack((edge_rows, part.pool_column[entry])),
            edge_features=part.pool_value[entry],
            candidates=candidates,
            has_incumbent=cells.value("has_incumbent", line),
            blocks=MappingProxyType(blocks),
        )


def _inside(positions: npt.NDArray[np.int32], size: int) -> bool:
    return not len(positions) or bool(positions.min() >= 0 and positions.max() < size)


class _Cells:
    """A record batch as numpy arrays: each column is converted once, when it is first asked for."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        self._batch = batch
        self._values: dict[str, npt.NDArray[Any]] = {}
        self._lists: dict[str, tuple[list[bool], list[int], npt.NDArray[Any]]] = {}

    def value(self, name: str, line: int) -> Any:
        """Give a cell that holds one value."""
        if name not in self._values:
            self._values[name] = self._batch.column(name).to_numpy(zero_copy_only=False)
        value = self._values[name][line]
        return value.item() if isinstance(value, np.generic) else value

    def array(self, name: str, line: int) -> npt.NDArray[Any]:
        """Give a cell that holds a list."""
        if name not in self._lists:
            column = self._batch.column(name)
            values = column.values.to_numpy(zero_copy_only=False)
            self._lists[name] = (column.is_valid().tolist(), column.offsets.tolist(), values)
        is_valid, offsets, values = self._lists[name]
        if not is_valid[line]:
            raise ValueError(f"the column '{name}' is empty where it must not be")
        return values[offsets[line] : offsets[line + 1]]

    def features(self, group: FeatureGroup, line: int) -> npt.NDArray[np.float32]:
        return group.decode({name: self.array(name, line) for name in group.cells})

    def positions(self, name: str, line: int) -> npt.NDArray[np.int32]:
        return positions(self.array(name, line))
