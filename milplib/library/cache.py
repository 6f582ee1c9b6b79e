"""The cache folder: fetched distributions, downloads and recorded checksums."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import platformdirs

from milplib.errors import ParameterError, SourceError
from milplib.files import atomic_write_json, exclusive_lock, file_sha256, make_folder
from milplib.library.own_folder import check_no_link
from milplib.parsing import read_json
from milplib.schema import conforming

__all__ = ["Cache"]


class HashRecord(TypedDict):
    """Checksum and size of a cached file."""

    sha256: str
    bytes: int


@dataclass(frozen=True)
class Cache:
    """Cache of fetched data.

    Parameters
    ----------
    folder
        Root folder. Fetching fills its subfolders ``distributions``, ``generated`` and
        ``downloads``, reads archives of the site from ``site``, and moves files with a wrong
        checksum to ``refused``.

    Examples
    --------
    >>> cache = Cache(Path("/data/milplib"))
    >>> cache.split_folder("CA-medium", "train", generated=False).as_posix()
    '/data/milplib/distributions/CA-medium/train'
    """

    folder: Path

    @classmethod
    def default(cls) -> Cache:
        """Return the cache in ``MILPLIB_CACHE``, or the user's cache if that is not set.

        Raises
        ------
        ParameterError
            If the variable is set and empty.
        """
        folder = os.environ.get("MILPLIB_CACHE")
        if folder is None:
            return cls(platformdirs.user_cache_path("milplib"))
        if not folder.strip():
            raise ParameterError("MILPLIB_CACHE is empty: let it name a folder, or unset it")
        return cls(Path(folder).absolute())

    @property
    def site(self) -> Path:
        """Folder for archives downloaded from the site by hand."""
        return self.folder / "site"

    @property
    def downloads(self) -> Path:
        """Folder of downloads that are incomplete or not stored as instances yet."""
        return self.folder / "downloads"

    def distribution_folder(self, name: str, *, generated: bool) -> Path:
        """Folder of a distribution's splits, published or generated."""
        return self.folder / ("generated" if generated else "distributions") / name

    def split_folder(self, name: str, split: str, *, generated: bool) -> Path:
        """Folder of a split."""
        return self.distribution_folder(name, generated=generated) / split

    def make_folder(self, folder: Path) -> None:
        """Make a folder in the cache.

        Raises
        ------
        OutputError
            If it cannot be made, or the way to it leads through a link.
        """
        check_no_link(folder, below=self.folder)
        make_folder(folder)

    def check(self, path: Path, key: str, *, expected: Mapping[str, str] | None = None) -> str:
        """Compare a downloaded file with its known checksums, and record a first checksum.

        Parameters
        ----------
        path
            The file. A file with a wrong checksum is moved to the folder ``refused``.
        key
            Origin of the download, such as its URL.
        expected
            Expected SHA-256 by authority, such as ``"the server says"``; empty strings are
            ignored.

        Returns
        -------
        str
            SHA-256 of the file.

        Raises
        ------
        SourceError
            If the checksum differs from an expected or recorded one.
        """
        sha256 = file_sha256(path)
        make_folder(self.folder)
        with exclusive_lock(self.folder / ".hashes.lock", wait=True):
            known = self._hashes()
            record = known[key].get("sha256", "") if key in known else ""
            all_expected = {**(expected or {}), "at the first fetch": record}
            for authority, wanted in all_expected.items():
                if wanted and wanted != sha256:
                    raise SourceError(
                        f"{key} has another checksum than expected: SHA-256 {sha256[:12]}…, "
                        f"{authority} {wanted[:12]}…; the file was moved to "
                        f"{self._put_aside(path, sha256)}; if it was changed on purpose, remove "
                        f"its entry from {self.folder / 'hashes.json'} and fetch again"
                    )
            if not record:
                known[key] = {"sha256": sha256, "bytes": path.stat().st_size}
                atomic_write_json(self.folder / "hashes.json", known)
        return sha256

    @contextmanager
    def putting_aside(self, path: Path) -> Iterator[None]:
        """Move a download to the folder ``refused`` if the block raises a `SourceError`.

        Otherwise every later fetch would fail on the same file.
        """
        try:
            yield
        except SourceError as error:
            if not path.is_file():
                raise
            target = self._put_aside(path, file_sha256(path))
            raise SourceError(f"{error}; the file was moved to {target}") from error

    def _hashes(self) -> dict[str, HashRecord]:
        path = self.folder / "hashes.json"
        try:
            return conforming(read_json(path), dict[str, HashRecord])
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise SourceError(f"cannot read {path}: {error}; mend or remove it") from error
        except ValueError as error:
            raise SourceError(
                f"{path} is not a table of checksums ({error}): mend or remove it"
            ) from error

    def _put_aside(self, path: Path, sha256: str) -> Path:
        target = self.folder / "refused" / f"{sha256[:12]}-{path.name}"
        self.make_folder(target.parent)
        os.replace(path, target)
        return target
