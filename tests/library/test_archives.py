"""Folders and zip archives as the site gives them, and archives that mean no good."""

from __future__ import annotations

import gzip
import os
import shutil
import warnings
import zipfile
from pathlib import Path
from typing import Any

import pytest

import milplib
from milplib.errors import OutputError, SourceError, SourceUnavailableError
from milplib.library import FetchedSplit, fetch
from milplib.library.sources import ArchiveSource, SourceLimits
from milplib.library.sources.base import flat_names
from milplib.library.sources.layout import SplitLayout


@pytest.fixture(autouse=True)
def _offline(no_network: None) -> None:
    """Nothing here needs a server."""


@pytest.fixture
def members(texts: list[bytes], tmp_path: Path) -> dict[str, bytes]:
    """The site's layout: nested, in all formats, with spaces and letters of all kinds."""
    instance = milplib.read(_written(tmp_path / "one.lp", texts[4]))
    instance.write(tmp_path / "one.mps")
    mps = (tmp_path / "one.mps").read_bytes()
    return {
        "CA-medium/train/plain.lp": texts[0],
        "CA-medium/train/with spaces and (brackets).lp": texts[1],
        "CA-medium/train/Größe_Ж_数.mps": mps,
        "CA-medium/train/deep/er/packed.mps.gz": gzip.compress(mps),
        "CA-medium/validation/plain.lp": texts[2],
        "CA-medium/test/UPPER.LP": texts[3],
        "CA-medium/test/readme.txt": b"not an instance",
        "__MACOSX/CA-medium/train/._plain.lp": b"junk",
        "CA-medium/train/.hidden.lp": b"junk",
        "SC-easy/train/other.lp": texts[5],
    }


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def archive(path: Path, members: dict[str, bytes], **options: Any) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, **options) as target:
        for name, content in members.items():
            target.writestr(name, content)
    return path


def unpacked(folder: Path, members: dict[str, bytes]) -> Path:
    for name, content in members.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def check_site_layout(found: list[FetchedSplit], members: dict[str, bytes]) -> None:
    assert {part.split: sorted(part.manifest.records) for part in found} == {
        "train": ["Größe_Ж_数.mps", "packed.mps.gz", "plain.lp", "with spaces and (brackets).lp"],
        "val": ["plain.lp"],
        "test": ["UPPER.LP"],
    }
    by_file = {Path(name).name: content for name, content in members.items() if "train" in name}
    for file, record in found[0].manifest.records.items():
        assert (found[0].folder / file).read_bytes() == by_file[file]
        instance = milplib.read(found[0].folder / file)
        assert (record.rows, record.columns) == (instance.n_rows, instance.n_columns)
        assert record.nonzeros == instance.n_nonzeros
        assert record.content_hash == instance.content_hash


def test_the_layout_of_the_site_is_read_from_a_zip_and_from_a_folder(
    tmp_path: Path, members: dict[str, bytes]
) -> None:
    zipped = fetch("CA-medium", source=archive(tmp_path / "a b.zip", members), out=tmp_path / "1")
    check_site_layout(zipped, members)
    folder = unpacked(tmp_path / "unpacked Ж", members)
    check_site_layout(fetch("CA-medium", source=folder, out=tmp_path / "2"), members)
    inner = fetch("CA-medium", source=folder / "CA-medium", out=tmp_path / "3")
    check_site_layout(inner, members)


def test_an_archive_in_the_site_folder_of_the_cache_is_taken_first(
    tmp_path: Path, members: dict[str, bytes]
) -> None:
    site = tmp_path / "cache" / "site"
    site.mkdir(parents=True)
    archive(site / "CA-medium.zip", members)
    found = fetch("CA-medium")
    check_site_layout(found, members)
    assert found[0].manifest.config["provenance"] == "authors"
    os.remove(site / "CA-medium.zip")
    check_site_layout(fetch("CA-medium", offline=True), members)


