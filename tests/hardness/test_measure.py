"""Measurements with real solves: what they give, what they survive, what they refuse."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from market_split import unsolved
from narrowing import present

from milplib.errors import (
    InstanceError,
    OutputError,
    ParameterError,
    ResultsError,
    UnknownNameError,
)
from milplib.generators import CombinatorialAuction
from milplib.hardness import COLUMNS, ROW_KINDS, HardnessResults, LevelThresholds, measure
from milplib.hardness.results import Judging
from milplib.hardness.run import HardnessTask, run_task
from milplib.hardness.summary import summarise
from milplib.hardness.table import read_rows

AUCTION = CombinatorialAuction(n_items=25, n_bids=80)
CHANGING = {"time", "primal_dual_integral", "peak_memory"}
"""Columns that two equal measurements may differ in."""


@pytest.fixture(scope="module")
def auctions(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("data") / "ca"
    folder.mkdir()
    for seed in range(2):
        AUCTION.generate(seed).write(folder / f"{seed}.lp")
    return folder


def content(folder: Path) -> Any:
    """Files by name but the one that says where and when they were made."""
    files = (path for path in folder.iterdir() if path.is_file())
    return {path.name: path.read_bytes() for path in files if path.name != "environment.json"}


def lasting(results: Any) -> Any:
    kept = [name for name in COLUMNS if name not in CHANGING]
    return [{name: row[name] for name in kept} for row in results.rows]


@pytest.fixture(scope="module")
def plain(auctions: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A measurement in which nothing happens."""
    out = tmp_path_factory.mktemp("plain") / "results"
    seen: list[Any] = []
    results = measure([auctions], out=out, on_progress=seen.append)
    assert [(p.done, p.total, p.failed) for p in seen] == [(0, 2, 0), (1, 2, 0), (2, 2, 0)]
    return results, out


def test_every_instance_is_a_row_with_its_level_and_the_solver_beside_it(plain: Any) -> None:
    results, out = plain
    assert results.by.startswith("SCIP 10.")
    assert sorted(content(out)) == ["hardness.csv", "manifest.json", "statistics.png"]
    assert [row["instance"] for row in results.rows] == ["ca/0.lp", "ca/1.lp"]
    for row in results.rows:
        assert list(row) == list(COLUMNS)
        assert (row["status"], row["failure"], row["level"]) == ("optimal", "", "easy")
        assert (row["solver"], row["distribution"]) == (results.by, "ca")
        assert row["time"] > 0
        assert row["nodes"] >= 1
        assert row["expected_samples"] == pytest.approx(0.05 * row["branchings"])
        assert sum(row[f"{kind}_rows"] for kind in ROW_KINDS) == row["rows"]
        assert row["binary"] == row["columns"] == 80
    (summary,) = results.summaries()
    assert (summary.instances, summary.solved, summary.levels) == (2, 2, {"easy": 2})
    assert summary.majority == "easy"
    assert summary.time_median > 0
    assert summary.column_kinds == {"binary": 1.0}
    assert sum(summary.row_kinds.values()) == pytest.approx(1.0)


def test_the_table_is_read_as_it_was_written(plain: Any) -> None:
    results, out = plain
    assert HardnessResults.load(out).rows == results.rows
    assert tuple(read_rows(out / "hardness.csv")) == results.rows


@pytest.mark.slow
def test_without_a_folder_nothing_is_written_and_the_rows_are_the_same(
    plain: Any, auctions: Any, tmp_path: Path
) -> None:
    results, _ = plain
    before = {path for path in auctions.parent.rglob("*")}
    assert lasting(measure([auctions])) == lasting(results)
    assert {path for path in auctions.parent.rglob("*")} == before


def test_the_same_call_on_finished_results_solves_nothing_and_changes_nothing(
    plain: Any, auctions: Any
) -> None:
    results, out = plain
    times = {path.name: path.stat().st_mtime_ns for path in out.iterdir()}
    assert measure([auctions], out=out).rows == results.rows
    assert {path.name: path.stat().st_mtime_ns for path in out.iterdir()} == times


def test_other_thresholds_judge_anew_without_a_solve(
    plain: Any, auctions: Any, tmp_path: Path
) -> None:
    results, out = plain
    copy = tmp_path / "copy"
    copy.mkdir()
    for name, data in content(out).items():
        (copy / name).write_bytes(data)
    tight = LevelThresholds(easy=1e-5, medium=1e-4, limit=1.0)
    again = measure([auctions], out=copy, thresholds=tight, expert_probability=1.0)
    assert [row["level"] for row in again.rows] == ["hard", "hard"]
    assert [row["expected_samples"] for row in again.rows] == [
        float(row["branchings"]) for row in results.rows
    ]
    assert [row["time"] for row in again.rows] == [row["time"] for row in results.rows]
    assert HardnessResults.load(copy).judging.thresholds == tight


