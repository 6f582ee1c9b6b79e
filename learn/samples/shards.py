"""Shards on disk: Arrow files, and the manifest that names and checks them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, TypeVar

import pyarrow as pa

from milplib.errors import SampleError
from milplib.files import atomic_write_json, file_sha256
from milplib.learn.samples.schema import SampleSchema
from milplib.task_folder import MANIFEST, UNFINISHED

__all__ = [
    "Manifest",
    "Shard",
    "ShardEntry",
    "TreeEntry",
    "write_batches",
]

FORMAT = "milplib-sample-set"
# Writing is rare beside reading, and a tree takes the expert minutes.
_COMPRESSION_LEVEL = 19
_SHARD_NAME = re.compile(r"shard-\d{5}\.arrow")
_Kind = TypeVar("_Kind")


def write_batches(
    stream: IO[bytes], batches: Iterable[pa.RecordBatch], schema: SampleSchema
) -> None:
    """Write record batches as one compressed Arrow file; equal ones give equal bytes."""
    codec = pa.Codec("zstd", compression_level=_COMPRESSION_LEVEL)
    options = pa.ipc.IpcWriteOptions(compression=codec, use_threads=False)
    with pa.ipc.new_file(stream, schema.arrow(), options=options) as writer:
        for batch in batches:
            writer.write_batch(batch)


class Shard:
    """A shard open for reading: record batches by number, checked.

    Raises
    ------
    SampleError
        If the file is missing, cut off, damaged, foreign or of another schema version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            # A tree is small: handing its columns to threads takes longer than reading them.
            options = pa.ipc.IpcReadOptions(use_threads=False)
            self._reader = pa.ipc.open_file(pa.memory_map(os.fspath(path)), options=options)
        except pa.ArrowException as error:
            raise SampleError(f"{path} is damaged or cut off: {_first_line(error)}") from error
        except OSError as error:
            raise SampleError(f"cannot read {path}: {error.strerror or error}") from error
        self.schema = SampleSchema.from_arrow(self._reader.schema, where=str(path))

    def __len__(self) -> int:
        return int(self._reader.num_record_batches)

    def batch(self, number: int) -> pa.RecordBatch:
        """Read a record batch and check its structure (a stranger's file must not crash us)."""
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


@dataclass(frozen=True, kw_only=True)
class TreeEntry:
    """A record batch of a shard: which tree it is, and what it holds.

    Parameters
    ----------
    instance, instance_hash, episode, part
        Which tree, and which part of it.
    samples
        Number of labelled nodes.
    root_labelled
        Whether the batch's first line, the root state, is one of them.
    """

    instance: str
    instance_hash: str
    episode: int
    part: int
    samples: int
    root_labelled: bool

    @classmethod
    def of(cls, batch: pa.RecordBatch) -> TreeEntry:
        """Describe a record batch."""
        scores = batch.column("scores")
        return cls(
            **{
                name: batch.column(name)[0].as_py()
                for name in ("instance", "instance_hash", "episode", "part")
            },
            samples=len(scores) - scores.null_count,
            root_labelled=scores[0].is_valid,
        )

    @classmethod
    def from_json(cls, entry: dict[str, Any]) -> TreeEntry:
        """Read an entry of a manifest, and refuse one that cannot be true."""
        kinds = {
            "instance": str,
            "instance_hash": str,
            "episode": int,
            "part": int,
            "samples": int,
            "root_labelled": bool,
        }
        return cls(**{name: _checked(entry[name], kind, name) for name, kind in kinds.items()})


