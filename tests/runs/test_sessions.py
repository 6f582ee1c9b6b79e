"""Where and when a run ran is written beside its results, session by session."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
from narrowing import present

from milplib.errors import MilplibWarning
from milplib.runs.record import read_progress, read_sessions
from milplib.scip.native import native_status

from .trials import HOLDER, N_TASKS, begin, complete, trial


def test_where_it_ran_is_written_beside_the_results_session_by_session(tmp_path: Path) -> None:
    begin(tmp_path / "job")
    (first,) = read_sessions(tmp_path / "job" / "unfinished")
    assert (first["tasks"], first["host"]) == (1, os.uname().nodename)
    assert first["end"]
    complete(tmp_path / "job")
    assert read_sessions(tmp_path / "job")[0] == first
    assert [session["tasks"] for session in read_sessions(tmp_path / "job")] == [1, 2]
    assert "environment" not in (tmp_path / "job" / "manifest.json").read_text()


def test_a_killed_session_has_the_counts_of_its_last_task_and_no_end(
    tmp_path: Path, holder: Any
) -> None:
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    progress = read_progress(tmp_path / "job" / "unfinished")
    complete(tmp_path / "job")
    first, second = read_sessions(tmp_path / "job")
    assert (first["tasks"], first["end"], second["tasks"]) == (1, "", 2)
    assert first["seconds"] == present(progress)["seconds"] > 0


def test_a_clock_that_jumped_changes_nothing(tmp_path: Path) -> None:
    begin(tmp_path / "job")
    unfinished = tmp_path / "job" / "unfinished"
    environment = json.loads((unfinished / "environment.json").read_text())
    environment["stretches"][0] |= {"begin": "2099-01-01T00:00:00Z", "end": "1970-01-01T00:00:00Z"}
    (unfinished / "environment.json").write_text(json.dumps(environment))
    for number, path in enumerate(sorted(unfinished.iterdir())):
        os.utime(path, (4e9 if number % 2 else 0,) * 2)
    before = read_progress(unfinished)
    job = trial(tmp_path / "job")
    with job.claim(force=False):
        job.work(range(N_TASKS))
        now = read_progress(unfinished)
        job.finish()
    assert present(now)["tasks"] == N_TASKS
    assert present(now)["seconds"] == pytest.approx(
        present(before)["seconds"] + present(now)["stretch"]["seconds"], abs=2e-3
    )
    assert (tmp_path / "job" / "result.txt").read_text() == "[0, 1, 2]"


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"format": "other"}', '{"stretches": [1]}'])
@pytest.mark.parametrize("name", ["environment.json", "progress.json"])
def test_a_damaged_record_of_where_it_ran_stops_nothing(
    tmp_path: Path, name: str, damage: str
) -> None:
    begin(tmp_path / "job")
    (tmp_path / "job" / "unfinished" / name).write_text(damage)
    complete(tmp_path / "job")
    assert read_sessions(tmp_path / "job")[-1]["tasks"] == 2


def test_to_go_on_with_other_code_that_extracts_states_is_a_warning(tmp_path: Path) -> None:
    if native_status().module is None:
        pytest.skip("the native code is not there")
    code = HOLDER.replace("time.sleep(600)", "")
    command: list[str | Path] = [
        sys.executable,
        "-c",
        code,
        Path(__file__).parent,
        tmp_path / "job",
    ]
    environment = os.environ | {"MILPLIB_NATIVE": "0"}
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    with pytest.warns(MilplibWarning, match="began with pure extraction .* goes on with native"):
        complete(tmp_path / "job")
    first, second = read_sessions(tmp_path / "job")
    assert (first["extraction"], first["instructions"]) == ("pure", "")
    assert second["extraction"] == "native"
    assert second["instructions"]


def test_the_same_code_is_no_warning(tmp_path: Path) -> None:
    begin(tmp_path / "job")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        complete(tmp_path / "job")
