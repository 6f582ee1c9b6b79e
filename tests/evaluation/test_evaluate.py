"""Evaluations with real solves: what they give, what they survive, what they refuse."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time

import pytest

from milplib.errors import (
    InstanceError,
    OutputError,
    ParameterError,
    ResultsError,
    UnknownNameError,
)
from milplib.evaluation import COLUMNS, Evaluation, evaluate
from milplib.evaluation.traces import traces_by_run
from milplib.generators import CombinatorialAuction

AUCTION = CombinatorialAuction(n_items=40, n_bids=150)

CHANGING = {"order", "host", "peak_memory", "primal_dual_integral"} | {
    name for name in COLUMNS if name.endswith("time")
}
"""Columns that two equal evaluations may differ in."""


@pytest.fixture(scope="module")
def auctions(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "ca"
    folder.mkdir()
    for seed in range(2):
        AUCTION.generate(seed).write(folder / f"{seed}.lp")
    return folder


def lasting(results):
    """The table without what depends on the clock and the machine."""
    return results.table.drop_columns(sorted(CHANGING)).to_pylist()


def content(folder):
    """Files by name but the one that says where and when they were made."""
    files = (path for path in folder.iterdir() if path.is_file())
    return {path.name: path.read_bytes() for path in files if path.name != "environment.json"}


def by_policy(results):
    found = {}
    for row in results.table.to_pylist():
        found.setdefault(row["policy"], []).append(row)
    return found


@pytest.fixture(scope="module")
def plain(auctions, tmp_path_factory):
    """An evaluation in which nothing happens: two rules, two instances, one worker."""
    out = tmp_path_factory.mktemp("plain") / "results"
    seen = []
    results = evaluate(
        [auctions], policies=["pscost"], seeds=[3], time_limit=60, out=out, on_progress=seen.append
    )
    assert [progress.done for progress in seen] == [0, 2, 4]
    assert {(progress.total, progress.failed) for progress in seen} == {(4, 0)}
    return results, out


def test_every_policy_runs_on_every_instance_with_every_seed(plain):
    results, out = plain
    rows = results.table.to_pylist()
    found = [(row["seed"], row["instance"], row["policy"]) for row in rows]
    assert found == [
        (3, f"ca/{number}.lp", policy) for number in (0, 1) for policy in ("pscost", "relpscost")
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
        assert (row["status"], row["failure"], row["distribution"]) == ("optimal", "", "ca")
        assert row["time"] > 0
        assert row["cpu_time"] > 0
        assert row["nodes"] >= 1
        assert row["fair_nodes"] >= row["nodes"]
        assert row["instance_hash"]
        assert row["time_limit"] == 60
    orders = {}
    for row in rows:
        orders.setdefault((row["instance"], row["seed"]), []).append(row["order"])
    assert all(sorted(order) == [0, 1] for order in orders.values())
    relpscost = by_policy(results)["relpscost"]
    assert sum(row["strong_branching_iterations"] for row in relpscost) > 0


def test_the_bounds_of_every_run_are_kept_over_time(plain):
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


def test_results_of_a_version_without_traces_are_read_and_judged(plain, tmp_path):
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


def test_the_same_call_on_finished_results_runs_nothing_and_changes_nothing(plain, auctions):
    results, out = plain
    times = {path.name: path.stat().st_mtime_ns for path in out.iterdir()}
    again = evaluate([auctions], policies=["pscost"], seeds=[3], time_limit=60, out=out)
    assert again.table.equals(results.table)
    assert {path.name: path.stat().st_mtime_ns for path in out.iterdir()} == times


def test_other_arguments_are_refused_and_change_nothing(plain, auctions, misbehaving):
    _, out = plain
    before = content(out)
    given = {"policies": ["pscost"], "seeds": [3], "time_limit": 60}
    for other in (
        {"policies": ["random"]},
        {"policies": [f"{misbehaving}:good"]},
        {"seeds": [4]},
        {"time_limit": 61},
        {"setting": "learn2branch"},
        {"baseline": "pscost"},
    ):
        with pytest.raises(OutputError, match=r"holds another evaluation.*--force"):
            evaluate([auctions], **given | other, out=out)
    assert content(out) == before


@pytest.mark.slow
def test_two_workers_give_the_same_table_up_to_times(plain, auctions, tmp_path):
    results, _ = plain
    two = evaluate(
        [auctions], policies=["pscost"], seeds=[3], time_limit=60, workers=2, out=tmp_path / "r"
    )
    assert lasting(two) == lasting(results)
    assert two.table.column("order").equals(results.table.column("order"))


@pytest.mark.slow
def test_a_policy_that_goes_wrong_costs_its_own_runs_only(auctions, tmp_path, misbehaving):
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
    (folder / "1.lp").write_bytes((auctions / "1.lp").read_bytes())
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


def test_a_solve_that_meets_its_limit_is_a_failure_that_counts_as_the_limit(tmp_path):
    from milplib.generators import from_name

    (tmp_path / "sc").mkdir()
    from_name("SC-hard").generate(0).write(tmp_path / "sc" / "a.lp")
    results = evaluate([tmp_path / "sc"], policies=["pscost"], time_limit=1, out=tmp_path / "r")
    assert set(results.table.column("failure").to_pylist()) == {"timelimit"}
    assert [row.time for row in results.summary().rows] == pytest.approx([1.0, 1.0])


def test_an_unreadable_instance_is_listed_beside_the_others(auctions, tmp_path):
    folder = tmp_path / "mixed"
    folder.mkdir()
    (folder / "broken.lp").write_text("maximize\nOBJ: x1 +")
    (folder / "good.lp").write_bytes((auctions / "0.lp").read_bytes())
    results = evaluate([folder], policies=["pscost"], time_limit=60, out=tmp_path / "r")
    broken = [row for row in results.table.to_pylist() if row["instance"].endswith("broken.lp")]
    assert [(row["status"], row["failure"]) for row in broken] == [("unreadable",) * 2] * 2
    assert str(tmp_path) not in broken[0]["failure_detail"]
    summary = results.summary()
    assert list(summary.unread) == ["mixed/broken.lp"]
    assert [(row.runs, row.solved) for row in summary.rows] == [(1, 1), (1, 1)]


def test_only_unreadable_instances_are_an_error_and_leave_nothing(tmp_path):
    folder = tmp_path / "i"
    folder.mkdir()
    (folder / "a.lp").write_bytes(b"\0\1\2garbage")
    with pytest.raises(InstanceError, match="none of the 1"):
        evaluate([folder], policies=["pscost"], out=tmp_path / "r")
    assert not (tmp_path / "r").exists()


@pytest.mark.slow
def test_the_clean_setting_takes_the_known_optimum_or_finds_it(auctions, tmp_path):
    known, unknown = tmp_path / "known", tmp_path / "unknown"
    for folder in (known, unknown):
        folder.mkdir()
        (folder / "a.lp").write_bytes((auctions / "0.lp").read_bytes())
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
def test_an_infeasible_instance_is_a_result_with_the_clean_setting_too(tmp_path):
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
def test_without_a_known_optimum_the_clean_setting_says_so(tmp_path):
    from milplib.generators import from_name

    (tmp_path / "sc").mkdir()
    from_name("SC-hard").generate(0).write(tmp_path / "sc" / "a.lp")
    results = evaluate(
        [tmp_path / "sc"], policies=["pscost"], setting="clean", time_limit=1, out=tmp_path / "r"
    )
    assert results.table.column("failure").to_pylist() == ["no reference"] * 2
    (why,) = results.summary().unread.values()
    assert "timelimit" in why


@pytest.mark.slow
def test_a_wrong_known_optimum_is_found_out(auctions, tmp_path):
    folder = tmp_path / "i"
    folder.mkdir()
    (folder / "a.lp").write_bytes((auctions / "0.lp").read_bytes())
    (folder / "optima.csv").write_text("instance,status,objective\na,optimal,1e6\n")
    results = evaluate([folder], policies=["pscost"], time_limit=60, out=tmp_path / "r")
    (error,) = results.summary().errors
    assert "the known optimum is 1000000" in error


@pytest.mark.slow
def test_real_instances_with_known_optima_contradict_nothing(test_data, tmp_path):
    folder = tmp_path / "miplib"
    folder.mkdir()
    for name in ("flugpl.mps.gz", "stein27_inf.lp", "MANN_a9.clq.lp", "optima.csv"):
        (folder / name).write_bytes((test_data / "miplib" / name).read_bytes())
    results = evaluate(
        [folder], policies=["pscost"], setting="clean", time_limit=60, out=tmp_path / "r"
    )
    assert set(results.table.column("failure").to_pylist()) == {""}
    assert not results.summary().errors


@pytest.mark.slow
def test_force_replaces_an_evaluation_and_nothing_else(auctions, tmp_path):
    one = tmp_path / "one"
    one.mkdir()
    (one / "a.lp").write_bytes((auctions / "0.lp").read_bytes())
    out = tmp_path / "r"
    evaluate([one], policies=["pscost"], time_limit=60, out=out)
    (out / "notes.txt").write_text("mine")
    results = evaluate([one], policies=["random"], time_limit=60, out=out, force=True)
    assert results.policies == ("random", "relpscost")
    assert (out / "notes.txt").read_text() == "mine"
    assert not (out / "unfinished").exists()


@pytest.mark.parametrize("name", ["runs.csv", "report.html", "manifest.json"])
def test_a_file_that_only_has_the_name_of_ours_is_never_replaced(name, auctions, tmp_path):
    (tmp_path / name).write_text("years of work")
    for force in (False, True):
        with pytest.raises(OutputError):
            evaluate([auctions], policies=["pscost"], out=tmp_path, force=force)
    assert content(tmp_path) == {name: b"years of work"}


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
    option, error, auctions, tmp_path
):
    with pytest.raises(error):
        evaluate([auctions], **{"policies": ["pscost"], "out": tmp_path / "r"} | option)
    assert not (tmp_path / "r").exists()


SCRIPT = """
import sys
from milplib.evaluation import evaluate
if __name__ == "__main__":
    evaluate([sys.argv[1]], policies=["pscost"], seeds=[3], time_limit=60, out=sys.argv[2],
             workers=int(sys.argv[3]))
