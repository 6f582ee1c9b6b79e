"""CSV files of the mirror with damaged rows: those are broken, and the rest is fetched."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from milplib.errors import MilplibError, SourceError
from milplib.library import FetchProgress, SourceLimits, fetch
from milplib.library.manifest import BrokenInstance, SplitManifest
from milplib.library.sources import csv_instances

from .conftest import csv_text
from .mirrored import TRAIN, contents


@pytest.fixture(autouse=True)
def _offline(no_network: None) -> None:
    """Nothing here needs a server unless it says so."""


def mirror_folder(tmp_path: Path, content: bytes | str) -> Path:
    path = tmp_path / "in" / "CA" / "medium" / "train.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return tmp_path / "in"


@pytest.mark.parametrize("as_repr", [True, False])
@pytest.mark.parametrize("odd", [b"\xff", b"\x00", b'"', b",", b"\n", b"\x1b[2J", b"\xe2\x80\xae"])
@pytest.mark.parametrize("column", ["format", "text"])
def test_an_odd_byte_in_any_field_costs_its_row_alone(
    tmp_path: Path, texts: list[bytes], odd: bytes, column: str, as_repr: bool
) -> None:
    lines = csv_text(texts[:3], as_repr=as_repr).encode()
    rows = [csv_text([text], as_repr=as_repr).encode().partition(b"\r\n")[2] for text in texts[:3]]
    at = rows[1].rindex(b"lp") + 1 if column == "format" else len(rows[1]) // 2
    rows[1] = rows[1][:at] + odd + rows[1][at:]
    source = mirror_folder(tmp_path, lines.partition(b"\r\n")[0] + b"\r\n" + b"".join(rows))
    (found,) = fetch("CA-medium", source=source, out=tmp_path / "out")
    stored = contents(found)
    assert stored[0] == texts[0]
    assert stored[-1] == texts[2]
    manifest = SplitManifest.load(found.folder)
    assert manifest is not None
    assert manifest.complete
    for broken in manifest.broken:
        assert broken.reason.isprintable()
    is_read = not as_repr and column == "text" and odd != b'"'
    assert is_read or len(manifest.broken) >= 1


def test_any_damaged_byte_costs_two_rows_at_most(tmp_path: Path, texts: list[bytes]) -> None:
    draw = random.Random(0)
    path = tmp_path / "train.csv"
    short = [text[:200] for text in texts]
    for as_repr in (True, False):
        whole = csv_text(short, as_repr=as_repr).encode()
        begin = whole.index(b"\n") + 1
        for _ in range(150):
            at = draw.randrange(begin, len(whole))
            path.write_bytes(
                whole[:at] + bytes([draw.choice(b"\",\r\n\\b'\x00\xff9")]) + whole[at + 1 :]
            )
            found = list(csv_instances(path))
            intact = {row.content for row in found if not isinstance(row, BrokenInstance)}
            assert len(intact & set(short)) >= len(short) - 2, (as_repr, at)
            assert len(found) <= len(short) + 2


def test_a_field_beyond_the_limit_costs_its_row_alone(tmp_path: Path, texts: list[bytes]) -> None:
    big = b"\\ " + b"x" * (3 << 20)
    limits = SourceLimits(field_bytes=1 << 20)
    for as_repr in (True, False):
        content = csv_text([texts[0], big, texts[1]], as_repr=as_repr)
        (tmp_path / "train.csv").write_text(content, newline="")
        first, second, third = csv_instances(tmp_path / "train.csv", limits=limits)
        assert isinstance(second, BrokenInstance)
        assert "the limit of field_bytes" in second.reason
        assert not isinstance(first, BrokenInstance)
        assert not isinstance(third, BrokenInstance)
        assert (first.content, third.content) == (texts[0], texts[1])


@pytest.mark.parametrize(
    "content",
    [
        ",MILP,format\n0,minimize,lp\n".encode("utf-16"),
        b"<!DOCTYPE html>\n<html>",
        b"\x00" * 5000,
        b"PAR1\x15\x04",
        b"x" * 100_000,
        b"," * 5000,
    ],
)
def test_what_is_no_csv_of_the_mirror_is_refused_in_one_line(
    tmp_path: Path, content: bytes
) -> None:
    with pytest.raises(SourceError, match=r"UTF-16|no file of the mirror") as refused:
        fetch("CA-medium", source=mirror_folder(tmp_path, content), out=tmp_path / "out")
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 1000


def test_more_rows_than_the_limit_are_refused_and_those_before_are_kept(
    tmp_path: Path, texts: list[bytes]
) -> None:
    source = mirror_folder(tmp_path, csv_text(texts[:4]))
    with pytest.raises(SourceError, match="more than 2 instances, the limit of files"):
        fetch("CA-medium", source=source, out=tmp_path / "out", limits=SourceLimits(files=2))
    manifest = SplitManifest.load(tmp_path / "out" / "train")
    assert manifest is not None
    assert (len(manifest.records), manifest.complete) == (2, False)


def test_a_fetch_that_failed_goes_on_where_it_ended(tmp_path: Path, texts: list[bytes]) -> None:
    source = mirror_folder(tmp_path, csv_text(texts[:4]))

    def stop(split: str, done: int, total: Any) -> None:
        if done == 2:
            raise MilplibError("stopped")

    with pytest.raises(MilplibError, match="stopped"):
        fetch("CA-medium", source=source, out=tmp_path, progress=FetchProgress(on_instance=stop))
    first = tmp_path / "train" / "CA-medium-train-00000.lp"
    before = first.stat()
    (found,) = fetch("CA-medium", source=source, out=tmp_path)
    assert contents(found) == texts[:4]
    assert (first.stat().st_ino, first.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_download_that_is_no_file_of_the_mirror_is_not_tried_for_ever(
    mirror: Any, texts: list[bytes], tmp_path: Path
) -> None:
    mirror.put(TRAIN, "<html>busy</html>")
    with pytest.raises(SourceError, match=r"no file of the mirror.*was moved to .*refused"):
        fetch("CA-medium", splits=["train"], source="mirror")
    mirror.put(TRAIN, csv_text(texts[:2]))
    (found,) = fetch("CA-medium", splits=["train"], source="mirror")
    assert contents(found) == texts[:2]
