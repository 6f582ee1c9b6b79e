"""Evaluation in words: numbers with three digits, and sentences on who wins and how surely."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from milplib.evaluation.significance import SignedRank
from milplib.evaluation.statistics import RatioEstimate
from milplib.evaluation.summary import PolicySummary, Summary

__all__ = [
    "SIGNIFICANT",
    "Headline",
    "count",
    "headline",
    "judgement",
    "listing",
    "number",
    "p_value",
    "percent",
    "signed_rank_of",
    "verdict",
    "verdict_lines",
    "with_interval",
]

SIGNIFICANT = 0.05
"""Level of significance of corrected p-values."""


def number(value: float) -> str:
    """Format a number with three digits; a dash for NaN.

    Examples
    --------
    >>> number(0.12345), number(1234.5), number(float("nan"))
    ('0.123', '1,234', '–')
    """
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    if value == 0:
        return "0"
    if abs(value) < 0.001:
        return f"{value:.1e}"
    digits = 2 if abs(value) >= 1 else 3
    return f"{value:.{digits}f}" if abs(value) < 10 else f"{value:.1f}"


def percent(value: float) -> str:
    """Format a share in per cent; a dash for NaN.

    Examples
    --------
    >>> percent(0.1234), percent(float("nan"))
    ('12.3 %', '–')
    """
    return "–" if math.isnan(value) else f"{100 * value:.1f} %"


def p_value(value: float) -> str:
    """Format a p-value with two digits; a dash for NaN.

    Examples
    --------
    >>> p_value(0.0421), p_value(0.00001), p_value(1.0), p_value(float("nan"))
    ('0.042', '< 0.0001', '1', '–')
    """
    if math.isnan(value):
        return "–"
    return "< 0.0001" if value < 0.0001 else f"{value:.2g}"


def count(number_of: int, noun: str, plural: str = "") -> str:
    """Format a number with its noun.

    Examples
    --------
    >>> count(1, "policy", "policies"), count(1200, "run")
    ('1 policy', '1,200 runs')
    """
    return f"{number_of:,} {noun if number_of == 1 else plural or noun + 's'}"


def listing(names: Sequence[str]) -> str:
    """Join names in a sentence.

    Examples
    --------
    >>> listing(["a"]), listing(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def with_interval(estimate: RatioEstimate) -> str:
    """Format a ratio with its interval for a table cell; a dash for NaN.

    Examples
    --------
    >>> from milplib.evaluation import compare
    >>> import numpy as np
    >>> with_interval(compare(np.full((5, 1), 1.0), np.full((5, 1), 9.0), shift=1.0))
    '0.11 [0.11, 0.11]'
    """
    if math.isnan(estimate.value):
        return "–"
    return f"{estimate.value:.2f} [{estimate.low:.2f}, {estimate.high:.2f}]"


def verdict(estimate: RatioEstimate) -> str:
    """Return ``better`` or ``worse`` if the interval excludes 1, else an empty string.

    Examples
    --------
    >>> from milplib.evaluation import compare
    >>> import numpy as np
    >>> verdict(compare(np.full((5, 1), 1.0), np.full((5, 1), 9.0), shift=1.0))
    'better'
    """
    if estimate.high < 1:
        return "better"
    return "worse" if estimate.low > 1 else ""


def signed_rank_of(summary: Summary, policy: str, distribution: str) -> SignedRank | None:
    """Return the test of a policy against the baseline on a distribution; None without one."""
    for test in summary.tests:
        if (test.policy, test.other, test.distribution) == (policy, summary.baseline, distribution):
            return test
    return None


def judgement(summary: Summary, row: PolicySummary) -> str:
    """Compare a policy's time with the baseline's in a few words.

    Returns
    -------
    str
        ``faster`` or ``slower`` if the interval excludes 1 and the corrected p-value is below
        0.05; ``perhaps faster`` or ``perhaps slower`` if only the interval excludes 1; otherwise
        ``not told apart``, or ``unknown`` without runs.
    """
    if row.against_baseline is None:
        return "baseline"
    estimate = row.against_baseline.time
    if not math.isfinite(estimate.value):
        return "unknown"
    word = {"better": "faster", "worse": "slower", "": ""}[verdict(estimate)]
    if not word:
        return "not told apart"
    test = signed_rank_of(summary, row.policy, row.distribution)
    is_sure = test is not None and test.corrected < SIGNIFICANT
    return word if is_sure else f"perhaps {word}"


@dataclass(frozen=True, kw_only=True)
class Headline:
    """Main result in two sentences.

    Parameters
    ----------
    claim
        Sentence on who wins.
    evidence
        Sentence with the ratio and its significance.
    """

    claim: str
    evidence: str


def headline(summary: Summary) -> Headline:
    """Describe who wins on all instances, by how much, and how significant that is.

    Parameters
    ----------
    summary
        Summary of an evaluation.
    """
    baseline = summary.baseline
    if not any(summary.instances.values()):
        return Headline(claim="No policy ran on any instance.", evidence="")
    every = summary.distributions[0]
    rows = [
        row
        for row in summary.rows_of(every)
        if row.against_baseline and math.isfinite(row.against_baseline.time.value)
    ]
    if not rows:
        claim = f"There is nothing to compare {baseline} with."
        return Headline(claim=claim, evidence="")
    words = {row.policy: judgement(summary, row) for row in rows}
    best = min(rows, key=_time_ratio)
    slower = [policy for policy, word in words.items() if word == "slower"]
    if _time_ratio(best) >= 1:
        claim = f"No policy is faster than {baseline}."
        evidence = f"The closest one, {best.policy}, {_takes(summary, best)}."
    elif words[best.policy] == "faster":
        claim = f"{best.policy} is faster than {baseline}."
        evidence = f"It {_takes(summary, best)}."
    else:
        claim = f"{best.policy} is ahead of {baseline}, but that may be chance."
        evidence = f"It {_takes(summary, best)}."
    rivals = [
        row.policy
        for row in rows
        if row is not best
        and _time_ratio(row) < 1
        and not verdict(summary.comparisons[every][best.policy, row.policy].time)
    ]
    if rivals:
        evidence += f" Not told apart from it: {listing(rivals)}."
    if slower:
        evidence += f" Slower than {baseline}: {listing(slower)}."
    return Headline(claim=claim, evidence=evidence)


def _time_ratio(row: PolicySummary) -> float:
    return row.against_baseline.time.value if row.against_baseline else math.nan


def _takes(summary: Summary, row: PolicySummary) -> str:
    assert row.against_baseline is not None
    estimate = row.against_baseline.time
    text = f"takes {number(estimate.value)} times the time of {summary.baseline}"
    sure = [f"95 % interval {_interval(estimate)}"] if estimate.has_interval else []
    test = signed_rank_of(summary, row.policy, row.distribution)
    if test is not None and not math.isnan(test.corrected):
        sure.append(f"corrected p {_equals(test.corrected)}")
    return f"{text} ({', '.join(sure)})" if sure else text


def _interval(estimate: RatioEstimate) -> str:
    return f"{number(estimate.low)} to {number(estimate.high)}"


def _equals(value: float) -> str:
    written = p_value(value)
    return written if written.startswith("<") else f"= {written}"


def verdict_lines(summary: Summary) -> list[str]:
    """Summarise each policy's result against the baseline on all instances in one sentence."""
    if not summary.distributions:
        return []
    lines = []
    for row in summary.rows_of(summary.distributions[0]):
        if row.against_baseline is None:
            continue
        parts = [f"{row.solved} of {row.runs} runs solved"]
        for noun, words, estimate in (
            ("time", ("faster", "slower"), row.against_baseline.time),
            ("nodes", ("fewer", "more"), row.against_baseline.nodes),
        ):
            if not math.isfinite(estimate.value):
                continue
            sure = dict(zip(("better", "worse"), words, strict=True))
            word = sure.get(verdict(estimate), "not told apart")
            interval = f" ({_interval(estimate)}: {word})" if estimate.has_interval else ""
            parts.append(f"{noun} {number(estimate.value)} × {summary.baseline}{interval}")
        test = signed_rank_of(summary, row.policy, row.distribution)
        if test is not None and not math.isnan(test.p_value):
            parts.append(f"Wilcoxon p {_equals(test.p_value)}, corrected {_equals(test.corrected)}")
        lines.append(f"{row.policy}: {'; '.join(parts)}.")
    return lines
