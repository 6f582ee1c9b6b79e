"""Shards on disk: Arrow files, and the manifest with their names and checksums."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, TypedDict, cast

import pyarrow as pa

from milplib.display import Shown
from milplib.errors import SampleError
from milplib.files import atomic_write_json, file_sha256
from milplib.learn.samples.schema import SampleSchema
from milplib.learn.samples.trees import TreeEntry, TreeTable, checked, compact_trees
from milplib.parsing import open_regular, read_json
from milplib.runs.folder import MANIFEST, UNFINISHED
from milplib.schema import conforming

__all__ = [
    "InstanceEntry",
    "Manifest",
    "Shard",
    "ShardEntry",
    "TreeEntry",
    "write_batches",
]

FORMAT = "milplib-sample-set"
# High, because writing is rare and fast beside labelling: a tree takes the expert minutes.
_COMPRESSION_LEVEL = 19
_SHARD_NAME = re.compile(r"shard-\d{5}\.arrow")
# A file written more recently could change again within one tick of its time stamp.
_SETTLED_NS = 2_000_000_000
_checksums: dict[tuple[int, ...], str] = {}


def write_batches(
    stream: IO[bytes], batches: Iterable[pa.RecordBatch], schema: SampleSchema
) -> None:
    """Write record batches as one compressed Arrow file; equal batches give equal bytes."""
    codec = pa.Codec("zstd", compression_level=_COMPRESSION_LEVEL)
    options = pa.ipc.IpcWriteOptions(compression=codec, use_threads=False)
    with pa.ipc.new_file(stream, schema.arrow(), options=options) as writer:
        for batch in batches:
            writer.write_batch(batch)


class Shard:
    """Shard open for reading; record batches are checked as they are read.

    The file is not mapped into memory. The pages of a mapped file count as memory of the process,
    which would seem to grow by all that it reads, and truncating the file would kill the process.

    Raises
    ------
    SampleError
        If the file is missing, cut off, damaged, foreign or of another schema version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            # A tree is small: handing its columns to threads takes longer than decoding them.
            options = pa.ipc.IpcReadOptions(use_threads=False)
            open_regular(path).close()
            self._reader = pa.ipc.open_file(pa.OSFile(os.fspath(path)), options=options)
        except pa.ArrowException as error:
            raise SampleError(f"{path} is damaged or cut off: {_first_line(error)}") from error
        except OSError as error:
            raise SampleError(f"cannot read {path}: {error.strerror or error}") from error
        self.schema = SampleSchema.from_arrow(self._reader.schema, where=str(path))

    def __len__(self) -> int:
        return int(self._reader.num_record_batches)

    def batch(self, number: int) -> pa.RecordBatch:
        """Read a record batch and check it, so that a damaged file cannot crash the process."""
        try:
            batch = self._reader.get_batch(number)
            batch.validate(full=True)
        except (pa.ArrowException, OSError, IndexError) as error:
            raise SampleError(
                f"{self.path} is damaged in batch {number}: {_first_line(error)}"
            ) from error
        return batch


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


@dataclass(frozen=True, kw_only=True, repr=False)
class ShardEntry(Shown):
    """Entry of a shard in the manifest: file, size, checksum, and trees in order."""

    file: str
    bytes: int
    sha256: str
    trees: TreeTable

    @classmethod
    def of(cls, path: Path, trees: Iterable[TreeEntry]) -> ShardEntry:
        """Return the entry of a shard just written."""
        return cls(
            file=path.name,
            bytes=path.stat().st_size,
            sha256=file_sha256(path),
            trees=TreeTable(trees),
        )

    @classmethod
    def from_json(cls, entry: Mapping[str, object]) -> ShardEntry:
        """Read an entry of a manifest; raise ValueError if it is inconsistent."""
        shard = cls(
            file=checked(entry["file"], str, "file"),
            bytes=checked(entry["bytes"], int, "bytes"),
            sha256=checked(entry["sha256"], str, "sha256"),
            trees=TreeTable.from_json(_listed(entry["trees"], tuple)),
        )
        if not _SHARD_NAME.fullmatch(shard.file):
            raise ValueError(f"'{shard.file}' is not a name of a shard")
        if shard.trees.n_samples > shard.bytes:
            raise ValueError(
                f"'{shard.file}' of {shard.bytes} bytes cannot hold {shard.trees.n_samples} samples"
            )
        return shard

    def as_json(self) -> dict[str, object]:
        """Return the entry as JSON values."""
        trees = [tree.as_json() for tree in self.trees]
        return {"file": self.file, "bytes": self.bytes, "sha256": self.sha256, "trees": trees}

    def verify(self, folder: Path) -> None:
        """Check the size and checksum of the file.

        The checksum is computed once per process, as long as the size and times of the file do
        not change.

        Raises
        ------
        SampleError
            If the file is missing or differs.
        """
        path = folder / self.file
        try:
            size = path.stat().st_size
            if size != self.bytes:
                raise SampleError(
                    f"{path} is damaged: it has {size} bytes, the manifest says {self.bytes}"
                )
            if _checksum(path) != self.sha256:
                raise SampleError(f"{path} is damaged: its checksum is not the manifest's")
        except OSError as error:
            raise SampleError(f"cannot read {path}: {error.strerror or error}") from error


