"""Levels of difficulty: where each begins, and what a short limit cannot tell."""

from __future__ import annotations

import math
from typing import Any

import pytest

from milplib.errors import ParameterError
from milplib.hardness import LevelThresholds, level_of, majority_level
from milplib.hardness.results import Judging

THRESHOLDS = LevelThresholds()


def level(
    *,
    solved: Any,
    time: float = 0.0,
    gap: float = 0.0,
    time_limit: float = 3600.0,
    thresholds: Any = THRESHOLDS,
) -> Any:
    return level_of(solved=solved, time=time, gap=gap, time_limit=time_limit, thresholds=thresholds)


@pytest.mark.parametrize(
    ("time", "expected"),
    [(0.0, "easy"), (99.9, "easy"), (100.0, "medium"), (999.9, "medium"), (1000.0, "hard")],
)
def test_a_solved_instance_is_judged_by_its_time(time: float, expected: str) -> None:
    assert level(solved=True, time=time) == expected


@pytest.mark.parametrize(
    ("gap", "expected"), [(0.02, "very-hard"), (0.1, "very-hard"), (0.11, "ext-hard")]
)
def test_what_the_full_limit_stopped_is_judged_by_its_gap(gap: float, expected: str) -> None:
    assert level(solved=False, time=3600, gap=gap) == expected


def test_without_a_solution_or_a_bound_it_is_ext_hard() -> None:
    assert level(solved=False, time=3600, gap=math.inf) == "ext-hard"


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (3599.0, "hard or harder"),
        (1000.0, "hard or harder"),
        (999.0, "medium or harder"),
        (100.0, "medium or harder"),
        (99.0, "not solved in 99 s"),
        (0.5, "not solved in 0.5 s"),
    ],
)
def test_a_short_limit_tells_no_more_than_it_can(limit: float, expected: str) -> None:
    assert level(solved=False, time=limit, gap=0.01, time_limit=limit) == expected


def test_a_solve_within_a_short_limit_has_its_level() -> None:
    assert level(solved=True, time=0.4, time_limit=0.5) == "easy"


def test_thresholds_are_options() -> None:
    quick = LevelThresholds(easy=1, medium=2, limit=3, gap=0.5)
    assert level(solved=True, time=1.5, thresholds=quick) == "medium"
    assert level(solved=False, time=3, gap=0.4, time_limit=3, thresholds=quick) == "very-hard"


@pytest.mark.parametrize(
    "wrong",
    [
        {"easy": 1000},
        {"medium": 100},
        {"medium": 3600},
        {"limit": 500},
        {"easy": 0},
        {"easy": -1},
        {"limit": math.inf},
        {"gap": 0},
        {"gap": math.nan},
    ],
)
def test_thresholds_must_ascend_and_be_positive(wrong: dict[str, Any]) -> None:
    with pytest.raises(ParameterError, match=r"levels' (times|threshold)"):
        LevelThresholds(**wrong)


def test_the_majority_is_more_than_half() -> None:
    assert majority_level(["easy", "hard", "hard"]) == "hard"
    assert majority_level(["easy", "hard"]) == "mixed"
    assert majority_level([]) == ""


def test_samples_are_capped_by_those_wanted_of_an_instance() -> None:
    judging = Judging(thresholds=LevelThresholds(), expert_probability=0.5, samples_per_instance=3)
    assert judging.judged({"failure": "crash", "branchings": 100})["expected_samples"] == 3
    assert judging.judged({"failure": "crash", "branchings": 4})["expected_samples"] == 2.0
    assert judging.judged({"failure": "crash"})["expected_samples"] is None
