"""Open a source of instances by name, path or URL."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from urllib.parse import urlsplit

from milplib.errors import SourceError, SourceUnavailableError, UnknownNameError
from milplib.files import exclusive_lock
from milplib.formats import SUFFIXES
from milplib.library.cache import Cache
from milplib.library.config import SourceEntry
from milplib.library.distribution import Distribution
from milplib.library.sources import (
    ArchiveSource,
    FolderSource,
    InstanceSource,
    MirrorFolder,
    MirrorSource,
    OnBytes,
    SourceLimits,
)
from milplib.library.sources.download import download, find_remote
from milplib.library.sources.folder import files_below
from milplib.library.sources.layout import SplitLayout
from milplib.library.sources.mirror import mirror_folder
from milplib.library.sources.mirror_folder import mirror_files
from milplib.outcomes import Word

__all__ = ["SOURCES", "SourceName", "open_source"]


class SourceName(Word):
    """Source of a published distribution, other than a folder, an archive or a URL."""

    SITE = "site"
    """An archive of the site, in the cache."""
    MIRROR = "mirror"
    GENERATOR = "generator"


SOURCES = tuple(SourceName)
"""Sources of a published distribution, in the order of trial."""


def open_source(
    source: str,
    entry: Distribution,
    *,
    cache: Cache,
    offline: bool,
    on_bytes: OnBytes,
    limits: SourceLimits | None = None,
) -> InstanceSource:
    """Open a source of a distribution's files; not the generator.

    Parameters
    ----------
    source
        ``"mirror"``, ``"site"``, the path of a folder or archive, or an archive's URL. A folder
        has the layout of the site or that of the mirror.
    entry
        The distribution.
    cache
        Cache of downloads.
    offline
        Whether to contact no server.
    on_bytes
        Called as a download grows.
    limits
        Limits that protect disk and memory.

    Raises
    ------
    SourceUnavailableError
        If the source is missing.
    SourceError
        If the source is damaged, unsafe, or changed since the first fetch.
    UnknownNameError
        If `source` is neither a known name nor a path.
    """
    if source == SourceName.MIRROR:
        if entry.published is None:
            raise SourceUnavailableError(
                f"{entry.name} is milplib's own distribution; the mirror does not have it"
            )
        return MirrorSource(
            entry.name,
            repository=entry.published.mirror,
            checksums=entry.published.sha256,
            cache=cache,
            offline=offline,
            on_bytes=on_bytes,
            limits=limits,
        )
    if source == SourceName.SITE:
        return _open_site(entry, cache, limits)
    if urlsplit(source).scheme in ("http", "https"):
        return _open_url(
            source, entry.name, cache, offline=offline, on_bytes=on_bytes, limits=limits
        )
    path = Path(source)
    if path.is_dir():
        return _open_folder(path, entry, limits)
    if path.suffix.lower() == ".csv" and path.exists():
        return _open_csv(path, entry, limits)
    if path.exists():
        return ArchiveSource(path, name=entry.name, limits=limits)
    if os.sep not in source and not path.suffix:
        raise UnknownNameError("source", source, SOURCES)
    raise SourceUnavailableError(f"there is no folder or archive {path}")


def _open_folder(
    path: Path,
    entry: Distribution,
    limits: SourceLimits | None,
    *,
    identity: SourceEntry | None = None,
) -> InstanceSource:
    """Open a folder with the layout of the site or of the mirror."""
    name, path = entry.name, path.absolute()
    files = files_below(path)
    layout = SplitLayout(files, name=name, where=str(path))
    by_split: dict[str, list[str]] = {}
    if not layout.is_named:  # the site has the original files
        by_split = mirror_files(path, files, name=name, in_folder=layout.is_empty)
    if by_split:
        return MirrorFolder(
            path,
            by_split,
            name=name,
            checksums=entry.published.sha256 if entry.published else {},
            identity=identity,
            limits=limits,
        )
    if layout.is_empty:
        raise SourceError(
            f"there are no instance files ({', '.join(SUFFIXES)}) and no file "
            f"{mirror_folder(name)}/train.csv of the mirror in {path}"
        )
    return FolderSource(path, name=name, identity=identity, files=files)


def _open_csv(path: Path, entry: Distribution, limits: SourceLimits | None) -> InstanceSource:
    """Open a single file of the mirror."""
    by_split = mirror_files(path.parent.absolute(), [path.name], name=entry.name, in_folder=True)
    if not by_split:
        raise SourceError(
            f"{path} is not a file of {entry.name} by its name: the mirror calls it "
            f"{mirror_folder(entry.name)}/train.csv, validation.csv or test.csv"
        )
    return MirrorFolder(
        path.parent.absolute(),
        by_split,
        name=entry.name,
        checksums=entry.published.sha256 if entry.published else {},
        identity={"kind": "file", "path": str(path.absolute())},
        limits=limits,
    )


def _open_site(entry: Distribution, cache: Cache, limits: SourceLimits | None) -> InstanceSource:
    name = entry.name
    if (cache.site / name).is_dir():
        return _open_folder(cache.site / name, entry, limits, identity={"kind": "site"})
    archive = cache.site / f"{name}.zip"
    if not archive.exists():
        raise SourceUnavailableError(
            f"there is no {archive}: download the site's archive by hand (linked from arXiv "
            "2406.06954) and put it there, or name its path as the source"
        )
    source = ArchiveSource(archive, name=name, identity={"kind": "site"}, limits=limits)
    cache.check(archive, f"site/{archive.name}")
    return source


def _open_url(
    url: str,
    name: str,
    cache: Cache,
    *,
    offline: bool,
    on_bytes: OnBytes,
    limits: SourceLimits | None,
) -> InstanceSource:
    file = Path(urlsplit(url).path).name or "archive.zip"
    mark = hashlib.sha256(url.encode()).hexdigest()[:12]  # file names of URLs may be equal
    target = cache.downloads / "urls" / mark / file
    cache.make_folder(target.parent)
    with exclusive_lock(target.with_name(f"{file}.lock"), wait=True):
        served = ""
        if not target.exists():
            if offline:
                raise SourceUnavailableError(
                    f"{url} was not downloaded before, and this is offline"
                )
            remote = find_remote(url)
            if remote is None:
                raise SourceUnavailableError(f"there is no {url} (HTTP status 404)")
            download(remote, target, on_bytes=on_bytes)
            served = remote.sha256
        with cache.putting_aside(target):
            source = ArchiveSource(
                target, name=name, identity={"kind": "archive", "url": url}, limits=limits
            )
        cache.check(target, url, expected={"the server says": served})
    return source
