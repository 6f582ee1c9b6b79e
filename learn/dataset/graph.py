"""Conversion of samples to graphs for PyTorch Geometric."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch_geometric.data import Data

from milplib.learn.samples.sample_set import Sample
from milplib.policies.gcnn import joined_blocks
from milplib.scip import BlockSchema, BranchingState

__all__ = ["COUNTED", "BranchingGraph", "graph_arrays", "state_arrays", "to_graph"]


COUNTED = {"row_features": 0, "variable_features": 0, "edge_index": 1}
"""Tensors that count the rows, variables and edges of a graph, each with the axis to count."""


class BranchingGraph(Data):  # type: ignore[misc]  # Data is untyped
    """Branching state and its labels, ready for batching.

    Variables and rows are two kinds of nodes, numbered separately. In a batch, the row indices in
    `edge_index` are shifted by the number of rows of the preceding graphs. The variable indices in
    `edge_index` and `candidates` are shifted by their number of variables.

    Parameters
    ----------
    variable_features
        Features of the variables. Shape (n, 19), float32.
    row_features
        Features of the rows. Shape (m, 5), float32.
    edge_index
        Row and variable of every edge, sorted by row. Shape (2, nnz), int32.
    edge_features
        Features of the edges. Shape (nnz,), float32.
    candidates
        Variables to choose among. Shape (k,), int64.
    block_features
        Columns of the blocks that a policy reads, one line per candidate. Shape (k, b), float32.
    scores
        Scores of the expert, 0 where not valid. Shape (k,), float64.
    valid, tied
        Whether each candidate has a score, and whether it is tied with the best. Shape (k,), bool.
    sizes
        Numbers of rows, variables and edges; counted if not given. Shape (1, 3), int64; in a batch
        one line per graph.

    Examples
    --------
    >>> from torch_geometric.data import Batch
    >>> def graph(n_rows, n_variables):
    ...     return BranchingGraph(
    ...         variable_features=torch.zeros(n_variables, 19),
    ...         row_features=torch.zeros(n_rows, 5),
    ...         edge_index=torch.tensor([[0], [1]], dtype=torch.int32),
    ...         candidates=torch.tensor([1]))
    >>> batch = Batch.from_data_list([graph(2, 3), graph(4, 5)])
    >>> batch.edge_index.tolist(), batch.candidates.tolist()
    ([[0, 2], [1, 4]], [1, 4])
    """

    def __init__(self, **tensors: Any) -> None:
        super().__init__()
        self.update(tensors)  # PyG would inspect each keyword argument
        if "sizes" not in tensors and tensors.keys() >= COUNTED.keys():
            counts = [tensors[name].size(axis) for name, axis in COUNTED.items()]
            self.sizes = torch.tensor([counts])
        if "variable_features" in tensors and "row_features" in tensors:
            # Otherwise PyG guesses the number, with a warning.
            self.num_nodes = len(tensors["variable_features"]) + len(tensors["row_features"])

    @property
    def candidates_batch(self) -> torch.Tensor:
        """Number of each candidate's graph. Shape (k,), int64.

        Computed if the batch lacks it, as the batches of PyTorch Geometric's `DataLoader` do.
        """
        known: torch.Tensor | None = self._store.get("candidates_batch")
        if known is None:
            ends = self.sizes[:, 1].cumsum(0)
            known = torch.bucketize(self.candidates, ends, right=True)
        return known

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], **others: Any) -> BranchingGraph:
        """Make a graph whose tensors share the memory of arrays, given by name."""
        tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
        return cls(**tensors, **others)

    def __inc__(self, key: str, value: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the shift of an index tensor for the graphs that follow in a batch."""
        if key == "edge_index":
            sizes = [[self.row_features.size(0)], [self.variable_features.size(0)]]
            return torch.tensor(sizes, dtype=value.dtype)
        if key == "candidates":
            return self.variable_features.size(0)
        return 0

    def __cat_dim__(self, key: str, value: Any, *args: Any, **kwargs: Any) -> int:
        """Return the dimension along which a batch concatenates."""
        return 1 if key == "edge_index" else 0


def to_graph(sample: Sample, *, blocks: Iterable[BlockSchema] = ()) -> BranchingGraph:
    """Convert a sample to a graph.

    Parameters
    ----------
    sample
        The sample.
    blocks
        Blocks of the sample that a policy reads, in order.

    Examples
    --------
    >>> import tempfile
    >>> from milplib.generators import GeneralizedIndependentSet
    >>> from milplib.learn import collect
    >>> folder = tempfile.mkdtemp()
    >>> GeneralizedIndependentSet(n_nodes=40).generate(seed=0).write(folder + "/a.lp")
    >>> samples = collect([folder], out=folder + "/samples", samples_per_instance=1,
    ...                   expert_probability=1.0)
    >>> graph = to_graph(samples[0], blocks=samples.blocks)
    >>> graph.block_features.shape[1], bool(graph.valid.any())
    (3, True)
    """
    return BranchingGraph.of_arrays(graph_arrays(sample, blocks=blocks))


def graph_arrays(
    sample: Sample, *, blocks: Iterable[BlockSchema] = ()
) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of the graph of a sample, by name."""
    return {
        **state_arrays(sample.state, blocks=blocks),
        "scores": _writable(sample.scores, np.float64),
        "valid": _writable(sample.valid, np.bool_),
        "tied": _writable(sample.tied, np.bool_),
    }


def state_arrays(
    state: BranchingState, *, blocks: Iterable[BlockSchema] = ()
) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of the graph of a state, without labels, by name."""
    names = tuple(block.name for block in blocks)
    return {
        "variable_features": _writable(state.variable_features, np.float32),
        "row_features": _writable(state.row_features, np.float32),
        "edge_index": _writable(state.edge_index, np.int32),
        "edge_features": _writable(state.edge_features, np.float32),
        "candidates": _writable(state.candidates, np.int64),
        "block_features": _writable(joined_blocks(state, names), np.float32),
    }


def _writable(array: npt.NDArray[Any], dtype: type[Any]) -> npt.NDArray[Any]:
    # torch does not support the read-only arrays of Arrow, so copy unless converting did.
    array = np.ascontiguousarray(array, dtype=dtype)
    return array if array.flags.writeable else array.copy()
