"""Means, ratios and intervals against values computed by hand, and scipy's where it has them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import scipy.stats

from milplib.evaluation import NODE_SHIFT, TIME_SHIFT, compare, shifted_geometric_mean
from milplib.evaluation.statistics import mean_logs

NAN = math.nan


def test_the_shifted_geometric_mean_is_that_of_the_hand_computation() -> None:
    # Instance a: 1 s and 3 s, instance b: 7 s and 7 s; with shift 1 the logs are of 2, 4, 8, 8.
    values = np.array([[1.0, 3.0], [7.0, 7.0]])
    by_hand = math.exp(((math.log(2) + math.log(4)) / 2 + math.log(8)) / 2) - 1
    assert shifted_geometric_mean(values, shift=TIME_SHIFT) == pytest.approx(by_hand, abs=1e-9)
    assert by_hand == pytest.approx(2**2.25 - 1, abs=1e-9)


def test_without_a_shift_it_is_scipys_geometric_mean() -> None:
    values = np.array([[1.5], [20.0], [3.0], [0.25]])
    assert shifted_geometric_mean(values, shift=0.0) == pytest.approx(
        scipy.stats.gmean(values[:, 0]), abs=1e-9
    )


def test_every_instance_weighs_the_same_however_many_seeds_it_has() -> None:
    values = np.array([[3.0, 3.0, 3.0], [15.0, NAN, NAN]])
    assert shifted_geometric_mean(values, shift=1.0) == pytest.approx(8 - 1, abs=1e-9)


def test_an_instance_without_values_is_left_out_and_no_instance_has_no_mean() -> None:
    values = np.array([[3.0], [NAN]])
    assert shifted_geometric_mean(values, shift=1.0) == pytest.approx(3.0, abs=1e-9)
    assert math.isnan(shifted_geometric_mean(np.full((2, 1), NAN), shift=1.0))
    assert math.isnan(shifted_geometric_mean(np.zeros((0, 1)), shift=1.0))
    assert mean_logs(np.zeros((0, 3)), shift=1.0).shape == (0,)


def test_the_ratio_is_that_of_the_means_not_the_mean_of_the_ratios() -> None:
    policy, baseline = np.array([[1.0], [7.0]]), np.array([[3.0], [31.0]])
    found = compare(policy, baseline, shift=1.0)
    by_hand = (math.sqrt(2 * 8) - 1) / (math.sqrt(4 * 32) - 1)
    assert found.value == pytest.approx(by_hand, abs=1e-9)
    assert found.geometric_mean == pytest.approx(math.sqrt(1 / 3 * 7 / 31), abs=1e-9)
    assert (found.instances, found.runs) == (2, 2)


def test_only_pairs_with_both_values_count() -> None:
    policy = np.array([[1.0, 9.0], [7.0, NAN], [NAN, NAN]])
    baseline = np.array([[3.0, NAN], [31.0, 5.0], [2.0, 2.0]])
    found = compare(policy, baseline, shift=1.0)
    whole = compare(np.array([[1.0], [7.0]]), np.array([[3.0], [31.0]]), shift=1.0)
    assert found == whole


def test_the_percentile_interval_of_two_instances_is_known_exactly() -> None:
    # A resample holds the first instance twice, both, or the second twice: 1/4, 1/2, 1/4. So the
    # 2.5 % and 97.5 % points are the ratios of one instance alone.
    policy, baseline = np.array([[1.0], [7.0]]), np.array([[3.0], [9.0]])
    found = compare(policy, baseline, shift=10.0)
    assert found.percentile == pytest.approx((1 / 3, 7 / 9), abs=1e-9)


def test_with_few_instances_and_no_shift_the_interval_is_scipys_for_the_mean_log_ratio() -> None:
    random = np.random.RandomState(1)
    policy, baseline = np.exp(random.randn(2, 12, 1))
    found = compare(policy, baseline, shift=0.0)
    logs = np.log(policy / baseline)[:, 0]
    low, high = scipy.stats.ttest_1samp(logs, 0.0).confidence_interval(0.95)
    assert found.method == "t"
    assert (found.low, found.high) == pytest.approx((math.exp(low), math.exp(high)), abs=1e-9)


def test_the_percentile_interval_agrees_with_scipys_bootstrap() -> None:
    random = np.random.RandomState(2)
    policy, baseline = np.exp(1 + random.randn(2, 40, 3))
    found = compare(policy, baseline, shift=TIME_SHIFT)
    a, b = mean_logs(policy, shift=TIME_SHIFT), mean_logs(baseline, shift=TIME_SHIFT)

    def ratio(chosen: Any, axis: int = -1) -> Any:
        return (np.exp(a[chosen].mean(axis=axis)) - 1) / (np.exp(b[chosen].mean(axis=axis)) - 1)

    other = scipy.stats.bootstrap(
        (np.arange(40),), ratio, n_resamples=20_000, method="percentile", vectorized=True
    ).confidence_interval
    assert found.method == "percentile"
    # Both are random: the quantiles of 10,000 resamples are off by a hundredth of their distance.
    assert found.low == pytest.approx(other.low, rel=0.02)
    assert found.high == pytest.approx(other.high, rel=0.02)


def test_the_interval_is_the_same_every_time_and_another_seed_gives_another() -> None:
    random = np.random.RandomState(3)
    policy, baseline = np.exp(random.randn(2, 40, 1))
    first, second = (compare(policy, baseline, shift=1.0) for _ in range(2))
    assert first == second
    assert compare(policy, baseline, shift=1.0, seed=1).low != first.low


def test_the_t_interval_covers_the_truth_as_often_as_it_says() -> None:
    # 10 instances, log-normal: over 1,000 repetitions the share of intervals that hold the true
    # ratio 1 has a standard error of 0.7 %. The percentile interval falls short, as it is known to.
    random = np.random.RandomState(4)
    hits = {"t": 0, "percentile": 0}
    for _ in range(1000):
        policy, baseline = np.exp(2 + 0.5 * random.randn(2, 10, 1))
        found = compare(policy, baseline, shift=1.0, resamples=200)
        hits["t"] += found.low <= 1 <= found.high
        hits["percentile"] += found.percentile[0] <= 1 <= found.percentile[1]
    assert 0.93 <= hits["t"] / 1000 <= 0.97
    assert hits["percentile"] < hits["t"]


def test_a_policy_against_itself_is_one_for_sure() -> None:
    values = np.array([[1.0, 2.0], [30.0, 4.0], [5.0, 6.0]])
    found = compare(values, values, shift=1.0)
    assert (found.value, found.low, found.high) == pytest.approx((1.0, 1.0, 1.0), abs=1e-12)


def test_the_other_way_round_everything_is_inverse() -> None:
    random = np.random.RandomState(5)
    for n in (8, 40):
        policy, baseline = np.exp(random.randn(2, n, 2))
        there = compare(policy, baseline, shift=1.0)
        back = compare(baseline, policy, shift=1.0)
        turned = there.inverse()
        assert turned.value == pytest.approx(back.value, abs=1e-9)
        # Quantiles lie between two resamples, where 1/x is not quite straight.
        assert (turned.low, turned.high) == pytest.approx((back.low, back.high), rel=1e-3)


def test_one_instance_has_no_interval_and_none_no_ratio() -> None:
    one = compare(np.array([[1.0]]), np.array([[2.0]]), shift=0.0)
    assert one.value == pytest.approx(0.5, abs=1e-12)
    assert one.method == "none"
    assert math.isnan(one.low)
    nothing = compare(np.array([[NAN]]), np.array([[2.0]]), shift=0.0)
    assert math.isnan(nothing.value)
    assert nothing.instances == 0


def test_counts_of_zero_neither_divide_by_zero_nor_pass_for_a_ratio() -> None:
    zero, some = np.zeros((4, 1)), np.array([[0.0], [3.0], [5.0], [9.0]])
    assert math.isnan(compare(some, zero, shift=NODE_SHIFT).value)
    assert compare(zero, some, shift=NODE_SHIFT).value == pytest.approx(0.0, abs=1e-12)
    assert math.isnan(compare(some, some + 1, shift=NODE_SHIFT).geometric_mean)
