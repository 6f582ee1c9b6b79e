"""Open the source that a user names."""

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

__all__ = ["SOURCES", "open_source"]

SOURCES = ("site", "mirror", "generator")
"""Names of the sources that a published distribution may have, in the order they are tried."""


def open_source(
    source: str, entry: Distribution, *, cache: Cache, offline: bool, on_bytes: OnBytes
) -> InstanceSource:
    """Open a source of files of a distribution: of `SOURCES` all but the generator.

    Parameters
    ----------
    source
        ``"mirror"``, ``"site"``, the path of a folder or archive, or an archive's URL.
    entry
        The distribution.
    cache
        Where downloads lie.
    offline
        Use nothing that is not on this machine.
    on_bytes
        Called as a download grows.

    Raises
    ------
    SourceUnavailableError
        If it is not there.
    SourceError
        If it is damaged, unsafe, or not what it was.
    UnknownNameError
        If it is neither a name nor looks like a path.
    """
    if source == "mirror":
        if entry.published is None:
            raise SourceUnavailableError(f"{entry.name} is milplib's own: the mirror has it not")
        return MirrorSource(
            entry.name,
            repository=entry.published.mirror,
            checksums=entry.published.sha256,
            cache=cache,
            offline=offline,
            on_bytes=on_bytes,
        )
    if source == "site":
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
            f"there is no {archive}: the site's archives are downloaded by hand (linked from "
            "arXiv 2406.06954); put it there, or give its path as the source"
        )
    source = ArchiveSource(archive, name=name, identity={"kind": "site"})
    cache.check(archive, f"site/{archive.name}")
    return source


def _open_url(
    url: str, name: str, cache: Cache, *, offline: bool, on_bytes: OnBytes
) -> InstanceSource:
    file = Path(urlsplit(url).path).name or "archive.zip"
    mark = hashlib.sha256(url.encode()).hexdigest()[:12]  # others may end in the same name
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
