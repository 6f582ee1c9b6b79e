"""Split of samples into training and validation, by instance and never by sample."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from milplib.display import Shown
from milplib.errors import ParameterError, SampleError
from milplib.learn.samples.sample_set import SampleSet

__all__ = ["HoldoutSplit", "instances_of_samples", "refuse_shared_instances", "split_by_instance"]

_Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class HoldoutSplit(Shown):
    """Split of sample sets into training and validation samples.

    Parameters
    ----------
    training, validation
        Indices into each set, in order. One array per set, int64.
    held_out
        Content hashes of the validation instances, sorted.
    """

    training: tuple[_Indices, ...]
    validation: tuple[_Indices, ...]
    held_out: tuple[str, ...]


def instances_of_samples(samples: SampleSet) -> tuple[tuple[str, ...], npt.NDArray[np.int32]]:
    """Return the instances of a set's samples, and the instance of each sample.

    Returns
    -------
    hashes
        Content hashes of the instances, each once.
    numbers
        Position of each sample's instance in `hashes`. Shape (samples,), int32.

    Examples
    --------
    >>> import tempfile
    >>> from milplib.generators import GeneralizedIndependentSet
    >>> from milplib.learn import collect
    >>> folder = tempfile.mkdtemp()
    >>> GeneralizedIndependentSet(n_nodes=40).generate(seed=0).write(folder + "/a.lp")
    >>> samples = collect([folder], out=folder + "/samples", samples_per_instance=2,
    ...                   expert_probability=1.0)
    >>> hashes, numbers = instances_of_samples(samples)
    >>> hashes == (samples[0].tree.instance_hash,), numbers.tolist()
    (True, [0, 0])
    """
    known: dict[str, int] = {}
    parts = [np.empty(0, dtype=np.int32)]
    for shard in samples.manifest.shards:
        trees = shard.trees
        sampled = np.zeros(len(trees.instances), dtype=np.int64)
        np.add.at(sampled, trees.instance, trees.samples)
        numbers = [
            known.setdefault(content_hash, len(known)) if count else -1
            for (_, content_hash), count in zip(trees.instances, sampled.tolist(), strict=True)
        ]
        of_trees = np.array(numbers, dtype=np.int32)[trees.instance]
        parts.append(np.repeat(of_trees, trees.samples))
    return tuple(known), np.concatenate(parts)


def split_by_instance(sample_sets: Sequence[SampleSet], *, share: float, seed: int) -> HoldoutSplit:
    """Hold out a share of each set's instances for validation.

    The seed and the contents of the instances determine the split: instances are ranked by a hash
    of both, so neither names nor orders matter. An instance held out in one set is held out in
    all sets.

    Parameters
    ----------
    sample_sets
        The sets.
    share
        Share of each set's instances to hold out, strictly between 0 and 1. The number of
        instances is rounded, and at least one.
    seed
        Seed of the split; another seed holds out other instances.

    Raises
    ------
    SampleError
        If a set has samples of fewer than two instances, or no instance is left for training.
    ParameterError
        If the share is not between 0 and 1.

    Examples
    --------
    >>> split_by_instance([], share=1.5, seed=0)
    Traceback (most recent call last):
    milplib.errors.ParameterError: the share held out is 1.5; it must lie between 0 and 1
    """
    if not 0 < share < 1:
        raise ParameterError(f"the share held out is {share}; it must lie between 0 and 1")
    instances_of_sets = [instances_of_samples(samples) for samples in sample_sets]
    held_out: set[str] = set()
    for samples, (hashes, _) in zip(sample_sets, instances_of_sets, strict=True):
        instances = sorted(hashes, key=lambda name: _rank(name, seed))
        if len(instances) < 2:
            raise SampleError(
                f"the samples in {samples.folder} come from {len(instances)} instance(s), too few "
                "to hold one out for validation: name validation samples, or collect from more "
                "instances"
            )
        count = min(max(1, math.floor(share * len(instances) + 0.5)), len(instances) - 1)
        held_out.update(instances[:count])
    sides = [
        np.array([name in held_out for name in hashes], dtype=np.bool_)[numbers]
        for hashes, numbers in instances_of_sets
    ]
    for samples, side in zip(sample_sets, sides, strict=True):
        if side.all():
            raise SampleError(
                f"all instances of {samples.folder} are held out, since other data sets share "
                "them: name validation samples, or data sets that share no instances"
            )
    return HoldoutSplit(
        training=tuple(np.flatnonzero(~side) for side in sides),
        validation=tuple(np.flatnonzero(side) for side in sides),
        held_out=tuple(sorted(held_out)),
    )


def _rank(instance_hash: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed} {instance_hash}".encode()).digest()


def refuse_shared_instances(training: Sequence[SampleSet], validation: Sequence[SampleSet]) -> None:
    """Check that training and validation share no instances.

    Raises
    ------
    SampleError
        If they share an instance; the message names instances and folders.
    """
    seen: dict[str, SampleSet] = {}
    for samples in training:
        for name in instances_of_samples(samples)[0]:
            seen.setdefault(name, samples)
    for samples in validation:
        judged = set(instances_of_samples(samples)[0])
        shared = {
            content_hash: name
            for shard in samples.manifest.shards
            for name, content_hash in shard.trees.instances
            if content_hash in judged and content_hash in seen
        }
        if shared:
            names = sorted(shared.values())
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            folders = sorted({str(seen[name].folder) for name in shared})
            raise SampleError(
                f"the validation samples in {samples.folder} share instances with the training "
                f"samples in {', '.join(folders)}: {', '.join(names[:3])}{more}; collect "
                "validation samples from other instances, or leave them out to hold some out"
            )
