"""Files are either whole or not there."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from narrowing import present

from milplib.errors import OutputError
from milplib.files import (
    atomic_write,
    atomic_write_json,
    exclusive_lock,
    file_sha256,
    lock_holder,
    open_folder,
)


def test_an_error_while_writing_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "a"
    target.write_text("old")

    def fail_midway() -> None:
        with atomic_write(target) as stream:
            stream.write(b"new")
            raise ValueError("midway")

    with pytest.raises(ValueError, match="midway"):
        fail_midway()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_file_gets_the_mode_that_open_would_give_it(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    atomic_write_json(tmp_path / "ours", {})
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("plain", "ours")]
    assert modes[0] == modes[1]


def test_a_missing_folder_is_an_output_error_that_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="nowhere"), atomic_write(tmp_path / "nowhere" / "a"):
        pass


def test_a_killed_write_leaves_the_old_file_and_a_leftover_that_can_be_removed(
    tmp_path: Path,
) -> None:
    target = tmp_path / "a"
    target.write_text("old")
    code = (
        "import os, signal\nfrom milplib.files import atomic_write\n"
        f"with atomic_write({str(target)!r}) as stream:\n"
        "    stream.write(b'new')\n    os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code], check=False)
    assert target.read_text() == "old"
    assert len(os.listdir(tmp_path)) == 2
    assert open_folder(tmp_path)
    assert os.listdir(tmp_path) == ["a"]


def test_an_output_folder_is_made_and_one_in_use_is_told_apart(tmp_path: Path) -> None:
    assert not open_folder(tmp_path / "new" / "deep")
    (tmp_path / "new" / "file").touch()
    assert open_folder(tmp_path / "new")
    for path in ("new/file", "new/file/deeper"):
        with pytest.raises(OutputError, match="is a file, or lies in one"):
            open_folder(tmp_path / path)


def test_equal_json_gives_equal_bytes_whatever_the_order_of_keys(tmp_path: Path) -> None:
    atomic_write_json(tmp_path / "a", {"x": 1, "y": [1, 2]})
    atomic_write_json(tmp_path / "b", {"y": [1, 2], "x": 1})
    assert file_sha256(tmp_path / "a") == file_sha256(tmp_path / "b")


FORKING_HOLDER = """
import os, sys, time
from milplib.files import exclusive_lock
with exclusive_lock(sys.argv[1]):
    if os.fork() == 0:
        print(os.getpid(), flush=True)
    time.sleep(600)
"""


def test_a_forked_child_does_not_hold_the_lock_of_its_killed_parent(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    command: list[str | Path] = [sys.executable, "-c", FORKING_HOLDER, lock]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        child = int(present(holder.stdout).readline())
        holder.kill()
        holder.wait()
        try:
            os.kill(child, 0)  # it still runs
            assert lock_holder(lock) is None
            with exclusive_lock(lock, busy="refused"):
                assert present(lock_holder(lock)).startswith(f"process {os.getpid()} on ")
        finally:
            os.kill(child, signal.SIGKILL)


def test_a_lock_that_cannot_be_made_is_an_output_error_that_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(OutputError, match=r"cannot lock .*file/lock"),
        exclusive_lock(tmp_path / "file" / "lock"),
    ):
        pass


def test_who_waits_for_a_lock_gets_it_when_its_holder_is_killed(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    code = (
        "import sys, time\nfrom milplib.files import exclusive_lock\n"
        "with exclusive_lock(sys.argv[1]):\n    print('held', flush=True)\n    time.sleep(600)"
    )
    command: list[str | Path] = [sys.executable, "-c", code, lock]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert present(holder.stdout).readline() == "held\n"
        busy = pytest.raises(OutputError, match=rf"^one at a time \(process {holder.pid} on ")
        with busy, exclusive_lock(lock, busy="one at a time"):
            pass
        holder.kill()
        with exclusive_lock(lock, wait=True):
            assert present(lock_holder(lock)).startswith(f"process {os.getpid()} on ")
