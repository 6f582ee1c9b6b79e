"""Open a source of instances by name, path or URL."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from urllib.parse import urlsplit

from milplib.errors import SourceUnavailableError, UnknownNameError
from milplib.files import exclusive_lock, make_folder
from milplib.library.cache import Cache
from milplib.library.distribution import Distribution
from milplib.library.sources import (
    ArchiveSource,
    FolderSource,
    InstanceSource,
    MirrorSource,
    OnBytes,
)
from milplib.library.sources.download import download, find_remote
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
    source: str, entry: Distribution, *, cache: Cache, offline: bool, on_bytes: OnBytes
) -> InstanceSource:
    """Open a source of a distribution's files; not the generator.

    Parameters
    ----------
    source
        ``"mirror"``, ``"site"``, the path of a folder or archive, or an archive's URL.
    entry
        The distribution.
    cache
        Cache of downloads.
    offline
        Whether to contact no server.
    on_bytes
        Called as a download grows.

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
        )
    if source == SourceName.SITE:
        return _open_site(entry.name, cache)
    if urlsplit(source).scheme in ("http", "https"):
        return _open_url(source, entry.name, cache, offline=offline, on_bytes=on_bytes)
    path = Path(source)
    if path.is_dir():
        return FolderSource(path, name=entry.name)
    if path.exists():
        return ArchiveSource(path, name=entry.name)
    if os.sep not in source and not path.suffix:
        raise UnknownNameError("source", source, SOURCES)
    raise SourceUnavailableError(f"there is no folder or archive {path}")


def _open_site(name: str, cache: Cache) -> InstanceSource:
    if (cache.site / name).is_dir():
        return FolderSource(cache.site / name, name=name, identity={"kind": "site"})
    archive = cache.site / f"{name}.zip"
    if not archive.exists():
        raise SourceUnavailableError(
            f"there is no {archive}: download the site's archive by hand (linked from arXiv "
            "2406.06954) and put it there, or name its path as the source"
        )
    source = ArchiveSource(archive, name=name, identity={"kind": "site"})
    cache.check(archive, f"site/{archive.name}")
    return source


def _open_url(
    url: str, name: str, cache: Cache, *, offline: bool, on_bytes: OnBytes
) -> InstanceSource:
    file = Path(urlsplit(url).path).name or "archive.zip"
    mark = hashlib.sha256(url.encode()).hexdigest()[:12]  # file names of URLs may be equal
    target = cache.downloads / "urls" / mark / file
    make_folder(target.parent)
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
        cache.check(target, url, expected={"the server says": served})
    return ArchiveSource(target, name=name, identity={"kind": "archive", "url": url})
