"""A disk that gets full: the run stops with one line, keeps what it has, and goes on later."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .conftest import OPTIONS, content, n_finished, run, write_instances

N_INSTANCES = 6


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A folder of few instances."""
    return write_instances(tmp_path_factory.mktemp("few") / "i", N_INSTANCES)


@pytest.fixture(scope="module")
def whole(few: Any) -> Any:
    """The bytes of their samples, collected in one piece."""
    out = few.parent / "whole"
    code, errors = run(few, out)
    assert code == 0, errors
    return content(out)


def check_stopped(code: Any, errors: Any, out: Any) -> None:
    assert code == 2, errors
    (line,) = errors
    assert line.startswith(f"milplib: error: cannot write {out}/")
    assert "run the same command again" in line
    assert not list(out.rglob("*.milplib-tmp"))
    assert not (out / "manifest.json").exists()


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_no_room_for_the_shards_stops_a_run_that_goes_on_when_there_is(
    few: Any, whole: Any, tmp_path: Path, workers: int
) -> None:
    out = tmp_path / "s"
    (shard,) = (data for name, data in whole.items() if name.endswith(".arrow"))
    code, errors = run(few, out, "--workers", workers, largest_file=len(shard) - 1)
    check_stopped(code, errors, out)
    assert "shard-00000.arrow: File too large" in errors[0]
    assert n_finished(out) == N_INSTANCES
    before = {path: path.read_bytes() for path in (out / "unfinished").glob("0*")}
    code, errors = run(few, out, "--workers", workers)
    assert code == 0, errors
    assert content(out) == whole
    assert len(before) == 2 * N_INSTANCES


@pytest.mark.slow
def test_no_room_for_a_tasks_samples_leaves_no_half_of_it(
    few: Any, whole: Any, tmp_path: Path
) -> None:
    out = tmp_path / "s"
    code, errors = run(few, out, largest_file=4000)
    check_stopped(code, errors, out)
    assert ".samples: File too large" in errors[0]
    assert not list(out.rglob("*.samples"))
    code, errors = run(few, out)
    assert code == 0, errors
    assert content(out) == whole


@pytest.mark.slow
def test_no_room_at_all_is_said_before_any_work(few: Any, whole: Any, tmp_path: Path) -> None:
    out = tmp_path / "s"
    code, errors = run(few, out, largest_file=0)
    check_stopped(code, errors, out)
    code, errors = run(few, out)
    assert code == 0, errors
    assert content(out) == whole


ON_A_SMALL_DISK = """
set -eu
disk=$1 instances=$2 report=$3 python=$4; shift 4
mount -t tmpfs -o size=$SIZE tmpfs "$disk"
collect() { "$python" -m milplib.cli collect "$instances" --out "$disk/s" "$@"; }
code=0; collect "$@" 2>"$report/errors" || code=$?
echo $code >"$report/code"
ls -AR "$disk" >"$report/left"
ls "$disk/s/unfinished" | grep -c '^0.*json$' >"$report/finished"
mount -o remount,size=64m "$disk"
collect "$@"
cp -r "$disk/s" "$report/s"
"""


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_a_full_file_system_stops_a_run_that_goes_on_when_there_is_room(
    tmp_path: Path, workers: int
) -> None:
    can_mount = ("unshare", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "t", tmp_path)
    if not shutil.which("unshare") or subprocess.run(can_mount, check=False).returncode:
        pytest.skip("this machine lets nobody mount a small file system")
    instances = write_instances(tmp_path / "i", 20)
    code, errors = run(instances, tmp_path / "whole")
    assert code == 0, errors
    for name in ("disk", "report"):
        (tmp_path / name).mkdir()
    options = [f"--{name.replace('_', '-')}={value}" for name, value in OPTIONS.items()]
    script = tmp_path / "script.sh"
    script.write_text(ON_A_SMALL_DISK.replace("$SIZE", "120k"))
    report = tmp_path / "report"
    subprocess.run(
        (
            *("unshare", "--map-root-user", "--mount", "bash", script, tmp_path / "disk"),
            *(instances, report, sys.executable, f"--workers={workers}", *options),
        ),
        check=True,
        stdout=subprocess.DEVNULL,
    )
    assert (report / "code").read_text() == "2\n"
    (line,) = (report / "errors").read_text().splitlines()
    assert "No space left on device" in line
    assert "run the same command again" in line
    assert ".milplib-tmp" not in (report / "left").read_text()
    assert 0 < int((report / "finished").read_text()) < 20
    assert content(report / "s") == content(tmp_path / "whole")
