"""Evaluations with real solves: what they give, what they survive, what they refuse."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from market_split import unsolved

from milplib.errors import (
    InstanceError,
    ParameterError,
    UnknownNameError,
)
from milplib.evaluation import COLUMNS, Evaluation, evaluate
from milplib.evaluation.traces import traces_by_run

from .conftest import CHANGING, by_policy, lasting


def test_every_policy_runs_on_every_instance_with_every_seed(
    plain: tuple[Evaluation, Path],
) -> None:
    results, out = plain
    rows = results.table.to_pylist()
    found = [(row["seed"], row["instance"], row["policy"]) for row in rows]
    assert found == [
        (3, f"ms/{number}.lp", policy) for number in (0, 1) for policy in ("pscost", "relpscost")
    ]
    assert results.is_complete
    assert sorted(path.name for path in out.iterdir()) == [
        "environment.json",
        "manifest.json",
        "report.html",
        "runs.csv",
        "runs.parquet",
        "traces.parquet",
    ]
    for row in rows:
        assert (row["status"], row["failure"], row["distribution"]) == (
            "optimal",
            "",
            "ms",
        )
        assert row["time"] > 0
        assert row["cpu_time"] > 0
        assert row["nodes"] >= 1
        assert row["fair_nodes"] >= row["nodes"]
        assert row["instance_hash"]
        assert row["time_limit"] == 60
    orders: dict[Any, Any] = {}
    for row in rows:
        orders.setdefault((row["instance"], row["seed"]), []).append(row["order"])
    assert all(sorted(order) == [0, 1] for order in orders.values())
    relpscost = by_policy(results)["relpscost"]
    assert sum(row["strong_branching_iterations"] for row in relpscost) > 0


def test_the_bounds_of_every_run_are_kept_over_time(plain: tuple[Evaluation, Path]) -> None:
    results, _ = plain
    traces = traces_by_run(results.traces)
    rows = results.table.to_pylist()
    assert set(traces) == {(row["policy"], row["instance"], row["seed"]) for row in rows}
    for row in rows:
        end = traces[row["policy"], row["instance"], row["seed"]].points()[-1]
        assert end == (row["time"], row["objective"], row["dual_bound"])
    for row in results.summary().rows:
        assert row.integral_runs == 2
        assert 0 < row.primal_dual_integral < row.time


def test_results_of_a_version_without_traces_are_read_and_judged(
    plain: tuple[Evaluation, Path], tmp_path: Path
) -> None:
    results, out = plain
    older = tmp_path / "older"
    older.mkdir()
    for name in ("runs.parquet", "manifest.json"):
        (older / name).write_bytes((out / name).read_bytes())
    manifest = json.loads((older / "manifest.json").read_text())
    del manifest["files"]["traces.parquet"]
    (older / "manifest.json").write_text(json.dumps(manifest))
    found = Evaluation.load(older)
    assert found.traces is None
    for row, whole in zip(found.summary().rows, results.summary().rows, strict=True):
        assert row.time == whole.time
        assert math.isnan(row.primal_integral)


@pytest.mark.slow
def test_two_workers_give_the_same_table_up_to_times(
    plain: tuple[Evaluation, Path], markets: Path, tmp_path: Path
) -> None:
    results, _ = plain
    two = evaluate(
        [markets], policies=["pscost"], seeds=[3], time_limit=60, workers=2, out=tmp_path / "r"
    )
    assert lasting(two) == lasting(results)
    assert two.table.column("order").equals(results.table.column("order"))


@pytest.mark.slow
def test_a_policy_that_goes_wrong_costs_its_own_runs_only(
    markets: Path, tmp_path: Path, misbehaving: str
) -> None:
    names = [
        "good",
        "killed",
        "left",
        "hangs",
        "raises",
        "without_memory",
        "not_finite",
        "too_short",
    ]
    folder = tmp_path / "one"
    folder.mkdir()
    (folder / "1.lp").write_bytes((markets / "1.lp").read_bytes())
    results = evaluate(
        [folder],
        policies=[f"{misbehaving}:{name}" for name in names],
        setting="learn2branch",
        time_limit=10,
        grace=2,
        out=tmp_path / "r",
    )
    found = {policy: row for policy, (row,) in by_policy(results).items()}
    told = {policy: (row["status"], row["failure"]) for policy, row in found.items()}
    assert told == {
        "good": ("optimal", ""),
        "relpscost": ("optimal", ""),
        "killed": ("died", "crash"),
        "left": ("died", "crash"),
        "hangs": ("killed", "timelimit"),
        "raises": ("error", "policy error"),
        "without_memory": ("error", "memlimit"),
        "not_finite": ("error", "policy error"),
        "too_short": ("error", "policy error"),
    }
    for policy, words in (
        ("killed", "SIGSEGV"),
        ("left", "exit code 7"),
        ("hangs", "did not stop within 2 s of its limit"),
        ("raises", "KeyError: 'no such key' (in raises, milplib_test_policies.py"),
        ("not_finite", "not finite"),
        ("too_short", "shape"),
    ):
        assert words in found[policy]["failure_detail"]
        assert found[policy]["nodes"] is None
    assert found["good"]["policy_calls"] > 0
    assert found["good"]["observe_time"] > 0
    for row in results.summary().rows:
        assert row.solved == (row.policy in ("good", "relpscost"))
        if not row.solved:
            assert row.time == pytest.approx(10.0)


@pytest.mark.slow
def test_a_solve_that_meets_its_limit_is_a_failure_that_counts_as_the_limit(tmp_path: Path) -> None:
    (tmp_path / "sc").mkdir()
    unsolved().write(tmp_path / "sc" / "a.lp")
    results = evaluate([tmp_path / "sc"], policies=["pscost"], time_limit=1, out=tmp_path / "r")
    assert set(results.table.column("failure").to_pylist()) == {"timelimit"}
    assert [row.time for row in results.summary().rows] == pytest.approx([1.0, 1.0])


def test_an_unreadable_instance_is_listed_beside_the_others(markets: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    (folder / "broken.lp").write_text("maximize\nOBJ: x1 +")
    (folder / "good.lp").write_bytes((markets / "0.lp").read_bytes())
    results = evaluate([folder], policies=["pscost"], time_limit=60, out=tmp_path / "r")
    broken = [row for row in results.table.to_pylist() if row["instance"].endswith("broken.lp")]
    assert [(row["status"], row["failure"]) for row in broken] == [("unreadable",) * 2] * 2
    assert str(tmp_path) not in broken[0]["failure_detail"]
    summary = results.summary()
    assert list(summary.unread) == ["mixed/broken.lp"]
    assert [(row.runs, row.solved) for row in summary.rows] == [(1, 1), (1, 1)]


def test_only_unreadable_instances_are_an_error_and_leave_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "i"
    folder.mkdir()
    (folder / "a.lp").write_bytes(b"\0\1\2garbage")
    with pytest.raises(InstanceError, match="none of the 1"):
        evaluate([folder], policies=["pscost"], out=tmp_path / "r")
    assert not (tmp_path / "r").exists()


@pytest.mark.slow
def test_the_clean_setting_takes_the_known_optimum_or_finds_it(
    markets: Path, tmp_path: Path
) -> None:
    known, unknown = tmp_path / "known", tmp_path / "unknown"
    for folder in (known, unknown):
        folder.mkdir()
        (folder / "a.lp").write_bytes((markets / "0.lp").read_bytes())
    results = {}
    for folder in (unknown, known):
        results[folder] = evaluate(
            [folder],
            policies=["pscost"],
            setting="clean",
            time_limit=60,
            out=tmp_path / f"r-{folder.name}",
        )
        rows = results[folder].table.to_pylist()
        assert [row["status"] for row in rows] == ["optimal"] * 2
        (known / "optima.csv").write_text(
            f"instance,status,objective\na,optimal,{rows[0]['objective']!r}\n"
        )
    one, other = (
        results[folder].table.drop_columns(["instance", "distribution"]) for folder in results
    )
    kept = [name for name in one.column_names if name not in CHANGING | {"reference_objective"}]
    assert one.select(kept).to_pylist() == other.select(kept).to_pylist()
    assert not results[known].summary().errors


@pytest.mark.slow
def test_an_infeasible_instance_is_a_result_with_the_clean_setting_too(tmp_path: Path) -> None:
    folder = tmp_path / "i"
    folder.mkdir()
    (folder / "a.lp").write_text(
        "maximize\nOBJ: x + y\nsubject to\nC: 2 x + 2 y <= 3.5\nD: 2 x + 2 y >= 2.5\n"
        "bounds\nx <= 9\ny <= 9\ngeneral\nx y\nEnd\n"
    )
    for name, text in (("searched", ""), ("told", "instance,status,objective\na,infeasible,\n")):
        if text:
            (folder / "optima.csv").write_text(text)
        results = evaluate(
            [folder], policies=["pscost"], setting="clean", time_limit=60, out=tmp_path / name
        )
        assert results.table.column("status").to_pylist() == ["infeasible"] * 2


@pytest.mark.slow
def test_without_a_known_optimum_the_clean_setting_says_so(tmp_path: Path) -> None:
    (tmp_path / "sc").mkdir()
    unsolved().write(tmp_path / "sc" / "a.lp")
    results = evaluate(
        [tmp_path / "sc"], policies=["pscost"], setting="clean", time_limit=1, out=tmp_path / "r"
    )
    assert results.table.column("failure").to_pylist() == ["no reference"] * 2
    (why,) = results.summary().unread.values()
    assert "timelimit" in why


@pytest.mark.slow
def test_a_wrong_known_optimum_is_found_out(markets: Path, tmp_path: Path) -> None:
    folder = tmp_path / "i"
    folder.mkdir()
    (folder / "a.lp").write_bytes((markets / "0.lp").read_bytes())
    (folder / "optima.csv").write_text("instance,status,objective\na,optimal,1e6\n")
    results = evaluate([folder], policies=["pscost"], time_limit=60, out=tmp_path / "r")
    (error,) = results.summary().errors
    assert "the known optimum is 1000000" in error


@pytest.mark.slow
def test_real_instances_with_known_optima_contradict_nothing(
    test_data: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "miplib"
    folder.mkdir()
    for name in ("flugpl.mps.gz", "stein27_inf.lp", "MANN_a9.clq.lp", "optima.csv"):
        (folder / name).write_bytes((test_data / "miplib" / name).read_bytes())
    results = evaluate(
        [folder], policies=["pscost"], setting="clean", time_limit=60, out=tmp_path / "r"
    )
    assert set(results.table.column("failure").to_pylist()) == {""}
    assert not results.summary().errors


@pytest.mark.parametrize(
    ("option", "error"),
    [
        ({"workers": 0}, ParameterError),
        ({"seeds": 0}, ParameterError),
        ({"time_limit": 0}, ParameterError),
        ({"setting": "defualt"}, UnknownNameError),
        ({"policies": ["relpcost"]}, UnknownNameError),
        ({"baseline": "relpcost"}, UnknownNameError),
        ({"policies": []}, ParameterError),
    ],
)
def test_arguments_outside_their_domain_are_refused_before_anything_is_written(
    option: dict[str, Any], error: type, markets: Path, tmp_path: Path
) -> None:
    with pytest.raises(error):
        evaluate([markets], **dict[str, Any](policies=["pscost"], out=tmp_path / "r") | option)
    assert not (tmp_path / "r").exists()


def test_the_manifest_says_what_was_run_but_not_where(
    plain: tuple[Evaluation, Path], markets: Path
) -> None:
    _, out = plain
    manifest = json.loads((out / "manifest.json").read_text())
    assert set(manifest["files"]) == {"runs.parquet", "runs.csv", "traces.parquet"}
    assert manifest["config"]["baseline"] == "relpscost"
    assert [i["name"] for i in manifest["config"]["instances"]] == [
        "ms/0.lp",
        "ms/1.lp",
    ]
    assert str(markets.parent) not in (out / "manifest.json").read_text()


def test_the_table_goes_to_pandas(plain: tuple[Evaluation, Path]) -> None:
    results, _ = plain
    frame = results.to_pandas()
    assert list(frame.columns) == list(COLUMNS)
    assert len(frame) == 4
