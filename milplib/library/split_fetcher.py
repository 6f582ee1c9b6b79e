"""Fetch the splits of a distribution from its sources."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from milplib.errors import (
    MilplibWarning,
    SourceError,
    SourceUnavailableError,
    warn_caller,
)
from milplib.library.cache import Cache
from milplib.library.catalogue import find_generator
from milplib.library.config import SourceEntry
from milplib.library.distribution import Distribution
from milplib.library.folder import SPLITS
from milplib.library.generation import generate_split
from milplib.library.manifest import BrokenInstance, InstanceRecord, SplitManifest
from milplib.library.own_folder import check_no_link, split_lock
from milplib.library.seeds import DEFAULT_COUNTS
from milplib.library.source_names import SOURCES, SourceName, open_source
from milplib.library.sources import InstanceSource, OnBytes, SourceLimits
from milplib.library.store import copy_split, store_split

__all__ = [
    "FetchProgress",
    "FetchedSplit",
    "Fetcher",
    "RegeneratedWarning",
    "n_generated",
]


class RegeneratedWarning(MilplibWarning):
    """Instances were generated because the published files are unavailable."""


@dataclass(frozen=True, kw_only=True)
class FetchProgress:
    """Callbacks that report the progress of a fetch.

    Parameters
    ----------
    on_bytes
        Called with the received bytes, the total bytes or None, and the file name.
    on_instance
        Called with the split, the number of stored instances, and the total or None.
    on_broken
        Called with each instance that cannot be read.
    """

    on_bytes: OnBytes = lambda done, total, name: None
    on_instance: Callable[[str, int, int | None], None] = lambda split, done, total: None
    on_broken: Callable[[BrokenInstance], None] = lambda broken: None


@dataclass(frozen=True, kw_only=True)
class FetchedSplit:
    """A split in a folder.

    Parameters
    ----------
    split, folder
        Name of the split, and its folder.
    manifest
        Contents of the folder and their origin.
    """

    split: str
    folder: Path
    manifest: SplitManifest

    @property
    def origin(self) -> str:
        """Origin of the instances, in words."""
        source = self.manifest.config.get("source")
        if not source:
            regenerated = self.manifest.config.get("regenerated")
            return "regenerated, not the published files" if regenerated else "generated"
        known: Mapping[str, object] = source
        parts = [known.get(key) for key in ("kind", "repository", "file", "path", "url")]
        return " ".join(str(part) for part in parts if part)


def n_generated(entry: Distribution, split: str) -> int:
    """Return the number of instances of a generated split.

    It equals that of the published split, if known.

    Examples
    --------
    >>> from milplib.library import find_distribution
    >>> n_generated(find_distribution("CA-easy"), "val")
    100
    """
    published = entry.published.splits if entry.published else {}
    return published.get(split) or DEFAULT_COUNTS[split]


class Fetcher:
    """A call of `milplib.fetch`, with the same arguments."""

    def __init__(
        self,
        entry: Distribution,
        *,
        cache: Cache,
        out: Path | None,
        offline: bool,
        force: bool,
        verify: bool,
        progress: FetchProgress,
        limits: SourceLimits | None = None,
    ) -> None:
        self._entry, self._cache, self._out = entry, cache, out
        self._offline, self._force, self._verify = offline, force, verify
        self._progress, self._limits = progress, limits

    def fetch_from_any(self, wanted: tuple[str, ...] | None) -> list[FetchedSplit]:
        """Return the splits, after fetching missing ones from the first source that has them."""
        by_split = {split: self._present(split) for split in wanted or SPLITS}
        missing = tuple(split for split, fetched in by_split.items() if fetched is None)
        present = [fetched for fetched in by_split.values() if fetched is not None]
        reasons: list[str] = []
        for source in self._sources() if missing else ():
            if source == SourceName.GENERATOR and reasons:
                warn_caller(
                    f"{self._entry.name} is regenerated; these are not the published files: "
                    f"{reasons[-1]}",
                    RegeneratedWarning,
                )
            try:
                rest = self.fetch(source, missing, skip_missing=wanted is None)
            except SourceUnavailableError as error:
                reasons.append(str(error))
            else:
                return sorted(present + rest, key=lambda fetched: SPLITS.index(fetched.split))
        if missing and (wanted is not None or not present):
            raise SourceUnavailableError(
                f"no source has the {' or '.join(missing)} split of {self._entry.name}: "
                f"{'; '.join(reasons)}"
            )
        return present

    def _sources(self) -> tuple[str, ...]:
        """Return the sources to try, in order."""
        if self._entry.published is None:
            return ("generator",)
        for split in () if self._force else SPLITS:
            manifest = SplitManifest.load(self._target(split))
            if manifest is not None and manifest.complete:
                # All splits of a distribution must come from the same source.
                return (_source_of(manifest),)
        regenerates = self._entry.generator is not None and self._entry.provenance == "verified"
        return SOURCES if regenerates else SOURCES[:-1]

    def fetch(
        self, source: str, wanted: tuple[str, ...] | None, *, skip_missing: bool = False
    ) -> list[FetchedSplit]:
        """Fetch splits from a source; with `skip_missing`, ignore splits that it lacks."""
        if source == SourceName.GENERATOR:
            find_generator(self._entry)
            return [self._locked(split, self._generate, source) for split in wanted or SPLITS]
        opened = open_source(
            source,
            self._entry,
            cache=self._cache,
            offline=self._offline,
            on_bytes=self._progress.on_bytes,
            limits=self._limits,
        )
        if wanted is None:
            wanted, skip_missing = opened.splits(), True
        if not wanted:
            raise SourceError(
                f"{source} has no folders {', '.join(SPLITS)}: name the split of its instances "
                "with --split"
            )
        get = partial(self._store, opened)
        fetched, reasons = [], []
        for split in wanted:
            try:
                fetched.append(self._locked(split, get, source))
            except SourceUnavailableError as error:
                if not skip_missing:
                    raise
                reasons.append(error)
        if not fetched:
            raise reasons[0]
        return fetched

    def _store(self, source: InstanceSource, split: str, folder: Path) -> SplitManifest:
        if not source.splits():
            self._check_taken(source.describe(split), split)
        return store_split(
            source,
            folder,
            split=split,
            config={
                "distribution": self._entry.name,
                "provenance": "authors",
                "regenerated": False,
                "split": split,
            },
            force=self._force,
            on_instance=lambda done, total: self._progress.on_instance(split, done, total),
            on_broken=self._progress.on_broken,
            limits=self._limits,
        )

    def _check_taken(self, description: SourceEntry, split: str) -> None:
        """Refuse to use the instances of a source without split folders for two splits."""
        for other in SPLITS:
            manifest = None if other == split else SplitManifest.load(self._target(other))
            if (
                manifest
                and manifest.config.get("source", {}).get("sha256") == description["sha256"]
            ):
                raise SourceError(
                    f"the instances for the {split} split of {self._entry.name} are its "
                    f"{other} split already; their source has no folders {', '.join(SPLITS)}"
                )

    def _generate(self, split: str, folder: Path) -> SplitManifest:
        count = n_generated(self._entry, split)
        generate_split(
            self._entry,
            split=split,
            count=count,
            out=folder.parent,
            force=self._force,
            on_progress=lambda done: self._progress.on_instance(split, done, count),
        )
        return _loaded(folder)

    def _target(self, split: str, *, generated: bool | None = None) -> Path:
        """Return the folder of a split. The cache keeps regenerated instances apart."""
        if self._out is not None:
            return self._out / split
        if generated is None:
            generated = self._entry.published is None
        return self._cache.split_folder(self._entry.name, split, generated=generated)

    def _check_no_link(self, folder: Path) -> None:
        check_no_link(folder, below=self._cache.folder if self._out is None else self._out)

    def _locked(
        self, split: str, get: Callable[[str, Path], SplitManifest], source: str
    ) -> FetchedSplit:
        """Get a split under a lock, unless another process has just completed it."""
        folder = self._target(split, generated=source == SourceName.GENERATOR)
        self._check_no_link(folder)
        with split_lock(folder):
            manifest = None if self._force else self._complete(folder, split)
            if manifest is None or _source_of(manifest) != source:
                manifest = get(split, folder)
        return FetchedSplit(split=split, folder=folder, manifest=manifest)

    def _present(self, split: str) -> FetchedSplit | None:
        """Return a split that is complete in its folder or in the cache."""
        folder = self._target(split)
        if self._force:
            return None
        manifest = self._complete(folder, split)
        if manifest is None and self._out is not None:
            generated = self._entry.published is None
            cached = self._cache.split_folder(self._entry.name, split, generated=generated)
            if self._complete(cached, split) is None:
                return None
            self._check_no_link(folder)
            with split_lock(folder):
                manifest = copy_split(
                    cached,
                    folder,
                    on_instance=lambda done, total: self._progress.on_instance(split, done, total),
                )
        if manifest is None:
            return None
        return FetchedSplit(split=split, folder=folder, manifest=manifest)

    def _complete(self, folder: Path, split: str) -> SplitManifest | None:
        manifest = SplitManifest.load(folder)
        if manifest is None or not manifest.complete:
            return None
        config = manifest.config
        if (config.get("distribution"), config.get("split")) != (self._entry.name, split):
            return None
        if "source" not in config and len(manifest.records) < n_generated(self._entry, split):
            return None  # generated on demand; only the requested instances
        is_there = InstanceRecord.is_whole if self._verify else InstanceRecord.is_there
        return manifest if all(is_there(r, folder) for r in manifest.records.values()) else None


def _source_of(manifest: SplitManifest) -> str:
    """Return the source of these instances."""
    generator: SourceEntry = {"kind": "generator"}
    source = manifest.config.get("source", generator)
    return str(source.get("url") or source.get("path") or source["kind"])


def _loaded(folder: Path) -> SplitManifest:
    manifest = SplitManifest.load(folder)
    assert manifest is not None, folder
    return manifest
