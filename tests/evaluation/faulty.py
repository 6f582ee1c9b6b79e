"""Rows in which faults are planted, and what is asked of their summary."""

from __future__ import annotations

from milplib.evaluation import PolicySummary, Summary

POLICIES = ("mine", "other", "base")
FAMILIES = {"ca": 3.0, "sc": 9.0}
MEANS = ("time", "par10", "nodes", "fair_nodes", "lp_iterations", "primal_integral")


def row_of(summary: Summary, policy: str, distribution: str) -> PolicySummary:
    (found,) = (row for row in summary.rows_of(distribution) if row.policy == policy)
    return found


def texts(summary: Summary) -> list[str]:
    return [finding.message for finding in summary.findings]
