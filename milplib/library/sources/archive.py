"""Instances from an untrusted zip archive, such as those of the site."""

from __future__ import annotations

import os
import weakref
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path, PurePosixPath

from milplib.errors import SourceError, SourceUnavailableError
from milplib.files import file_sha256, printable_path
from milplib.library.config import SourceEntry
from milplib.library.manifest import BrokenInstance
from milplib.library.sources.base import RawInstance, flat_names
from milplib.library.sources.layout import SplitLayout
from milplib.library.sources.limits import SourceLimits
from milplib.library.sources.pointers import check_no_pointer
from milplib.library.sources.zip_directory import with_readable_entries
from milplib.parsing import file_kind, open_regular

__all__ = ["ArchiveSource"]

_PIECE = 1 << 20  # bytes
_SMALL_PIECE = 1 << 12
_UTF8_NAMES = 0x800  # flag of entries whose name is in UTF-8
_UNIX = 3  # system whose file modes an entry has


class ArchiveSource:
    """A zip archive of a distribution.

    Entries are never unpacked to the paths that they name. An archive with an entry that leads
    out of its folder is refused nevertheless, as it is likely malicious.

    Parameters
    ----------
    path
        Path of the archive.
    name
        Name of the distribution, whose folder is looked for in the archive.
    identity
        Fields of `describe` besides the checksum. Default: the archive's path.
    limits
        Size limits.

    Raises
    ------
    SourceUnavailableError
        If the file is missing.
    SourceError
        If it is not a zip archive, truncated, unsafe, or exceeds the limits.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        name: str,
        identity: SourceEntry | None = None,
        limits: SourceLimits | None = None,
    ) -> None:
        self._path = Path(path)
        self._identity: SourceEntry = identity or {
            "kind": "archive",
            "path": str(self._path.absolute()),
        }
        try:
            stream = open_regular(self._path)
            weakref.finalize(self, stream.close)
            check_no_pointer(stream.read(1024), str(self._path))
            self._archive = zipfile.ZipFile(with_readable_entries(stream))
        except FileNotFoundError:
            raise SourceUnavailableError(f"there is no archive {self._path}") from None
        except SourceError:
            raise
        except Exception as error:  # of damaged bytes, zipfile raises errors of all kinds
            problem = getattr(error, "strerror", None) or error or type(error).__name__
            raise SourceError(
                f"cannot read {self._path}: {problem}; it is cut off or no zip archive: "
                "get it again"
            ) from error
        entries = [entry for entry in self._archive.infolist() if not entry.is_dir()]
        self._entries: dict[str, list[zipfile.ZipInfo]] = {}
        for entry in entries:
            self._entries.setdefault(self._checked_name(entry), []).append(entry)
        self._layout = SplitLayout(self._entries, name=name, where=str(self._path))
        self._check_sizes(limits or SourceLimits())

    def _checked_name(self, entry: zipfile.ZipInfo) -> str:
        name = entry.filename.replace("\\", "/")
        if not entry.flag_bits & _UTF8_NAMES:
            with suppress(UnicodeError):
                # zipfile decodes such names as cp437, but most programs write UTF-8.
                name = name.encode("cp437").decode("utf-8")
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or name[1:2] == ":":
            raise SourceError(
                f"{self._path} is refused: its entry '{name}' would be written outside of the "
                "folder that it is unpacked in; nothing was written"
            )
        return str(path)

    def _check_sizes(self, limits: SourceLimits) -> None:
        problem = ""
        if len(self._archive.infolist()) > limits.files:
            problem = f"it has more than {limits.files:,} entries, the limit of files"
        total = 0
        wanted = [path for split in self._layout.splits for path, _ in self._layout.files(split)]
        for path in wanted if self._layout.splits else self._entries:
            for entry in self._entries[path]:
                total += entry.file_size
                explosion = limits.explosion(entry.file_size, packed=entry.compress_size)
                if explosion:
                    problem = explosion.replace("it", f"its entry '{path}'", 1)
        if total > limits.total_bytes:
            problem = f"its entries would have {total / 1e9:.0f} GB, above the limit of total_bytes"
        if problem:
            raise SourceError(f"{self._path} is refused: {problem}; nothing was written")

    def describe(self, split: str) -> SourceEntry:
        """Return the identity of the archive with its size and checksum."""
        self._layout.files(split)
        return {
            **self._identity,
            "bytes": self._path.stat().st_size,
            "sha256": self._sha256,
        }

    @cached_property
    def _sha256(self) -> str:
        return file_sha256(self._path)

    def instances(self, split: str) -> Iterator[RawInstance | BrokenInstance]:
        """Yield the entries of a split, sorted by name."""
        files = self._layout.files(split)
        for (path, _), file in zip(files, flat_names(parts for _, parts in files), strict=True):
            entries = self._entries[path]
            problem = _problem(entries)
            if problem:
                yield BrokenInstance(printable_path(path), problem)
            else:
                yield RawInstance(
                    file=printable_path(file),
                    name=printable_path(path),
                    open=lambda entry=entries[0]: self._pieces(entry),  # type: ignore[misc]
                    whole=True,
                )

    @contextmanager
    def _pieces(self, entry: zipfile.ZipInfo) -> Iterator[Iterable[bytes]]:
        yield self._unpacked(entry)

    def _unpacked(self, entry: zipfile.ZipInfo) -> Iterator[bytes]:
        # Of other methods, zipfile unpacks whatever a read takes from the archive at once.
        is_bounded = entry.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
        size = _PIECE if is_bounded else _SMALL_PIECE
        try:
            # zipfile stops at the size checked above and verifies the checksum.
            with self._archive.open(entry) as stream:
                left = entry.file_size
                while piece := stream.read(size):
                    left -= len(piece)
                    yield piece
            if left:
                raise SourceError(f"it is damaged in the archive ({left:,} bytes are missing)")
        except NotImplementedError as error:
            raise SourceError(f"Python cannot unpack its compression method ({error})") from error
        except SourceError:
            raise
        except Exception as error:  # of damaged bytes, zipfile raises errors of all kinds
            detail = error or type(error).__name__
            raise SourceError(f"it is damaged in the archive ({detail})") from error

    def splits(self) -> tuple[str, ...]:
        """Return the splits that have their own folder."""
        return self._layout.splits

    def count(self, split: str) -> int | None:
        """Return the number of entries of a split."""
        return len(self._layout.files(split))

    def release(self, split: str) -> None:
        """Keep the archive: it has other splits and may belong to the user."""


def _problem(entries: list[zipfile.ZipInfo]) -> str:
    """Return why the entries of a name cannot be read; empty if they can."""
    first = entries[0]
    if any((e.CRC, e.file_size) != (first.CRC, first.file_size) for e in entries[1:]):
        return f"the archive has {len(entries)} different files of this name"
    if first.flag_bits & 0x1:
        return "it is encrypted"
    kind = file_kind(first.external_attr >> 16) if first.create_system == _UNIX else ""
    return f"it is {kind}, not a file" if kind else ""
