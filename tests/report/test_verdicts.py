"""One verdict has one word, and no verdict contradicts the interval that is printed beside it."""

from __future__ import annotations

import functools
import math
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from narrowing import present
from planted_results import planted_results, planted_run

from milplib.evaluation import RatioEstimate, Summary, compare, shifted_geometric_mean
from milplib.evaluation.resampling import IntervalMethod
from milplib.evaluation.verdicts import Verdict, verdict
from milplib.report.exports import latex_table
from milplib.report.text import headline, judgement, ratio, verdict_lines

# Many ends near 1, where rounding hides the side.
NEAR = st.builds(
    lambda sign, power: 1 + sign * 10**power, st.sampled_from((-1, 1)), st.floats(-9, -1)
)
ENDS = st.one_of(NEAR, st.floats(1e-4, 1e4), st.sampled_from((1.0, 0.0, math.inf)))
P_VALUES = st.one_of(st.none(), st.floats(0, 1), st.just(math.nan))


@st.composite
def estimates(draw: st.DrawFn) -> RatioEstimate:
    low, high = sorted((draw(ENDS), draw(ENDS)))
    # A percentile interval need not contain the ratio.
    value = draw(st.one_of(NEAR, st.floats(1e-3, 1e3), st.just(math.nan)))
    return RatioEstimate(
        value=value,
        low=low,
        high=high,
        method=IntervalMethod.PERCENTILE,
        percentile=(low, high),
        geometric_mean=value,
        instances=8,
        runs=8,
    )


def side_of(printed: list[str]) -> str:
    """Where the printed numbers stand, as a reader sees it."""
    ends = [float(text.replace(",", "").replace("∞", "inf")) for text in printed]
    if all(end < 1 for end in ends):
        return "better"
    return "worse" if all(end > 1 for end in ends) else ""


@given(estimates(), P_VALUES)
def test_a_verdict_names_a_side_only_if_the_printed_numbers_are_all_on_it(
    estimate: RatioEstimate, p_value: float | None
) -> None:
    found = verdict(estimate, p_value)
    if math.isnan(estimate.value):
        assert found is Verdict.UNKNOWN
        return
    printed = [ratio(number) for number in (estimate.value, estimate.low, estimate.high)]
    assert found.side == side_of(printed)
    is_sure = p_value is None or p_value < 0.05
    assert (found in (Verdict.FASTER, Verdict.SLOWER)) == (is_sure and found.side != "")


@given(estimates(), P_VALUES)
def test_swapping_the_policies_turns_the_verdict_round(
    estimate: RatioEstimate, p_value: float | None
) -> None:
    # Ends within 1e-6 of 1 and those that have no inverse are on no side or on both.
    ends = (estimate.low, estimate.value, estimate.high)
    if any(
        not math.isfinite(end) or end == 0 or 0 < abs(abs(end - 1) - 1e-6) < 1e-8 for end in ends
    ):
        return
    words = {Verdict.FASTER: Verdict.SLOWER, Verdict.PERHAPS_FASTER: Verdict.PERHAPS_SLOWER}
    words |= {after: before for before, after in words.items()}
    found = verdict(estimate, p_value)
    assert verdict(estimate.inverse(), p_value) is words.get(found, found)


@functools.cache
def plain_summary(n_policies: int) -> Summary:
    names = [*(f"policy{n}" for n in range(n_policies)), "base"]
    return planted_results(
        [planted_run(name, f"ca/{n}.lp") for n in range(2) for name in names]
    ).summary()


def summary_of(estimates: list[RatioEstimate], p_values: list[float]) -> Summary:
    """A summary whose comparisons with the baseline are these."""
    summary = plain_summary(len(estimates))
    rows = [
        replace(row, against_baseline=replace(present(row.against_baseline), time=e, nodes=e))
        for row, e in zip(summary.rows[:-1], estimates, strict=True)
    ]
    tests = [
        replace(test, p_value=p, corrected=p)
        for test, p in zip(summary.tests, p_values, strict=True)
    ]
    return replace(summary, rows=(*rows, summary.rows[-1]), tests=tuple(tests))


@given(st.lists(st.tuples(estimates(), st.floats(0, 1)), min_size=1, max_size=4))
def test_table_list_and_headline_say_the_same_of_every_policy(
    planted: list[tuple[RatioEstimate, float]],
) -> None:
    summary = summary_of([estimate for estimate, _ in planted], [p for _, p in planted])
    words = {row.policy: judgement(summary, row) for row in summary.rows[:-1]}
    lines = {line.split(":")[0]: line for line in verdict_lines(summary)}
    for policy, word in words.items():
        said = re.search(r"time \S+ × base \(\S+ to \S+: ([^)]*)\)", lines[policy])
        assert (said[1] if said else "unknown") == word
    text = headline(summary)
    said_of = dict.fromkeys(words, "")
    if match := re.fullmatch(r"(.*) (?:is|are) (.*) (?:than|from) base\.", text.claim):
        for policy in re.findall(r"policy\d", match[1]):
            said_of[policy] = match[2]
    for word, names in re.findall(r"((?:Perhaps s|S)lower) than base: ([^.]*)\.", text.evidence):
        for policy in re.findall(r"policy\d", names):
            said_of[policy] = word.lower()
    for policy, word in said_of.items():
        assert word in ("", words[policy])
    if text.claim == "No policy is faster than base.":
        assert set(words.values()) <= {"slower", "perhaps slower", "unknown"}
    assert (r"\textbf" in latex_table(summary)) == any("faster" in w for w in words.values())


def test_the_best_policy_is_the_surest_one() -> None:
    unsure = compare(np.full((3, 1), 1.0), np.full((3, 1), 9.0), shift=0.0)
    sure = replace(unsure, value=0.5, low=0.4, high=0.6)
    summary = summary_of([unsure, sure], [0.5, 0.001])
    assert headline(summary).claim == "policy1 is faster than base."


def test_equal_runs_in_another_order_are_not_told_apart() -> None:
    times = np.array([[0.1, 0.2, 0.7], [0.3, 0.5, 0.9], [1.1, 0.3, 0.4]])
    estimate = compare(times, times[:, ::-1], shift=1.0)
    assert verdict(estimate, 0.01) is Verdict.NOT_TOLD_APART


@pytest.mark.parametrize("shift", [0.0, 1.0, 10.0, 100.0])
def test_a_mean_of_equal_values_is_that_value_and_of_zeros_exactly_zero(shift: float) -> None:
    if shift:
        assert shifted_geometric_mean(np.zeros((7, 3)), shift=shift) == 0
    found = shifted_geometric_mean(np.full((7, 3), 42.0), shift=shift)
    assert found == pytest.approx(42.0, rel=1e-14)  # a few units in the last place
