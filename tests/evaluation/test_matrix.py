"""Policies by distributions: what each mean weighs, and that gaps are never filled."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.stats

from milplib.evaluation import Matrix, compare, matrix
from milplib.evaluation.matrix import combined_ratio

DOMAINS = {"CA-easy": "CA", "CA-medium": "CA", "SC-easy": "SC"}
# Seconds + 1 of 'mine' and of 'base', the same on every instance of a distribution.
LEVELS = {"CA-easy": (2.0, 4.0), "CA-medium": (3.0, 9.0), "SC-easy": (32.0, 8.0)}
SIZES = {"CA-easy": 3, "CA-medium": 4, "SC-easy": 12}


@pytest.fixture
def rows(planted_run: Any) -> list[dict[str, Any]]:
    return [
        planted_run(policy, f"{name}/{n}.lp", time=level - 1)
        for name, levels in LEVELS.items()
        for n in range(SIZES[name])
        for policy, level in zip(("mine", "base"), levels, strict=True)
    ]


def table_of(
    rows: list[dict[str, Any]], planted_results: Callable[..., Any], **options: Any
) -> Matrix:
    return matrix(planted_results(rows).runs, baseline="base", **options)


def test_domains_weigh_the_same_and_in_them_distributions(
    rows: list[dict[str, Any]], planted_results: Callable[..., Any]
) -> None:
    found = table_of(rows, planted_results)
    assert found.domains == DOMAINS  # as the catalogue has it
    ratios = {"CA-easy": 1 / 3, "CA-medium": 2 / 8, "SC-easy": 31 / 7}
    for name, ratio in ratios.items():
        assert found.cells["mine", name].value == pytest.approx(ratio, abs=1e-9)
    markets = math.sqrt(1 / 3 * 2 / 8)
    assert found.by_domain["mine", "CA"].value == pytest.approx(markets, abs=1e-9)
    assert found.by_domain["mine", "SC"].value == pytest.approx(31 / 7, abs=1e-9)
    by_hand = math.sqrt(markets * 31 / 7)
    assert found.balanced["mine"].value == pytest.approx(by_hand, abs=1e-9)
    assert found.balanced["mine"].instances == 19

    def mean(place: Any) -> Any:
        logs = [SIZES[name] * math.log(levels[place]) for name, levels in LEVELS.items()]
        return math.exp(sum(logs) / 19) - 1

    assert found.pooled["mine"].value == pytest.approx(mean(0) / mean(1), abs=1e-9)
    assert (found.policies, found.baseline, found.empty) == (("mine",), "base", ())


def test_other_domains_may_be_given_and_unknown_distributions_are_their_own(
    rows: list[dict[str, Any]], planted_results: Callable[..., Any]
) -> None:
    found = table_of(rows, planted_results, domains={})
    assert found.domains == {name: name for name in LEVELS}
    by_hand = (1 / 3 * 2 / 8 * 31 / 7) ** (1 / 3)
    assert found.balanced["mine"].value == pytest.approx(by_hand, abs=1e-9)


def test_an_empty_cell_leaves_the_means_that_it_belongs_to_undefined(
    rows: list[dict[str, Any]], planted_results: Callable[..., Any]
) -> None:
    gone = [r for r in rows if (r["policy"], r["distribution"]) != ("mine", "SC-easy")]
    found = table_of(gone, planted_results)
    assert found.empty == (("mine", "SC-easy"),)
    assert math.isnan(found.cells["mine", "SC-easy"].value)
    # Without its worst distribution it would look good.
    for mean in (found.balanced["mine"], found.pooled["mine"], found.by_domain["mine", "SC"]):
        assert math.isnan(mean.value)
        assert mean.method == "none"
    assert found.by_domain["mine", "CA"].value < 1


def test_a_distribution_on_which_no_run_could_be_made_is_no_gap(
    rows: list[dict[str, Any]], planted_run: Callable[..., Any], planted_results: Callable[..., Any]
) -> None:
    unread = [
        planted_run(p, "WA-hard/0.lp", failure="unreadable", status="unreadable", time=None)
        for p in ("mine", "base")
    ]
    found, before = (table_of(r, planted_results) for r in (rows + unread, rows))
    assert found.distributions == before.distributions
    assert found.balanced == before.balanced


def test_nodes_are_of_the_pairs_that_both_solved(
    rows: list[dict[str, Any]], planted_results: Callable[..., Any]
) -> None:
    for row in rows:
        row["nodes"] = 20 if row["policy"] == "base" else 35
    rows[0] |= {"failure": "timelimit", "status": "timelimit", "nodes": 10**6}
    found = table_of(rows, planted_results, what="nodes")
    assert found.cells["mine", "CA-easy"].value == pytest.approx(35 / 20, abs=1e-9)
    assert found.cells["mine", "CA-easy"].instances == 2


def test_one_policy_alone_has_an_empty_matrix(
    planted_run: Callable[..., Any], planted_results: Callable[..., Any]
) -> None:
    found = table_of([planted_run("base", "CA-easy/0.lp")], planted_results)
    assert found.policies == ()
    assert found.cells == {}


def test_the_balanced_interval_is_welchs_without_a_shift() -> None:
    random = np.random.RandomState(1)
    groups = [
        (np.exp(spread * random.randn(n, 1)), np.ones((n, 1))) for n, spread in ((8, 0.3), (12, 1))
    ]
    # The mean of half one and half minus the other is half a difference of two means.
    one, other = (np.log(values[:, 0]) for values, _ in groups)
    expected = scipy.stats.ttest_ind(one, -other, equal_var=False).confidence_interval(0.95)
    found = combined_ratio(groups, weights=[0.5, 0.5], shift=0.0)
    assert found.method == "t"
    low, high = math.log(found.low), math.log(found.high)
    assert (low, high) == pytest.approx((expected.low / 2, expected.high / 2), abs=1e-9)
    assert found.value == pytest.approx(math.exp((one.mean() + other.mean()) / 2), abs=1e-9)


def test_with_many_instances_the_interval_is_that_of_resampling_inside_each_distribution() -> None:
    random = np.random.RandomState(2)
    groups = [(np.exp(random.randn(40, 2)), np.exp(random.randn(40, 2))) for _ in range(2)]
    found = combined_ratio(groups, weights=[0.5, 0.5], shift=1.0)
    assert found.method == "percentile"
    assert (found.low, found.high) == found.percentile
    single = [compare(*group, shift=1.0) for group in groups]
    # Variances of independent means add up.
    widths = [math.log(cell.high / cell.low) for cell in single]
    assert math.log(found.high / found.low) == pytest.approx(math.hypot(*widths) / 2, rel=0.05)


def test_a_distribution_of_one_instance_leaves_no_interval_but_a_value() -> None:
    groups = [(np.ones((5, 1)), np.full((5, 1), 4.0)), (np.ones((1, 1)), np.ones((1, 1)))]
    found = combined_ratio(groups, weights=[0.5, 0.5], shift=0.0)
    assert found.value == pytest.approx(0.5, abs=1e-12)
    assert found.method == "none"
    assert math.isnan(found.high)


def test_a_ratio_of_zero_does_not_make_the_mean_zero() -> None:
    groups = [(np.zeros((4, 1)), np.ones((4, 1))), (np.ones((4, 1)), np.ones((4, 1)))]
    assert math.isnan(combined_ratio(groups, weights=[0.5, 0.5], shift=1.0).value)
