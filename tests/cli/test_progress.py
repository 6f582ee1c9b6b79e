"""Long commands outside a terminal print a line now and then, on stderr only."""

from __future__ import annotations

import io
import re
import threading
from pathlib import Path

import pytest

from milplib.cli.progress_lines import INTERVAL, ProgressLines, seconds_between_lines
from milplib.errors import ParameterError

from .conftest import fail, run


def lines_of(*states: tuple[int, int | None, str]) -> list[str]:
    """Lines of a job that waits for one line after each state."""

    class Stream(io.StringIO):
        def write(self, text: str) -> int:
            written = super().write(text)
            printed.set()
            return written

    printed, stream = threading.Event(), Stream()
    with ProgressLines("working", seconds=0.01, stream=stream) as progress:
        for state in states:
            progress.update(*state)
            printed.clear()
            assert printed.wait(60)
    return stream.getvalue().splitlines()


def test_lines_come_while_nothing_is_reported_and_tell_the_last_state() -> None:
    lines = lines_of((0, 4, ""), (3, 4, "1 failed"), (3, None, "MB of [bold]a.zip"))
    assert all(re.match(r"milplib: working for \d+:\d\d:\d\d: ", line) for line in lines)
    told = [line.split(": ", 2)[2] for line in lines]
    assert {"0 of 4 (0 %)", "3 of 4 (75 %), 1 failed"} <= set(told)
    assert told[-1] == "3, MB of [bold]a.zip"


def test_a_short_job_and_an_interval_of_zero_print_nothing() -> None:
    for seconds in (1e6, 0.0):
        stream = io.StringIO()
        with ProgressLines("working", seconds=seconds, stream=stream) as progress:
            progress.update(1, 2)
        assert stream.getvalue() == ""


def test_a_stream_that_was_closed_does_not_stop_the_work() -> None:
    stream = io.StringIO()
    stream.close()
    with ProgressLines("working", seconds=0.001, stream=stream) as progress:
        progress._thread.join(60)
        assert not progress._thread.is_alive()
        progress.update(1, 2)


@pytest.mark.parametrize("text", ["soon", "-1", "nan", "inf"])
def test_an_interval_that_is_no_number_of_seconds_is_refused(
    text: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(INTERVAL, text)
    with pytest.raises(ParameterError, match=INTERVAL):
        seconds_between_lines()
    fail("generate", "CA-milplib-small", "--out", tmp_path / "x", naming=INTERVAL)


def test_a_piped_command_prints_lines_on_stderr_and_its_results_on_stdout(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(INTERVAL, "0.02")
    done = run("generate", "CA-medium", "--count", 6, "--out", tmp_path / "ca")
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    assert lines
    for line in lines:
        assert re.match(r"milplib: generating CA-medium for \d+:\d\d:\d\d", line)
    assert len(done.stdout.splitlines()) == 1
