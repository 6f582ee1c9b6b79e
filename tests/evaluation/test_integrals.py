"""Integrals of traces drawn by hand, and the traces of real solves beside SCIP's own integral."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from milplib import Instance
from milplib.errors import ResultsError
from milplib.evaluation.integrals import (
    best_known_values,
    dual_integral,
    gap,
    primal_dual_integral,
    primal_integral,
    run_integrals,
)
from milplib.evaluation.table import run_table
from milplib.evaluation.traces import (
    check_traces,
    read_traces,
    trace_as_json,
    trace_table,
    traces_by_run,
    write_traces,
)
from milplib.generators import CombinatorialAuction, SetCover
from milplib.scip.trace import Trace
from milplib.solving import solve

NAN, INF = math.nan, math.inf
POINTS = [(1.0, NAN, 2.0), (2.0, 10.0, 2.0), (4.0, 8.0, 4.0)]


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (4.0, 5.0, 0.2),
        (-4.0, -5.0, 0.2),
        (5.0, 4.0, 0.2),
        (3.0, 3.0, 0.0),
        (0.0, 0.0, 0.0),
        (0.0, 1e-9, 1.0),
        (-1.0, 1.0, 1.0),
        (1e-300, -1e-300, 1.0),
        (NAN, 1.0, 1.0),
        (1.0, INF, 1.0),
        (INF, INF, 1.0),
        (1e19, 1.0, 1.0),
    ],
)
def test_the_gap_is_berthold_s_and_lies_between_0_and_1(
    a: float, b: float, expected: float
) -> None:
    assert float(gap(a, b)) == pytest.approx(expected, abs=1e-12)


def test_integrals_of_a_trace_are_those_of_the_hand_computation() -> None:
    trace = Trace.of(POINTS)
    # 1 before there is a solution, then |10 - 5|/10 for 2 s and |8 - 5|/8 for 6 s.
    assert primal_integral(trace, reference=5.0, end=10.0) == pytest.approx(2 + 1 + 2.25, abs=1e-9)
    # 1 before there is a bound, then |5 - 2|/5 for 3 s and |5 - 4|/5 for 6 s.
    assert dual_integral(trace, reference=5.0, end=10.0) == pytest.approx(1 + 1.8 + 1.2, abs=1e-9)
    # 1 for 2 s, then |10 - 2|/10 for 2 s and |8 - 4|/8 for 6 s.
    assert primal_dual_integral(trace, end=10.0) == pytest.approx(2 + 1.6 + 3, abs=1e-9)


def test_what_comes_after_the_end_does_not_count_and_no_trace_is_a_gap_of_one() -> None:
    trace = Trace.of(POINTS)
    assert primal_integral(trace, reference=5.0, end=3.0) == pytest.approx(2 + 0.5, abs=1e-9)
    assert primal_integral(trace, reference=5.0, end=0.5) == pytest.approx(0.5, abs=1e-9)
    nothing = Trace.of([])
    assert primal_dual_integral(nothing, end=7.0) == 7.0
    assert dual_integral(trace, reference=NAN, end=10.0) == 10.0


def test_the_sense_does_not_matter() -> None:
    trace = Trace.of(POINTS)
    turned = Trace(time=trace.time, primal=-trace.primal, dual=-trace.dual)
    for end in (3.0, 10.0):
        assert primal_integral(turned, reference=-5.0, end=end) == primal_integral(
            trace, reference=5.0, end=end
        )
        assert primal_dual_integral(turned, end=end) == primal_dual_integral(trace, end=end)


def run_with(planted_run: Callable[..., Any], policy: str, **fields: Any) -> dict[str, Any]:
    trace = trace_as_json(Trace.of(POINTS))
    given: dict[str, Any] = (
        planted_run(policy, "ca/0.lp", time=10.0, objective=5.0, trace=trace) | fields
    )
    return given


def integrals_of(rows: list[dict[str, Any]]) -> dict[str, npt.NDArray[np.float64]]:
    return run_integrals(run_table(rows), trace_table(rows))


def test_a_failure_counts_to_its_limit_whatever_it_left(planted_run: Callable[..., Any]) -> None:
    stopped: dict[str, Any] = {
        "failure": "timelimit",
        "status": "timelimit",
        "time": 60.3,
        "objective": 8.0,
    }
    crashed: dict[str, Any] = {
        "failure": "crash",
        "status": "died",
        "objective": None,
        "trace": None,
    }
    wrong: dict[str, Any] = {"failure": "wrong solution"}
    rows = [
        run_with(planted_run, "solved"),
        run_with(planted_run, "stopped", **stopped),
        run_with(planted_run, "crashed", **crashed),
        run_with(planted_run, "wrong", **wrong),
        run_with(planted_run, "leaked", seen_in="training"),
    ]
    found = integrals_of(rows)
    # The gap of the last solution, 3/8, goes on from 10 s to the limit of 60 s.
    by_hand = [5.25, 5.25 + 50 * 3 / 8, 60.0, 60.0, 60.0]
    assert found["primal_integral"].tolist() == pytest.approx(by_hand, abs=1e-9)
    by_hand = [6.6, 6.6 + 50 / 2, 60.0, 60.0, 60.0]
    assert found["primal_dual_integral"].tolist() == pytest.approx(by_hand, abs=1e-9)


def test_a_solved_run_without_a_trace_has_no_integral_rather_than_0(
    planted_run: Callable[..., Any], planted_results: Callable[..., Any]
) -> None:
    rows = [run_with(planted_run, "a", trace=None), run_with(planted_run, "b")]
    assert np.isnan(integrals_of(rows)["primal_integral"]).tolist() == [True, False]
    traces = trace_table(rows)
    for row in replace(planted_results(rows), traces=traces).summary().rows:
        assert math.isnan(row.primal_integral) == (row.policy == "a")
    assert all(np.isnan(v).all() for v in run_integrals(run_table(rows), None).values())


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([{"reference_objective": 3.0}, {}], 3.0),
        ([{"failure": "timelimit", "objective": 9.0}, {}], 5.0),
        ([{"failure": "timelimit", "objective": v, "dual_bound": 1.0} for v in (9.0, 7.0)], 7.0),
        ([{"failure": "timelimit", "objective": v, "dual_bound": 99.0} for v in (9.0, 7.0)], 9.0),
        ([{"failure": "wrong solution", "objective": 1.0}, {"objective": 6.0}], 6.0),
        ([{"failure": "crash", "objective": None}] * 2, NAN),
    ],
)
def test_the_best_known_value(
    changes: list[Any], expected: float, planted_run: Callable[..., Any]
) -> None:
    rows = [
        planted_run(policy, "ca/0.lp", **change)
        for policy, change in zip("ab", changes, strict=True)
    ]
    assert best_known_values(run_table(rows))["ca/0.lp"] == pytest.approx(expected, nan_ok=True)


def test_traces_are_written_and_read_again(planted_run: Callable[..., Any], tmp_path: Path) -> None:
    rows = [run_with(planted_run, "a"), run_with(planted_run, "b", trace=None)]
    assert write_traces(trace_table(rows), tmp_path) == "traces.parquet"
    (found,) = traces_by_run(read_traces(tmp_path / "traces.parquet")).items()
    assert found[0] == ("a", "ca/0.lp", 0)
    np.testing.assert_array_equal(found[1].points(), POINTS)
    assert read_traces(tmp_path / "none.parquet") is None


@pytest.mark.parametrize(
    ("planted", "words"),
    [
        ({"time": [1.0, -2.0]}, "time -2.0"),
        ({"time": [1.0, NAN]}, "time nan"),
        ({"time": [2.0, 1.0]}, "back in time"),
        ({"time": [None, 1.0]}, "no 'time'"),
        ({"primal": ["x", "y"]}, "'primal' is of type string"),
        ({"policy": [None, "a"]}, "no 'policy'"),
    ],
)
def test_impossible_traces_are_refused(planted: dict[str, Any], words: str) -> None:
    columns = {
        "policy": ["a", "a"],
        "instance": ["i", "i"],
        "seed": [0, 0],
        "time": [1.0, 2.0],
        "primal": [3.0, 3.0],
        "dual": [1.0, 2.0],
    }
    assert len(check_traces(pa.table(columns), where="the traces")) == 2
    with pytest.raises(ResultsError, match=words):
        check_traces(pa.table(columns | planted), where="the traces")
    with pytest.raises(ResultsError, match="no column 'dual'"):
        check_traces(pa.table(columns).drop_columns(["dual"]), where="the traces")


@pytest.mark.parametrize("content", [b"", b"PAR1 nothing PAR1"])
def test_a_file_that_is_no_table_of_traces_is_refused_by_name(
    content: bytes, tmp_path: Path
) -> None:
    (tmp_path / "traces.parquet").write_bytes(content)
    with pytest.raises(ResultsError, match=r"traces\.parquet"):
        read_traces(tmp_path / "traces.parquet")


@pytest.mark.parametrize(
    "instance",
    [
        SetCover(n_rows=100, n_columns=200, density=0.08).generate(seed=1),
        CombinatorialAuction(n_items=30, n_bids=100).generate(seed=0),
    ],
    ids=["minimised", "maximised"],
)
def test_the_trace_of_a_real_solve_gives_scips_own_integral(instance: Instance) -> None:
    result = solve(instance)
    trace = result.trace
    assert result.status == "optimal"
    assert (np.diff(trace.time) >= 0).all()
    assert trace.points()[-1] == (result.time, result.objective, result.dual_bound)
    sign = 1 if instance.sense == "minimize" else -1
    primal, dual = sign * trace.primal, sign * trace.dual
    assert (np.diff(primal[~np.isnan(primal)]) <= 1e-9).all()
    assert (np.diff(dual[~np.isnan(dual)]) >= -1e-9).all()
    ours = 100 * primal_dual_integral(trace, end=result.time)
    # SCIP looks at its clock at other moments: some milliseconds, of gaps up to 100 %.
    assert ours == pytest.approx(result.primal_dual_integral, rel=0.05, abs=1.0)
