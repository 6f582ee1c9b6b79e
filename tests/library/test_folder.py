"""Which files of a folder are instances, and by what names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from milplib.errors import InstanceError
from milplib.library import instance_files


def names(*folders: Path, split: str = "train") -> list[str]:
    return [file.name for file in instance_files(folders, split=split)]


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Any]:
    def make(*paths: Any) -> Any:
        for path in paths:
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text("")
        return tmp_path

    return make


def test_only_visible_instance_files_count_in_the_order_of_their_names(
    folder: Callable[..., Any],
) -> None:
    root = folder("d/b.lp", "d/a.MPS.gz", "d/.c.lp", "d/notes.txt", "d/manifest.json", "d/e.lp/x")
    assert names(root / "d") == ["d/a.MPS.gz", "d/b.lp"]


def test_of_split_folders_the_asked_one_is_taken(folder: Callable[..., Any]) -> None:
    root = folder("d/train/a.lp", "d/test/b.lp", "d/c.lp")
    assert names(root / "d") == ["d/train/a.lp"]
    assert names(root / "d", split="test") == ["d/test/b.lp"]
    assert names(root / "d" / "test") == ["test/b.lp"]


def test_folders_of_one_name_are_told_apart_by_what_stands_before_it(
    folder: Callable[..., Any],
) -> None:
    root = folder("x/ca/train/a.lp", "y/ca/train/a.lp")
    assert names(root / "x/ca", root / "y/ca") == ["x/ca/train/a.lp", "y/ca/train/a.lp"]
    assert names(root / "x/ca/train", root / "y/ca/train") == [
        "x/ca/train/a.lp",
        "y/ca/train/a.lp",
    ]


def test_a_missing_or_empty_or_repeated_folder_is_named(folder: Callable[..., Any]) -> None:
    root = folder("d/a.lp", "empty/readme.txt")
    for path, message in (("nowhere", "does not exist"), ("empty", "no instance files")):
        with pytest.raises(InstanceError, match=message):
            names(root / path)
    with pytest.raises(InstanceError, match="is a file"):
        names(root / "d/a.lp")
    with pytest.raises(InstanceError, match="given twice"):
        names(root / "d", root / "d" / ".." / "d")
