"""Checks of a table of runs: contradictions, leaks, missing pairs, mixed versions."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from milplib.arguments import checked
from milplib.evaluation.rows import RunRow, by_instance, run_rows
from milplib.evaluation.significance import CLAIM_INSTANCES, SignedRank
from milplib.outcomes import SolveStatus

__all__ = ["OBJECTIVE_TOLERANCE", "Finding", "check_claims", "check_runs", "objectives_differ"]

OBJECTIVE_TOLERANCE = 1e-6
"""Largest difference between two optimal values, relative to max(1, |a|, |b|)."""

NAMED = 10
"""Maximum number of missing runs that a message names per policy; it counts the rest."""

_PROVEN: Mapping[str, SolveStatus] = {
    SolveStatus.OPTIMAL: SolveStatus.OPTIMAL,
    SolveStatus.GAP_LIMIT: SolveStatus.OPTIMAL,
    SolveStatus.INFEASIBLE: SolveStatus.INFEASIBLE,
}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Problem found in a table of runs.

    Parameters
    ----------
    message
        Description and place of the problem.
    is_error
        Whether the problem makes the results untrustworthy, as when two runs contradict each other.
    """

    message: str
    is_error: bool


def objectives_differ(a: float, b: float, *, gap: float = 0.0) -> bool:
    """Return whether two values cannot both be optimal.

    Parameters
    ----------
    a, b
        Objective values.
    gap
        Relative gap to the optimum that the runs themselves report.

    Examples
    --------
    >>> objectives_differ(1e6, 1e6 + 0.5), objectives_differ(1e6, 1e6 + 2.0)
    (False, True)
    """
    return abs(a - b) > (OBJECTIVE_TOLERANCE + gap) * max(1.0, abs(a), abs(b))


@checked
def check_runs(table: pa.Table, *, policies: Sequence[str] | None = None) -> tuple[Finding, ...]:
    """Check runs for contradictions and for anything that makes them hard to compare.

    Errors are runs that contradict each other, runs under one name on different instances or
    with different policy files, and instances that a policy was trained on. Notes are runs that
    a policy lacks and others have, distributions without any run of a policy, repeated
    instances, and mixed versions or machines.

    Parameters
    ----------
    table
        Checked table of runs.
    policies
        Names of the policies that should have runs. Default: those in the table.

    Returns
    -------
    tuple of Finding
        Errors first.

    Examples
    --------
    >>> from milplib.evaluation.table import run_table
    >>> runs = [{"policy": policy, "instance": "a", "seed": 0, "failure": "", "gap": 0.0,
    ...          "status": "optimal", "objective": value}
    ...         for policy, value in (("pscost", 5.0), ("mine", 6.0))]
    >>> [finding.is_error for finding in check_runs(run_table(runs))]
    [True]
    """
    columns = (
        "policy",
        "instance",
        "seed",
        "setting",
        "status",
        "failure",
        "objective",
        "gap",
        "reference_objective",
        "instance_hash",
        "distribution",
        "policy_hash",
        "seen_in",
    )
    groups = by_instance(run_rows(table, columns))
    findings = [f for rows in groups.values() for f in _contradictions(rows)]
    findings += _changed_or_repeated(groups)
    rows = [row for listed in groups.values() for row in listed]
    names = tuple(dict.fromkeys([*(policies or ()), *(row["policy"] for row in rows)]))
    findings += [*_mixed_policies(rows), *_leaks(rows), *_missing(rows, names)]
    for name, noun in (
        ("milplib_version", "versions of milplib"),
        ("scip_version", "versions of SCIP"),
        ("host", "machines"),
    ):
        values = sorted(filter(None, set(table.column(name).to_pylist())))
        if len(values) > 1:
            message = f"the runs are of several {noun}: {', '.join(values)}"
            findings.append(Finding(message=message, is_error=False))
    return tuple(sorted(findings, key=lambda finding: not finding.is_error))


def check_claims(tests: Iterable[SignedRank]) -> tuple[Finding, ...]:
    """Return a note for each distribution with too few instances to support a claim.

    Parameters
    ----------
    tests
        Signed-rank tests of the policies against the baseline.

    Returns
    -------
    tuple of Finding
        One note for each distribution where a comparison has at least one instance, but fewer
        than `milplib.evaluation.significance.CLAIM_INSTANCES`.

    Examples
    --------
    >>> import numpy as np
    >>> from milplib.evaluation import signed_rank
    >>> test = signed_rank(np.ones((2, 1)), np.ones((2, 1)), shift=1.0, policy="mine",
    ...                    other="base", distribution="CA")
    >>> print(check_claims([test])[0].message)  # doctest: +ELLIPSIS
    too few instances for a claim on CA (fewer than 6...): 2 for mine against base
    """
    few: dict[str, list[SignedRank]] = defaultdict(list)
    for test in tests:
        if 0 < test.instances < CLAIM_INSTANCES:
            few[test.distribution].append(test)
    return tuple(
        Finding(
            message=(
                f"too few instances for a claim on {distribution} (fewer than {CLAIM_INSTANCES}, "
                "with which no signed-rank test reaches 5 %): "
                + ", ".join(f"{t.instances} for {t.policy} against {t.other}" for t in listed)
            ),
            is_error=False,
        )
        for distribution, listed in few.items()
    )


