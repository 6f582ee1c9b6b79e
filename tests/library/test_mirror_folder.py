"""Local copies of the mirror: the repository's CSV files, however they were downloaded."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from milplib.errors import SourceError, SourceUnavailableError
from milplib.library import fetch

from .conftest import csv_text
from .mirrored import TEST, TRAIN, VAL, command, contents, ended


@pytest.fixture(autouse=True)
def _offline(no_network: None) -> None:
    """Nothing here needs a server."""


@pytest.fixture
def repository(tmp_path: Path, texts: list[bytes]) -> Path:
    """The data set's repository with two distributions, one of them whole."""
    root = tmp_path / "D-MIPLIB"
    _put(root / TRAIN, csv_text(texts[:3]))
    _put(root / VAL, csv_text(texts[3:4]))
    _put(root / TEST, csv_text(texts[4:6], as_repr=False))
    _put(root / "CA/easy/train.csv", csv_text(texts[5:6]))
    _put(root / "README.md", "# D-MIPLIB\n")
    _put(root / ".cache/huggingface/download/CA/medium/train.csv", "not a file of the data set")
    return root


def _put(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode())


@pytest.mark.parametrize("place", ["", "CA", "CA/medium", ".."])
def test_the_repository_and_any_folder_of_it_or_around_it_is_a_source(
    repository: Path, texts: list[bytes], tmp_path: Path, place: str
) -> None:
    found = fetch("CA-medium", source=os.path.normpath(repository / place), out=tmp_path / "out")
    assert [part.split for part in found] == ["train", "val", "test"]
    assert [contents(part) for part in found] == [texts[:3], texts[3:4], texts[4:6]]
    assert list(found[1].manifest.records) == ["CA-medium-val-00000.lp"]
    source = found[0].manifest.config["source"]
    assert (source["kind"], source["file"]) == ("folder", "CA/medium/train")
    assert found[0].manifest.config["provenance"] == "authors"


def test_the_cache_of_the_hub_with_its_links_is_a_source(
    repository: Path, texts: list[bytes], tmp_path: Path
) -> None:
    hub = tmp_path / "hub" / "datasets--weiminhu--D-MIPLIB"
    (hub / "blobs").mkdir(parents=True)
    for name in (TRAIN, VAL, TEST):
        blob = hub / "blobs" / name.replace("/", "-")
        blob.write_bytes((repository / name).read_bytes())
        for revision in ("aaaa", "bbbb"):  # two revisions of equal files
            link = hub / "snapshots" / revision / name
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(blob)
    found = fetch("CA-medium", source=hub, out=tmp_path / "out")
    assert [contents(part) for part in found] == [texts[:3], texts[3:4], texts[4:6]]
    changed = hub / "snapshots" / "bbbb" / TRAIN
    changed.unlink()
    changed.write_text(csv_text(texts[:1]))
    with pytest.raises(SourceError, match=r"2 different files of the train split.*aaaa.*bbbb"):
        fetch("CA-medium", source=hub, splits=["train"], out=tmp_path / "other")


def test_files_without_their_folders_and_a_single_file_are_sources(
    repository: Path, texts: list[bytes], tmp_path: Path
) -> None:
    loose = tmp_path / "loose"
    _put(loose / "Train.CSV", csv_text(texts[:2]))
    (found,) = fetch("CA-medium", source=loose, out=tmp_path / "1")
    assert contents(found) == texts[:2]
    (found,) = fetch("CA-medium", source=repository / VAL, out=tmp_path / "2")
    assert (found.split, contents(found)) == ("val", texts[3:4])
    _put(tmp_path / "mine.csv", csv_text(texts))
    with pytest.raises(SourceError, match=r"not a file of CA-medium by its name.*train\.csv"):
        fetch("CA-medium", source=tmp_path / "mine.csv", out=tmp_path / "3")


def test_the_files_of_another_distribution_are_not_taken_for_the_asked_one(
    repository: Path, tmp_path: Path
) -> None:
    for place in ("CA/easy", "CA/easy/train.csv"):
        with pytest.raises(SourceError, match=r"CA-medium|CA/medium/train\.csv"):
            fetch("CA-medium", source=repository / place, out=tmp_path / "out")
    with pytest.raises(SourceError, match=r"no file SC/easy/train\.csv of the mirror"):
        fetch("SC-easy", source=repository, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_of_both_layouts_the_site_s_is_taken(
    repository: Path, texts: list[bytes], tmp_path: Path
) -> None:
    _put(repository / "CA-medium/train/original.lp", texts[4].decode())
    (found,) = fetch("CA-medium", source=repository, out=tmp_path / "1")
    assert list(found.manifest.records) == ["original.lp"]
    # A table beside the split folders is no split.
    folder = tmp_path / "plain"
    _put(folder / "train/a.lp", texts[4].decode())
    _put(folder / "train.csv", "file,size\na.lp,1\n")
    (found,) = fetch("CA-medium", source=folder, out=tmp_path / "2")
    assert list(found.manifest.records) == ["a.lp"]


def test_a_missing_split_is_named_with_those_there_are(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailableError, match=r"CA/easy/test\.csv.*it has train"):
        fetch("CA-easy", source=repository, splits=["test"], out=tmp_path / "out")
    assert [part.split for part in fetch("CA-easy", source=repository, out=tmp_path / "out")] == [
        "train"
    ]


def test_a_copy_that_was_moved_is_the_same_source(
    repository: Path, tmp_path: Path, texts: list[bytes]
) -> None:
    fetch("CA-medium", source=repository, out=tmp_path / "out")
    moved = repository.rename(tmp_path / "moved")
    found = fetch("CA-medium", source=moved, out=tmp_path / "out")
    assert contents(found[0]) == texts[:3]


POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 123456789\n"


def test_a_pointer_of_git_lfs_is_one_line_that_says_how_to_get_the_file(
    repository: Path, tmp_path: Path
) -> None:
    (repository / TRAIN).write_text(POINTER)
    code, stdout, stderr = ended(
        command("fetch", "CA-medium", "--source", str(repository), "--out", str(tmp_path / "out"))
    )
    assert (code, stdout, stderr.count("\n")) == (2, "", 1)
    assert "CA/medium/train.csv is a pointer of Git LFS" in stderr
    assert "(123,456,789 bytes): run 'git lfs pull'" in stderr
    fetched = fetch("CA-medium", source=repository, splits=["val"], out=tmp_path / "out")
    assert len(fetched[0].manifest.records) == 1
