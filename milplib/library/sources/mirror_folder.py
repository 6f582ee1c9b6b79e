"""A local copy of the mirror: the CSV files as the Hub stores them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePath

from milplib.errors import SourceError, SourceUnavailableError
from milplib.files import file_sha256
from milplib.library.config import SourceEntry
from milplib.library.folder import SPLITS
from milplib.library.manifest import BrokenInstance
from milplib.library.published import published_distributions
from milplib.library.sources.base import RawInstance, split_aliases
from milplib.library.sources.limits import SourceLimits
from milplib.library.sources.mirror import mirror_folder, mirror_rows

__all__ = ["MirrorFolder", "mirror_files"]

_SUFFIX = ".csv"


def mirror_files(
    folder: Path, files: Iterable[str], *, name: str, in_folder: bool = False
) -> dict[str, list[str]]:
    """Find the CSV files of a distribution in a folder, by split.

    The folder is the root of the data set, one around it (such as the Hub's cache), or the folder
    of the domain or of the distribution itself.

    Parameters
    ----------
    folder
        The folder, as an absolute path.
    files
        Paths of its files, relative to it.
    name
        Name of the distribution.
    in_folder
        Whether to take the CSV files in `folder` itself whatever its name, unless that is the
        folder of another distribution.

    Returns
    -------
    dict of str to list of str
        Paths relative to `folder`, several if the folder holds copies of a split.

    Examples
    --------
    >>> files = ["README.md", "CA/medium/train.csv", "CA/medium/validation.csv", "CA/easy/test.csv"]
    >>> mirror_files(Path("/data/D-MIPLIB"), files, name="CA-medium")
    {'train': ['CA/medium/train.csv'], 'val': ['CA/medium/validation.csv']}
    >>> mirror_files(Path("/data/D-MIPLIB/CA/medium"), ["test.csv"], name="CA-easy", in_folder=True)
    {}
    """
    wanted = tuple(part.casefold() for part in mirror_folder(name).split("/"))
    others = {
        tuple(part.casefold() for part in mirror_folder(other).split("/"))
        for other in published_distributions()
    } - {wanted}
    found: dict[str, dict[str, list[str]]] = {}
    for file in files:
        path = PurePath(file)
        split = _split(path.name)
        if split is None or any(part.startswith(".") for part in path.parts):
            continue
        parts = tuple(part.casefold() for part in (folder / path).parts[-3:-1])
        if parts == wanted or (in_folder and len(path.parts) == 1 and parts not in others):
            found.setdefault(split, {}).setdefault(path.stem.casefold(), []).append(file)
    by_split = {}
    for split in SPLITS:
        by_alias = found.get(split, {})
        alias = next((alias for alias in split_aliases(split) if alias in by_alias), None)
        if alias is not None:
            by_split[split] = sorted(by_alias[alias])
    return by_split


def _split(file: str) -> str | None:
    stem, suffix = os.path.splitext(file.casefold())
    if suffix != _SUFFIX:
        return None
    return next((split for split in SPLITS if stem in split_aliases(split)), None)


class MirrorFolder:
    """A folder with the mirror's CSV files of a distribution.

    Parameters
    ----------
    path
        Path of the folder.
    files
        Files by split, from `mirror_files`.
    name
        Name of the distribution.
    checksums
        Known SHA-256 of the mirror's files by split.
    identity
        Fields of `describe` besides the file. Default: the folder's path.
    limits
        Limits of a row.
    """

    def __init__(
        self,
        path: Path,
        files: Mapping[str, list[str]],
        *,
        name: str,
        checksums: Mapping[str, str] | None = None,
        identity: SourceEntry | None = None,
        limits: SourceLimits | None = None,
    ) -> None:
        self._path, self._files, self._name = path, files, name
        self._checksums = checksums or {}
        self._identity: SourceEntry = identity or {"kind": "folder", "path": str(path)}
        self._limits = limits or SourceLimits()

    def _file(self, split: str) -> tuple[str, str]:
        """Return the file of a split and its checksum."""
        files = self._files.get(split)
        if not files:
            raise SourceUnavailableError(
                f"there is no file {mirror_folder(self._name)}/{split}{_SUFFIX} in {self._path}; "
                f"it has {' and '.join(self._files)}"
            )
        sha256s: dict[str, str] = {}
        for file in files:
            try:
                sha256s.setdefault(file_sha256(self._path / file), file)
            except OSError as error:
                raise SourceError(
                    f"cannot read {self._path / file}: {error.strerror or error}"
                ) from error
        if len(sha256s) > 1:
            raise SourceError(
                f"{self._path} has {len(sha256s)} different files of the {split} split of "
                f"{self._name} ({', '.join(sha256s.values())}): name the folder of one"
            )
        ((sha256, file),) = sha256s.items()
        return file, sha256

    def describe(self, split: str) -> SourceEntry:
        """Return the identity of the split's file with its size and checksum."""
        file, sha256 = self._file(split)
        known = self._checksums.get(split, "")
        if known and known != sha256:
            raise SourceError(
                f"{self._path / file} has another checksum than expected: SHA-256 "
                f"{sha256[:12]}…, the catalogue says {known[:12]}…; get the file again"
            )
        return {
            **self._identity,
            "file": f"{mirror_folder(self._name)}/{split}",
            "bytes": (self._path / file).stat().st_size,
            "sha256": sha256,
        }

    def instances(self, split: str) -> Iterator[RawInstance | BrokenInstance]:
        """Yield the rows of the split's file."""
        file = self._path / self._files[split][0]
        yield from mirror_rows(file, f"{self._name}-{split}", limits=self._limits)

    def splits(self) -> tuple[str, ...]:
        """Return the splits that have a file."""
        return tuple(self._files)

    def count(self, split: str) -> int | None:
        """Return None: the file does not state its number of rows."""
        return None

    def release(self, split: str) -> None:
        """Do nothing: the files belong to the user."""