def _mixed_policies(rows: list[RunRow]) -> Iterator[Finding]:
    hashes_of: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row["policy_hash"]:
            hashes_of[row["policy"]].add(row["policy_hash"])
    for policy, hashes in hashes_of.items():
        if len(hashes) > 1:
            message = f"the runs of {policy} are of {len(hashes)} different policy files"
            yield Finding(message=message, is_error=True)


def _leaks(rows: list[RunRow]) -> Iterator[Finding]:
    """Find instances that a policy was trained on or chosen by; its runs there prove nothing."""
    seen = dict.fromkeys(
        (row["policy"], row["instance"], row["seen_in"]) for row in rows if row["seen_in"]
    )
    for policy, instance, where in seen:
        message = (
            f"leak: {instance} is among the {where} instances of {policy}, by its content hash; "
            "its runs there count as failures"
        )
        yield Finding(message=message, is_error=True)


def _missing(rows: list[RunRow], policies: Sequence[str]) -> Iterator[Finding]:
    """Find runs that only some policies have, and distributions without any run of a policy."""
    pairs: dict[str, dict[tuple[str, int], set[str]]] = defaultdict(lambda: defaultdict(set))
    for row in rows:
        pairs[row["distribution"]][row["instance"], row["seed"]].add(row["policy"])
    for distribution, of_pairs in pairs.items():
        for policy in policies:
            lacking = [pair for pair, present in of_pairs.items() if policy not in present]
            if len(lacking) == len(of_pairs):
                message = (
                    f"empty cell: {policy} has no run on {distribution}, so it has no mean over "
                    "all distributions"
                )
                yield Finding(message=message, is_error=False)
            elif lacking:
                named = ", ".join(f"{name} with seed {seed}" for name, seed in lacking[:NAMED])
                more = f" and {len(lacking) - NAMED} more" if len(lacking) > NAMED else ""
                message = (
                    f"unpaired: {policy} lacks runs that others have, on {named}{more}; these "
                    "pairs are left out of the means"
                )
                yield Finding(message=message, is_error=False)


def _contradictions(rows: list[RunRow]) -> Iterator[Finding]:
    """Find runs on one instance that contradict each other, at most one pair per instance."""
    proven = [row for row in rows if not row["failure"] and row["status"] in _PROVEN]
    if not proven:
        return
    first = proven[0]
    for row in proven[1:]:
        if _PROVEN[row["status"]] != _PROVEN[first["status"]] or _values_differ(first, row):
            yield _contradiction(f"{_who(first)}, but {_who(row)}", row)
            break
    reference = first["reference_objective"]
    for row in proven:
        if reference is None:
            break
        if row["status"] == SolveStatus.INFEASIBLE or _differs_from(row, reference):
            known = f"the known optimum is {reference:.12g}"
            yield _contradiction(f"{known}, but {_who(row)}", row)
            break


def _contradiction(text: str, row: RunRow) -> Finding:
    return Finding(message=f"contradiction on {row['instance']}: {text}", is_error=True)


def _who(row: RunRow) -> str:
    value = "" if row["objective"] is None else f" with objective {row['objective']:.12g}"
    return f"{row['policy']} (seed {row['seed']}) says {row['status']}{value}"


def _own_gap(row: RunRow) -> float:
    gap = row["gap"]
    return (
        gap
        if row["status"] == SolveStatus.GAP_LIMIT and gap is not None and math.isfinite(gap)
        else 0.0
    )


def _values_differ(a: RunRow, b: RunRow) -> bool:
    if a["objective"] is None or b["objective"] is None:
        return False
    gap = max(_own_gap(a), _own_gap(b))
    return objectives_differ(a["objective"], b["objective"], gap=gap)


def _differs_from(row: RunRow, reference: float) -> bool:
    if row["objective"] is None:
        return False
    return objectives_differ(row["objective"], reference, gap=_own_gap(row))


def _changed_or_repeated(groups: Mapping[str, list[RunRow]]) -> Iterator[Finding]:
    first: dict[str, str] = {}
    for instance, rows in groups.items():
        hashes = sorted({row["instance_hash"] for row in rows if row["instance_hash"]})
        if len(hashes) > 1:
            message = f"the runs on {instance} are on different instances, by their content hash"
            yield Finding(message=message, is_error=True)
        for digest in hashes:
            other = first.setdefault(digest, instance)
            if other != instance:
                message = f"{instance} has the same content as {other}, and counts twice"
                yield Finding(message=message, is_error=False)
