"""Evaluation in words: numbers with three digits, and sentences on who wins and how surely."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from milplib.evaluation.significance import SignedRank
from milplib.evaluation.statistics import RatioEstimate
from milplib.evaluation.summary import PolicySummary, Summary
from milplib.evaluation.verdicts import EQUAL, Verdict, verdict

__all__ = [
    "Headline",
    "count",
    "headline",
    "judgement",
    "listing",
    "number",
    "p_value",
    "percent",
    "ratio",
    "signed_rank_of",
    "time_verdict",
    "verdict_lines",
    "with_interval",
]


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


def ratio(value: float) -> str:
    """Format a ratio, or an end of its interval, so that it shows on which side of 1 it is.

    Examples
    --------
    >>> ratio(0.71234), ratio(0.99964), ratio(1.0042), ratio(1.0)
    ('0.712', '0.9996', '1.004', '1.00')
    """
    if abs(value - 1) <= EQUAL:
        return number(1.0)
    text, digits = number(value), 2
    while text.rstrip("0") == "1.":
        digits += 1
        text = f"{value:.{digits}f}"
    return text


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


def signed_rank_of(summary: Summary, policy: str, distribution: str) -> SignedRank | None:
    """Return the test of a policy against the baseline on a distribution; None without one."""
    for test in summary.tests:
        if (test.policy, test.other, test.distribution) == (policy, summary.baseline, distribution):
            return test
    return None


def time_verdict(summary: Summary, row: PolicySummary) -> Verdict:
    """Return the verdict on a policy's time against the baseline's.

    See `milplib.evaluation.verdicts.verdict`.
    """
    if row.against_baseline is None:
        return Verdict.UNKNOWN
    test = signed_rank_of(summary, row.policy, row.distribution)
    return verdict(row.against_baseline.time, math.nan if test is None else test.corrected)


def judgement(summary: Summary, row: PolicySummary) -> str:
    """Return the verdict on a policy's time in words, or ``baseline`` for the baseline.

    Returns
    -------
    str
        A value of `milplib.evaluation.verdicts.Verdict`: ``faster`` or ``slower`` if the interval
        excludes 1 and the corrected p-value is below 0.05; ``perhaps faster`` or ``perhaps
        slower`` if only the interval excludes 1; otherwise ``not told apart``, or ``unknown``
        without runs.
    """
    return "baseline" if row.against_baseline is None else time_verdict(summary, row).value


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
    found: dict[Verdict, list[PolicySummary]] = {each: [] for each in Verdict}
    for row in sorted(rows, key=_time_ratio):
        found[time_verdict(summary, row)].append(row)
    top = next(each for each in Verdict if found[each])
    best = found[top][0]
    if top.side == "better":
        claim = f"{best.policy} is {top} than {baseline}."
    elif top is Verdict.NOT_TOLD_APART:
        names = [row.policy for row in found[top]]
        claim = f"{listing(names)} {'is' if len(names) == 1 else 'are'} {top} from {baseline}."
    else:
        claim = f"No policy is {Verdict.FASTER} than {baseline}."
        best = min(rows, key=_time_ratio)
    is_named = claim.startswith(f"{best.policy} is ")
    evidence = (
        f"{'It' if is_named else f'The closest one, {best.policy},'} {_takes(summary, best)}."
    )
    rivals = [
        row.policy
        for row in rows
        if row is not best
        and top.side == "better"
        and time_verdict(summary, row).side != "worse"
        and verdict(summary.comparisons[every][best.policy, row.policy].time).side == ""
    ]
    if rivals:
        evidence += f" {Verdict.NOT_TOLD_APART.capitalize()} from it: {listing(rivals)}."
    for each in (Verdict.SLOWER, Verdict.PERHAPS_SLOWER):
        if found[each]:
            names = [row.policy for row in found[each]]
            evidence += f" {each.capitalize()} than {baseline}: {listing(names)}."
    return Headline(claim=claim, evidence=evidence)


def _time_ratio(row: PolicySummary) -> float:
    return row.against_baseline.time.value if row.against_baseline else math.nan


def _takes(summary: Summary, row: PolicySummary) -> str:
    assert row.against_baseline is not None
    estimate = row.against_baseline.time
    text = f"takes {ratio(estimate.value)} times the time of {summary.baseline}"
    sure = [f"95 % interval {_interval(estimate)}"] if estimate.has_interval else []
    test = signed_rank_of(summary, row.policy, row.distribution)
    if test is not None and not math.isnan(test.corrected):
        sure.append(f"corrected p {_equals(test.corrected)}")
    return f"{text} ({', '.join(sure)})" if sure else text


def _interval(estimate: RatioEstimate) -> str:
    return f"{ratio(estimate.low)} to {ratio(estimate.high)}"


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
        compared = row.against_baseline
        for noun, estimate, word in (
            ("time", compared.time, time_verdict(summary, row).value),
            ("nodes", compared.nodes, verdict(compared.nodes).word("fewer", "more")),
        ):
            if not math.isfinite(estimate.value):
                continue
            interval = f" ({_interval(estimate)}: {word})" if estimate.has_interval else ""
            parts.append(f"{noun} {ratio(estimate.value)} × {summary.baseline}{interval}")
        test = signed_rank_of(summary, row.policy, row.distribution)
        if test is not None and not math.isnan(test.p_value):
            parts.append(f"Wilcoxon p {_equals(test.p_value)}, corrected {_equals(test.corrected)}")
        lines.append(f"{row.policy}: {'; '.join(parts)}.")
    return lines
