"""A torch data set over the samples of one or several folders, decoded once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from torch.utils.data import Dataset

from milplib.arguments import checked, given, listed
from milplib.errors import ParameterError, SampleError
from milplib.learn.dataset.batch import BatchMemory, joined
from milplib.learn.dataset.graph import BranchingGraph, graph_arrays
from milplib.learn.options import DEFAULT_CACHE_BYTES
from milplib.learn.samples.sample_set import Sample, SampleSet
from milplib.scip import BlockSchema

__all__ = ["GraphDataset", "block_schemas"]

_Arrays = dict[str, npt.NDArray[Any]]

# Python objects of a cached graph beside the data of its arrays. They matter for small
# instances, of which many fit into memory.
_BYTES_OF_OBJECTS = 2000

# Arrays that samples of one tree often share, as long as its rows stay the same.
_SHARED = ("edge_index", "edge_features")


class GraphDataset(Dataset[BranchingGraph]):
    """Samples of one or several sets as graphs, in the order of the sets.

    A sample is decoded on first use and cached, until the cache holds `cache_bytes`; further
    samples are decoded on each use. Nothing is evicted: training visits all samples in ever new
    orders, so no sample is a better one to evict than another.

    Parameters
    ----------
    sample_sets
        The sets; a single one need not be in a list.
    indices
        Indices of the samples to use, for each set; all if not given.
    blocks
        Names of the blocks to join to the candidates, in order. Every set must have recorded
        them, in the same version.
    cache_bytes
        Maximum memory of the cached graphs in bytes.

    Raises
    ------
    SampleError
        If a set lacks a block, or has another version of it than the first set.

    Examples
    --------
    >>> import tempfile
    >>> from milplib.generators import GeneralizedIndependentSet
    >>> from milplib.learn import collect
    >>> folder = tempfile.mkdtemp()
    >>> GeneralizedIndependentSet(n_nodes=40).generate(seed=0).write(folder + "/a.lp")
    >>> samples = collect([folder], out=folder + "/samples", samples_per_instance=2,
    ...                   expert_probability=1.0)
    >>> graphs = GraphDataset([samples])
    >>> len(graphs), graphs.sizes, graphs[0].variable_features.shape[1]
    (2, (2,), 19)
    """

    @checked
    def __init__(
        self,
        sample_sets: SampleSet | Iterable[SampleSet],
        *,
        indices: Sequence[Iterable[int]] | None = None,
        blocks: Iterable[str] = (),
        cache_bytes: int = DEFAULT_CACHE_BYTES,
    ) -> None:
        if cache_bytes < 0:
            raise ParameterError(f"cache_bytes is {cache_bytes}; it must not be negative")
        self.sample_sets = _sample_sets(sample_sets)
        self.blocks = block_schemas(self.sample_sets, blocks)
        if indices is None:
            chosen: list[Any] = [range(len(samples)) for samples in self.sample_sets]
        else:
            chosen = listed(indices, "indices")
        if len(chosen) != len(self.sample_sets):
            raise ParameterError(
                f"there are indices for {len(chosen)} of {len(self.sample_sets)} sets of samples"
            )
        parts = [_indices(part) for part in chosen]
        self.sizes = tuple(map(len, parts))
        """Number of samples of each set."""
        self._set = np.repeat(np.arange(len(parts)), self.sizes)
        self._index = np.concatenate([np.empty(0, dtype=np.int64), *parts])
        self._kept: dict[int, _Arrays] = {}
        self._shared: dict[tuple[Any, ...], npt.NDArray[Any]] = {}
        self._room = cache_bytes

    def __len__(self) -> int:
        return len(self._index)

    def __getitem__(self, position: int) -> BranchingGraph:
        return BranchingGraph.of_arrays(self._arrays(position))

    def batch(
        self, positions: Iterable[int], *, memory: BatchMemory | None = None
    ) -> BranchingGraph:
        """Join the graphs at some positions into one batch, as `to_batch` does."""
        return joined([self._arrays(position) for position in positions], memory=memory)

    def _arrays(self, position: int) -> _Arrays:
        kept = self._kept.get(position)
        if kept is not None:
            return kept
        sample = self.sample(position)
        arrays = graph_arrays(sample, blocks=self.blocks)
        if self._room > 0:
            self._room -= self._share(arrays, (int(self._set[position]), sample.tree))
            self._kept[position] = arrays
        return arrays

    def __iter__(self) -> Iterator[BranchingGraph]:
        return (self[position] for position in range(len(self)))

    def sample(self, position: int) -> Sample:
        """Return the sample at a position."""
        return self.sample_sets[int(self._set[position])][int(self._index[position])]

    def set_of(self, position: int) -> int:
        """Return the number of the set of a sample."""
        return int(self._set[position])

    def load(self, *, on_progress: Callable[[int, int], None] = lambda done, total: None) -> None:
        """Decode every sample once, so that damaged ones raise before training starts.

        Parameters
        ----------
        on_progress
            Called with the number of decoded samples and the number of all samples.
        """
        for position in range(len(self)):
            self._arrays(position)
            on_progress(position + 1, len(self))

    def _share(self, arrays: _Arrays, tree: tuple[Any, ...]) -> int:
        """Replace arrays that a graph of the same tree holds, too; return the bytes added."""
        added = _BYTES_OF_OBJECTS
        for name, array in arrays.items():
            if name in _SHARED:
                # Most samples of a tree have equal arrays; a hash finds them fast.
                key = (*tree, name, hash(array.tobytes()))
                known = self._shared.setdefault(key, array)
                if known is not array and np.array_equal(known, array):
                    arrays[name] = known
                    continue
            added += array.nbytes
        return added


def _indices(chosen: Iterable[int]) -> npt.NDArray[np.int64]:
    try:
        return _index_array(chosen)
    except (TypeError, ValueError) as error:
        raise ParameterError(f"indices are {given(chosen)}; give integers: {error}") from error


def _index_array(chosen: Iterable[int]) -> npt.NDArray[np.int64]:
    if isinstance(chosen, range):
        return np.arange(chosen.start, chosen.stop, chosen.step)
    if isinstance(chosen, np.ndarray):
        return chosen.astype(np.int64)
    return np.fromiter(chosen, dtype=np.int64)


def _sample_sets(sets: object) -> tuple[SampleSet, ...]:
    several = [sets] if isinstance(sets, SampleSet) else listed(sets, "sets of samples")
    for each in several:
        if not isinstance(each, SampleSet):
            raise ParameterError(f"a set of samples is {given(each)}; give a SampleSet")
    return tuple(several)


def block_schemas(
    sample_sets: Sequence[SampleSet], names: Iterable[str]
) -> tuple[BlockSchema, ...]:
    """Return the schemas of blocks, which every set must have recorded alike.

    Raises
    ------
    SampleError
        If a set lacks a block, or has another version or other columns than the first set.
    """
    names = tuple(listed(names, "blocks"))
    if not all(isinstance(name, str) for name in names):
        raise ParameterError(f"the blocks are {given(names)}; give names of recorded blocks")
    if len(set(names)) != len(names):
        raise ParameterError(f"the blocks {', '.join(names)} name one twice: name each once")
    schemas: dict[str, BlockSchema] = {}
    for samples in sample_sets:
        recorded = {block.name: block for block in samples.blocks}
        for name in names:
            if name not in recorded:
                has = f"it has {', '.join(recorded)}" if recorded else "it has none"
                raise SampleError(
                    f"the samples in {samples.folder} have no block '{name}' ({has}): collect "
                    f"them with --blocks {name}, or train without it"
                )
            first = schemas.setdefault(name, recorded[name])
            if recorded[name] != first:
                raise SampleError(
                    f"the block '{name}' has version {recorded[name].version} in "
                    f"{samples.folder} and version {first.version} in "
                    f"{sample_sets[0].folder}, or other columns: collect one of them again"
                )
    return tuple(schemas[name] for name in names)
