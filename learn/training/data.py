"""Data of a training: opening, checking, splitting, and description by content."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from milplib.errors import SampleError
from milplib.learn.dataset.batch import BatchMemory
from milplib.learn.dataset.graph import BranchingGraph
from milplib.learn.dataset.graph_dataset import GraphDataset, block_schemas
from milplib.learn.dataset.mixture import EpochBatches
from milplib.learn.dataset.split import (
    instances_of_samples,
    refuse_shared_instances,
    split_by_instance,
)
from milplib.learn.options import DEFAULT_CACHE_BYTES, NetworkOptions, TrainingOptions
from milplib.learn.samples.sample_set import SampleSet
from milplib.learn.training.device import Compute
from milplib.policies.provenance import DataRecord, SetRecord, instance_hashes

__all__ = ["Batches", "TrainingData", "epoch_batches", "set_hash"]


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Graphs for training and graphs for validation.

    Parameters
    ----------
    training, validation
        The graphs.
    held_out
        Content hashes of the held-out instances; empty if there is separate validation data.
    """

    training: GraphDataset
    validation: GraphDataset
    held_out: tuple[str, ...]

    @classmethod
    def open(
        cls,
        folders: Iterable[str | os.PathLike[str]],
        validation: Iterable[str | os.PathLike[str]] = (),
        *,
        options: TrainingOptions,
        seed: int = 0,
        cache_bytes: int = DEFAULT_CACHE_BYTES,
    ) -> TrainingData:
        """Open folders of samples.

        Raises
        ------
        SampleError
            If a folder holds no samples or is named twice, if validation shares instances with
            training, or if blocks are missing or differ.
        """
        sets = _open(folders, "training")
        judged = _open(validation, "validation")
        blocks = options.blocks
        block_schemas((*sets, *judged), blocks)  # checks that all sets agree
        graphs = partial(GraphDataset, blocks=blocks, cache_bytes=cache_bytes)
        if judged:
            refuse_shared_instances(sets, judged)
            return cls(graphs(sets), graphs(judged), ())
        split = split_by_instance(sets, share=options.holdout, seed=seed)
        return cls(
            graphs(sets, indices=split.training),
            graphs(sets, indices=split.validation),
            split.held_out,
        )

    @property
    def n_block_columns(self) -> int:
        """Total number of columns of the blocks."""
        return sum(len(block.columns) for block in self.training.blocks)

    def describe(self) -> DataRecord:
        """Describe the data for a policy file, by content and without paths of this machine."""
        # An evaluation uses these hashes to find test instances that the policy has seen.
        seen = {name for samples in self.training.sample_sets for name in _instances(samples)}
        judged = {name for samples in self.validation.sample_sets for name in _instances(samples)}
        if self.held_out:
            judged = set(self.held_out)
        described: DataRecord = {
            "training": _describe(self.training),
            "validation": _describe(self.validation),
            "instance_hashes": instance_hashes(training=seen - judged, validation=judged)[
                "instance_hashes"
            ],
        }
        if self.held_out:
            described["held_out_instances"] = len(self.held_out)
            text = "\n".join(self.held_out)
            described["held_out_sha256"] = hashlib.sha256(text.encode()).hexdigest()
        return described


def _instances(samples: SampleSet) -> set[str]:
    return set(instances_of_samples(samples)[0])


def _open(folders: Iterable[str | os.PathLike[str]], role: str) -> list[SampleSet]:
    sets: dict[str, SampleSet] = {}
    for folder in folders:
        samples = SampleSet(folder)
        if not len(samples):
            raise SampleError(
                f"the {role} folder {samples.folder} holds no samples: run milplib samples inspect "
                "to see why, or leave it out"
            )
        twin = sets.setdefault(set_hash(samples), samples)
        if twin is not samples:
            raise SampleError(
                f"the {role} folders {twin.folder} and {samples.folder} hold the same samples: "
                "name each once"
            )
    if role == "training" and not sets:
        raise SampleError("there are no training samples: name at least one folder of them")
    return list(sets.values())


def set_hash(samples: SampleSet) -> str:
    """Return the SHA-256 of the checksums of a set's shards, in hexadecimal."""
    text = "\n".join(shard.sha256 for shard in samples.manifest.shards)
    return hashlib.sha256(text.encode()).hexdigest()


def _describe(graphs: GraphDataset) -> list[SetRecord]:
    return [
        {
            "name": Path(os.path.abspath(samples.folder)).name,
            "sha256": set_hash(samples),
            "samples": size,
            "instances": len(_instances(samples)),
        }
        for samples, size in zip(graphs.sample_sets, graphs.sizes, strict=True)
    ]


class Batches:
    """Batches of a data set on a device, in a requested order.

    A thread prepares the next batch while the current one is in use.

    Parameters
    ----------
    graphs
        The data set.
    compute
        Device of the batches. They are copied to a GPU from pinned memory, while it computes.
    """

    def __init__(self, graphs: GraphDataset, compute: Compute) -> None:
        self._graphs, self._compute = graphs, compute
        self._memory = BatchMemory()

    def __call__(self, order: Iterable[Iterable[int]]) -> Iterator[BranchingGraph]:
        """Yield a batch for each list of positions."""
        for batch in _ahead(self._graphs.batch(p, memory=self._memory) for p in order):
            if self._compute.is_cuda:
                batch = batch.pin_memory()
            yield batch.to(self._compute.device, non_blocking=True)

    def in_order(self, batch_size: int) -> Iterator[BranchingGraph]:
        """Return the batches of all samples, in order."""
        n = len(self._graphs)
        return self(range(start, min(start + batch_size, n)) for start in range(0, n, batch_size))


def _ahead(batches: Iterator[BranchingGraph]) -> Iterator[BranchingGraph]:
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="batches") as pool:
        following = pool.submit(next, batches, None)
        while (batch := following.result()) is not None:
            following = pool.submit(next, batches, None)
            yield batch


def epoch_batches(graphs: GraphDataset, options: NetworkOptions, *, seed: int) -> EpochBatches:
    """Return the sampler of the training batches."""
    return EpochBatches(
        graphs.sizes,
        batch_size=options.batch_size,
        batches=options.batches_per_epoch,
        mixture=options.mixture,
        seed=seed,
    )
