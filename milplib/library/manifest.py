"""The manifest of a folder of instances: its files and their origin."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import cast

from milplib.display import Shown
from milplib.errors import OutputError
from milplib.files import atomic_write_json, file_sha256, open_folder
from milplib.instance import Instance
from milplib.library.config import SplitConfig
from milplib.library.own_folder import check_no_link
from milplib.parsing import read_json
from milplib.schema import built, conforming

__all__ = [
    "MANIFEST",
    "BrokenInstance",
    "InstanceRecord",
    "SplitManifest",
    "open_split",
    "split_distribution",
]

MANIFEST = "manifest.json"
"""Name of the manifest in its folder."""

_FORMAT = "milplib-instances"
_NAMES = {"format", "config", "instances", "broken", "complete"}
_SECONDS_BETWEEN_WRITES = 5.0  # a killed process loses the work of this time


@dataclass(frozen=True, kw_only=True)
class InstanceRecord:
    """An instance file in the manifest of its folder.

    Parameters
    ----------
    file, bytes, sha256
        Name, size and checksum of the file.
    content_hash
        `milplib.Instance.content_hash`.
    rows, columns, nonzeros
        Numbers of rows, columns and nonzeros of the instance.
    seed
        Seed of a generated instance: ``distribution.generator.generate(seed)`` returns it.
    """

    file: str
    bytes: int
    sha256: str
    content_hash: str
    rows: int
    columns: int
    nonzeros: int
    seed: int | None = None

    @classmethod
    def of(cls, path: Path, instance: Instance, *, seed: int | None = None) -> InstanceRecord:
        """Return the record of a file that holds an instance."""
        return cls(
            file=path.name,
            bytes=path.stat().st_size,
            sha256=file_sha256(path),
            content_hash=instance.content_hash,
            rows=instance.n_rows,
            columns=instance.n_columns,
            nonzeros=instance.n_nonzeros,
            seed=seed,
        )

    def is_there(self, folder: Path) -> bool:
        """Whether a folder holds the file with the recorded size."""
        try:
            return (folder / self.file).stat().st_size == self.bytes
        except OSError:
            return False

    def is_whole(self, folder: Path) -> bool:
        """Whether a folder holds the file with the recorded checksum."""
        try:
            return self.is_there(folder) and file_sha256(folder / self.file) == self.sha256
        except OSError:
            return False


@dataclass(frozen=True)
class BrokenInstance:
    """An instance of a source that cannot be read.

    Parameters
    ----------
    name
        Name in the source.
    reason
        Reason why it cannot be read.
    """

    name: str
    reason: str


@dataclass(kw_only=True, repr=False)
class SplitManifest(Shown):
    """Contents of a folder of instances.

    Parameters
    ----------
    config
        Origin of the instances. Folders with equal `config` hold equal files.
    records
        Records of the instances by file name.
    broken
        Instances of the source that cannot be read.
    complete
        Whether the folder holds all instances of the source.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> SplitManifest(config={"distribution": "mine"}).write(folder)
    >>> SplitManifest.load(folder).config
    {'distribution': 'mine'}
    """

    config: SplitConfig
    records: dict[str, InstanceRecord] = field(default_factory=dict)
    broken: list[BrokenInstance] = field(default_factory=list)
    complete: bool = False

    @classmethod
    def load(cls, folder: Path) -> SplitManifest | None:
        """Read the manifest of a folder; return None if it has no valid one."""
        try:
            content = read_json(folder / MANIFEST)
            if content["format"] != _FORMAT or not content.keys() <= _NAMES:
                return None
            listed = conforming(content["instances"], list)
            broken = conforming(content.get("broken", []), list)
            records = [built(entry, InstanceRecord) for entry in listed]
            # milplib writes no file name with a folder part; such a name must not be followed.
            if not all(_is_file_name(record.file) for record in records):
                return None
            if len({record.file for record in records}) < len(records):
                return None
            return cls(
                config=cast(SplitConfig, conforming(content["config"], dict)),
                records={record.file: record for record in records},
                broken=[built(entry, BrokenInstance) for entry in broken],
                complete=conforming(content.get("complete", True), bool),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def write(self, folder: Path) -> None:
        """Write the manifest into a folder, sorted by file name.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        content = {
            "format": _FORMAT,
            "config": self.config,
            "instances": [asdict(self.records[name]) for name in sorted(self.records)],
            "broken": [asdict(entry) for entry in self.broken],
            "complete": self.complete,
        }
        atomic_write_json(folder / MANIFEST, content)

    @contextmanager
    def growing(self, folder: Path) -> Iterator[_Growing]:
        """Add records during the block, and keep the file up to date even after an error."""
        growing = _Growing(self, folder)
        try:
            yield growing
        finally:
            self.write(folder)

    def remove_files(self, folder: Path) -> None:
        """Remove the listed instance files from a folder."""
        for name in self.records:
            (folder / name).unlink(missing_ok=True)


def _is_file_name(name: str) -> bool:
    return name == Path(name).name != ".." and "\0" not in name


class _Growing:
    """A manifest that is written regularly while records are added."""

    def __init__(self, manifest: SplitManifest, folder: Path) -> None:
        self._manifest, self._folder = manifest, folder
        self._written = time.monotonic()

    def add(self, record: InstanceRecord) -> None:
        """Add a file that is complete in the folder."""
        self._manifest.records[record.file] = record
        if time.monotonic() - self._written > _SECONDS_BETWEEN_WRITES:
            self._manifest.write(self._folder)
            self._written = time.monotonic()


def open_split(
    folder: Path,
    config: SplitConfig,
    *,
    goes_on: Callable[[SplitManifest], bool],
    force: bool,
    among_others: bool,
) -> SplitManifest:
    """Create or check the folder of a split; return the manifest to continue.

    Parameters
    ----------
    folder
        Folder of the split.
    config
        Configuration of a new manifest.
    goes_on
        Whether an existing manifest belongs to this split, so that its files are kept.
    force
        Whether to replace the files of another manifest.
    among_others
        Whether `force` also writes into a folder with files but no manifest.

    Raises
    ------
    OutputError
        If the folder holds other files, is a link, or cannot be written.
    """
    check_no_link(folder, below=folder.parent)
    if open_folder(folder):
        existing = SplitManifest.load(folder)
        if existing and goes_on(existing):
            return existing
        may_replace = existing is not None or among_others
        if not (force and may_replace):
            problem = "holds other instances" if existing else "is not empty"
            mend = "choose another folder" + (", or replace it with --force" if may_replace else "")
            raise OutputError(f"the output folder {folder} {problem}; nothing was written: {mend}")
        if existing:
            existing.remove_files(folder)
    manifest = SplitManifest(config=config)
    manifest.write(folder)  # marks the folder as milplib's, even after an interruption
    return manifest


def split_distribution(folder: str | os.PathLike[str]) -> str | None:
    """Return the distribution in the manifest of a folder, or None if it names none.

    Examples
    --------
    >>> import tempfile
    >>> from milplib.library import find_distribution, generate_split
    >>> out = tempfile.mkdtemp()
    >>> _ = generate_split(find_distribution("SC-milplib-small"), split="test", count=1, out=out)
    >>> split_distribution(out + "/test")
    'SC-milplib-small'
    """
    manifest = SplitManifest.load(Path(folder))
    name = manifest.config.get("distribution") if manifest else None
    return name if isinstance(name, str) and name else None