def test_an_archive_of_the_site_that_changed_is_refused_and_kept_aside(
    tmp_path: Path, members: dict[str, bytes]
) -> None:
    site = tmp_path / "cache" / "site"
    site.mkdir(parents=True)
    archive(site / "CA-medium.zip", members)
    fetch("CA-medium", source="site", splits=["val"])
    archive(site / "CA-medium.zip", {**members, "CA-medium/val/more.lp": b"minimize"})
    with pytest.raises(SourceError, match="another checksum"):
        fetch("CA-medium", source="site", splits=["train"])
    assert len(list((tmp_path / "cache" / "refused").iterdir())) == 1


def test_names_without_the_utf8_flag_are_still_utf8(tmp_path: Path, texts: list[bytes]) -> None:
    # What programs write that do not know the flag: the name's bytes, and no word on them.
    name = "train/Größe.lp"
    path = archive(tmp_path / "a.zip", {"train/XXXXXXX.lp": texts[0]})
    content = path.read_bytes().replace(b"train/XXXXXXX.lp", name.encode())
    path.write_bytes(content)
    found = fetch("CA-medium", source=path, out=tmp_path / "out")
    assert list(found[0].manifest.records) == ["Größe.lp"]


def test_an_archive_without_split_folders_is_the_split_that_is_asked_for(
    tmp_path: Path, texts: list[bytes]
) -> None:
    path = archive(tmp_path / "a.zip", {"some/1.lp": texts[0], "2.lp": texts[1]})
    with pytest.raises(SourceError, match="--split"):
        fetch("CA-medium", source=path, out=tmp_path / "out")
    found = fetch("CA-medium", source=path, splits=["test"], out=tmp_path / "out")
    assert sorted(found[0].manifest.records) == ["1.lp", "2.lp"]


def test_a_split_that_is_missing_is_named_with_those_there_are(
    tmp_path: Path, texts: list[bytes]
) -> None:
    path = archive(tmp_path / "a.zip", {"train/1.lp": texts[0]})
    with pytest.raises(SourceError, match=r"folder 'val' of .*a\.zip; it has train"):
        fetch("CA-medium", source=path, splits=["val"], out=tmp_path / "out")
    for source in (path, None):  # the second time from what is there
        found = fetch("CA-medium", source=source, out=tmp_path / "o")
        assert [part.split for part in found] == ["train"]


@pytest.mark.parametrize("kind", ["folder", "archive"])
def test_a_source_without_instances_is_refused(tmp_path: Path, kind: str) -> None:
    files = {"train/readme.txt": b"nothing", "notes.md": b"nothing"}
    if kind == "folder":
        source = unpacked(tmp_path / "in", files)
    else:
        source = archive(tmp_path / "a.zip", files)
    with pytest.raises(SourceError, match=r"no instance files \(\.lp"):
        fetch("CA-medium", source=source, splits=["train"], out=tmp_path / "out")
    assert not (tmp_path / "out" / "train" / "manifest.json").exists()


