"""An evaluation into a folder that holds one: resumed, replaced, refused."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from milplib.errors import (
    OutputError,
    ResultsError,
)
from milplib.evaluation import Evaluation, evaluate
from milplib.evaluation.traces import traces_by_run

from .conftest import content, lasting


def test_the_same_call_on_finished_results_runs_nothing_and_changes_nothing(
    plain: tuple[Evaluation, Path], markets: Path
) -> None:
    results, out = plain
    times = {path.name: path.stat().st_mtime_ns for path in out.iterdir()}
    again = evaluate([markets], policies=["pscost"], seeds=[3], time_limit=60, out=out)
    assert again.table.equals(results.table)
    assert {path.name: path.stat().st_mtime_ns for path in out.iterdir()} == times


def test_other_arguments_are_refused_and_change_nothing(
    plain: tuple[Evaluation, Path], markets: Path, misbehaving: str
) -> None:
    _, out = plain
    before = content(out)
    given: dict[str, Any] = {"policies": ["pscost"], "seeds": [3], "time_limit": 60}
    for other in (
        {"policies": ["random"]},
        {"policies": [f"{misbehaving}:good"]},
        {"seeds": [4]},
        {"time_limit": 61},
        {"setting": "learn2branch"},
        {"baseline": "pscost"},
    ):
        with pytest.raises(OutputError, match=r"holds another evaluation.*--force"):
            evaluate([markets], **given | other, out=out)
    assert content(out) == before


@pytest.mark.slow
def test_force_replaces_an_evaluation_and_nothing_else(markets: Path, tmp_path: Path) -> None:
    one = tmp_path / "one"
    one.mkdir()
    (one / "a.lp").write_bytes((markets / "0.lp").read_bytes())
    out = tmp_path / "r"
    evaluate([one], policies=["pscost"], time_limit=60, out=out)
    (out / "notes.txt").write_text("mine")
    results = evaluate([one], policies=["random"], time_limit=60, out=out, force=True)
    assert results.policies == ("random", "relpscost")
    assert (out / "notes.txt").read_text() == "mine"
    assert not (out / "unfinished").exists()


@pytest.mark.parametrize("name", ["runs.csv", "report.html", "manifest.json"])
def test_a_file_that_only_has_the_name_of_ours_is_never_replaced(
    name: str, markets: Path, tmp_path: Path
) -> None:
    (tmp_path / name).write_text("years of work")
    for force in (False, True):
        with pytest.raises(OutputError):
            evaluate([markets], policies=["pscost"], out=tmp_path, force=force)
    assert content(tmp_path) == {name: b"years of work"}


SCRIPT = """
import sys
from milplib.evaluation import evaluate
if __name__ == "__main__":
    evaluate([sys.argv[1]], policies=["pscost"], seeds=[3], time_limit=60, out=sys.argv[2],
             workers=int(sys.argv[3]))
"""


@pytest.mark.parametrize(("how", "workers"), [(signal.SIGKILL, 1), (signal.SIGINT, 2)])
@pytest.mark.slow
def test_a_killed_evaluation_goes_on_to_the_same_table(
    plain: tuple[Evaluation, Path], markets: Path, tmp_path: Path, how: Any, workers: int
) -> None:
    results, _ = plain
    script, out = tmp_path / "script.py", tmp_path / "r"
    script.write_text(SCRIPT)
    command = [sys.executable, str(script), str(markets), str(out), str(workers)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list((out / "unfinished").glob("0*.json")) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, how)
    process.wait(timeout=60)
    finished = {path: path.stat().st_mtime_ns for path in (out / "unfinished").glob("0*.json")}
    assert len(finished) == 1
    partial = Evaluation.load(out)
    assert not partial.is_complete
    assert len(partial.table) == 2 * len(finished)
    assert len(traces_by_run(partial.traces)) == 2 * len(finished)
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert lasting(Evaluation.load(out)) == lasting(results)


@pytest.mark.slow
def test_one_worker_needs_no_main_guard_in_a_script_and_two_are_told_so(
    markets: Path, tmp_path: Path
) -> None:
    """Functions of the script are policies either way."""
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\n"
        "from milplib.evaluation import evaluate\n"
        "factor = -1\n"
        "def own(state):\n"
        "    return factor * state.candidates\n"
        f"results = evaluate({str(markets)!r}, policies=[own], time_limit=60,\n"
        f"    out={str(tmp_path / 'r')!r}, workers=int(sys.argv[1]))\n"
        "print(set(results.table.column('failure').to_pylist()))\n"
    )

    def run(workers: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(script), workers]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    several = run("2")
    assert several.returncode != 0
    assert "__main__" in several.stderr.splitlines()[-1]
    assert several.stderr.count("Traceback") == 1
    one = run("1")
    assert (one.returncode, one.stdout, one.stderr) == (0, "{''}\n", "")


def test_results_that_are_damaged_are_refused(
    plain: tuple[Evaluation, Path], tmp_path: Path
) -> None:
    _, out = plain
    copy = tmp_path / "copy"
    copy.mkdir()
    for name, data in content(out).items():
        (copy / name).write_bytes(data)
    (copy / "runs.parquet").unlink()
    with pytest.raises(ResultsError, match=r"runs\.parquet"):
        Evaluation.load(copy)