"""


@pytest.mark.parametrize(
    ("how", "workers"),
    [(signal.SIGKILL, 1), pytest.param(signal.SIGINT, 2, marks=pytest.mark.slow)],
)
def test_a_killed_evaluation_goes_on_to_the_same_table(plain, auctions, tmp_path, how, workers):
    results, _ = plain
    script, out = tmp_path / "script.py", tmp_path / "r"
    script.write_text(SCRIPT)
    command = [sys.executable, str(script), str(auctions), str(out), str(workers)]
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


def test_a_script_without_a_main_guard_is_told_so(auctions, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "from milplib.evaluation import evaluate\n"
        f"evaluate([{str(auctions)!r}], policies=['pscost'], out={str(tmp_path / 'r')!r})\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "__main__" in done.stderr.splitlines()[-1]


def test_the_manifest_says_what_was_run_but_not_where(plain, auctions):
    _, out = plain
    manifest = json.loads((out / "manifest.json").read_text())
    assert set(manifest["files"]) == {"runs.parquet", "runs.csv", "traces.parquet"}
    assert manifest["config"]["baseline"] == "relpscost"
    assert [i["name"] for i in manifest["config"]["instances"]] == ["ca/0.lp", "ca/1.lp"]
    assert str(auctions.parent) not in (out / "manifest.json").read_text()


def test_results_that_are_damaged_are_refused(plain, tmp_path):
    _, out = plain
    copy = tmp_path / "copy"
    copy.mkdir()
    for name, data in content(out).items():
        (copy / name).write_bytes(data)
    (copy / "runs.parquet").unlink()
    with pytest.raises(ResultsError, match=r"runs\.parquet"):
        Evaluation.load(copy)


def test_the_table_goes_to_pandas(plain):
    results, _ = plain
    frame = results.to_pandas()
    assert list(frame.columns) == list(COLUMNS)
    assert len(frame) == 4
