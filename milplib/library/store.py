"""Store a split of a source as a folder of checked instance files."""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from milplib.errors import InstanceError, OutputError, SourceError
from milplib.files import atomic_write, json_equal
from milplib.formats import file_stem
from milplib.formats.damage import MissingEndError
from milplib.formats.reader import read
from milplib.formats.suffixes import is_compressed
from milplib.instance import Instance
from milplib.library.config import SplitConfig
from milplib.library.manifest import BrokenInstance, InstanceRecord, SplitManifest, open_split
from milplib.library.sources import InstanceSource, RawInstance, SourceLimits
from milplib.library.sources.pointers import check_no_pointer
from milplib.parsing import open_regular
from milplib.temporary import temporary_file

__all__ = ["copy_split", "store_split"]

_PIECE = 1 << 20
_GZIP = b"\x1f\x8b"
_LONGEST_NAME = 200  # bytes of a file's name
_LONGEST_REASON = 400


def store_split(
    source: InstanceSource,
    folder: Path,
    *,
    split: str,
    config: SplitConfig,
    force: bool = False,
    on_instance: Callable[[int, int | None], None] = lambda done, total: None,
    on_broken: Callable[[BrokenInstance], None] = lambda broken: None,
    limits: SourceLimits | None = None,
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
    limits
        Limits of an instance.

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
    limits = limits or SourceLimits()
    manifest.complete = False
    with manifest.growing(folder) as growing:
        for done, item in enumerate(source.instances(split), start=1):
            if done > limits.files:
                raise SourceError(
                    f"the {split} split has more than {limits.files:,} instances, the limit of "
                    "files; those before are kept"
                )
            if isinstance(item, RawInstance):
                item = replace(item, file=_short(item.file))
                files.add(item.file)
                record = manifest.records.get(item.file)
                if record is None or not record.is_whole(folder):
                    outcome = _store(item, folder, limits)
                    if isinstance(outcome, InstanceRecord):
                        growing.add(outcome)
                    else:
                        item = outcome
            if isinstance(item, BrokenInstance):
                item = _printable(item)
                broken.append(item)
                on_broken(item)
            on_instance(done, total)
        manifest.broken = broken
        for name in set(manifest.records) - files:
            (folder / manifest.records.pop(name).file).unlink(missing_ok=True)
        manifest.complete = True
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


def _short(file: str) -> str:
    """Return a file name that file systems take, also with an addition."""
    content = os.fsencode(file)
    if len(content) <= _LONGEST_NAME:
        return file
    suffix = file[len(file_stem(file)) :]
    begin = content[: _LONGEST_NAME - 40].decode("utf-8", "ignore")
    return f"{begin}--{hashlib.sha256(content).hexdigest()[:12]}{suffix}"


def _printable(broken: BrokenInstance) -> BrokenInstance:
    """Return a broken instance whose name and reason are a line of valid text."""
    reason = _line(broken.reason)
    if len(reason) > _LONGEST_REASON:
        reason = f"{reason[:_LONGEST_REASON]}…"
    return BrokenInstance(_line(broken.name), reason)


def _line(text: str) -> str:
    return "".join(
        character if character.isprintable() else ascii(character)[1:-1] for character in text
    )


def _store(raw: RawInstance, folder: Path, limits: SourceLimits) -> InstanceRecord | BrokenInstance:
    """Write an instance to a temporary file, read it, and rename the file."""
    suffix = raw.file[len(file_stem(raw.file)) :]
    target = folder / raw.file
    try:
        with temporary_file(folder, raw.file, suffix=suffix.lower()) as aside:
            try:
                _write(raw, aside, limits)
                _check(aside, limits)
                instance = _read(aside, whole=raw.whole, max_bytes=limits.file_bytes)
                record = InstanceRecord.of(aside, instance)
            except (InstanceError, SourceError) as error:
                # Name the place in the source: the temporary file no longer exists.
                reason = str(error).removeprefix(f"cannot read {aside}: ")
                return BrokenInstance(raw.name, reason.replace(str(aside), "it"))
            os.replace(aside, target)
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror or error}") from error
    return replace(record, file=raw.file)


def _write(raw: RawInstance, path: Path, limits: SourceLimits) -> None:
    size = 0
    with raw.open() as pieces, path.open("wb") as stream:
        for piece in pieces:
            size += len(piece)
            problem = limits.explosion(size, packed=size)
            if problem:
                raise SourceError(problem)
            stream.write(piece)
        stream.flush()
        os.fsync(stream.fileno())


def _check(path: Path, limits: SourceLimits) -> None:
    """Refuse a pointer of Git LFS, and a gzip stream that unpacks beyond the limits."""
    with path.open("rb") as stream:
        begin = stream.read(1024)
    check_no_pointer(begin, "it")
    if not begin.startswith(_GZIP):
        return
    size, packed = 0, path.stat().st_size
    # A damaged file passes here; reading the instance reports it.
    with suppress(OSError, EOFError, zlib.error), gzip.open(path) as stream:
        while piece := stream.read(_PIECE):
            size += len(piece)
            problem = limits.explosion(size, packed=packed)
            if problem:
                raise SourceError(f"unpacked by gzip, {problem}")


def _read(path: Path, *, whole: bool, max_bytes: int) -> Instance:
    """Read a stored file; write the ``End`` that is missing in a whole LP file behind it.

    The published facility locations have none. Without their source, nothing would tell later
    whether they are cut off.
    """
    try:
        return read(path, max_bytes=max_bytes)
    except MissingEndError as error:
        # Archives hold files that were cut off before they were packed, too.
        if not (whole and error.plausible):
            raise
    instance = read(path, max_bytes=max_bytes, allow_missing_end=True)
    ending = b"\nEnd\n"
    with path.open("ab") as stream:
        # Members of a gzip file are read as one text.
        stream.write(gzip.compress(ending, mtime=0) if is_compressed(path) else ending)
        stream.flush()
        os.fsync(stream.fileno())
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
            if not record.is_whole(folder):
                _copy(record, source, folder)
            growing.add(record)
            on_instance(done, len(original.records))
        manifest.complete = True
    return manifest


def _copy(record: InstanceRecord, source: Path, folder: Path) -> None:
    digest = hashlib.sha256()
    try:
        stream = open_regular(source / record.file)
    except OSError as error:
        raise SourceError(
            f"cannot read {source / record.file}: {error.strerror or error}; fetch the split again"
        ) from error
    with stream, atomic_write(folder / record.file) as copy:
        while piece := stream.read(_PIECE):
            digest.update(piece)
            copy.write(piece)
        if digest.hexdigest() != record.sha256:
            raise SourceError(
                f"{source / record.file} differs from its record in the manifest: fetch the split "
                "again"
            )