def _checksum(path: Path) -> str:
    now = time.time_ns()
    status = path.stat()
    changed = max(status.st_mtime_ns, status.st_ctime_ns)
    key = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    checksum = _checksums.get(key)
    if checksum is None:
        checksum = file_sha256(path)
        if now - changed > _SETTLED_NS:
            _checksums[key] = checksum
    return checksum


class InstanceEntry(TypedDict):
    """Entry of an instance file in the manifest: its samples, and why some are missing."""

    instance: str
    instance_hash: str
    outcome: str
    samples: int
    episodes: int
    branchings: int
    failure: str
    reason: str


class _InstanceFile(TypedDict):
    name: str
    sha256: str


class _Config(TypedDict, total=False):
    instances: list[_InstanceFile]


class _Arguments(TypedDict):
    """Arguments and software in a manifest."""

    config: _Config
    software: dict[str, str]


@dataclass(frozen=True, kw_only=True, repr=False)
class Manifest(Shown):
    """Manifest of a folder of samples.

    Parameters
    ----------
    config
        Arguments and instance files of the collection; equal configs give equal samples.
    software
        Versions of the software that the samples depend on.
    schema
        Schema of the samples.
    shards
        Entries of the shards, in order.
    instances
        One entry per instance file: its samples and episodes, and why samples are missing.
    """

    config: Mapping[str, object]
    software: dict[str, str]
    schema: SampleSchema
    shards: tuple[ShardEntry, ...] = ()
    instances: tuple[InstanceEntry, ...] = field(default=())

    def write(self, folder: Path) -> None:
        """Write the manifest into a folder, atomically."""
        content = {
            "format": FORMAT,
            "config": self.config,
            "software": self.software,
            "schema": self.schema.as_json(),
            "shards": [shard.as_json() for shard in self.shards],
            "instances": self.instances,
        }
        atomic_write_json(folder / MANIFEST, content)

    @classmethod
    def load(cls, folder: Path) -> Manifest:
        """Read the manifest of a folder.

        Raises
        ------
        SampleError
            If the manifest is missing, damaged, foreign or of another schema version.
        """
        path = folder / MANIFEST
        try:
            content = read_json(path, object_hook=compact_trees())
        except (FileNotFoundError, NotADirectoryError):
            raise SampleError(_nothing_there(folder)) from None
        except OSError as error:
            raise SampleError(f"cannot read {path}: {error.strerror or error}") from error
        except ValueError as error:
            raise SampleError(f"{path} is damaged: {error}") from error
        if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
            raise SampleError(f"{path} is not a manifest of milplib samples")
        schema = SampleSchema.from_json(content.pop("schema", None), where=str(path))
        try:
            shards = tuple(map(ShardEntry.from_json, _listed(content.pop("shards"), dict)))
            instances = conforming(content.pop("instances"), list[InstanceEntry], name="instances")
            conforming(content, _Arguments)
            return cls(**content, schema=schema, shards=shards, instances=tuple(instances))
        except (KeyError, TypeError, ValueError) as error:
            raise SampleError(f"{path} is damaged: {error}") from error

    def check_complete(self, folder: Path) -> None:
        """Check that the collection in a folder is finished, and its parts agree.

        Raises
        ------
        SampleError
            If an instance file has no entry, or the entries count other numbers of samples than the
            shards hold.
        """
        path = folder / MANIFEST
        files = cast(_Config, self.config).get("instances")
        entries = [entry["instance"] for entry in self.instances]
        if files is not None and entries != [file["name"] for file in files]:
            raise SampleError(
                f"{path} is damaged: its {len(entries)} entries of instances are not those of the "
                f"{len(files)} instance files in its config"
            )
        counted = sum(entry["samples"] for entry in self.instances)
        held = sum(shard.trees.n_samples for shard in self.shards)
        if self.instances and counted != held:
            raise SampleError(
                f"{path} is damaged: its instances have {counted} samples, its shards {held}"
            )

    @classmethod
    def is_one(cls, folder: Path) -> bool:
        """Whether a folder has a manifest of samples, of any version."""
        return cls._peek(folder).get("format") == FORMAT

    @classmethod
    def shard_files(cls, folder: Path) -> set[str]:
        """Return the names of the shards in a folder's manifest, of any version."""
        shards = cls._peek(folder).get("shards")
        names = [entry.get("file") for entry in shards] if isinstance(shards, list) else []
        return {name for name in names if isinstance(name, str) and _SHARD_NAME.fullmatch(name)}

    @staticmethod
    def _peek(folder: Path) -> dict[str, object]:
        try:
            content = read_json(folder / MANIFEST)
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}


def _nothing_there(folder: Path) -> str:
    if (folder / UNFINISHED / MANIFEST).exists():
        return (
            f"the collection in {folder} is not finished: run the same collect again to resume it"
        )
    if not folder.is_dir():
        return f"there is no folder of samples at {folder}"
    return f"{folder} is not a folder of samples: it has no {MANIFEST}"


def _listed(value: object, item_type: type[Any]) -> list[Any]:
    if not isinstance(value, list) or not all(isinstance(item, item_type) for item in value):
        raise ValueError("a list is missing")
    return value
