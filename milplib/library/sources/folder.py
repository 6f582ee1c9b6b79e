"""Instances from a folder with the layout of the site's archives."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, NoReturn

from milplib.errors import SourceError, SourceUnavailableError
from milplib.files import file_sha256, printable_path
from milplib.library.config import SourceEntry
from milplib.library.manifest import BrokenInstance
from milplib.library.sources.base import RawInstance, flat_names
from milplib.library.sources.layout import SplitLayout
from milplib.parsing import open_regular

__all__ = ["FolderSource", "files_below"]

_PIECE = 1 << 20  # bytes


class FolderSource:
    """A folder with ``train``, ``val`` and ``test``, or with the instances of one split.

    Parameters
    ----------
    path
        Path of the folder.
    name
        Name of the distribution, whose folder is looked for in `path`.
    identity
        Fields of `describe` besides the checksum. Default: the folder's path.
    files
        Paths of the files below the folder, if they are known.

    Raises
    ------
    SourceUnavailableError
        If the folder is missing.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> (folder / "train").mkdir()
    >>> _ = (folder / "train" / "1.lp").write_text("minimize OBJ: x subject to C: x >= 1 End")
    >>> [raw.file for raw in FolderSource(folder, name="CA-medium").instances("train")]
    ['1.lp']
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        name: str,
        identity: SourceEntry | None = None,
        files: Iterable[str] | None = None,
    ) -> None:
        self._path = Path(path).absolute()
        self._identity: SourceEntry = identity or {"kind": "folder", "path": str(self._path)}
        if not self._path.is_dir():
            raise SourceUnavailableError(f"there is no folder {self._path}")
        self._checksums: dict[str, str] = {}
        files = files_below(self._path) if files is None else files
        self._layout = SplitLayout(files, name=name, where=str(self._path))

    def describe(self, split: str) -> SourceEntry:
        """Return the identity of the folder with a checksum of all file names and contents."""
        if split not in self._checksums:
            self._checksums[split] = self._checksum(split)
        return {**self._identity, "sha256": self._checksums[split]}

    def _checksum(self, split: str) -> str:
        digest = hashlib.sha256()
        for path, _ in self._layout.files(split):
            digest.update(os.fsencode(path) + b"\0")
            with suppress(OSError):  # instances() reports files that cannot be read
                digest.update(bytes.fromhex(file_sha256(self._path / path)))
        return digest.hexdigest()

    def instances(self, split: str) -> Iterator[RawInstance | BrokenInstance]:
        """Yield the files of a split, sorted by name."""
        files = self._layout.files(split)
        for (path, _), file in zip(files, flat_names(parts for _, parts in files), strict=True):
            yield RawInstance(
                file=printable_path(file),
                name=printable_path(path),
                open=lambda path=path: _pieces(self._path / path),  # type: ignore[misc]
            )

    def splits(self) -> tuple[str, ...]:
        """Return the splits that have their own folder."""
        return self._layout.splits

    def count(self, split: str) -> int | None:
        """Return the number of files of a split."""
        return len(self._layout.files(split))

    def release(self, split: str) -> None:
        """Do nothing: the files belong to the user."""


def files_below(folder: Path) -> list[str]:
    """List all files below a folder by relative path, following each link to a folder once.

    Raises
    ------
    SourceError
        If a folder cannot be read.
    """

    def refuse(error: OSError) -> NoReturn:
        raise SourceError(f"cannot read {error.filename}: {error.strerror or error}") from error

    seen, found = set(), []
    for place, folders, files in os.walk(folder, followlinks=True, onerror=refuse):
        try:
            status = os.stat(place)
        except OSError as error:
            refuse(error)
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders.sort()
        found += [os.path.relpath(os.path.join(place, file), folder) for file in files]
    return found


@contextmanager
def _pieces(path: Path) -> Iterator[Iterable[bytes]]:
    try:
        stream = open_regular(path)
    except OSError as error:
        raise SourceError(f"it cannot be read: {error.strerror or error}") from error
    with stream:
        yield _read(stream)


def _read(stream: BinaryIO) -> Iterator[bytes]:
    try:
        while piece := stream.read(_PIECE):
            yield piece
    except OSError as error:
        raise SourceError(f"it cannot be read: {error.strerror or error}") from error
