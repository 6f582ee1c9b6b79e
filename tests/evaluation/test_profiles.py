"""Performance profiles: failures are never within any factor, missing runs are no failures."""

from __future__ import annotations

import math

import numpy as np
import pytest

from milplib.evaluation import PerformanceProfile, performance_profile

NAN = math.nan


def profile_of(*times: list[float]) -> PerformanceProfile:
    """Of policies on pairs; a negative time is that of a failure."""
    array = np.array(times, dtype=np.float64)[:, :, None]
    return performance_profile(np.abs(array), array > 0)


def test_a_failure_is_infinitely_far_from_the_best_however_soon_it_came() -> None:
    profile = profile_of([-0.1, 10.0], [20.0, 10.0])
    assert profile.ratios.tolist() == [[1.0, math.inf], [1.0, 1.0]]
    assert profile.fraction(0, math.inf) == 0.5


def test_a_pair_that_nobody_solved_counts_against_everybody() -> None:
    profile = profile_of([-60.0, 1.0], [-60.0, 2.0])
    assert [profile.fraction(n, 1e9) for n in (0, 1)] == [0.5, 0.5]


def test_a_pair_that_one_lacks_counts_for_nobody_and_a_policy_without_runs_takes_none_away() -> (
    None
):
    profile = profile_of([1.0, NAN, 3.0], [2.0, 1.0, 3.0], [NAN, NAN, NAN])
    assert profile.pairs == 2
    assert profile.ratios[:2].tolist() == [[1.0, 1.0], [1.0, 2.0]]
    assert math.isnan(profile.fraction(2, 1.0))


def test_no_pairs_have_no_fractions() -> None:
    profile = profile_of([NAN], [1.0])
    assert profile.pairs == 1  # the second policy alone
    empty = performance_profile(np.zeros((2, 0, 0)), np.zeros((2, 0, 0), dtype=bool))
    assert empty.pairs == 0
    assert math.isnan(empty.fraction(0, 1.0))


def test_times_below_what_a_clock_tells_are_equal() -> None:
    assert profile_of([0.001], [0.009]).ratios.tolist() == [[1.0], [1.0]]


def test_steps_rise_from_one_to_the_share_of_solved_pairs() -> None:
    random = np.random.RandomState(0)
    times, solved = np.exp(random.randn(3, 20, 2)), random.rand(3, 20, 2) < 0.8
    profile = performance_profile(times, solved)
    for policy in range(3):
        taus, fractions = profile.steps(policy)
        assert taus[0] == 1
        assert (np.diff(taus) > 0).all()
        assert (np.diff(fractions) > 0).all()
        assert fractions[-1] == pytest.approx(solved[policy].mean(), abs=1e-12)
        assert fractions.tolist() == [profile.fraction(policy, tau) for tau in taus]
    first = sum(profile.fraction(policy, 1.0) for policy in range(3))
    assert first == pytest.approx(solved.any(axis=0).mean(), abs=1e-12)
