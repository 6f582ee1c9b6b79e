"""Files are either whole or not there."""

from __future__ import annotations

import os
import stat
import subprocess
import sys

import pytest

from milplib.errors import OutputError
from milplib.files import atomic_write, atomic_write_json, file_sha256, open_folder


def test_an_error_while_writing_leaves_the_old_file_and_nothing_else(tmp_path):
    target = tmp_path / "a"
    target.write_text("old")

    def fail_midway():
        with atomic_write(target) as stream:
            stream.write(b"new")
            raise ValueError("midway")

    with pytest.raises(ValueError, match="midway"):
        fail_midway()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_file_gets_the_mode_that_open_would_give_it(tmp_path):
    (tmp_path / "plain").write_text("")
    atomic_write_json(tmp_path / "ours", {})
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("plain", "ours")]
    assert modes[0] == modes[1]


def test_a_missing_folder_is_an_output_error_that_names_the_file(tmp_path):
    with pytest.raises(OutputError, match="nowhere"), atomic_write(tmp_path / "nowhere" / "a"):
        pass


def test_a_killed_write_leaves_the_old_file_and_a_leftover_that_can_be_removed(tmp_path):
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


def test_an_output_folder_is_made_and_one_in_use_is_told_apart(tmp_path):
    assert not open_folder(tmp_path / "new" / "deep")
    (tmp_path / "new" / "file").touch()
    assert open_folder(tmp_path / "new")
    for path in ("new/file", "new/file/deeper"):
        with pytest.raises(OutputError, match="is a file, or lies in one"):
            open_folder(tmp_path / path)


def test_equal_json_gives_equal_bytes_whatever_the_order_of_keys(tmp_path):
    atomic_write_json(tmp_path / "a", {"x": 1, "y": [1, 2]})
    atomic_write_json(tmp_path / "b", {"y": [1, 2], "x": 1})
    assert file_sha256(tmp_path / "a") == file_sha256(tmp_path / "b")
