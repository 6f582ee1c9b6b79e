"""Store a split of a source as a folder of checked instance files."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from milplib.errors import InstanceError, OutputError, SourceError
from milplib.files import json_equal, make_folder
from milplib.formats import file_stem
from milplib.formats.damage import MissingEndError
from milplib.formats.reader import read
from milplib.formats.suffixes import is_compressed
from milplib.instance import Instance
from milplib.library.config import SplitConfig
from milplib.library.manifest import BrokenInstance, InstanceRecord, SplitManifest, open_split
from milplib.library.sources import InstanceSource, RawInstance

__all__ = ["copy_split", "store_split"]

_WORK = ".unfinished"


def store_split(
    source: InstanceSource,
    folder: Path,
    *,
    split: str,
    config: SplitConfig,
    force: bool = False,
    on_instance: Callable[[int, int | None], None] = lambda done, total: None,
    on_broken: Callable[[BrokenInstance], None] = lambda broken: None,
) -> SplitManifest:
    """Write the instances of a split into a folder, with a manifest.

    Files keep the bytes of the source, but for the missing ``End`` of an LP file that the source
    proves to be whole. Each file is read before it gets its final name. The
    manifest lists files that cannot be read, with the reason. Files stored by an earlier call
    are kept.

    Parameters
    ----------
    source
        Source of the instances.
    folder
        Output folder: new, empty, or of this split.
    split
        Name of the split.
    config
        Configuration of the manifest, without the source.
    force
        Whether to replace the instances in the folder.
    on_instance
        Called with the number of finished instances, and the total or None.
    on_broken
        Called with each broken instance.

    Returns
    -------
    SplitManifest
        The complete manifest.

    Raises
    ------
    SourceError
        If the source is missing, refused, or has no readable instance.
    OutputError
        If the folder holds other files or cannot be written.
    """
    described: SplitConfig = {**config, "source": source.describe(split)}
    manifest = _open(folder, described, force=force)
    broken: list[BrokenInstance] = []
    total = source.count(split)
    files = set()
    make_folder(folder / _WORK)
    manifest.complete = False
    try:
        with manifest.growing(folder) as growing:
            for done, item in enumerate(source.instances(split), start=1):
                if isinstance(item, RawInstance):
                    files.add(item.file)
                    record = manifest.records.get(item.file)
                    if record is None or not record.is_whole(folder):
                        outcome = _store(item, folder)
                        if isinstance(outcome, InstanceRecord):
                            growing.add(outcome)
                        else:
                            item = outcome
                if isinstance(item, BrokenInstance):
                    broken.append(item)
                    on_broken(item)
                on_instance(done, total)
            manifest.broken = broken
            for name in set(manifest.records) - files:
                (folder / manifest.records.pop(name).file).unlink(missing_ok=True)
            manifest.complete = True
    finally:
        shutil.rmtree(folder / _WORK, ignore_errors=True)
    if not manifest.records:
        reason = f"; the first, {broken[0].name}: {broken[0].reason}" if broken else ""
        manifest.complete = False
        manifest.write(folder)
        raise SourceError(
            f"none of the {len(broken)} instances of the {split} split can be read{reason}"
        )
    source.release(split)
    return manifest


def _open(folder: Path, config: SplitConfig, *, force: bool) -> SplitManifest:
    return open_split(
        folder,
        config,
        goes_on=lambda other: not force and _same(other.config, config),
        force=force,
        among_others=False,
    )


def _same(config: SplitConfig, other: SplitConfig) -> bool:
    """Whether two configurations are equal, apart from the path of a moved archive."""

    def content(of: SplitConfig) -> dict[str, object]:
        source: Mapping[str, object] = of.get("source", {})
        return {**of, "source": {k: v for k, v in source.items() if k not in ("path", "url")}}

    return json_equal(content(config), content(other))


def _store(raw: RawInstance, folder: Path) -> InstanceRecord | BrokenInstance:
    """Write an instance to a temporary file, read it, and rename the file."""
    suffix = raw.file[len(file_stem(raw.file)) :]
    aside = folder / _WORK / f"instance{suffix.lower()}"
    try:
        _write(raw, aside)
        record = InstanceRecord.of(aside, _read(aside, whole=raw.whole))
    except (InstanceError, SourceError) as error:
        # Name the place in the source: the temporary file no longer exists.
        reason = str(error).removeprefix(f"cannot read {aside}: ").replace(str(aside), "it")
        return BrokenInstance(raw.name, reason)
    target = folder / raw.file
    try:
        os.replace(aside, target)
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror or error}") from error
    return replace(record, file=raw.file)


def _write(raw: RawInstance, path: Path) -> None:
    with raw.open() as pieces:
        try:
            with path.open("wb") as stream:
                for piece in pieces:
                    stream.write(piece)
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise OutputError(f"cannot write {path}: {error.strerror or error}") from error


def _read(path: Path, *, whole: bool) -> Instance:
    """Read a stored file; write the ``End`` that is missing in a whole LP file behind it.

    The published facility locations have none. Without their source, nothing would tell later
    whether they are cut off.
    """
    try:
        return read(path)
    except MissingEndError as error:
        # Archives hold files that were cut off before they were packed, too.
        if not (whole and error.plausible):
            raise
    instance = read(path, allow_missing_end=True)
    ending = b"\nEnd\n"
    try:
        with path.open("ab") as stream:
            # Members of a gzip file are read as one text.
            stream.write(gzip.compress(ending, mtime=0) if is_compressed(path) else ending)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    return instance


def copy_split(
    source: Path,
    folder: Path,
    *,
    force: bool = False,
    on_instance: Callable[[int, int | None], None] = lambda done, total: None,
) -> SplitManifest:
    """Copy a complete split with its manifest to another folder, and verify each file.

    Raises
    ------
    SourceError
        If the split is not complete, or a file differs from its record.
    OutputError
        If the folder holds other files or cannot be written.
    """
    original = SplitManifest.load(source)
    if original is None or not original.complete:
        raise SourceError(f"{source} is not a complete split: fetch it again")
    manifest = _open(folder, original.config, force=force)
    manifest.broken = original.broken
    with manifest.growing(folder) as growing:
        for done, record in enumerate(original.records.values(), start=1):
            if not (folder / record.file).exists() or not record.is_whole(folder):
                try:
                    shutil.copyfile(source / record.file, folder / record.file)
                except OSError as error:
                    raise OutputError(
                        f"cannot copy {source / record.file} to {folder}: {error.strerror or error}"
                    ) from error
                if not record.is_whole(folder):
                    (folder / record.file).unlink(missing_ok=True)
                    raise SourceError(
                        f"{source / record.file} differs from its record in the manifest: fetch "
                        "the split again"
                    )
            growing.add(record)
            on_instance(done, len(original.records))
        manifest.complete = True
    return manifest