def test_other_arguments_are_refused_and_change_nothing(plain: Any, auctions: Any) -> None:
    _, out = plain
    before = content(out)
    for other in ({"seed": 1}, {"time_limit": 61}, {"solver": None}):
        with pytest.raises(OutputError, match=r"holds another measurement.*--force"):
            measure([auctions], **other, out=out)
    assert content(out) == before


def test_statistics_alone_solve_nothing(auctions: Any, tmp_path: Path) -> None:
    results = measure([auctions], solver=None, out=tmp_path / "r")
    assert results.by == ""
    for row in results.rows:
        assert (row["status"], row["failure"], row["level"], row["solver"]) == ("",) * 4
        assert row["time"] is None
        assert present(row["rows"]) > 0
    (summary,) = results.summaries()
    assert (summary.solved, summary.levels, summary.majority) == (0, {}, "")
    assert (tmp_path / "r" / "statistics.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_a_solve_that_meets_its_limit_has_a_level_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "sc").mkdir()
    unsolved().write(tmp_path / "sc" / "a.lp")
    (row,) = measure([tmp_path / "sc"], time_limit=1).rows
    assert (row["status"], row["failure"]) == ("timelimit", "timelimit")
    assert row["level"] == "not solved in 1 s"
    quick = LevelThresholds(easy=0.1, medium=0.2, limit=0.9, gap=1e-6)
    (row,) = measure([tmp_path / "sc"], time_limit=1, thresholds=quick).rows
    assert row["level"] == "ext-hard"


def test_an_unreadable_instance_is_a_row_with_the_reason(auctions: Any, tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    (folder / "broken.lp").write_text("maximize\nOBJ: x1 +")
    (folder / "good.lp").write_bytes((auctions / "0.lp").read_bytes())
    results = measure([folder], out=tmp_path / "r")
    broken, good = results.rows
    assert (broken["status"], broken["failure"], broken["level"]) == ("unreadable",) * 2 + ("",)
    assert str(tmp_path) not in broken["failure_detail"]
    assert good["level"] == "easy"
    assert list(results.unread) == ["mixed/broken.lp"]
    (summary,) = results.summaries()
    assert (summary.instances, summary.unread, summary.failed) == (1, 1, 0)


@pytest.mark.parametrize("solver", ["scip", None])
def test_only_unreadable_instances_are_an_error_and_leave_nothing(
    solver: str | None, tmp_path: Path
) -> None:
    folder = tmp_path / "i"
    folder.mkdir()
    (folder / "a.lp").write_bytes(b"\0\1\2garbage")
    for out in (tmp_path / "r", None):
        with pytest.raises(InstanceError, match="none of the 1"):
            measure([folder], solver=solver, out=out)
    assert not (tmp_path / "r").exists()


def test_a_solve_that_dies_or_hangs_keeps_its_statistics_and_has_no_level(auctions: Any) -> None:
    """A process that is given no time at all is killed before it can answer."""
    from milplib.library.evaluated import evaluated_instances

    instance = evaluated_instances([auctions])[0]
    task = HardnessTask(
        instance=instance, solver="scip", label="SCIP", time_limit=1e-6, grace=1e-6, seed=0
    )
    row = run_task(task)
    assert (row["status"], row["failure"]) == ("killed", "timelimit")
    assert present(row["rows"]) > 0
    judged = Judging(thresholds=LevelThresholds()).judged(row)
    assert judged["level"] == ""
    (summary,) = summarise([judged])
    assert (summary.failed, summary.levels, summary.time_median) == (1, {}, 1e-6)


def test_highs_measures_too_and_its_level_names_it(auctions: Any, tmp_path: Path) -> None:
    pytest.importorskip("highspy")
    results = measure([auctions], solver="highs", out=tmp_path / "r")
    assert results.by.startswith("HiGHS 1.")
    for row in results.rows:
        assert (row["level"], row["solver"]) == ("easy", results.by)
        assert row["branchings"] is None
        assert row["expected_samples"] is None


def test_the_split_that_is_asked_for_is_taken(auctions: Any, tmp_path: Path) -> None:
    for split, number in (("train", 0), ("test", 1)):
        (tmp_path / "ca" / split).mkdir(parents=True)
        data = (auctions / f"{number}.lp").read_bytes()
        (tmp_path / "ca" / split / f"{split}.lp").write_bytes(data)
    for split in ("train", "test"):
        (row,) = measure([tmp_path / "ca"], split=split, solver=None).rows
        assert row["instance"] == f"ca/{split}/{split}.lp"


@pytest.mark.parametrize(
    ("option", "error"),
    [
        ({"workers": 0}, ParameterError),
        ({"seed": -1}, ParameterError),
        ({"time_limit": 0}, ParameterError),
        ({"time_limit": float("inf")}, ParameterError),
        ({"grace": 0}, ParameterError),
        ({"solver": "gurobi"}, UnknownNameError),
        ({"split": "tset"}, UnknownNameError),
        ({"expert_probability": 0}, ParameterError),
        ({"samples_per_instance": 0}, ParameterError),
    ],
)
def test_arguments_outside_their_domain_are_refused_before_anything_is_written(
    option: dict[str, Any], error: Any, auctions: Any, tmp_path: Path
) -> None:
    with pytest.raises(error):
        measure([auctions], **{"out": tmp_path / "r"} | option)
    assert not (tmp_path / "r").exists()


SCRIPT = """
import sys
from milplib.hardness import measure
if __name__ == "__main__":
    measure([sys.argv[1]], out=sys.argv[2])
"""


@pytest.mark.slow
def test_a_killed_measurement_goes_on_to_the_same_rows(
    plain: Any, auctions: Any, tmp_path: Path
) -> None:
    results, _ = plain
    script, out = tmp_path / "script.py", tmp_path / "r"
    script.write_text(SCRIPT)
    command = [sys.executable, str(script), str(auctions), str(out)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    first = out / "unfinished" / "000000.json"
    deadline = time.monotonic() + 120
    while not first.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(timeout=60)
    written = json.loads(first.read_text())["row"]
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    found = HardnessResults.load(out)
    assert found.rows[0]["time"] == written["time"]
    assert lasting(found) == lasting(results)


@pytest.mark.slow
def test_two_workers_give_the_same_rows_up_to_times(
    plain: Any, auctions: Any, tmp_path: Path
) -> None:
    results, _ = plain
    assert lasting(measure([auctions], workers=2, out=tmp_path / "r")) == lasting(results)


def test_a_file_that_only_has_the_name_of_ours_is_never_replaced(
    auctions: Any, tmp_path: Path
) -> None:
    (tmp_path / "hardness.csv").write_text("years of work")
    for force in (False, True):
        with pytest.raises(OutputError):
            measure([auctions], out=tmp_path, force=force)
    assert content(tmp_path) == {"hardness.csv": b"years of work"}


@pytest.mark.slow
def test_force_replaces_a_measurement_and_nothing_else(
    plain: Any, auctions: Any, tmp_path: Path
) -> None:
    measure([auctions], solver=None, out=tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    assert measure([auctions], out=tmp_path, force=True).by
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("hardness.csv", "instance,rows\na,1\n", "no table of a measurement"),
        ("hardness.csv", None, "cannot read"),
        ("manifest.json", "{", "damaged"),
        ("manifest.json", '{"format": "milplib-evaluation"}', "not a manifest of a milplib"),
    ],
)
def test_results_that_are_damaged_are_refused(
    name: str, text: str | None, words: str, plain: Any, tmp_path: Path
) -> None:
    _, out = plain
    for file, data in content(out).items():
        (tmp_path / file).write_bytes(data)
    (tmp_path / name).unlink()
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(ResultsError, match=words):
        HardnessResults.load(tmp_path)


@pytest.mark.slow
def test_the_figure_is_the_same_every_time_and_survives_rows_without_numbers(
    plain: Any, tmp_path: Path
) -> None:
    from milplib.hardness.figure import write_figure

    results, out = plain
    write_figure(results, tmp_path / "again.png")
    assert (tmp_path / "again.png").read_bytes() == (out / "statistics.png").read_bytes()
    judging = Judging(thresholds=LevelThresholds())
    nothing = judging.judged({"distribution": "x", "failure": "crash", "solver": "SCIP 1"})
    bare = HardnessResults(rows=(nothing,), config=results.config, software={})
    write_figure(bare, tmp_path / "bare.png")
    assert (tmp_path / "bare.png").stat().st_size > 0
