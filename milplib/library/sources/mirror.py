"""The mirror on the Hugging Face Hub, with a CSV file per split."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from urllib.parse import quote

from milplib.errors import SourceError, SourceUnavailableError
from milplib.files import exclusive_lock
from milplib.library.cache import Cache
from milplib.library.config import SourceEntry
from milplib.library.folder import SPLITS
from milplib.library.manifest import BrokenInstance
from milplib.library.sources.base import OnBytes, RawInstance, split_aliases
from milplib.library.sources.csv_rows import check_header, csv_instances
from milplib.library.sources.download import download, find_remote
from milplib.library.sources.limits import SourceLimits

__all__ = ["MirrorSource", "mirror_endpoint", "mirror_folder", "mirror_rows"]

_HUB = "https://huggingface.co"


def mirror_endpoint() -> str:
    """Return the address of the Hub, or ``HF_ENDPOINT`` if that is set."""
    return (os.environ.get("HF_ENDPOINT") or _HUB).rstrip("/")


def mirror_folder(name: str) -> str:
    """Return the folder of a distribution on the mirror.

    Examples
    --------
    >>> mirror_folder("MMCN-hard-BI")
    'MMCN/hard-BI'
    """
    domain, _, level = name.partition("-")
    return f"{domain}/{level}"


class MirrorSource:
    """CSV files of a distribution on the Hub, downloaded into the cache.

    Parameters
    ----------
    name
        Name of the distribution.
    repository
        Data set on the Hub.
    checksums
        Known SHA-256 of its files by split.
    cache
        Cache that keeps downloads until their instances are stored.
    offline
        Whether to use only earlier downloads.
    on_bytes
        Called as a download grows.
    limits
        Limits of a row.
    """

    def __init__(
        self,
        name: str,
        *,
        repository: str,
        checksums: Mapping[str, str],
        cache: Cache,
        offline: bool = False,
        on_bytes: OnBytes = lambda done, total, name: None,
        limits: SourceLimits | None = None,
    ) -> None:
        self._name, self._repository, self._cache = name, repository, cache
        self._checksums = checksums
        self._offline, self._on_bytes = offline, on_bytes
        self._limits = limits or SourceLimits()
        self._folder = mirror_folder(name)

    def describe(self, split: str) -> SourceEntry:
        """Return the origin of the split, after downloading it if needed."""
        path = self._file(split)
        self._cache.make_folder(path.parent)
        with exclusive_lock(path.with_name(f"{path.name}.lock"), wait=True):
            key = f"{self._repository}/{self._folder}/{split}"
            served = "" if path.exists() else self._download(split, path)
            with self._cache.putting_aside(path):
                check_header(path)
            expected = {
                "the server says": served,
                "the catalogue says": self._checksums.get(split, ""),
            }
            sha256 = self._cache.check(path, key, expected=expected)
        return {
            "kind": "mirror",
            "repository": self._repository,
            "file": f"{self._folder}/{split}",
            "bytes": path.stat().st_size,
            "sha256": sha256,
        }

    def _file(self, split: str) -> Path:
        return self._cache.downloads / self._repository / self._folder / f"{split}.csv"

    def _download(self, split: str, path: Path) -> str:
        """Download a split; return the server's checksum."""
        if self._offline or os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "TRUE", "YES"):
            raise SourceUnavailableError(
                f"the {split} split of {self._name} was not downloaded before, and this is offline"
            )
        base = f"{mirror_endpoint()}/datasets/{self._repository}/resolve/main"
        for alias in split_aliases(split):
            remote = find_remote(f"{base}/{quote(f'{self._folder}/{alias}.csv')}", token=True)
            if remote is not None:
                download(remote, path, on_bytes=self._on_bytes)
                return remote.sha256
        raise SourceUnavailableError(
            f"{mirror_endpoint()}/datasets/{self._repository} has no {split} split of "
            f"{self._name} ({self._folder}/{split}.csv)"
        )

    def instances(self, split: str) -> Iterator[RawInstance | BrokenInstance]:
        """Yield the rows of the split's file."""
        yield from mirror_rows(self._file(split), f"{self._name}-{split}", limits=self._limits)

    def splits(self) -> tuple[str, ...]:
        """Return all splits; only the server knows which exist."""
        return SPLITS

    def count(self, split: str) -> int | None:
        """Return None: the file does not state its number of rows."""
        return None

    def release(self, split: str) -> None:
        """Remove the file: its instances are stored and take as much space again."""
        self._file(split).unlink(missing_ok=True)


def mirror_rows(
    path: Path, stem: str, *, limits: SourceLimits
) -> Iterator[RawInstance | BrokenInstance]:
    """Yield the rows of a file as instances named by a stem and the row number."""
    found_one = False
    for row in csv_instances(path, limits=limits):
        found_one = True
        if isinstance(row, BrokenInstance):
            yield row
            continue
        yield RawInstance(
            file=f"{stem}-{row.number:05d}{row.suffix}",
            name=f"row {row.number} of {path.name}",
            open=_Content(row.content),
            whole=True,
        )
    if not found_one:
        raise SourceError(f"{path} has no rows")


class _Content:
    """Open bytes in memory like a file."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __call__(self) -> AbstractContextManager[Iterable[bytes]]:
        return nullcontext((self._content,))
