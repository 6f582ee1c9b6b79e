"""Costs of reading and storing batches of samples.

The baseline stores the same arrays as published code does: a gzip-compressed pickle for each
sample. The comparisons are

- a batch of already decoded graphs ("warm") and reading the same samples from the pickles,
  without batching them;
- a random batch from a newly opened folder ("cold": decompresses every tree of its samples) and
  reading the pickles;
- all samples in order from a newly opened folder and reading all pickles;
- bytes on disk. milplib's folder also holds the root state of every tree; the pickles of the
  second row hold it too, those of the first row do not.
"""

from __future__ import annotations

import gzip
import pickle  # only reads files of this benchmark
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from families import Family
from rows import Row, alternated

from milplib.learn import GraphDataset, SampleSet
from milplib.learn.dataset import BatchMemory
from milplib.scip import BranchingState

BATCH = 32


def rows(family: Family, samples: SampleSet, folder: Path, *, rounds: int = 9) -> Iterator[Row]:
    """Measure time and size of batches of a family's samples."""
    files, roots = _write_pickles(samples, folder)
    warm, memory = GraphDataset([samples]), BatchMemory()
    warm.load()
    drawn = _Drawn(len(samples))
    costs = alternated(
        {
            "draw": drawn.again,
            "warm": lambda: warm.batch(drawn.places, memory=memory),
            "pickles": lambda: [_read(files[i]) for i in drawn.places],
            "open": drawn.open_cold(samples.folder),
            "cold": lambda: drawn.cold.batch(drawn.places),
            "open again": drawn.open_cold(samples.folder),
            "all": lambda: drawn.cold.load(),
            "all pickles": lambda: [_read(file) for file in files],
        },
        rounds=rounds,
    )
    note = f"{BATCH} graphs, {warm[0].edge_index.shape[1]:,} edges in the first"
    for name, other, meaning in (
        ("warm", "pickles", note),
        ("cold", "pickles", f"of {len(samples)} samples"),
        ("all", "all pickles", f"{len(samples)} samples in order"),
    ):
        label = f"batch assembly {name}" if name != "all" else "decoding all samples"
        yield Row(
            family=family.name,
            name=f"{label} / gzip pickles",
            ours=costs[name],
            other=costs[other],
            note=meaning,
        )
    stored = sum(shard.bytes for shard in samples.manifest.shards) / len(samples)
    pickled = sum(file.stat().st_size for file in files)
    both = pickled + sum(file.stat().st_size for file in roots)
    for name, size in (("", pickled), (" and root states", both)):
        yield Row(
            family=family.name,
            name=f"bytes a sample / gzip pickles of samples{name}",
            ours=stored,
            other=size / len(samples),
            unit="bytes",
            note=f"{len(roots)} root states beside them",
        )


class _Drawn:
    """Random samples of a round, and a data set that has decoded nothing yet."""

    def __init__(self, n_samples: int) -> None:
        self._n, self._rng = n_samples, np.random.RandomState(0)
        self.places: list[int] = []
        self.cold: GraphDataset

    def again(self) -> None:
        self.places = np.resize(self._rng.permutation(self._n), BATCH).tolist()

    def open_cold(self, folder: Path) -> Callable[[], None]:
        def reopen() -> None:
            self.cold = GraphDataset([SampleSet(folder, verify=False)])

        return reopen


def _arrays(state: BranchingState) -> tuple[np.ndarray, ...]:
    return (
        *(state.variable_features, state.row_features, state.edge_index, state.edge_features),
        *(state.candidates, *state.blocks.values()),
    )


def _write_pickles(samples: SampleSet, folder: Path) -> tuple[list[Path], list[Path]]:
    """Write a file per sample, and one per root state that is not a sample."""
    folder.mkdir()
    files, roots, trees = [], [], set()
    for number, sample in enumerate(samples):
        content = (*_arrays(sample.state), sample.scores, sample.valid)
        files.append(_write(folder / f"sample-{number}.pkl.gz", content))
        tree = sample.tree
        if tree not in trees and not tree.root_labelled:
            root = _arrays(samples.root_state(number))
            roots.append(_write(folder / f"root-{number}.pkl.gz", root))
        trees.add(tree)
    return files, roots


def _write(path: Path, content: tuple[np.ndarray, ...]) -> Path:
    with gzip.open(path, "wb") as stream:
        pickle.dump(content, stream)
    return path


def _read(path: Path) -> object:
    with gzip.open(path, "rb") as stream:
        return pickle.load(stream)  # noqa: S301