@dataclass(frozen=True, kw_only=True)
class ShardEntry:
    """A shard in the manifest: its file, size and checksum, and its trees in order."""

    file: str
    bytes: int
    sha256: str
    trees: tuple[TreeEntry, ...]

    @classmethod
    def of(cls, path: Path, trees: Iterable[TreeEntry]) -> ShardEntry:
        """Describe a shard that was just written."""
        return cls(
            file=path.name,
            bytes=path.stat().st_size,
            sha256=file_sha256(path),
            trees=tuple(trees),
        )

    @classmethod
    def from_json(cls, entry: dict[str, Any]) -> ShardEntry:
        """Read an entry of a manifest, and refuse one that cannot be true."""
        trees = tuple(map(TreeEntry.from_json, _listed(entry["trees"])))
        shard = cls(
            file=_checked(entry["file"], str, "file"),
            bytes=_checked(entry["bytes"], int, "bytes"),
            sha256=_checked(entry["sha256"], str, "sha256"),
            trees=trees,
        )
        if not _SHARD_NAME.fullmatch(shard.file):
            raise ValueError(f"'{shard.file}' is no name of a shard")
        if sum(tree.samples for tree in trees) > shard.bytes:
            raise ValueError(f"'{shard.file}' cannot hold so many samples")
        return shard

    def verify(self, folder: Path) -> None:
        """Check size and checksum of the file.

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
            if file_sha256(path) != self.sha256:
                raise SampleError(f"{path} is damaged: its checksum is not the manifest's")
        except OSError as error:
            raise SampleError(f"cannot read {path}: {error.strerror or error}") from error


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a folder of samples holds, and what it was collected with.

    Parameters
    ----------
    config
        The collection's arguments and instance files; equal configs give equal samples.
    software
        Versions of what the samples depend on.
    schema
        What the samples consist of.
    shards
        The shards, in order.
    instances
        One entry an instance file: its samples, episodes, and why it gave fewer than asked.
    """

    config: dict[str, Any]
    software: dict[str, str]
    schema: SampleSchema
    shards: tuple[ShardEntry, ...] = ()
    instances: tuple[dict[str, Any], ...] = field(default=())

    def write(self, folder: Path) -> None:
        """Write the manifest into a folder, atomically."""
        content = asdict(self) | {"format": FORMAT, "schema": self.schema.as_json()}
        atomic_write_json(folder / MANIFEST, content)

    @classmethod
    def load(cls, folder: Path) -> Manifest:
        """Read the manifest of a folder.

        Raises
        ------
        SampleError
            If there is none, it is damaged or foreign, or of another schema version.
        """
        path = folder / MANIFEST
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
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
            shards = tuple(map(ShardEntry.from_json, _listed(content.pop("shards"))))
            instances = tuple(map(dict, _listed(content.pop("instances"))))
            return cls(**content, schema=schema, shards=shards, instances=instances)
        except (KeyError, TypeError, ValueError) as error:
            raise SampleError(f"{path} is damaged: {error}") from error

    @classmethod
    def is_one(cls, folder: Path) -> bool:
        """Whether a folder has a manifest of samples, of whatever version."""
        return cls._peek(folder).get("format") == FORMAT

    @classmethod
    def shard_files(cls, folder: Path) -> set[str]:
        """Names of the shards of a folder by its manifest, of whatever version."""
        shards = cls._peek(folder).get("shards")
        names = [entry.get("file") for entry in shards] if isinstance(shards, list) else []
        return {name for name in names if isinstance(name, str) and _SHARD_NAME.fullmatch(name)}

    @staticmethod
    def _peek(folder: Path) -> dict[str, Any]:
        try:
            content = json.loads((folder / MANIFEST).read_bytes())
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}


def _nothing_there(folder: Path) -> str:
    if (folder / UNFINISHED / MANIFEST).exists():
        return (
            f"the collection in {folder} is not finished: run the same collect again, it goes on "
            "where it stopped"
        )
    if not folder.is_dir():
        return f"there is no folder of samples at {folder}"
    return f"{folder} is not a folder of samples: it has no {MANIFEST}"


def _listed(value: object) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise ValueError("a list is missing")
    return value


def _checked(value: object, kind: type[_Kind], name: str) -> _Kind:
    if type(value) is not kind or (isinstance(value, int) and value < 0):
        raise ValueError(f"'{name}' is {value!r}")
    return value
