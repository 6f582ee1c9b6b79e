"""Damaged and hostile entries: listed as broken with a reason, and the rest is fetched."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest
from command_line import run_forked

from milplib.library import SourceLimits, fetch

from .conftest import csv_text
from .mirrored import contents, zipped


@pytest.fixture(autouse=True)
def _offline(no_network: None) -> None:
    """Nothing here needs a server."""


def as_source(kind: str, root: Path, members: dict[str, bytes]) -> Path:
    """Files of one split as a source of each kind."""
    if kind == "archive":
        return zipped(root / "a.zip", {f"train/{name}": text for name, text in members.items()})
    folder = root / "in" / ("train" if kind == "folder" else "CA/medium")
    folder.mkdir(parents=True)
    if kind == "folder":
        for name, content in members.items():
            (folder / name).write_bytes(content)
    else:
        (folder / "train.csv").write_text(csv_text(list(members.values())))
    return root / "in"


KINDS = ("archive", "folder", "mirror")
BOMB = gzip.compress(b"\\" + b" " * (24 << 20))


@pytest.mark.parametrize("kind", KINDS)
def test_a_gzip_bomb_is_broken_and_not_unpacked_whole(
    tmp_path: Path, texts: list[bytes], kind: str
) -> None:
    members = {"1.lp": texts[0], "2.lp.gz": BOMB, "3.lp": texts[1]}
    source = as_source(kind, tmp_path, members)
    (found,) = fetch("CA-medium", source=source, out=tmp_path / "out")
    assert contents(found) == texts[:2]
    (broken,) = found.manifest.broken
    assert "unpacked by gzip, it would grow" in broken.reason
    assert "the limit of ratio" in broken.reason


@pytest.mark.parametrize("kind", KINDS)
def test_the_size_of_an_instance_has_a_limit_with_a_name(
    tmp_path: Path, texts: list[bytes], kind: str
) -> None:
    big = texts[1] + b"\\" + os.urandom(2000).hex().encode()
    limits = SourceLimits.of_instance(max(map(len, texts)) + 1000)
    members = {"1.lp": texts[0], "2.lp": texts[1], "3.lp.gz": gzip.compress(big)}
    source = as_source(kind, tmp_path, members)
    (found,) = fetch("CA-medium", source=source, out=tmp_path / "out", limits=limits)
    assert contents(found) == texts[:2]
    assert "the limit of file_bytes" in found.manifest.broken[0].reason


def test_the_command_sets_the_largest_instance(tmp_path: Path, texts: list[bytes]) -> None:
    big = texts[1] + b"\\ " + b"x" * 1_000_000 + b"\n"
    source = as_source("folder", tmp_path, {"1.lp": texts[0], "2.lp.gz": gzip.compress(big)})
    result = run_forked(
        "fetch", "CA-medium", "--source", source, "--out", tmp_path / "out", "--max-instance-mb", 1
    )
    assert result.returncode == 0, result.stderr
    assert "1 broken" in result.stdout
    assert "the limit of file_bytes" in result.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_a_pointer_of_git_lfs_in_place_of_an_instance_is_broken(
    tmp_path: Path, texts: list[bytes], kind: str
) -> None:
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"
    source = as_source(kind, tmp_path, {"1.lp": texts[0], "2.lp": pointer})
    (found,) = fetch("CA-medium", source=source, out=tmp_path / "out")
    assert contents(found) == texts[:1]
    assert "a pointer of Git LFS" in found.manifest.broken[0].reason


def test_what_is_no_file_in_a_folder_is_broken_and_does_not_block(
    tmp_path: Path, texts: list[bytes]
) -> None:
    source = as_source("folder", tmp_path, {"1.lp": texts[0]})
    os.mkfifo(source / "train" / "2.lp")
    (source / "train" / "3.lp").symlink_to("/dev/zero")
    (source / "train" / "4.lp").symlink_to("nowhere")
    (found,) = fetch("CA-medium", source=source, out=tmp_path / "out")
    assert contents(found) == texts[:1]
    reasons = [broken.reason for broken in found.manifest.broken]
    assert reasons == [
        "it cannot be read: it is a FIFO, not a regular file",
        "it cannot be read: it is a device, not a regular file",
        "it cannot be read: No such file or directory",
    ]


def test_names_that_no_file_can_have_are_shortened_and_told_apart(
    tmp_path: Path, texts: list[bytes]
) -> None:
    members = {"x" * 300 + f"{number}.lp": texts[number] for number in range(3)}
    members["Ж" * 130 + ".LP"] = texts[3]
    (found,) = fetch(
        "CA-medium", source=as_source("archive", tmp_path, members), out=tmp_path / "out"
    )
    assert sorted(contents(found)) == sorted(texts[:4])
    assert all(len(os.fsencode(name)) <= 255 for name in found.manifest.records)
