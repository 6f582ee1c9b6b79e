"""Batching of graphs into one graph, in reused memory."""

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

_LINE = 64  # bytes of a cache line; arrays are aligned to it, so that none share one


class BatchMemory:
    """Reusable memory for batches.

    A block is reused once nothing refers to the batch in it. A batch has some MB. The C library
    would take them from the system and return them for every batch, and the page faults cost ten
    times as much as copying the graphs (32 set covers 500×1000: 4.2 ms into new memory, 0.4 ms
    into reused memory).

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
        self._idle = 0  # reference count of an unused block; versions of Python differ

    def take(self, size: int) -> npt.NDArray[np.uint8]:
        """Return `size` uninitialised bytes; views of them keep the block from being reused.

        Not thread-safe.

        Parameters
        ----------
        size
            Number of bytes.
        """
        free = [
            place for place in range(len(self._blocks)) if self._references(place) == self._idle
        ]
        for place in free:
            if self._blocks[place].nbytes >= size:
                return self._blocks[place][:size]
        for place in reversed(free):  # too small; the batches of a set have similar sizes
            del self._blocks[place]
        self._blocks.append(np.empty(size + size // 4, dtype=np.uint8))
        self._idle = self._references(-1)
        return self._blocks[-1][:size]

    def _references(self, place: int) -> int:
        return sys.getrefcount(self._blocks[place])


def to_batch(
    graphs: Sequence[BranchingGraph], *, memory: BatchMemory | None = None
) -> BranchingGraph:
    """Join graphs into one graph, as PyTorch Geometric's `Batch` does.

    Parameters
    ----------
    graphs
        Graphs to join: at least one, all with the same tensors, on the CPU.
    memory
        Memory for the tensors; newly allocated if not given.

    Returns
    -------
    BranchingGraph
        Joined tensors of the graphs. ``num_graphs`` is their number, and ``candidates_batch`` the
        number of each candidate's graph, shape (k,), int64.

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
    """Join graphs like `to_batch`, from their arrays by name; all graphs order the names alike."""
    parts = dict(zip(graphs[0], zip(*map(_values, graphs), strict=True), strict=True))
    parts.pop("sizes", None)  # counted below, for all graphs at once
    counts: dict[str, list[int]] = {}
    for name, parts_of_name in parts.items():
        # Edges have two arrays and candidates five; counting one of them is enough.
        key = _COUNTED_BY.get(name, name)
        if key not in counts:
            counts[key] = [array.shape[_axis(key)] for array in parts.get(key, parts_of_name)]
        counts[name] = counts[key]
    arrays = _empty_arrays(parts, counts, memory)
    first_variable = _starts(counts.get("variable_features", ()))
    for name, parts_of_name in parts.items():
        if name != "edge_index":
            np.concatenate(parts_of_name, out=arrays[name])
            continue
        first_row = _starts(counts.get("row_features", ()))
        ends, begin = arrays[name], 0
        shifts = np.array((first_row, first_variable), dtype=ends.dtype).T[:, :, None]
        for array, shift, count in zip(parts_of_name, shifts, counts[name], strict=True):
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
    """Allocate the joined arrays, all in one block."""
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
    """Return the position of each graph's first line in the joined array."""
    return [0, *accumulate(counts[:-1])]
