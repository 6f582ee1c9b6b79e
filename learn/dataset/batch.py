"""Graphs side by side as one graph, in memory that is used again."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from itertools import accumulate
from operator import methodcaller
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from milplib.learn.dataset.graph import COUNTED, BranchingGraph

__all__ = ["BatchMemory", "joined", "to_batch"]

_LINE = 64  # bytes: so far apart arrays begin that no two share one


class BatchMemory:
    """Memory for batches; a block is used again once nothing refers to the batch that lay in it.

    A batch has some MB, which the C library takes from the system and gives back every time; the
    page faults cost ten times as much as copying the graphs (32 set covers 500×1000: 4.2 ms into
    new memory, 0.4 ms into memory used before).

    Examples
    --------
    >>> memory = BatchMemory()
    >>> first = memory.take(1000)
    >>> address = first.ctypes.data
    >>> memory.take(1000).ctypes.data == address
    False
    >>> del first
    >>> memory.take(900).ctypes.data == address
    True
    """

    def __init__(self) -> None:
        self._blocks: list[npt.NDArray[np.uint8]] = []
        self._idle = 0  # references to a block that nobody uses; versions of Python differ

    def take(self, size: int) -> npt.NDArray[np.uint8]:
        """Give so many bytes, whatever is in them; views of them keep them from being given again.

        Not for two threads at once.
        """
        free = [
            place for place in range(len(self._blocks)) if self._references(place) == self._idle
        ]
        for place in free:
            if self._blocks[place].nbytes >= size:
                return self._blocks[place][:size]
        for place in reversed(free):  # too small now, and batches of one set differ little
            del self._blocks[place]
        self._blocks.append(np.empty(size + size // 4, dtype=np.uint8))
        self._idle = self._references(-1)
        return self._blocks[-1][:size]

    def _references(self, place: int) -> int:
        return sys.getrefcount(self._blocks[place])


def to_batch(
    graphs: Sequence[BranchingGraph], *, memory: BatchMemory | None = None
) -> BranchingGraph:
    """Put graphs side by side, as PyTorch Geometric's `Batch` does, into one graph.

    Parameters
    ----------
    graphs
        At least one, all with the same tensors, on the CPU.
    memory
        Where the tensors are to lie; new memory if not given.

    Returns
    -------
    BranchingGraph
        Beside the tensors of the graphs ``num_graphs``, and ``candidates_batch``, the number of
        the graph that each candidate belongs to, shape (k,), int64.

    Examples
    --------
    >>> graph = BranchingGraph(variable_features=torch.zeros(3, 19),
    ...                        row_features=torch.zeros(1, 5),
    ...                        candidates=torch.tensor([0, 2]))
    >>> batch = to_batch([graph, graph])
    >>> batch.candidates.tolist(), batch.candidates_batch.tolist(), batch.num_graphs
    ([0, 2, 3, 5], [0, 0, 1, 1], 2)
    """
    names = [name for name, value in graphs[0].to_dict().items() if isinstance(value, torch.Tensor)]
    arrays = [{name: graph[name].numpy() for name in names} for graph in graphs]
    return joined(arrays, memory=memory)


def joined(
    graphs: Sequence[Mapping[str, npt.NDArray[Any]]], *, memory: BatchMemory | None = None
) -> BranchingGraph:
    """Do what `to_batch` does with the arrays of graphs, given by name, in one order of names."""
    parts = dict(zip(graphs[0], zip(*map(_values, graphs), strict=True), strict=True))
    parts.pop("sizes", None)  # counted here, for all graphs at once
    counts: dict[str, list[int]] = {}
    for name, found in parts.items():
        # Edges have two arrays and candidates have five, of which one is enough to count.
        key = _COUNTED_BY.get(name, name)
        if key not in counts:
            counts[key] = [array.shape[_axis(key)] for array in parts.get(key, found)]
        counts[name] = counts[key]
    arrays = _empty_arrays(parts, counts, memory)
    first_variable = _starts(counts.get("variable_features", ()))
    for name, found in parts.items():
        if name != "edge_index":
            np.concatenate(found, out=arrays[name])
            continue
        first_row = _starts(counts.get("row_features", ()))
        ends, begin = arrays[name], 0
        shifts = np.array((first_row, first_variable), dtype=ends.dtype).T[:, :, None]
        for array, shift, count in zip(found, shifts, counts[name], strict=True):
            end = begin + count
            np.add(array, shift, out=ends[:, begin:end])  # one pass instead of two
            begin = end
    if "candidates" in parts:
        per_graph = counts["candidates"]
        arrays["candidates"] += np.repeat(first_variable, per_graph)
        arrays["candidates_batch"] = np.repeat(np.arange(len(graphs)), per_graph)
    if parts.keys() >= COUNTED.keys():
        arrays["sizes"] = np.array([counts[name] for name in COUNTED]).T
    return BranchingGraph.of_arrays(arrays, num_graphs=len(graphs))


_values = methodcaller("values")

_COUNTED_BY = {
    "edge_features": "edge_index",
    "block_features": "candidates",
    "scores": "candidates",
    "valid": "candidates",
    "tied": "candidates",
}


def _axis(name: str) -> int:
    return 1 if name == "edge_index" else 0


def _empty_arrays(
    parts: Mapping[str, Sequence[npt.NDArray[Any]]],
    counts: dict[str, list[int]],
    memory: BatchMemory | None,
) -> dict[str, npt.NDArray[Any]]:
    """Arrays of the shapes of the joined ones, all in one block."""
    places, room = {}, 0
    for name, (first, *_) in parts.items():
        shape = list(first.shape)
        shape[_axis(name)] = sum(counts[name])
        size = math.prod(shape) * first.itemsize
        places[name] = (slice(room, room + size), first.dtype, shape)
        room += -(-size // _LINE) * _LINE
    block = np.empty(room, dtype=np.uint8) if memory is None else memory.take(room)
    return {
        name: block[place].view(dtype).reshape(shape)
        for name, (place, dtype, shape) in places.items()
    }


def _starts(counts: Sequence[int]) -> list[int]:
    """Position of the first line of each graph when they stand one after another."""
    return [0, *accumulate(counts[:-1])]
