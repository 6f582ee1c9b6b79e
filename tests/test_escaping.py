"""Names are only text in terminals, spreadsheets and outputs."""

from __future__ import annotations

import csv
import io
import os
import socket
from pathlib import Path

import pytest
from command_line import run_forked

from milplib.errors import OutputError, ParameterError
from milplib.escaping import csv_lines, from_spreadsheet, terminal_safe
from milplib.files import atomic_write
from milplib.learn.training.folder import check_policy_target
from milplib.library.cache import Cache

TEXTS = ("=1+1", "+a", "-a", "@x", "\ta", "\ra", "\na", "'=1", "''=1", "'a", "a", "a\rb", 'a"b', "")


def test_texts_come_back_from_a_csv_file_in_which_no_cell_is_a_formula() -> None:
    text = csv_lines(["name", "value"], [{"name": name, "value": -1.5} for name in TEXTS])
    rows = list(csv.reader(io.StringIO(text, newline="")))[1:]
    assert not any(row[0].startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows)
    assert [from_spreadsheet(row[0]) for row in rows] == list(TEXTS)
    assert {row[1] for row in rows} == {"-1.5"}


def test_a_terminal_gets_no_escape_sequence_and_no_reversed_text() -> None:
    assert terminal_safe("a\x1b[2J\x9b\u202eb\n") == "a\\x1b[2J\\x9b\\u202eb\n"


def test_an_error_that_names_a_file_holds_no_escape_sequence(tmp_path: Path) -> None:
    done = run_forked("solve", tmp_path / "\x1b]0;title\x07.lp")
    assert done.returncode == 2
    assert "\x1b" not in done.stderr
    assert "\\x1b]0;title\\x07.lp" in done.stderr


@pytest.mark.parametrize("kind", ["device", "pipe", "socket"])
def test_only_a_regular_file_is_replaced(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out"
    if kind == "device":
        path.symlink_to(os.devnull)
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        listening = socket.socket(socket.AF_UNIX)
        monkeypatch.chdir(tmp_path)  # the path of a socket must be short
        listening.bind("out")
        listening.close()
    before = path.lstat()
    with pytest.raises(OutputError, match="not a regular file"), atomic_write(path):
        pass
    with pytest.raises(OutputError, match="not a regular file"):
        check_policy_target(path, force=True)
    assert path.lstat() == before


def test_an_empty_cache_variable_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILPLIB_CACHE", "")
    with pytest.raises(ParameterError, match="MILPLIB_CACHE is empty"):
        Cache.default()
