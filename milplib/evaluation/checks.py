"""What is wrong with a table of runs: contradictions, repeated content, mixed versions."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

__all__ = ["OBJECTIVE_TOLERANCE", "Finding", "check_runs", "objectives_differ"]

OBJECTIVE_TOLERANCE = 1e-6
"""How far apart two optimal values may be, relative to max(1, |a|, |b|)."""

_PROVEN = {"optimal": "optimal", "gaplimit": "optimal", "infeasible": "infeasible"}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something that is wrong with the runs.

    Parameters
    ----------
    message
        What, and where.
    is_error
        Whether it makes the results untrustworthy: two runs cannot both be right.
    """

    message: str
    is_error: bool


def objectives_differ(a: float, b: float, *, gap: float = 0.0) -> bool:
    """Whether two values cannot both be optimal.

    Parameters
    ----------
    a, b
        The values.
    gap
        What either may be away from the optimum by its own account, relative.

    Examples
    --------
    >>> objectives_differ(1e6, 1e6 + 0.5), objectives_differ(1e6, 1e6 + 2.0)
    (False, True)
    """
    return abs(a - b) > (OBJECTIVE_TOLERANCE + gap) * max(1.0, abs(a), abs(b))


def check_runs(table: pa.Table) -> tuple[Finding, ...]:
    """Look for contradictions between runs, and for what makes them hard to compare.

    Parameters
    ----------
    table
        A checked table of runs.

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
    )
    by_instance: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in table.select(columns).to_pylist():
        by_instance[row["instance"]].append(row)
    findings = [f for rows in by_instance.values() for f in _contradictions(rows)]
    findings += _changed_or_repeated(by_instance)
    for name, what in (
        ("milplib_version", "versions of milplib"),
        ("scip_version", "versions of SCIP"),
        ("host", "machines"),
    ):
        found = sorted(filter(None, set(table.column(name).to_pylist())))
        if len(found) > 1:
            message = f"the runs are of several {what}: {', '.join(found)}"
            findings.append(Finding(message=message, is_error=False))
    return tuple(sorted(findings, key=lambda finding: not finding.is_error))


def _contradictions(rows: list[dict[str, Any]]) -> Iterator[Finding]:
    """Runs on one instance that cannot all be right; one finding an instance says enough."""
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
        if row["status"] == "infeasible" or _differs_from(row, reference):
            known = f"the known optimum is {reference:.12g}"
            yield _contradiction(f"{known}, but {_who(row)}", row)
            break


def _contradiction(text: str, row: dict[str, Any]) -> Finding:
    return Finding(message=f"contradiction on {row['instance']}: {text}", is_error=True)


def _who(row: dict[str, Any]) -> str:
    value = "" if row["objective"] is None else f" with objective {row['objective']:.12g}"
    return f"{row['policy']} (seed {row['seed']}) says {row['status']}{value}"


def _own_gap(row: dict[str, Any]) -> float:
    gap = row["gap"]
    return gap if row["status"] == "gaplimit" and gap is not None and math.isfinite(gap) else 0.0


def _values_differ(a: dict[str, Any], b: dict[str, Any]) -> bool:
    if a["objective"] is None or b["objective"] is None:
        return False
    gap = max(_own_gap(a), _own_gap(b))
    return objectives_differ(a["objective"], b["objective"], gap=gap)


def _differs_from(row: dict[str, Any], reference: float) -> bool:
    if row["objective"] is None:
        return False
    return objectives_differ(row["objective"], reference, gap=_own_gap(row))


def _changed_or_repeated(by_instance: dict[str, list[dict[str, Any]]]) -> Iterator[Finding]:
    first: dict[str, str] = {}
    for instance, rows in by_instance.items():
        hashes = sorted({row["instance_hash"] for row in rows if row["instance_hash"]})
        if len(hashes) > 1:
            message = f"the runs on {instance} are on different instances, by their content hash"
            yield Finding(message=message, is_error=True)
        for digest in hashes:
            other = first.setdefault(digest, instance)
            if other != instance:
                message = f"{instance} has the same content as {other}, and counts twice"
                yield Finding(message=message, is_error=False)
