"""Training and validation samples: split by instance, never by sample."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

from milplib.errors import ParameterError, SampleError
from milplib.learn.samples.sample_set import SampleSet

__all__ = ["Split", "instances_of_samples", "refuse_shared_instances", "split_by_instance"]


@dataclass(frozen=True, kw_only=True)
class Split:
    """Which samples of each set are for training, and which for validation.

    Parameters
    ----------
    training, validation
        Indices into each set, in order.
    held_out
        Content hashes of the validation instances, sorted.
    """

    training: tuple[tuple[int, ...], ...]
    validation: tuple[tuple[int, ...], ...]
    held_out: tuple[str, ...]


def instances_of_samples(samples: SampleSet) -> list[str]:
    """Content hash of the instance of every sample, in order."""
    return [
        tree.instance_hash
        for shard in samples.manifest.shards
        for tree in shard.trees
        for _ in range(tree.samples)
    ]


def split_by_instance(sample_sets: Sequence[SampleSet], *, share: float, seed: int) -> Split:
    """Hold a share of each set's instances out for validation.

    The seed and the instances' contents alone decide which: an instance is ranked by a hash of
    both, so neither names nor the order of anything matter. An instance held out in one set is
    held out in all of them.

    Parameters
    ----------
    sample_sets
        The sets.
    share
        Of the instances of each set, rounded, but at least one. Strictly between 0 and 1.
    seed
        Another one holds out others.

    Raises
    ------
    SampleError
        If a set has samples of fewer than two instances, or none is left for training.
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
    hashes = [instances_of_samples(samples) for samples in sample_sets]
    held_out: set[str] = set()
    for samples, found in zip(sample_sets, hashes, strict=True):
        instances = sorted(set(found), key=lambda name: _rank(name, seed))
        if len(instances) < 2:
            raise SampleError(
                f"the samples in {samples.folder} come from {len(instances)} instance(s), of which "
                "none can be held out for validation: give validation samples, or collect from "
                "more instances"
            )
        count = min(max(1, math.floor(share * len(instances) + 0.5)), len(instances) - 1)
        held_out.update(instances[:count])
    sides = [[name in held_out for name in found] for found in hashes]
    for samples, side in zip(sample_sets, sides, strict=True):
        if all(side):
            raise SampleError(
                f"all instances of {samples.folder} are held out, since other data sets have them, "
                "too: give validation samples, or data sets that share no instances"
            )
    return Split(
        training=tuple(tuple(i for i, out in enumerate(side) if not out) for side in sides),
        validation=tuple(tuple(i for i, out in enumerate(side) if out) for side in sides),
        held_out=tuple(sorted(held_out)),
    )


def _rank(instance_hash: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed} {instance_hash}".encode()).digest()


def refuse_shared_instances(training: Sequence[SampleSet], validation: Sequence[SampleSet]) -> None:
    """Make sure that validation judges on instances never trained on.

    Raises
    ------
    SampleError
        If an instance is in both; the message names instances and folders.
    """
    seen: dict[str, SampleSet] = {}
    for samples in training:
        for name in instances_of_samples(samples):
            seen.setdefault(name, samples)
    for samples in validation:
        shared = {
            tree.instance_hash: tree.instance
            for shard in samples.manifest.shards
            for tree in shard.trees
            if tree.samples and tree.instance_hash in seen
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
