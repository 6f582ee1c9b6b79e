"""Zip archives with damaged entries: those are broken, and the rest is fetched."""

from __future__ import annotations

import random
import struct
import zipfile
from pathlib import Path

import pytest

from milplib.errors import SourceError
from milplib.library import fetch
from milplib.library.manifest import BrokenInstance
from milplib.library.sources import ArchiveSource

from .mirrored import contents, zipped


@pytest.fixture(autouse=True)
def _offline(no_network: None) -> None:
    """Nothing here needs a server."""


def archive_of(tmp_path: Path, texts: list[bytes], method: int) -> tuple[Path, bytearray]:
    members = {f"train/{number}.lp": text for number, text in enumerate(texts[:3])}
    path = zipped(tmp_path / "a.zip", members, method)
    return path, bytearray(path.read_bytes())


def entry_at(content: bytearray, number: int) -> int:
    at = -1
    for _ in range(number + 1):
        at = content.index(b"PK\x01\x02", at + 1)
    return at


@pytest.mark.parametrize("offset", [0, 7, 10**6, 2**32 - 2])
def test_a_damaged_offset_of_an_entry_breaks_that_entry_alone(
    tmp_path: Path, texts: list[bytes], offset: int
) -> None:
    path, content = archive_of(tmp_path, texts, zipfile.ZIP_DEFLATED)
    struct.pack_into("<L", content, entry_at(content, 1) + 42, offset)
    path.write_bytes(content)
    (found,) = fetch("CA-medium", source=path, out=tmp_path / "out")
    assert contents(found) == [texts[0], texts[2]]
    assert [broken.name for broken in found.manifest.broken] == ["train/1.lp"]


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_damaged_content_breaks_its_entry_alone(
    tmp_path: Path, texts: list[bytes], method: int
) -> None:
    path, content = archive_of(tmp_path, texts, method)
    begin, end = content.index(b"train/1.lp") + 10, content.index(b"train/2.lp") - 30
    for at in range(begin + 20, end, 40):
        content[at] ^= 0x55
    path.write_bytes(content)
    (found,) = fetch("CA-medium", source=path, out=tmp_path / "out")
    assert contents(found) == [texts[0], texts[2]]
    assert "it is damaged in the archive" in found.manifest.broken[0].reason


@pytest.mark.parametrize(("field", "value"), [(6, 99), (10, 77), (8, 0x801)])
def test_an_entry_of_an_unknown_version_method_or_with_a_password_is_broken_alone(
    tmp_path: Path, texts: list[bytes], field: int, value: int
) -> None:
    path, content = archive_of(tmp_path, texts, zipfile.ZIP_DEFLATED)
    struct.pack_into("<H", content, entry_at(content, 1) + field, value)
    path.write_bytes(content)
    (found,) = fetch("CA-medium", source=path, out=tmp_path / "out")
    # zipfile reads an entry that only claims to need a later version.
    assert contents(found) == (texts[:3] if field == 6 else [texts[0], texts[2]])


def test_a_name_that_is_not_in_the_encoding_that_it_declares_is_read(
    tmp_path: Path, texts: list[bytes]
) -> None:
    path = zipped(tmp_path / "a.zip", {"train/Ж.lp": texts[0], "train/b.lp": texts[1]})
    path.write_bytes(path.read_bytes().replace("Ж".encode(), b"\xc0\xff"))
    (found,) = fetch("CA-medium", source=path, out=tmp_path / "out")
    assert sorted(contents(found)) == sorted(texts[:2])
    assert found.manifest.broken == []


@pytest.mark.parametrize("mode", [0o010644, 0o020666, 0o060666, 0o140755])
def test_an_entry_that_is_a_device_or_a_pipe_is_broken(
    tmp_path: Path, texts: list[bytes], mode: int
) -> None:
    path = zipped(tmp_path / "a.zip", {"train/1.lp": texts[0]})
    with zipfile.ZipFile(path, "a") as target:
        special = zipfile.ZipInfo("train/2.lp")
        special.create_system, special.external_attr = 3, mode << 16
        target.writestr(special, texts[1])
    (found,) = fetch("CA-medium", source=path, out=tmp_path / "out")
    assert contents(found) == texts[:1]
    assert found.manifest.broken[0].reason.endswith(", not a file")


def test_any_damage_to_an_archive_costs_entries_or_is_refused(
    tmp_path: Path, texts: list[bytes]
) -> None:
    draw = random.Random(0)
    outcomes = {"refused": 0, "broken": 0, "whole": 0}
    for number in range(120):
        method = draw.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
        path, content = archive_of(tmp_path, texts, method)
        first = entry_at(content, 0)
        for _ in range(draw.choice([1, 1, 4])):
            begin = first if draw.random() < 0.5 else 0
            content[draw.randrange(begin, len(content))] = draw.randrange(256)
        if number % 10 == 0:
            del content[draw.randrange(len(content)) :]
        path.write_bytes(content)
        try:
            source = ArchiveSource(path, name="CA-medium")
            items = list(source.instances("train"))
        except SourceError:
            outcomes["refused"] += 1
            continue
        for item in items:
            if isinstance(item, BrokenInstance):
                outcomes["broken"] += 1
                continue
            try:
                with item.open() as pieces:
                    read = b"".join(pieces)
            except SourceError:
                outcomes["broken"] += 1
            else:
                assert read in texts[:3]
                outcomes["whole"] += 1
    assert min(outcomes.values()) > 5, outcomes
