"""Tests against scipy's, and corrections against values computed by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import scipy.stats

from milplib.evaluation import holm, signed_rank
from milplib.evaluation.checks import check_claims
from milplib.evaluation.significance import CLAIM_INSTANCES, corrected_tests

NAN = math.nan


@pytest.mark.parametrize("n", [6, 12, 40])
def test_the_signed_rank_test_is_scipys_on_one_log_ratio_an_instance(n: int) -> None:
    values, others = np.exp(1 + np.random.RandomState(n).randn(2, n, 3))
    logs = (np.log(values + 1) - np.log(others + 1)).mean(axis=1)
    expected = scipy.stats.wilcoxon(logs)
    found = signed_rank(values, others, shift=1.0)
    assert found.statistic == pytest.approx(expected.statistic, abs=1e-9)
    assert found.p_value == pytest.approx(expected.pvalue, abs=1e-9)
    assert found.instances == n
    assert math.isnan(found.corrected)


def test_more_seeds_of_the_same_instances_are_no_more_evidence() -> None:
    values, others = np.exp(np.random.RandomState(0).randn(2, 8, 1))
    once = signed_rank(values, others, shift=1.0)
    often = signed_rank(np.tile(values, 50), np.tile(others, 50), shift=1.0)
    assert often.p_value == once.p_value


def test_only_pairs_count() -> None:
    values = np.array([[1.0, 9.0], [2.0, NAN], [NAN, NAN], [4.0, 4.0]])
    others = np.array([[2.0, NAN], [5.0, 3.0], [7.0, 7.0], [9.0, 9.0]])
    whole = signed_rank(values[[0, 1, 3], :1], others[[0, 1, 3], :1], shift=1.0)
    assert signed_rank(values, others, shift=1.0) == whole


def test_equal_runs_have_no_rank_and_rounding_breaks_no_tie() -> None:
    # log(3)-log(2) three times, by seeds whose sums differ in their last digits.
    values = np.array([[2.0, 2.0, 2.0], [0.2, 2.0, 20.0], [7.0, 7.0, 7.0], [5.0, 5.0, 5.0]])
    others = np.array([[1.0, 1.0, 1.0], [0.1, 1.0, 10.0], [3.5, 3.5, 3.5], [5.0, 5.0, 5.0]])
    found = signed_rank(values, others, shift=0.0)
    # Three equal ratios above 1: of 8 patterns of signs 2 are as extreme.
    assert found.statistic == 0.0
    assert found.p_value == pytest.approx(2 / 8, abs=1e-9)
    same = signed_rank(values, values, shift=0.0)
    assert (same.statistic, same.p_value, same.instances) == (0.0, 1.0, 4)


def test_nothing_to_test_has_no_p_value() -> None:
    nothing = signed_rank(np.full((3, 2), NAN), np.ones((3, 2)), shift=1.0)
    assert math.isnan(nothing.p_value)
    assert nothing.instances == 0
    assert math.isnan(signed_rank(np.zeros((0, 0)), np.zeros((0, 0)), shift=1.0).p_value)


def test_holms_values_are_those_of_the_hand_computation() -> None:
    # Ascending 0.005, 0.01, 0.03, 0.04 times 4, 3, 2, 1, never below the one before.
    found = holm([0.01, 0.04, 0.03, 0.005])
    assert found.tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02], abs=1e-9)
    assert holm([0.6, 0.9]).tolist() == pytest.approx([1.0, 1.0], abs=1e-9)
    assert holm([0.02]).tolist() == [0.02]
    assert holm([]).tolist() == []


def test_a_test_that_could_not_be_made_is_not_counted() -> None:
    found = holm([0.01, NAN, 0.04])
    assert found[[0, 2]].tolist() == pytest.approx([0.02, 0.04], abs=1e-9)
    assert math.isnan(found[1])


def test_the_correction_is_never_below_the_p_value_nor_above_bonferronis() -> None:
    for seed in range(20):
        p_values = np.random.RandomState(seed).rand(9) ** 2
        found = holm(p_values)
        assert (found >= p_values).all()
        assert (found <= np.minimum(9 * p_values, 1) + 1e-15).all()
        assert (np.argsort(found[np.argsort(p_values)], kind="stable") == np.arange(9)).all()


def test_tests_are_corrected_together() -> None:
    strong = signed_rank(np.arange(1.0, 9)[:, None], np.arange(2.0, 18, 2)[:, None], shift=0.0)
    weak = signed_rank(np.array([[1.0], [2.0]]), np.array([[3.0], [1.5]]), shift=0.0)
    found = corrected_tests([weak, strong])
    assert found[1].corrected == pytest.approx(2 * strong.p_value, abs=1e-12)
    assert found[0].corrected == weak.p_value


def test_so_few_instances_that_no_test_can_reach_five_per_cent_are_no_claim() -> None:
    def clearest(n: Any) -> Any:
        return signed_rank(np.arange(1.0, n + 1)[:, None], np.full((n, 1), 99.0), shift=0.0)

    few, enough = clearest(CLAIM_INSTANCES - 1), clearest(CLAIM_INSTANCES)
    assert few.p_value > 0.05
    assert enough.p_value < 0.05
    assert len(check_claims([few])) == 1
    assert check_claims([enough]) == ()
