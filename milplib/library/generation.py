"""Generation of instances. Each instance of a split is reproducible on its own."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from milplib.arguments import checked
from milplib.errors import ParameterError, UnknownNameError
from milplib.execution import (
    Execution,
    TaskFailure,
    WorkerDiedError,
    execution_or_workers,
    run_tasks,
)
from milplib.files import atomic_write, json_equal
from milplib.formats import SUFFIXES
from milplib.formats.writer import file_content
from milplib.instance import Instance
from milplib.library.catalogue import find_distribution, find_generator
from milplib.library.config import SplitConfig
from milplib.library.distribution import Distribution, InstanceGenerator, generator_parameters
from milplib.library.folder import SPLITS
from milplib.library.manifest import InstanceRecord, SplitManifest, open_split
from milplib.library.own_families import generated_instance
from milplib.library.own_folder import split_lock
from milplib.library.reference import warn_where_different
from milplib.library.seeds import instance_seed
from milplib.progress import showing_progress

__all__ = [
    "MAX_INSTANCES",
    "generate_instance",
    "generate_instances",
    "generate_split",
    "instance_seed",
]

MAX_INSTANCES = 1_000_000
"""Largest number of instances of a split; the manifest of more is larger than what is read."""


@checked
def generate_instance(distribution: str, *, split: str, index: int, seed: int = 0) -> Instance:
    """Generate one instance of a split, equal to that of `generate_split` with this index.

    Raises
    ------
    UnknownNameError
        If no distribution has this name, or it has no generator.

    Examples
    --------
    >>> generate_instance("CA-milplib-small", split="test", index=3).n_columns
    300
    """
    generator = find_generator(find_distribution(distribution))
    return generated_instance(
        generator, instance_seed(distribution, split=split, seed=seed, index=index)
    )


@checked
def generate_split(
    distribution: Distribution,
    *,
    split: str = "train",
    count: int,
    seed: int = 0,
    out: str | os.PathLike[str],
    file_format: str = "lp",
    workers: int = 1,
    execution: Execution | None = None,
    force: bool = False,
    on_progress: Callable[[int], None] | None = None,
    progress: bool | None = None,
) -> list[InstanceRecord]:
    """Generate the first instances of a split into ``out/split``, with a manifest.

    Intact instances are kept, so a larger `count` only adds instances. If another process writes
    into the folder, this one waits for it.

    Parameters
    ----------
    distribution
        Distribution to draw from.
    split
        ``"train"``, ``"val"`` or ``"test"``. Splits never share the seed of an instance.
    count
        Number of instances.
    seed
        Seed of the whole data set.
    out
        Folder of the data set.
    file_format
        ``"lp"``, ``"lp.gz"``, ``"mps"`` or ``"mps.gz"``.
    workers
        Number of processes.
    execution
        Place and limits of the work. Replaces `workers`.
    force
        Whether to replace another data set in ``out/split``.
    on_progress
        Called with the number of finished instances.
    progress
        Whether to show a progress bar on stderr or in a notebook. Default: if somebody can see it,
        and `on_progress` is not given.

    Returns
    -------
    list of InstanceRecord
        Records of the instances in the manifest.

    Raises
    ------
    UnknownNameError
        If the split or the format is unknown.
    NoGeneratorError
        If no installed family generates the distribution.
    ParameterError
        If the count is not positive or above `MAX_INSTANCES`, or the seed is negative.
    OutputError
        If ``out/split`` holds other files or cannot be written.
    WorkerDiedError
        If the worker died in every attempt at an instance. The other instances are written.

    Examples
    --------
    >>> import tempfile
    >>> from milplib.library import find_distribution
    >>> records = generate_split(
    ...     find_distribution("SC-milplib-small"), split="val", count=2, out=tempfile.mkdtemp())
    >>> [record.file for record in records]
    ['SC-milplib-small-val-00000.lp', 'SC-milplib-small-val-00001.lp']
    """
    execution = execution_or_workers(execution, workers)
    config = _config(distribution, split=split, seed=seed, file_format=file_format)
    if count < 1:
        raise ParameterError(f"the number of instances is {count}; it must be at least 1")
    if count > MAX_INSTANCES:
        raise ParameterError(
            f"the number of instances is {count}; it must be at most {MAX_INSTANCES}"
        )
    folder = Path(out) / split
    names = {_file_name(config, index) for index in range(count)}
    with (
        split_lock(folder),
        showing_progress(
            "generating",
            progress=progress,
            on_progress=on_progress,
            steps=lambda done: (done, count, ""),
        ) as report,
    ):
        manifest = open_split(
            folder,
            config,
            goes_on=lambda other: json_equal(other.config, config) and names >= set(other.records),
            force=force,
            among_others=True,
        )
        return _generate(distribution, folder, manifest, range(count), execution, report)


@checked
def generate_instances(
    distribution: Distribution,
    *,
    split: str,
    indices: Iterable[int],
    seed: int = 0,
    out: str | os.PathLike[str],
) -> list[InstanceRecord]:
    """Add instances of a split to ``out/split`` as LP files.

    Parameters
    ----------
    distribution, split, seed, out
        As in `generate_split`.
    indices
        Positions of the instances in the split, starting from 0.

    Returns
    -------
    list of InstanceRecord
        In the order of `indices`.

    Raises
    ------
    NoGeneratorError, OutputError
        As in `generate_split`.

    Examples
    --------
    >>> import tempfile
    >>> from milplib.library import find_distribution
    >>> out = tempfile.mkdtemp()
    >>> records = generate_instances(
    ...     find_distribution("SC-milplib-small"), split="train", indices=[700], out=out)
    >>> records[0].file
    'SC-milplib-small-train-00700.lp'
    """
    config = _config(distribution, split=split, seed=seed, file_format="lp")
    folder = Path(out) / split
    with split_lock(folder):
        manifest = open_split(
            folder,
            config,
            goes_on=lambda other: json_equal(other.config, config),
            force=False,
            among_others=True,
        )
        here = Execution()
        return _generate(distribution, folder, manifest, list(indices), here, lambda done: None)


def _config(distribution: Distribution, *, split: str, seed: int, file_format: str) -> SplitConfig:
    if split not in SPLITS:
        raise UnknownNameError("split", split, SPLITS)
    formats = [suffix.removeprefix(".") for suffix in SUFFIXES]
    if file_format not in formats:
        raise UnknownNameError("format", file_format, formats)
    if seed < 0:
        raise ParameterError(f"the seed is {seed}; it must not be negative")
    generator = find_generator(distribution)
    return {
        "distribution": distribution.name,
        "provenance": distribution.provenance,
        "regenerated": distribution.published is not None,
        "generator": type(generator).__name__,
        "generator_version": getattr(generator, "generator_version", 1),
        "parameters": generator_parameters(generator),
        "split": split,
        "seed": seed,
        "format": file_format,
    }


def _generate(
    distribution: Distribution,
    folder: Path,
    manifest: SplitManifest,
    indices: Sequence[int],
    execution: Execution,
    on_progress: Callable[[int], None],
) -> list[InstanceRecord]:
    """Generate missing instances. The manifest is then complete for `indices`."""
    manifest.complete = False
    names = [_file_name(manifest.config, index) for index in indices]
    existing = {name: manifest.records.get(name) for name in names}
    missing = {
        name: index
        for name, index in zip(names, indices, strict=True)
        if (record := existing[name]) is None or not record.is_whole(folder)
    }
    generator, config = find_generator(distribution), manifest.config
    tasks = [_Generation(generator, config, index) for index in missing.values()]
    lost: dict[str, TaskFailure] = {}
    done = len(indices) - len(missing)
    on_progress(done)
    with manifest.growing(folder) as growing:
        for place, made in run_tasks(_generated, tasks, execution=execution):
            name = list(missing)[place]
            if isinstance(made, TaskFailure):
                lost[name] = made
                continue
            content, record = made
            with atomic_write(folder / name) as stream:
                stream.write(content)
            growing.add(record)
            done += 1
            on_progress(done)
        if lost:
            name, failure = next(iter(lost.items()))
            raise WorkerDiedError(
                f"{len(lost)} of {len(tasks)} instances could not be generated; {name}: {failure}; "
                "the same command tries these again",
                failure.kind,
            )
        manifest.complete = True
    records = [manifest.records[name] for name in names]
    warn_where_different(
        distribution,
        split=manifest.config["split"],
        seed=manifest.config["seed"],
        file_format=manifest.config["format"],
        sha256s={index: record.sha256 for index, record in zip(indices, records, strict=True)},
    )
    return records


def _file_name(config: SplitConfig, index: int) -> str:
    return f"{config['distribution']}-{config['split']}-{index:05d}.{config['format']}"


@dataclass(frozen=True)
class _Generation:
    """Task of generating an instance."""

    generator: InstanceGenerator
    config: SplitConfig
    index: int


def _generated(task: _Generation) -> tuple[bytes, InstanceRecord]:
    """Generate an instance; return the content of its file and its record."""
    config = task.config
    seed = instance_seed(
        config["distribution"], split=config["split"], seed=config["seed"], index=task.index
    )
    instance = generated_instance(task.generator, seed)
    name = _file_name(config, task.index)
    content = file_content(instance, name)
    record = InstanceRecord(
        file=name,
        bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        content_hash=instance.content_hash,
        rows=instance.n_rows,
        columns=instance.n_columns,
        nonzeros=instance.n_nonzeros,
        seed=seed,
    )
    return content, record