def test_broken_instances_are_named_and_do_not_spoil_the_split(
    tmp_path: Path, texts: list[bytes]
) -> None:
    packed = gzip.compress(texts[0])
    members = {
        "train/good.lp": texts[0],
        "train/empty.lp": b"",
        "train/cut.lp": texts[0][: len(texts[0]) // 2],
        "train/no-endata.mps": b"NAME a\nROWS\n N OBJ\nCOLUMNS\nRHS\nBOUNDS\n",
        "train/cut.lp.gz": packed[:-9],
        "train/binary.lp": bytes(range(256)),
        "train/not-packed.lp.gz": texts[1],
    }
    path = archive(tmp_path / "a.zip", members)
    (found,) = fetch("CA-medium", source=path, out=tmp_path / "out")
    assert list(found.manifest.records) == ["good.lp"]
    assert {broken.name for broken in found.manifest.broken} == set(members) - {"train/good.lp"}
    reasons = {broken.name: broken.reason for broken in found.manifest.broken}
    assert "ENDATA" in reasons["train/no-endata.mps"]
    assert "cut off or damaged" in reasons["train/cut.lp.gz"]
    assert all(str(tmp_path) not in reason for reason in reasons.values())
    files = {path.name for path in found.folder.iterdir()}
    assert files == {"good.lp", "manifest.json"}


def test_a_split_of_broken_instances_only_is_an_error(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", {"train/a.lp": b"", "train/b.lp": b"max"})
    with pytest.raises(SourceError, match=r"none of the 2 instances.*train/a\.lp.*empty"):
        fetch("CA-medium", source=path, out=tmp_path / "out")


@pytest.mark.parametrize(
    "name", ["../outside.lp", "train/../../outside.lp", "/outside.lp", "C:\\outside.lp", "..\\o.lp"]
)
def test_an_entry_that_leads_out_of_its_folder_refuses_the_archive(
    tmp_path: Path, texts: list[bytes], name: str
) -> None:
    path = archive(tmp_path / "a.zip", {"train/1.lp": texts[0], name: texts[1]})
    with pytest.raises(SourceError, match="outside of the folder"):
        fetch("CA-medium", source=path, out=tmp_path / "deep" / "out")
    assert not list(tmp_path.rglob("*outside*"))
    assert not (tmp_path / "deep").exists()


def test_an_entry_that_would_explode_refuses_the_archive(tmp_path: Path) -> None:
    zeros = b"\\ " + b" " * (40 << 20)
    path = archive(tmp_path / "a.zip", {"train/1.lp": zeros})
    with pytest.raises(SourceError, match=r"would grow \d+-fold"):
        fetch("CA-medium", source=path, out=tmp_path / "out")


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (SourceLimits(files=1), "more than 1 entries"),
        (SourceLimits(file_bytes=100), "would have"),
        (SourceLimits(total_bytes=3000), "its entries would have"),
    ],
)
def test_limits_of_an_archive_are_kept(
    tmp_path: Path, texts: list[bytes], limits: SourceLimits, message: str
) -> None:
    path = archive(tmp_path / "a.zip", {"train/1.lp": texts[0], "train/2.lp": texts[1]})
    with pytest.raises(SourceError, match=message):
        ArchiveSource(path, name="CA-medium", limits=limits)


def test_an_entry_that_lies_about_its_size_is_broken_and_writes_no_more(
    tmp_path: Path, texts: list[bytes]
) -> None:
    path = archive(tmp_path / "a.zip", {"train/1.lp": texts[0], "train/2.lp": texts[1]})
    size = len(texts[0]).to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(size, (10).to_bytes(4, "little")))
    (found,) = fetch("CA-medium", source=path, out=tmp_path / "out")
    assert [broken.name for broken in found.manifest.broken] == ["train/1.lp"]


def test_a_name_that_stands_twice_is_broken_unless_its_files_are_equal(
    tmp_path: Path, texts: list[bytes]
) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as target, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python's own, that a name stands twice
        for name, content in (("1", 0), ("1", 1), ("2", 2), ("2", 2), ("3", 3)):
            target.writestr(f"train/{name}.lp", texts[content])
    (found,) = fetch("CA-medium", source=path, out=tmp_path / "out")
    assert list(found.manifest.records) == ["2.lp", "3.lp"]
    assert [broken.name for broken in found.manifest.broken] == ["train/1.lp"]
    assert "2 different files" in found.manifest.broken[0].reason


def test_files_of_one_name_in_several_folders_are_told_apart(
    tmp_path: Path, texts: list[bytes]
) -> None:
    members = {"train/a/1.lp": texts[0], "train/b/1.lp": texts[1], "train/b/2.lp": texts[2]}
    path = archive(tmp_path / "a.zip", members)
    (found,) = fetch("CA-medium", source=path, out=tmp_path / "out")
    assert sorted(found.manifest.records) == ["2.lp", "a--1.lp", "b--1.lp"]


def test_flat_names_never_collide() -> None:
    paths = [("a", "b.lp"), ("A", "B.LP"), ("a--b.lp",), ("x", "a--b.lp")]
    names = flat_names(paths)
    assert len({name.casefold() for name in names}) == len(paths)


