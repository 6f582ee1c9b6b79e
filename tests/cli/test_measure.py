"""The command ``measure``: what it prints, its exit codes, what it leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from market_split import unsolved

from milplib.generators import CombinatorialAuction

from .conftest import fail, run, succeed

AUCTION = CombinatorialAuction(n_items=25, n_bids=80)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with instances, one of them broken, and a measurement of them."""
    place = tmp_path_factory.mktemp("place")
    (place / "ca" / "test").mkdir(parents=True)
    (place / "ca" / "train").mkdir()
    for seed in range(2):
        AUCTION.generate(seed).write(place / "ca" / "test" / f"{seed}.lp")
    AUCTION.generate(9).write(place / "ca" / "train" / "9.lp")
    (place / "ca" / "test" / "broken.lp").write_text("garbage")
    done = run("measure", "ca", "--out", "results", cwd=place)
    assert done.returncode == 0, done.stderr
    (place / "printed").write_text(done.stdout)
    (place / "complained").write_text(done.stderr)
    return place


@pytest.mark.slow
def test_every_level_stands_beside_the_solver_and_its_version(place: Path) -> None:
    lines = (place / "printed").read_text().splitlines()
    assert lines[0].startswith("solved by SCIP 10.")
    assert lines[0].endswith("one thread, limit 60 s, seed 0")
    version = lines[0].split()[3].rstrip(",")
    assert f"level by SCIP {version}" in lines[1]
    rows = {line.split()[0]: line.split() for line in lines[2:4]}
    assert list(rows) == ["ca/test/0.lp", "ca/test/1.lp"]
    assert all(row[-1] == "easy" for row in rows.values())
    text = "\n".join(lines)
    assert "ca: 2 instances, 1 more cannot be read" in text
    for words in (f"levels by SCIP {version}", f"the majority by SCIP {version}"):
        assert words in text
    assert "median" in text
    assert "100 % binary" in text
    assert "set packing" in text
    assert "samples: an estimate" in text
    assert lines[-2:] == ["table: results/hardness.csv", "figure: results/statistics.png"]


def test_no_word_of_gurobi_is_printed(place: Path) -> None:
    assert "gurobi" not in (place / "printed").read_text().lower()


def test_an_instance_that_cannot_be_read_is_named_on_stderr(place: Path) -> None:
    (line,) = (place / "complained").read_text().splitlines()
    assert line.startswith("milplib: not measured: ca/test/broken.lp: ")


def test_the_folder_holds_table_figure_and_manifest(place: Path) -> None:
    names = sorted(path.name for path in (place / "results").iterdir())
    assert names == ["environment.json", "hardness.csv", "manifest.json", "statistics.png"]
    header, *rows = (place / "results" / "hardness.csv").read_text().splitlines()
    assert header.startswith("instance,distribution,solver,level,status,")
    assert len(rows) == 3


@pytest.mark.slow
def test_other_thresholds_need_no_solve_and_other_arguments_are_refused(place: Path) -> None:
    arguments = ["measure", place / "ca", "--out", place / "results"]
    fail(*arguments, "--seed", 1, naming="--force")
    out = succeed(*arguments, "--easy", 1e-6, "--medium", 1e-5, "--hard", 1e-4)
    assert " 2 hard" in out


def test_json_is_all_that_json_prints(place: Path) -> None:
    done = run("measure", place / "ca", "--json", "--time-limit", 30, "--split", "train")
    content = json.loads(done.stdout, parse_constant=pytest.fail)
    assert content["by"].startswith("SCIP")
    assert [row["instance"] for row in content["instances"]] == ["ca/train/9.lp"]
    assert content["instances"][0]["level"] == "easy"
    assert content["folders"][0]["levels"] == {"easy": 1}
    assert content["config"]["judging"]["thresholds"]["limit"] == 3600


def test_statistics_only_solves_nothing(place: Path) -> None:
    done = run("measure", place / "ca", "--statistics-only")
    assert done.returncode == 0, done.stderr
    assert "level" not in done.stdout
    assert "solved" not in done.stdout
    assert "80" in done.stdout
    content = json.loads(run("measure", place / "ca", "--statistics-only", "--json").stdout)
    assert content["by"] == ""
    assert content["instances"][0]["time"] is None


@pytest.mark.slow
def test_highs_is_named_in_place_of_scip(place: Path) -> None:
    pytest.importorskip("highspy")
    out = succeed("measure", place / "ca", "--solver", "highs", "--split", "train")
    assert out.splitlines()[0].startswith("solved by HiGHS 1.")
    assert "SCIP" not in out
    assert "samples: an estimate" not in out


@pytest.mark.parametrize(
    ("arguments", "naming"),
    [
        (["measure"], "FOLDERS"),
        (["measure", "nowhere"], "nowhere"),
        (["measure", "empty"], "no instance files"),
        (["measure", "broken"], "a.lp"),
        (["measure", "broken", "--statistics-only"], "a.lp"),
        (["measure", "ca", "--solver", "gurobi"], "highs"),
        (["measure", "ca", "--split", "tset"], "test"),
        (["measure", "ca", "--time-limit", "0"], "time limit"),
        (["measure", "ca", "--workers", "0"], "workers"),
        (["measure", "ca", "--seed", "-1"], "seed"),
        (["measure", "ca", "--easy", "2000"], "do not ascend"),
        (["measure", "ca", "--gap", "0"], "gap"),
        (["measure", "ca", "--expert-probability", "2"], "probability"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: list[str], naming: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    (place / "empty").mkdir(exist_ok=True)
    (place / "broken").mkdir(exist_ok=True)
    (place / "broken" / "a.lp").write_text("garbage")
    out = ["--out", "x"] if len(arguments) > 1 else []
    fail(*arguments, *out, naming=naming)
    assert not (place / "x").exists()


def test_a_missing_highspy_is_one_line_that_says_what_to_install(place: Path) -> None:
    script = (
        "import sys\nsys.modules['highspy'] = None\n"
        "from milplib.cli import main\nmain(sys.argv[1:])\n"
    )
    command: list[str | Path] = [
        sys.executable,
        "-c",
        script,
        "measure",
        place / "ca",
        "--solver",
        "highs",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "milplib: error: HiGHS is not installed: pip install 'milplib[highs]'"
    ]


def test_help_is_printed() -> None:
    out = succeed("measure", "--help")
    assert "Usage: milplib measure" in out
    assert "--statistics-only" in out


@pytest.mark.slow
def test_ctrl_c_ends_measure_with_130_and_one_word(tmp_path: Path) -> None:
    (tmp_path / "sc").mkdir()
    unsolved().write(tmp_path / "sc" / "a.lp")
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "milplib.cli",
        "measure",
        str(tmp_path / "sc"),
    ]
    process = subprocess.Popen(
        [*command, "--out", str(tmp_path / "r")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "r" / "unfinished" / "manifest.json").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(2.5)  # into the solve
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does it: every process of the group
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert err.splitlines() == ["milplib: interrupted; what was finished is kept"]
