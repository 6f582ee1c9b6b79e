"""Folders and files that may not be written or read; root may, so a child becomes somebody else."""

from __future__ import annotations

# Imported here, since a child without root's rights cannot read a Python in root's home.
import email.parser  # noqa: F401
import os
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest

import milplib.cli
import milplib.learn
from milplib.generators import from_name
from milplib.learn.samples import statistics  # noqa: F401
from milplib.scip import self_test  # noqa: F401

NOBODY = 65534


def as_nobody(arguments: list[Any], stderr: Path) -> int:
    """Run the command line in a forked child without root's rights; give its exit code."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        code: Any = 70
        try:
            if os.getuid() == 0:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            with open(os.devnull, "w") as null:
                os.dup2(null.fileno(), 1)
            os.dup2(os.open(stderr, os.O_WRONLY), 2)
            sys.stderr = os.fdopen(2, "w")
            milplib.cli.main([str(argument) for argument in arguments])
        except SystemExit as end:
            code = end.code
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder that nobody may read but not write, with an instance and an unreadable one."""
    for path in (*tmp_path.parents, tmp_path):
        if path.stat().st_uid == os.getuid() and path.is_relative_to("/tmp"):
            path.chmod(0o755)
    (tmp_path / "i").mkdir()
    from_name("CA-milplib-small").generate(0).write(tmp_path / "i" / "a.lp")
    (tmp_path / "i" / "secret.lp").write_text("")
    (tmp_path / "i" / "secret.lp").chmod(0)
    (tmp_path / "stderr").touch(mode=0o666)
    (tmp_path / "stderr").chmod(0o666)
    return tmp_path


def complaint(place: Path) -> str:
    (line,) = (place / "stderr").read_text().splitlines()
    assert line.startswith("milplib: error: ")
    return line


def test_a_folder_that_may_not_be_written_is_one_line_and_exit_code_2(place: Path) -> None:
    before = sorted(path.name for path in place.iterdir())
    for command in (
        ["generate", "CA-milplib-small", "--count", 1, "--out", place / "out"],
        ["collect", place / "i", "--out", place / "out"],
        ["fetch", "SC-milplib-small", "--split", "test", "--out", place / "out"],
    ):
        (place / "stderr").write_text("")
        assert as_nobody(command, place / "stderr") == 2
        assert "Permission denied" in complaint(place)
    assert sorted(path.name for path in place.iterdir()) == before


def test_a_folder_that_cannot_take_the_results_is_refused_before_any_work(place: Path) -> None:
    # All but the last step of days of work would succeed.
    (place / "out" / "unfinished").mkdir(parents=True)
    (place / "out" / "unfinished").chmod(0o777)
    (place / "out").chmod(0o555)
    command = ["collect", place / "i", "--out", place / "out"]
    assert as_nobody(command, place / "stderr") == 2
    line = complaint(place)
    assert f"cannot write into {place / 'out'}: " in line
    assert not list((place / "out" / "unfinished").iterdir())


def test_a_run_that_goes_on_in_a_read_only_folder_is_refused_before_any_work(place: Path) -> None:
    (place / "out").mkdir()
    (place / "out").chmod(0o777)
    command = ["collect", place / "i", "--out", place / "out" / "s", "--samples-per-instance", 1]
    (place / "out" / "s" / "unfinished").mkdir(parents=True)
    (place / "out" / "s" / "unfinished" / "lock").touch(mode=0o444)
    before = sorted((place / "out").rglob("*"))
    assert as_nobody(command, place / "stderr") == 2
    assert "Permission denied" in complaint(place)
    assert sorted((place / "out").rglob("*")) == before


def test_an_instance_that_may_not_be_read_is_one_line_and_exit_code_2(place: Path) -> None:
    assert as_nobody(["solve", place / "i" / "secret.lp"], place / "stderr") == 2
    assert "Permission denied" in complaint(place)


@pytest.mark.slow
def test_an_instance_that_may_not_be_read_does_not_spoil_the_others(place: Path) -> None:
    (place / "out").mkdir()
    (place / "out").chmod(0o777)
    arguments = [
        "collect",
        place / "i",
        "--out",
        place / "out" / "s",
        "--samples-per-instance",
        1,
        "--expert-probability",
        0.5,
    ]
    assert as_nobody(arguments, place / "stderr") == 0
    outcomes = {
        entry["instance"]: entry["outcome"]
        for entry in milplib.learn.SampleSet(place / "out" / "s").manifest.instances
    }
    assert outcomes == {"i/a.lp": "complete", "i/secret.lp": "unreadable"}


def test_a_folder_that_may_not_be_entered_is_one_line_and_exit_code_2(place: Path) -> None:
    (place / "locked").mkdir()
    (place / "locked").chmod(0o700)
    for command in (
        ["solve", place / "locked" / "a.lp"],
        ["collect", place / "locked", "--out", place / "x"],
        ["samples", "inspect", place / "locked"],
    ):
        (place / "stderr").write_text("")
        assert as_nobody(command, place / "stderr") == 2
        assert "Permission denied" in complaint(place)


def test_a_cache_that_may_not_be_written_is_one_line_and_exit_code_2(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MILPLIB_CACHE", str(place / "cache"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert as_nobody(["fetch", "CA-easy", "--source", place / "i"], place / "stderr") == 2
    assert "--split" in complaint(place)
    (place / "stderr").write_text("")
    command = ["fetch", "CA-easy", "--source", place / "i", "--split", "test"]
    assert as_nobody(command, place / "stderr") == 2
    assert "Permission denied" in complaint(place)


def test_a_file_of_a_source_that_may_not_be_read_is_broken_and_the_others_are_fetched(
    place: Path,
) -> None:
    (place / "out").mkdir()
    (place / "out").chmod(0o777)
    command = ["fetch", "CA-easy", "--source", place / "i", "--split", "test"]
    assert as_nobody([*command, "--out", place / "out"], place / "stderr") == 0
    (line,) = (place / "stderr").read_text().splitlines()
    assert line == "milplib: broken instance: secret.lp: it cannot be read: Permission denied"
    assert [path.name for path in (place / "out" / "test").glob("*.lp")] == ["a.lp"]
