"""The commands ``evaluate`` and ``report``: what they print, their exit codes, what they leave."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from market_split import market_split, unsolved

from milplib.evaluation import Evaluation
from milplib.evaluation.table import read_table, write_table
from milplib.files import file_sha256

from .conftest import fail, run


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with instances, a policy of a user's own, and results of a first evaluation."""
    place = tmp_path_factory.mktemp("place")
    (place / "ca" / "test").mkdir(parents=True)
    (place / "ca" / "train").mkdir()
    for seed in range(2):
        market_split(seed, n_columns=12).write(place / "ca" / "test" / f"{seed}.lp")
    market_split(9, n_columns=12).write(place / "ca" / "train" / "9.lp")
    (place / "mine.py").write_text(
        "import os\nimport numpy as np\nfrom milplib.scip import VariableFeature\n"
        "def good(state):\n"
        "    fraction = state.variable_features[state.candidates, VariableFeature.FRACTIONALITY]\n"
        "    return -np.abs(fraction - 0.5)\n"
        "def bad(state):\n    os._exit(3)\n"
    )
    done = run(
        "evaluate", "ca", "--policy", "mine:good", "mine:bad", "pscost", "--setting",
        "learn2branch", "--time-limit", 60, "--out", "results", cwd=place,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    (place / "printed").write_text(done.stdout)
    return place


def test_the_table_shows_every_policy_with_ratio_interval_and_failures(place: Path) -> None:
    lines = (place / "printed").read_text().splitlines()
    assert lines[0] == "ca: 2 instances, 1 seed, ratios to relpscost"
    words = {line.split()[0]: line.split() for line in lines[2:6]}
    assert list(words) == ["good", "bad", "pscost", "relpscost"]
    assert words["good"][1] == "2/2"
    assert words["bad"][1:4] == ["0/2", "60.0", words["bad"][3]]
    assert words["bad"][-2:] == ["2", "crash"]
    assert "to" in words["pscost"]
    text = "\n".join(lines)
    assert "good against each" in text
    assert "failed: bad: 2 crash, such as ca/test/" in text
    assert "exit code 3" in text
    assert lines[-1] == "report: results/report.html"


def test_of_split_folders_test_is_taken(place: Path) -> None:
    names = Evaluation.load(place / "results").table.column("instance").to_pylist()
    assert {name.split("/")[1] for name in names} == {"test"}
    assert sorted(path.name for path in (place / "results").iterdir()) == [
        "environment.json",
        "manifest.json",
        "report.html",
        "runs.csv",
        "runs.parquet",
        "traces.parquet",
    ]


@pytest.mark.slow
def test_report_writes_the_page_again(place: Path) -> None:
    page = place / "results" / "report.html"
    before = page.read_text()
    page.unlink()
    done = run("report", "results", cwd=place)
    assert done.returncode == 0, done.stderr
    assert page.read_text() == before
    names = {path.name for path in (place / "results").iterdir()}
    assert {"summary.csv", "summary.tex", "figures"} <= names
    assert {path.suffix for path in (place / "results" / "figures").iterdir()} == {".png", ".pdf"}
    assert done.stdout.splitlines()[:6] == (place / "printed").read_text().splitlines()[:6]


def test_other_arguments_for_the_same_folder_are_refused(place: Path) -> None:
    arguments = ["evaluate", place / "ca", "--policy", "pscost", "--out", place / "results"]
    fail(*arguments, naming="--force")


def copied(place: Path, folder: Path) -> Path:
    folder.mkdir()
    for path in filter(Path.is_file, (place / "results").iterdir()):
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


@pytest.mark.slow
def test_two_optimal_values_are_an_error_and_exit_code_1(place: Path, tmp_path: Path) -> None:
    folder = copied(place, tmp_path / "r")
    table = read_table(folder / "runs.parquet")
    objectives = [
        None if value is None else value + (policy == "pscost")
        for value, policy in zip(
            table.column("objective").to_pylist(), table.column("policy").to_pylist(), strict=True
        )
    ]
    column = pa.array(objectives, pa.float64())
    write_table(
        table.set_column(table.column_names.index("objective"), "objective", column), folder
    )
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["runs.parquet"] = file_sha256(folder / "runs.parquet")
    (folder / "manifest.json").write_text(json.dumps(manifest))
    done = run("report", folder)
    assert done.returncode == 1
    assert "milplib: error: contradiction on ca/test/0.lp" in done.stderr
    assert "pscost" in done.stderr
    assert "Error:" in (folder / "report.html").read_text()


@pytest.mark.parametrize("name", ["runs.parquet", "traces.parquet"])
def test_a_table_of_another_checksum_than_the_manifests_is_not_reported(
    name: str, place: Path, tmp_path: Path
) -> None:
    folder = copied(place, tmp_path / "r")
    table = pq.read_table(folder / name)
    pq.write_table(table.slice(0, len(table) - 1), folder / name)  # valid, and another one
    fail("report", folder, naming=f"{name} is damaged: its SHA-256 is not the one in manifest.json")


@pytest.mark.slow
def test_results_that_are_not_finished_are_reported_as_such(place: Path, tmp_path: Path) -> None:
    folder = tmp_path / "r"
    (folder / "unfinished").mkdir(parents=True)
    manifest = json.loads((place / "results" / "manifest.json").read_text())
    (folder / "unfinished" / "manifest.json").write_text(json.dumps(manifest | {"files": {}}))
    done = run("report", folder)
    assert done.returncode == 0, done.stderr
    assert "0 of 8 runs" in done.stdout
    rows = Evaluation.load(place / "results").table.to_pylist()
    first = [row for row in rows if row["instance"] == "ca/test/0.lp"]
    (folder / "unfinished" / "000000.json").write_text(json.dumps({"rows": first}))
    (folder / "unfinished" / "000001.json").write_text('{"rows": [')  # cut off
    done = run("report", folder)
    assert done.returncode == 0, done.stderr
    assert "not finished: 4 of 8 runs are there" in done.stdout
    assert "4 of 8 runs are there" in (folder / "report.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "naming"),
    [
        (["evaluate", "nowhere", "--policy", "pscost", "--out", "x"], "nowhere"),
        (["evaluate", "empty", "--policy", "pscost", "--out", "x"], "no instance files"),
        (["evaluate", "ca", "--policy", "pscots", "--out", "x"], "pscost"),
        (["evaluate", "ca", "--policy", "a.safetensors", "--out", "x"], "a.safetensors"),
        (["evaluate", "ca", "--policy", "mine:none", "--out", "x"], "mine:none"),
        (["evaluate", "ca", "--policy", "pscost"], "--out"),
        (["evaluate", "ca", "--out", "x"], "--policy"),
        (["evaluate", "ca", "--policy", "pscost", "--out", "x", "--seeds", "0"], "seeds"),
        (["evaluate", "ca", "--policy", "pscost", "--out", "x", "--time-limit", "0"], "limit"),
        (["evaluate", "ca", "--policy", "pscost", "--out", "x", "--workers", "0"], "workers"),
        (["evaluate", "ca", "--policy", "pscost", "--out", "x", "--setting", "s"], "learn2branch"),
        (["evaluate", "broken", "--policy", "pscost", "--out", "x"], "a.lp"),
        (["report", "nowhere"], "nowhere"),
        (["report", "empty"], "manifest.json"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: list[str], naming: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    (place / "empty").mkdir(exist_ok=True)
    (place / "broken").mkdir(exist_ok=True)
    (place / "broken" / "a.lp").write_text("garbage")
    fail(*arguments, naming=naming)
    assert not (place / "x").exists()


@pytest.mark.parametrize("command", ["evaluate", "report"])
def test_help_is_printed(command: str) -> None:
    done = run(command, "--help")
    assert done.returncode == 0
    assert "Usage: milplib" in done.stdout


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.slow
def test_ctrl_c_ends_evaluate_with_130_and_one_word(
    workers: int, place: Path, tmp_path: Path
) -> None:
    (tmp_path / "sc").mkdir()
    unsolved().write(tmp_path / "sc" / "a.lp")
    command = [sys.executable, "-m", "milplib.cli", "evaluate", str(tmp_path / "sc")]
    command += ["--policy", "pscost", "--out", str(tmp_path / "r"), "--workers", str(workers)]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "r" / "unfinished" / "manifest.json").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(2.5)  # into the first solve
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does it: every process of the group
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert out == ""
    assert err.splitlines() == ["milplib: interrupted; what was finished is kept"]