def test_a_link_in_an_archive_is_not_followed(tmp_path: Path, texts: list[bytes]) -> None:
    path = archive(tmp_path / "a.zip", {"train/1.lp": texts[0]})
    with zipfile.ZipFile(path, "a") as target:
        link = zipfile.ZipInfo("train/link.lp")
        link.external_attr = 0o120777 << 16
        target.writestr(link, "/etc/passwd")
    (found,) = fetch("CA-medium", source=path, out=tmp_path / "out")
    assert [broken.reason for broken in found.manifest.broken] == ["it is a link, not a file"]


def test_a_damaged_entry_is_broken_and_a_damaged_archive_is_refused(
    tmp_path: Path, texts: list[bytes]
) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as target:
        target.writestr("train/1.lp", texts[0])
        target.writestr("train/2.lp", texts[1])
    content = bytearray(path.read_bytes())
    content[content.index(texts[1]) + 5] ^= 1
    path.write_bytes(content)
    (found,) = fetch("CA-medium", source=path, out=tmp_path / "out")
    assert [broken.name for broken in found.manifest.broken] == ["train/2.lp"]
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(SourceError, match="cut off or no zip archive"):
        fetch("CA-medium", source=path, out=tmp_path / "other")


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailableError, match=r"no folder or archive .*none\.zip"):
        fetch("CA-medium", source=tmp_path / "none.zip")
    with pytest.raises(milplib.MilplibError, match="did you mean mirror"):
        fetch("CA-medium", source="miror")


def test_a_folder_in_use_by_others_is_not_touched(tmp_path: Path, texts: list[bytes]) -> None:
    path = archive(tmp_path / "a.zip", {"train/1.lp": texts[0]})
    (tmp_path / "out" / "train").mkdir(parents=True)
    (tmp_path / "out" / "train" / "mine.txt").write_text("mine")
    for force in (False, True):
        with pytest.raises(OutputError, match="not empty"):
            fetch("CA-medium", source=path, out=tmp_path / "out", force=force)
    assert [file.name for file in (tmp_path / "out" / "train").iterdir()] == ["mine.txt"]


def test_other_instances_are_replaced_by_force_alone(tmp_path: Path, texts: list[bytes]) -> None:
    first = archive(tmp_path / "a.zip", {"train/1.lp": texts[0]})
    second = archive(tmp_path / "b.zip", {"train/2.lp": texts[1]})
    fetch("CA-medium", source=first, out=tmp_path / "out")
    with pytest.raises(OutputError, match="other instances"):
        fetch("CA-medium", source=second, out=tmp_path / "out")
    (found,) = fetch("CA-medium", source=second, out=tmp_path / "out", force=True)
    assert list(found.manifest.records) == ["2.lp"]
    assert not (found.folder / "1.lp").exists()


def test_an_archive_that_was_moved_is_the_same_source(tmp_path: Path, texts: list[bytes]) -> None:
    first = archive(tmp_path / "a.zip", {"train/1.lp": texts[0]})
    fetch("CA-medium", source=first, out=tmp_path / "out")
    moved = shutil.move(first, tmp_path / "b.zip")
    (found,) = fetch("CA-medium", source=moved, out=tmp_path / "out")
    assert found.manifest.complete


def test_a_file_that_was_damaged_since_is_stored_again(tmp_path: Path, texts: list[bytes]) -> None:
    path = archive(tmp_path / "a.zip", {"train/1.lp": texts[0], "train/2.lp": texts[1]})
    (found,) = fetch("CA-medium", source=path, out=tmp_path / "out")
    (found.folder / "1.lp").write_bytes(b"damaged")
    (found.folder / "2.lp").unlink()
    (found,) = fetch("CA-medium", source=path, out=tmp_path / "out")
    assert (found.folder / "1.lp").read_bytes() == texts[0]
    assert (found.folder / "2.lp").read_bytes() == texts[1]


def test_a_folder_of_another_distribution_is_not_taken_for_the_asked_one() -> None:
    layout = SplitLayout(
        ["SC-easy/train/1.lp", "CA-medium/val/2.lp", "ca-MEDIUM/train/3.lp"],
        name="CA-medium",
        where="here",
    )
    assert layout.files("train") == [("ca-MEDIUM/train/3.lp", ("3.lp",))]
