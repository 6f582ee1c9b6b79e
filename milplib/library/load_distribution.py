"""Load a distribution with its instances."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from milplib.arguments import checked
from milplib.errors import ParameterError
from milplib.library.cache import Cache
from milplib.library.catalogue import find_distribution
from milplib.library.distribution import Distribution
from milplib.library.fetch_distribution import fetch
from milplib.library.folder import SPLITS
from milplib.library.generation import generate_instances
from milplib.library.manifest import InstanceRecord
from milplib.library.own_families import family_name, instance_generator
from milplib.library.own_folder import check_no_link, split_lock
from milplib.library.source_names import SourceName
from milplib.library.split_fetcher import n_generated
from milplib.library.splits import InstanceFile, LaterFiles, ListedFiles, Split, SplitFiles

__all__ = ["load"]


@checked
def load(
    name: object, *, source: str | os.PathLike[str] | None = None, offline: bool = False
) -> Distribution:
    """Return a distribution with its instances, which are fetched or generated on demand.

    Instances are stored in the cache (``MILPLIB_CACHE``). Access to an instance of a published
    split fetches the whole split. Generated instances are generated one by one.

    Parameters
    ----------
    name
        Name of the distribution. Also a distribution, or a family of your own: an object with a
        method ``generate(seed)``, its class, or a function of a seed.
    source, offline
        As in `milplib.fetch`.

    Returns
    -------
    Distribution
        Distribution with the splits ``train``, ``val`` and ``test``.

    Raises
    ------
    UnknownNameError
        If no distribution has this name.
    ParameterError
        If `name` is none of these.

    Examples
    --------
    >>> data = load("SC-milplib-small")
    >>> [file.name for file in data.train[:2]]
    ['SC-milplib-small/train/SC-milplib-small-train-00000.lp', \
'SC-milplib-small/train/SC-milplib-small-train-00001.lp']
    """
    entry = _entry(name)
    if entry.splits is not None:
        return entry
    name = entry.name
    generated = source == SourceName.GENERATOR or (source is None and entry.published is None)

    def files(split: str) -> SplitFiles:
        if generated:
            return _GeneratedFiles(entry, split)
        return LaterFiles(partial(_fetched, name, split, source, offline))

    return replace(
        entry,
        splits={
            split: Split(files(split), distribution=name, domain=entry.domain, name=split)
            for split in SPLITS
        },
    )


def _entry(name: object) -> Distribution:
    if isinstance(name, Distribution):
        return name
    if isinstance(name, str):
        return find_distribution(name)
    if isinstance(name, os.PathLike):
        raise ParameterError(
            f"{os.fspath(name)!r} is a path: milplib.Distribution.from_folder makes a distribution "
            "of a folder"
        )
    generator = instance_generator(name)
    return Distribution(family_name(generator), generator=generator)


def _fetched(
    name: str, split: str, source: str | os.PathLike[str] | None, offline: bool
) -> SplitFiles:
    (fetched,) = fetch(name, source=source, splits=[split], offline=offline, verify=False)
    folder, records = fetched.folder, fetched.manifest.records
    return ListedFiles(_file(name, split, folder, records[file]) for file in sorted(records))


def _file(name: str, split: str, folder: Path, record: InstanceRecord) -> InstanceFile:
    return InstanceFile(
        name=f"{name}/{split}/{record.file}",
        path=folder / record.file,
        content_hash=record.content_hash,
        distribution=name,
    )


class _GeneratedFiles:
    """Instances of a split that are generated into the cache one by one."""

    def __init__(self, entry: Distribution, split: str) -> None:
        self._entry, self._split = entry, split
        self._made: dict[int, InstanceFile] = {}

    def __len__(self) -> int:
        return n_generated(self._entry, self._split)

    def files(self, indices: Sequence[int]) -> list[InstanceFile]:
        """Return files, after generating the missing ones."""
        missing = [index for index in indices if index not in self._made]
        if missing:
            self._made |= self._generated(missing)
        return [self._made[index] for index in indices]

    def _generated(self, indices: list[int]) -> dict[int, InstanceFile]:
        name, split = self._entry.name, self._split
        cache = Cache.default()
        folder = cache.split_folder(name, split, generated=True)
        check_no_link(folder, below=cache.folder)
        with split_lock(folder):
            records = generate_instances(
                self._entry, split=split, indices=indices, out=folder.parent
            )
        return {
            index: _file(name, split, folder, record)
            for index, record in zip(indices, records, strict=True)
        }
