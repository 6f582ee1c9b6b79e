"""Tables with few runs, none, or impossible ones."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from narrowing import present

from milplib.errors import ResultsError
from milplib.evaluation import ALL, Evaluation, matrix
from milplib.evaluation.parquet import read_parquet, write_parquet
from milplib.evaluation.table import check_table, run_table

from .faulty import POLICIES, row_of, texts


def test_many_missing_runs_are_counted_after_the_first_ones(
    rows: list[dict[str, Any]], judge: Callable[..., Any]
) -> None:
    lacking = [r for r in rows if r["policy"] == "mine" and r["instance"] != "ca/0.lp"]
    (note,) = [
        text for text in texts(judge([r for r in rows if r not in lacking])) if "unpaired" in text
    ]
    assert "and 11 more" in note


def test_one_instance_alone_has_a_summary_without_intervals(
    planted_run: Callable[..., Any], judge: Callable[..., Any]
) -> None:
    rows = [planted_run(p, "ca/0.lp", time=t) for p, t in zip(POLICIES, (1, 2, 4), strict=True)]
    summary = judge(rows)
    mine = row_of(summary, "mine", "ca")
    assert present(mine.against_baseline).time.value == pytest.approx(1 / 4, abs=1e-9)
    assert present(mine.against_baseline).time.method == "none"
    assert [test.p_value for test in summary.tests] == [1.0, 1.0]
    (note,) = texts(summary)
    assert "1 for mine against base, 1 for other against base" in note


def test_one_policy_alone_has_no_ratio_and_is_its_own_best(
    planted_run: Callable[..., Any], planted_results: Callable[..., Any]
) -> None:
    rows = [planted_run("base", f"ca/{n}.lp", time=3.0) for n in range(3)]
    summary = planted_results(rows).summary()
    assert summary.tests == ()
    assert summary.matrix.policies == ()
    best = summary.virtual_best["ca"]
    assert best.time == pytest.approx(3.0, abs=1e-9)
    assert best.ratios["base"].time.value == pytest.approx(1.0, abs=1e-9)


def test_no_runs_at_all_have_a_summary_that_says_nothing(
    planted_results: Callable[..., Any], planted_run: Callable[..., Any]
) -> None:
    whole = planted_results([planted_run("base", "ca/0.lp")])
    empty = check_table(run_table([]), where="the rows")
    summary = replace(whole, table=empty).summary()
    assert (summary.rows, summary.tests, summary.virtual_best) == ((), (), {})
    assert not summary.is_complete
    assert summary.matrix.distributions == ()


def test_a_table_in_which_nothing_was_solved_has_limits_as_means(
    planted_run: Callable[..., Any], judge: Callable[..., Any]
) -> None:
    stopped: dict[str, Any] = {
        "failure": "timelimit",
        "status": "timelimit",
        "time": 60.1,
        "objective": None,
    }
    rows = [planted_run(p, f"ca/{n}.lp", **stopped) for n in range(3) for p in POLICIES]
    summary = judge(rows)
    mine, best = row_of(summary, "mine", "ca"), summary.virtual_best["ca"]
    assert (mine.time, mine.par10, best.time) == pytest.approx((60.0, 600.0, 60.0), abs=1e-9)
    assert (mine.wins, best.solved) == (0, 0)
    assert math.isnan(mine.nodes)


@pytest.mark.parametrize("time", [-1.0, math.nan])
def test_negative_times_and_ones_that_are_no_numbers_are_refused(
    time: float, rows: list[dict[str, Any]]
) -> None:
    rows[0]["time"] = time
    with pytest.raises(ResultsError, match="a run has the time"):
        check_table(run_table(rows), where="the rows")


def test_repeated_rows_are_refused(rows: list[dict[str, Any]]) -> None:
    with pytest.raises(ResultsError, match=r"ca/0\.lp with seed 0 occurs 2 times"):
        check_table(run_table([*rows, rows[0]]), where="the rows")


def test_a_table_of_an_older_version_has_no_new_columns_and_is_judged_alike(
    rows: list[dict[str, Any]], planted_results: Callable[..., Any]
) -> None:
    whole = planted_results(rows)
    older = whole.table.drop_columns(
        ["seen_in", "lp_iterations", "strong_branching_iterations", "policy_hash"]
    )
    summary = replace(whole, table=check_table(older, where="the table")).summary()
    assert isinstance(whole, Evaluation)
    assert row_of(summary, "mine", ALL).time == row_of(whole.summary(), "mine", ALL).time
    assert math.isnan(row_of(summary, "mine", ALL).lp_iterations)
    assert math.isnan(row_of(summary, "mine", ALL).primal_integral)
    assert row_of(summary, "mine", ALL).lp_runs == 0
    assert matrix(whole.runs, baseline="base") == summary.matrix


def test_a_column_whose_name_is_no_text_is_refused_in_one_line(
    planted_run: Callable[..., Any], tmp_path: Path
) -> None:
    path = tmp_path / "runs.parquet"
    write_parquet(run_table([planted_run("mine", "ca/0.lp")]).append_column("zzzz", [[1]]), path)
    path.write_bytes(path.read_bytes().replace(b"zzzz", b"zz\xe5z"))
    with pytest.raises(ResultsError, match="a name of a column is not in UTF-8"):
        read_parquet(path, noun="runs")
