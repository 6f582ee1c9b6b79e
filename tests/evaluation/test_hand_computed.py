"""A small table whose numbers are worked out here from the definitions, with plain arithmetic."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import Any

import pytest
from narrowing import present

from milplib.evaluation import Evaluation, performance_profile
from milplib.evaluation.traces import check_traces, trace_table

LIMIT = 100.0
INSTANCES = ("ca/a", "ca/b", "ca/c")
SEEDS = (0, 1)
# By instance and seed the seconds and nodes of 'mine' and of 'base'; None: stopped at the limit.
TIMES = {
    "ca/a": ((1.0, 3.0), (3.0, 7.0)),
    "ca/b": ((7.0, 15.0), (15.0, 15.1)),
    "ca/c": ((None, 63.0), (31.0, 30.0)),
}
NODES = {
    "ca/a": ((10, 20), (30, 90)),
    "ca/b": ((40, 40), (70, 50)),
    "ca/c": ((5, 600), (300, 280)),
}
BASE_STRONG_BRANCHING = 900
# All runs find 80 after 0.5 s, and after 0.75 s find 50 and prove 20. The optimum is 40.
TRACE = {"time": [0.5, 0.75], "primal": [80.0, 50.0], "dual": [None, 20.0]}
NEAR: dict[str, Any] = {"rel": 1e-9, "abs": 1e-9}


def sgm(values: list[Any], shift: float) -> float:
    """exp(mean over instances of the mean over seeds of log(value + shift)) - shift."""
    means = [math.fsum(math.log(v + shift) for v in seeds) / len(seeds) for seeds in values]
    return math.exp(math.fsum(means) / len(means)) - shift


def judged(place: int) -> list[list[float]]:
    return [[pair[place] or LIMIT for pair in TIMES[name]] for name in INSTANCES]


@pytest.fixture
def results(planted_run: Any, planted_results: Any) -> Evaluation:
    rows = []
    for name, seed, place in itertools.product(INSTANCES, SEEDS, (0, 1)):
        time, nodes = TIMES[name][seed][place], NODES[name][seed][place]
        stopped = {"failure": "timelimit", "status": "timelimit", "time": 100.4, "objective": 50.0}
        rows.append(
            planted_run(
                ("mine", "base")[place],
                name,
                seed,
                nodes=nodes,
                fair_nodes=nodes + 6,
                objective=40.0,
                dual_bound=20.0,
                lp_iterations=100 * nodes,
                strong_branching_iterations=BASE_STRONG_BRANCHING * place,
                time_limit=LIMIT,
                trace=TRACE,
            )
            | (stopped if time is None else {"time": time})
        )
    traces = check_traces(trace_table(rows), where="the traces")
    result: Evaluation = replace(planted_results(rows), traces=traces)
    return result


@pytest.fixture
def rows(results: Evaluation) -> tuple[Any, ...]:
    mine, base = results.summary().rows
    assert (mine.policy, base.policy) == ("mine", "base")
    return mine, base


def test_times_and_their_ratio(rows: tuple[Any, ...]) -> None:
    mine, base = rows
    above, below = sgm(judged(0), 1.0), sgm(judged(1), 1.0)
    assert (mine.time, base.time) == pytest.approx((above, below), **NEAR)
    found = mine.against_baseline.time
    assert found.value == pytest.approx(above / below, **NEAR)
    logs = [
        [math.log(a / b) for a, b in zip(*pair, strict=True)]
        for pair in zip(judged(0), judged(1), strict=True)
    ]
    by_hand = math.exp(math.fsum(sum(seeds) / 2 for seeds in logs) / 3)
    assert found.geometric_mean == pytest.approx(by_hand, **NEAR)
    assert (found.instances, found.runs) == (3, 6)


def test_the_interval_is_students_with_the_jackknifes_error(rows: tuple[Any, ...]) -> None:
    without = [
        math.log(
            sgm([s for n, s in enumerate(judged(0)) if n != out], 1.0)
            / sgm([s for n, s in enumerate(judged(1)) if n != out], 1.0)
        )
        for out in range(3)
    ]
    middle = sum(without) / 3
    error = math.sqrt(2 / 3 * math.fsum((value - middle) ** 2 for value in without))
    quantile = 0.95 * math.sqrt(2 / (1 - 0.95**2))  # of Student's t with 2 degrees of freedom
    ratio = sgm(judged(0), 1.0) / sgm(judged(1), 1.0)
    found = rows[0].against_baseline.time
    assert found.method == "t"
    assert found.low == pytest.approx(ratio * math.exp(-quantile * error), **NEAR)
    assert found.high == pytest.approx(ratio * math.exp(quantile * error), **NEAR)


def test_nodes_are_of_the_pairs_that_both_solved(rows: tuple[Any, ...]) -> None:
    mine, base = rows
    solved = [[NODES[name][seed] for seed in SEEDS if name != "ca/c" or seed] for name in INSTANCES]
    for row, place in ((mine, 0), (base, 1)):
        nodes = [[pair[place] for pair in seeds] for seeds in solved]
        assert row.nodes == pytest.approx(sgm(nodes, 10.0), **NEAR)
        fair = [[value + 6 for value in seeds] for seeds in nodes]
        assert row.fair_nodes == pytest.approx(sgm(fair, 10.0), **NEAR)
        assert row.node_runs == 5
    ratio = mine.against_baseline.nodes
    assert ratio.value == pytest.approx(mine.nodes / base.nodes, **NEAR)
    assert ratio.runs == 5


def test_solved_counts_wins_and_par10(rows: tuple[Any, ...]) -> None:
    mine, base = rows
    assert (mine.runs, mine.solved, mine.failures) == (6, 5, {"timelimit": 1})
    assert (base.runs, base.solved, base.failures) == (6, 6, {})
    # 15.1 s ties with 15 s, within 1 %; 31 s does not tie with 30 s.
    assert (mine.wins, base.wins) == (4, 3)
    assert mine.par10 == pytest.approx((2 + 11 + (1000 + 31) / 2) / 3, **NEAR)
    assert base.par10 == pytest.approx((5 + 15.05 + 46.5) / 3, **NEAR)


def test_simplex_iterations_count_strong_branching_and_mark_lower_bounds(
    rows: tuple[Any, ...],
) -> None:
    for place, row in enumerate(rows):
        work = [
            [100 * pair[place] + BASE_STRONG_BRANCHING * place for pair in NODES[name]]
            for name in INSTANCES
        ]
        assert row.lp_iterations == pytest.approx(sgm(work, 100.0), **NEAR)
        assert (row.lp_runs, row.lp_lower_bounds) == (6, 1 - place)


def test_integrals(rows: tuple[Any, ...]) -> None:
    for place, row in enumerate(rows):
        ends = judged(place)
        # 1 until 0.5 s; from 0.75 s on (50 - 40)/50, (40 - 20)/40 and (50 - 20)/50.
        for name, before, last in (
            ("primal_integral", 0.5 + 0.25 * (80 - 40) / 80, 0.2),
            ("dual_integral", 0.75, 0.5),
            ("primal_dual_integral", 0.75, 0.6),
        ):
            areas = [[before + last * (end - 0.75) for end in seeds] for seeds in ends]
            assert getattr(row, name) == pytest.approx(sgm(areas, 1.0), **NEAR)
        assert row.integral_runs == 6


def test_the_signed_rank_test_by_counting_all_signs(results: Evaluation) -> None:
    (found,) = results.summary().tests
    pairs = zip(judged(0), judged(1), strict=True)
    logs = [
        sum(math.log((a + 1) / (b + 1)) for a, b in zip(*pair, strict=True)) / 2 for pair in pairs
    ]
    order = sorted(map(abs, logs))
    ranks = [order.index(abs(value)) + 1 for value in logs]

    def smaller_sum(signs: Any) -> Any:
        above = sum(rank for rank, sign in zip(ranks, signs, strict=True) if sign)
        return min(above, sum(ranks) - above)

    observed = smaller_sum([value > 0 for value in logs])
    every = list(itertools.product((False, True), repeat=3))
    p_value = sum(smaller_sum(signs) <= observed for signs in every) / len(every)
    assert (found.statistic, found.instances) == (observed, 3)
    assert found.p_value == pytest.approx(p_value, **NEAR)
    assert found.corrected == pytest.approx(p_value, **NEAR)


def test_the_virtual_best_takes_the_fastest_of_every_pair(
    results: Evaluation, rows: tuple[Any, ...]
) -> None:
    best = results.summary().virtual_best["ca"]
    times = [[1.0, 3.0], [7.0, 15.0], [63.0, 30.0]]
    nodes = [[10, 30], [40, 70], [600, 280]]
    assert (best.pairs, best.solved) == (6, 6)
    assert best.time == pytest.approx(sgm(times, 1.0), **NEAR)
    assert best.nodes == pytest.approx(sgm(nodes, 10.0), **NEAR)
    for row in rows:
        ratio = best.ratios[row.policy]
        assert ratio.time.value == pytest.approx(row.time / sgm(times, 1.0), **NEAR)
        assert ratio.time.value >= 1
    both = [[10, 30], [40, 70], [280]]
    of_mine = best.ratios["mine"].nodes
    assert of_mine.value == pytest.approx(rows[0].nodes / sgm(both, 10.0), **NEAR)


def test_the_performance_profile(results: Evaluation) -> None:
    runs = results.runs
    profile = performance_profile(runs.time, runs.solved)
    by_hand = [
        [1, 1, 1, 1, 31 / 30, math.inf],
        sorted([3, 7 / 3, 15 / 7, 15.1 / 15, 1, 1]),
    ]
    for found, expected in zip(profile.ratios.tolist(), by_hand, strict=True):
        assert found == pytest.approx(expected, **NEAR)
    assert profile.fraction(0, 1.0) == pytest.approx(4 / 6, **NEAR)
    assert profile.fraction(0, math.inf) == pytest.approx(5 / 6, **NEAR)
    taus, fractions = profile.steps(1)
    assert taus.tolist() == pytest.approx([1, 15.1 / 15, 15 / 7, 7 / 3, 3], **NEAR)
    assert fractions.tolist() == pytest.approx([2 / 6, 3 / 6, 4 / 6, 5 / 6, 1], **NEAR)


def test_with_one_distribution_the_matrix_is_the_comparison(
    results: Evaluation, rows: tuple[Any, ...]
) -> None:
    table = results.summary().matrix
    found = rows[0].against_baseline.time
    assert present(table).cells == {("mine", "ca"): found}
    assert present(table).pooled["mine"] == found
    for same in (present(table).balanced["mine"], present(table).by_domain["mine", "ca"]):
        for name in ("value", "low", "high", "geometric_mean"):
            assert getattr(same, name) == pytest.approx(getattr(found, name), **NEAR)
