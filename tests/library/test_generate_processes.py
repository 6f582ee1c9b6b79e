"""Several processes that generate into one folder, and processes that are killed there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from narrowing import present

from milplib.files import atomic_write, open_folder, remove_leftovers

from .mirrored import command, ended

OWN = "SC-milplib-small"
COUNT = "12"


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.slow
def test_processes_that_generate_into_one_folder_end_with_the_right_bytes(tmp_path: Path) -> None:
    arguments = ("generate", OWN, "--count", COUNT, "--out")
    alone = command(*arguments, str(tmp_path / "alone"))
    together = [command(*arguments, str(tmp_path / "out")) for _ in range(2)]
    for code, stdout, stderr in map(ended, (alone, *together)):
        assert code == 0, stderr
        assert f"{COUNT} instances of {OWN}" in stdout
    assert files(tmp_path / "out" / "train") == files(tmp_path / "alone" / "train")


@pytest.mark.slow
def test_another_data_set_waits_and_is_then_refused_in_one_line(tmp_path: Path) -> None:
    arguments = ("generate", OWN, "--count", COUNT, "--out", str(tmp_path))
    both = [command(*arguments, "--seed", seed) for seed in "12"]
    (first, second) = sorted(map(ended, both))
    assert first[0] == 0, first
    assert second[0] == 2
    assert second[2].count("\n") == 1
    assert "holds other instances" in second[2]


WRITER = """
import sys, time
from pathlib import Path
from milplib.files import atomic_write
with atomic_write(Path(sys.argv[1])) as stream:
    stream.write(b"begun")
    stream.flush()
    print("begun", flush=True)
    sys.stdin.readline()
"""


@pytest.mark.parametrize("killed", [True, False])
def test_temporary_files_of_the_living_stay_and_those_of_the_dead_go(
    tmp_path: Path, killed: bool
) -> None:
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path / "a")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert present(writer.stdout).readline() == "begun\n"
    assert len(os.listdir(tmp_path)) == 1
    if killed:
        writer.send_signal(signal.SIGKILL)
        writer.wait()
    remove_leftovers(tmp_path)
    open_folder(tmp_path)
    assert len(os.listdir(tmp_path)) == (0 if killed else 1)
    writer.communicate("\n" if not killed else None)
    assert os.listdir(tmp_path) == ([] if killed else ["a"])


def test_names_as_long_as_the_file_system_allows_are_written(tmp_path: Path) -> None:
    for name in ("x" * 255, "Ж" * 127):
        with atomic_write(tmp_path / name) as stream:
            stream.write(b"content")
        assert (tmp_path / name).read_bytes() == b"content"
