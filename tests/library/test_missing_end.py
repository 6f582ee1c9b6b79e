"""Published LP files without their ``End``."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest

import milplib
from milplib.library import fetch


@pytest.fixture(autouse=True)
def _offline(no_network: None) -> None:
    """Nothing here needs a server."""


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as target:
        for name, content in members.items():
            target.writestr(name, content)
    return path


FACILITIES = (
    b"minimize\nobj: +3 x_1 +2 x_2 +9 y_1 +8 y_2\nsubject to\nd: +1 x_1 +1 x_2 >= 1\n"
    b"bounds\n0 <= x_1 <= 1\n0 <= x_2 <= 1\n\nbinary\n y_1 y_2"
)


@pytest.mark.parametrize("packed", [False, True])
def test_a_published_file_without_end_is_read_and_gets_it(tmp_path: Path, packed: bool) -> None:
    suffix = ".lp.gz" if packed else ".lp"
    content = gzip.compress(FACILITIES) if packed else FACILITIES
    path = zipped(tmp_path / "a.zip", {f"train/a{suffix}": content})
    [part] = fetch("CFLP-easy", splits=["train"], source=path)
    stored = part.folder / f"a{suffix}"
    assert milplib.read(stored).integrality.tolist() == [0, 0, 1, 1]
    assert stored.read_bytes().startswith(content)
    assert part.manifest.records[stored.name].is_whole(part.folder)


def test_a_published_file_that_was_cut_off_is_broken(tmp_path: Path) -> None:
    members = {"train/cut.lp": FACILITIES[:-4], "train/whole.lp": FACILITIES}
    [part] = fetch("CFLP-easy", splits=["train"], source=zipped(tmp_path / "a.zip", members))
    assert list(part.manifest.records) == ["whole.lp"]
    assert "'x_1' is not listed" in part.manifest.broken[0].reason
