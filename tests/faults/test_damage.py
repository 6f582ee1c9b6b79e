"""Files of finished tasks that were lost or damaged before they were merged are made anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from slow_parameters import slow

from milplib.errors import SampleError
from milplib.learn import collect

from .conftest import OPTIONS, content, write_instances

N_INSTANCES = 3


class StoppedError(Exception):
    pass


def stop_at_the_end(progress: Any) -> None:
    if progress.done == N_INSTANCES:
        raise StoppedError


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A folder of few instances."""
    return write_instances(tmp_path_factory.mktemp("few") / "i", N_INSTANCES)


@pytest.fixture(scope="module")
def whole(few: Any) -> Any:
    """The bytes of their samples, collected in one piece."""
    return content(collect([few], out=few.parent / "whole", **OPTIONS).folder)


@pytest.fixture
def unmerged(few: Any, tmp_path: Path) -> Any:
    """A collection that was stopped when all was done but the merging."""
    with pytest.raises(StoppedError):
        collect([few], out=tmp_path / "s", on_progress=stop_at_the_end, **OPTIONS)
    return tmp_path / "s"


@pytest.mark.parametrize("name", ["000001.samples", "000001.json"])
@pytest.mark.parametrize("damage", ["lost", slow("cut off")])
def test_what_is_lost_or_cut_off_is_collected_anew(
    few: Any, whole: Any, unmerged: Any, name: str, damage: str
) -> None:
    path = unmerged / "unfinished" / name
    data = path.read_bytes()
    path.unlink() if damage == "lost" else path.write_bytes(data[: len(data) // 2])
    if (name, damage) == ("000001.samples", "cut off"):
        with pytest.raises(SampleError, match=r"000001\.samples is damaged .*; run the same"):
            collect([few], out=unmerged, **OPTIONS)
        assert not (unmerged / "manifest.json").exists()
        assert not list(unmerged.rglob("*.milplib-tmp"))
    collect([few], out=unmerged, **OPTIONS)
    assert content(unmerged) == whole
    assert not (unmerged / "unfinished").exists()
