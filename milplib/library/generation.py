"""A split of a distribution as a folder of generated instances, each reproducible by itself."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from milplib.errors import OutputError, ParameterError, UnknownNameError
from milplib.files import atomic_write_json, file_sha256, open_folder
from milplib.formats import SUFFIXES
from milplib.library.catalogue import generator_of
from milplib.library.distribution import Distribution, generator_parameters
from milplib.library.folder import SPLITS

__all__ = ["GeneratedInstance", "generate_split", "instance_seed", "split_distribution"]

MANIFEST = "manifest.json"
FORMAT = "milplib-instances"


@dataclass(frozen=True, kw_only=True)
class GeneratedInstance:
    """An instance file in the manifest of a generated split.

    Parameters
    ----------
    file, bytes, sha256
        Name, size and checksum of the file.
    seed
        The generator's seed: ``distribution.generator.generate(seed)`` gives the instance.
    content_hash
        `milplib.Instance.content_hash`.
    rows, columns, nonzeros
        Sizes.
    """

    file: str
    bytes: int
    sha256: str
    seed: int
    content_hash: str
    rows: int
    columns: int
    nonzeros: int


def instance_seed(distribution: str, *, split: str, seed: int, index: int) -> int:
    """Seed of one instance of a split: it depends on nothing but these four.

    Examples
    --------
    >>> instance_seed("CA-easy", split="train", seed=0, index=7)  # doctest: +SKIP
    """
    name = hashlib.sha256(distribution.encode()).digest()[:8]
    key = [seed, int.from_bytes(name, "big"), SPLITS.index(split), index]
    words = np.random.SeedSequence(key).generate_state(2)
    # 53 bits: JSON readers that know only doubles must not change it
    return (int(words[0]) << 21) | (int(words[1]) >> 11)


def generate_split(
    distribution: Distribution,
    *,
    split: str = "train",
    count: int,
    seed: int = 0,
    out: str | os.PathLike[str],
    file_format: str = "lp",
    force: bool = False,
    on_progress: Callable[[int], None] = lambda done: None,
) -> list[GeneratedInstance]:
    """Generate the first instances of a split into ``out/split``, with a manifest.

    What is already there and whole is kept, so a larger `count` only adds.

    Parameters
    ----------
    distribution
        What to draw from.
    split
        ``"train"``, ``"val"`` or ``"test"``; splits never share an instance's seed.
    count
        Number of instances.
    seed
        Of the whole data set.
    out
        Folder of the data set.
    file_format
        ``"lp"``, ``"lp.gz"``, ``"mps"`` or ``"mps.gz"``.
    force
        Replace what another call has written there.
    on_progress
        Called with the number of instances done.

    Returns
    -------
    list of GeneratedInstance
        The manifest's entries.

    Raises
    ------
    UnknownNameError
        If there is no such split or format.
    NoGeneratorError
        If no installed family generates it.
    ParameterError
        If the count is not positive or the seed negative.
    OutputError
        If ``out/split`` is not empty and not of this very data set, or cannot be written.
    """
    if split not in SPLITS:
        raise UnknownNameError("split", split, SPLITS)
    formats = [suffix.removeprefix(".") for suffix in SUFFIXES]
    if file_format not in formats:
        raise UnknownNameError("format", file_format, formats)
    if count < 1:
        raise ParameterError(f"the number of instances is {count}; it must be at least 1")
    if seed < 0:
        raise ParameterError(f"the seed is {seed}; it must not be negative")
    folder = Path(out) / split
    config = _config(distribution, split=split, seed=seed, file_format=file_format)
    kept = _prepare(folder, config, count=count, force=force)
    entries: list[GeneratedInstance] = []
    for index in range(count):
        entry = kept[index] if index < len(kept) else None
        if entry is None or not _is_whole(folder, entry):
            entry = _generate(distribution, folder, config, index)
        entries.append(entry)
        on_progress(index + 1)
    _write_manifest(folder, config, entries)
    return entries


def split_distribution(folder: str | os.PathLike[str]) -> str | None:
    """Name of the distribution that a folder of instances was generated from, if it was.

    Examples
    --------
    >>> import tempfile
    >>> from milplib.library import distribution
    >>> out = tempfile.mkdtemp()
    >>> _ = generate_split(distribution("SC-milplib-small"), split="test", count=1, out=out)
    >>> split_distribution(out + "/test")
    'SC-milplib-small'
    """
    found = _load_manifest(Path(folder))
    name = found[0].get("distribution") if found and isinstance(found[0], dict) else None
    return name if isinstance(name, str) and name else None


def _config(
    distribution: Distribution, *, split: str, seed: int, file_format: str
) -> dict[str, Any]:
    generator = generator_of(distribution)
    return {
        "distribution": distribution.name,
        "provenance": distribution.provenance,
        "generator": type(generator).__name__,
        "generator_version": generator.generator_version,
        "parameters": generator_parameters(generator),
        "split": split,
        "seed": seed,
        "format": file_format,
    }


def _prepare(
    folder: Path, config: dict[str, Any], *, count: int, force: bool
) -> list[GeneratedInstance]:
    """Make or check the folder; give the entries of this data set that it already has."""
    if open_folder(folder):
        found = _load_manifest(folder)
        entries = found[1] if found else []
        if found and found[0] == json.loads(json.dumps(config)) and len(entries) <= count:
            return entries
        if not force:
            what = "holds other instances" if found else "is not empty"
            raise OutputError(
                f"the output folder {folder} {what}; nothing was written: choose another folder, "
                "or replace it with --force"
            )
        for entry in entries:
            (folder / entry.file).unlink(missing_ok=True)
    # From here on the folder is ours, also if we are interrupted.
    _write_manifest(folder, config, [])
    return []


def _load_manifest(folder: Path) -> tuple[dict[str, Any], list[GeneratedInstance]] | None:
    try:
        content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            return None
        entries = [GeneratedInstance(**entry) for entry in content["instances"]]
        # A name with a folder in it is none that we gave, and must not be followed.
        if any(entry.file != Path(entry.file).name for entry in entries):
            return None
        return content["config"], entries
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write_manifest(folder: Path, config: dict[str, Any], entries: list[GeneratedInstance]) -> None:
    instances = [asdict(entry) for entry in entries]
    atomic_write_json(
        folder / MANIFEST, {"format": FORMAT, "config": config, "instances": instances}
    )


def _is_whole(folder: Path, entry: GeneratedInstance) -> bool:
    try:
        return file_sha256(folder / entry.file) == entry.sha256
    except OSError:
        return False


def _generate(
    distribution: Distribution, folder: Path, config: dict[str, Any], index: int
) -> GeneratedInstance:
    split, file_format = config["split"], config["format"]
    seed = instance_seed(distribution.name, split=split, seed=config["seed"], index=index)
    instance = generator_of(distribution).generate(seed)
    path = folder / f"{distribution.name}-{split}-{index:05d}.{file_format}"
    instance.write(path)
    return GeneratedInstance(
        file=path.name,
        bytes=path.stat().st_size,
        sha256=file_sha256(path),
        seed=seed,
        content_hash=instance.content_hash,
        rows=instance.n_rows,
        columns=instance.n_columns,
        nonzeros=instance.n_nonzeros,
    )
