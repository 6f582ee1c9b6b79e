"""Nothing is written through a link below the folder that the user names."""

from __future__ import annotations

from pathlib import Path

import pytest

import milplib
from milplib.errors import OutputError
from milplib.library import distribution, fetch, generate_split
from milplib.library.store import copy_split

from .conftest import csv_text
from .mirrored import contents

OWN = "SC-milplib-small"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder that must stay as it is."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "precious.lp").write_text("precious")
    return folder


def check_untouched(outside: Path) -> None:
    assert [path.name for path in outside.iterdir()] == ["precious.lp"]
    assert (outside / "precious.lp").read_text() == "precious"


@pytest.fixture
def source(tmp_path: Path, texts: list[bytes]) -> Path:
    path = tmp_path / "in" / "CA" / "medium" / "train.csv"
    path.parent.mkdir(parents=True)
    path.write_text(csv_text(texts[:2]))
    return tmp_path / "in"


def link_files(folder: Path, names: list[str], outside: Path) -> None:
    """Replace files of a folder by links to a file outside."""
    for name in names:
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(outside / "precious.lp")


def test_a_copy_and_a_fetch_and_a_generation_replace_links_to_files(
    source: Path, tmp_path: Path, outside: Path, texts: list[bytes], no_network: None
) -> None:
    (found,) = fetch("CA-medium", source=source, out=tmp_path / "1")
    copy = tmp_path / "copy"
    copy_split(found.folder, copy)
    for folder in (copy, found.folder):
        link_files(folder, ["CA-medium-train-00000.lp"], outside)
    (copy / "CA-medium-train-00001.lp").unlink()
    (copy / "CA-medium-train-00001.lp").symlink_to(outside / "new.lp")  # points nowhere
    (again,) = fetch("CA-medium", source=source, out=tmp_path / "1")
    copy_split(found.folder, copy)
    assert contents(again) == texts[:2]
    assert [path.read_bytes() for path in sorted(copy.glob("*.lp"))] == texts[:2]
    entry = distribution(OWN)
    generate_split(entry, split="val", count=2, out=tmp_path / "2")
    link_files(tmp_path / "2" / "val", [f"{OWN}-val-00001.lp", "manifest.json"], outside)
    with pytest.raises(OutputError, match="not empty"):
        generate_split(entry, split="val", count=2, out=tmp_path / "2")
    generate_split(entry, split="val", count=2, out=tmp_path / "2", force=True)
    for folder in (copy, found.folder, tmp_path / "2" / "val"):
        assert not [path for path in folder.iterdir() if path.is_symlink()]
    check_untouched(outside)


@pytest.mark.parametrize("name", ["precious.lp.0123.milplib-tmp", ".x.milplib-tmp", ".unfinished"])
def test_links_in_place_of_temporary_files_are_not_followed(
    source: Path, tmp_path: Path, outside: Path, name: str, no_network: None
) -> None:
    (found,) = fetch("CA-medium", source=source, out=tmp_path / "out")
    (found.folder / name).symlink_to(outside)
    (found.folder / "CA-medium-train-00000.lp").unlink()
    fetch("CA-medium", source=source, out=tmp_path / "out")
    check_untouched(outside)


def test_a_split_folder_that_is_a_link_is_refused(
    source: Path, tmp_path: Path, outside: Path, no_network: None
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "train").symlink_to(outside)
    for force in (False, True):
        with pytest.raises(OutputError, match=r"out/train is a link"):
            fetch("CA-medium", source=source, out=out, force=force)
        with pytest.raises(OutputError, match=r"out/train is a link"):
            generate_split(distribution(OWN), count=1, out=out, force=force)
    check_untouched(outside)
    (tmp_path / "named").symlink_to(tmp_path / "real")
    (tmp_path / "real").mkdir()
    assert len(generate_split(distribution(OWN), count=1, out=tmp_path / "named")) == 1


@pytest.mark.parametrize("place", ["generated", f"generated/{OWN}", f"generated/{OWN}/train"])
def test_a_link_in_the_cache_is_refused(
    tmp_path: Path, outside: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    link = tmp_path / "cache" / place
    link.parent.mkdir(parents=True)
    link.symlink_to(outside)
    monkeypatch.setenv("MILPLIB_CACHE", str(tmp_path / "cache"))
    with pytest.raises(OutputError, match="is a link"):
        milplib.load(OWN).train[0]
    with pytest.raises(OutputError, match="is a link"):
        fetch(OWN, splits=["train"])
    check_untouched(outside)


def test_a_lock_that_is_a_link_is_refused(tmp_path: Path, outside: Path, no_network: None) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / ".train.lock").symlink_to(outside / "precious.lp")
    with pytest.raises(OutputError, match=r"cannot lock .*\.train\.lock"):
        generate_split(distribution(OWN), count=1, out=out)
    check_untouched(outside)
