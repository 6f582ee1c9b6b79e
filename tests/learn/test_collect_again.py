"""Collecting into a folder that holds something: resumed, replaced, refused."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from narrowing import present

from milplib.errors import (
    InstanceError,
    OutputError,
)
from milplib.generators import CombinatorialAuction
from milplib.learn import collect

from .collected_files import content


@pytest.fixture(scope="module")
def auctions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Instances that take long enough to be interrupted."""
    folder = tmp_path_factory.mktemp("auctions")
    for seed in range(4):
        CombinatorialAuction(n_items=50, n_bids=200).generate(seed).write(folder / f"{seed}.lp")
    return folder


def test_a_second_call_with_the_same_arguments_does_nothing_and_with_others_is_refused(
    instances: Any, tmp_path: Path
) -> None:
    options: dict[str, Any] = {
        "out": tmp_path / "s",
        "samples_per_instance": 1,
        "expert_probability": 0.5,
    }
    collect([instances], **options)
    before = content(tmp_path / "s")
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "s").iterdir()}
    collect([instances], **options)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "s").iterdir()} == times
    with pytest.raises(OutputError, match="another collection"):
        collect([instances], seed=1, **options)
    assert content(tmp_path / "s") == before
    (tmp_path / "s" / "notes.txt").write_text("mine")
    collect([instances], seed=1, force=True, **options)
    assert content(tmp_path / "s")["notes.txt"] == b"mine"
    assert content(tmp_path / "s") != before


def test_a_folder_that_is_not_ours_is_left_alone(instances: Any, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(OutputError, match="not empty"):
        collect([instances], out=tmp_path)
    assert content(tmp_path) == {"thesis.tex": b"years of work"}
    with pytest.raises(OutputError, match="is a file"):
        collect([instances], out=tmp_path / "thesis.tex")


SLOW_COLLECTION = """
import sys
from milplib.learn import collect
if __name__ == "__main__":
    collect([sys.argv[1]], out=sys.argv[2], samples_per_instance=6, expert_probability=0.5,
            workers=int(sys.argv[3]), setting="learn2branch")
"""


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_collection_goes_on_where_it_stopped_to_the_same_bytes(
    auctions: Path, tmp_path: Path, workers: int, how: Any
) -> None:
    script = tmp_path / "script.py"
    script.write_text(SLOW_COLLECTION)

    def start(out: Any) -> Any:
        return subprocess.Popen(
            [sys.executable, str(script), str(auctions), str(out), str(workers)],
            stderr=subprocess.DEVNULL,
        )

    assert start(tmp_path / "whole").wait() == 0
    killed = 0
    for _ in range(20):
        process = start(tmp_path / "cut")
        finished = len(list((tmp_path / "cut" / "unfinished").glob("0*.json")))
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            if len(list((tmp_path / "cut" / "unfinished").glob("0*.json"))) > finished:
                os.kill(process.pid, how)
                killed += 1
                break
            time.sleep(0.01)
        if process.wait(timeout=60) == 0:
            break
    assert killed >= 2
    assert content(tmp_path / "cut") == content(tmp_path / "whole")


@pytest.mark.slow
def test_a_script_without_a_main_guard_is_told_so_and_nothing_is_recorded(
    instances: Any, tmp_path: Path
) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from milplib.learn import collect\n"
        f"collect([{str(instances)!r}], out={str(tmp_path / 's')!r}, workers=2)\n"
    )
    run = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
    assert run.returncode != 0
    assert "__main__" in run.stderr.splitlines()[-1]
    assert not (tmp_path / "s" / "manifest.json").exists()


@pytest.mark.slow
def test_force_replaces_a_collection_only_when_the_new_one_is_there(
    instances: Any, tmp_path: Path
) -> None:
    out, bad = tmp_path / "s", tmp_path / "bad"
    collect([instances], out=out, samples_per_instance=1, expert_probability=0.5)
    (out / "unfinished").mkdir()
    (out / "unfinished" / "mine").write_text("notes")
    (out / "shard-mine.arrow").write_text("mine")
    before = content(out)
    bad.mkdir()
    (bad / "a.lp").write_text("garbage")
    with pytest.raises(InstanceError, match="none of the 1"):
        collect([bad], out=out, force=True)
    assert content(out) == before
    collect([instances], out=out, samples_per_instance=1, expert_probability=1.0, force=True)
    after = content(out)
    assert after["manifest.json"] != before["manifest.json"]
    assert after["shard-mine.arrow"] == b"mine"
    assert (out / "unfinished" / "mine").read_text() == "notes"


def test_a_manifest_of_something_else_is_never_replaced(instances: Any, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"format": "milplib-instances"}')
    for force in (False, True):
        with pytest.raises(OutputError):
            collect([instances], out=tmp_path, force=force)
    assert content(tmp_path) == {"manifest.json": b'{"format": "milplib-instances"}'}


@pytest.mark.slow
def test_failed_instances_are_tried_again_by_the_same_call(instances: Any, tmp_path: Path) -> None:
    options: dict[str, Any] = {
        "out": tmp_path / "s",
        "samples_per_instance": 1,
        "expert_probability": 0.5,
    }
    whole = content(collect([instances], **options).folder)
    # As if the third instance's worker had been killed twice: its task is marked failed.
    run = tmp_path / "s" / "unfinished"
    run.mkdir()
    manifest = json.loads((tmp_path / "s" / "manifest.json").read_text())
    (run / "manifest.json").write_text(json.dumps(manifest | {"shards": [], "instances": []}))
    failed = manifest["instances"][2] | {"outcome": "failed", "samples": 0}
    (run / "000002.json").write_text(json.dumps(failed))
    assert len(collect([instances], **options)) > 0
    assert not run.exists()
    assert content(tmp_path / "s") == whole


def test_a_second_collection_into_the_same_folder_is_refused_while_the_first_works(
    instances: Any, tmp_path: Path
) -> None:
    (tmp_path / "s" / "unfinished").mkdir(parents=True)
    lock = tmp_path / "s" / "unfinished" / "lock"
    code = (
        "import fcntl, sys, time\n"
        f"stream = open({str(lock)!r}, 'w')\n"
        "fcntl.flock(stream, fcntl.LOCK_EX)\nprint('locked', flush=True)\ntime.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    try:
        present(holder.stdout).readline()
        with pytest.raises(OutputError, match="another process"):
            collect([instances], out=tmp_path / "s", force=True)
    finally:
        holder.kill()
        holder.wait()
        present(holder.stdout).close()
