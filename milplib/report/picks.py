"""What portfolios such as ``auto`` picked in the runs of an evaluation."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pyarrow as pa

__all__ = ["PickCount", "pick_counts"]


@dataclass(frozen=True, kw_only=True)
class PickCount:
    """Number of a policy's runs with a pick.

    Parameters
    ----------
    policy
        Policy of the evaluation.
    picked
        What it picked and why, in the words of `milplib.policies.Picked`.
    runs
        Number of its runs.
    """

    policy: str
    picked: str
    runs: int


def pick_counts(table: pa.Table) -> list[PickCount]:
    """Count the picks in a table of runs, the most frequent ones of each policy first.

    Runs of other policies, and runs that failed before the pick, do not count.

    Examples
    --------
    >>> from milplib.evaluation.table import run_table
    >>> rows = [{"policy": "auto", "picked": "gcnn-auctions (family: CA)"}, {"policy": "pscost"}]
    >>> [(count.picked, count.runs) for count in pick_counts(run_table(rows))]
    [('gcnn-auctions (family: CA)', 1)]
    """
    policies = table.column("policy").to_pylist()
    counts = Counter(
        (policy, picked)
        for policy, picked in zip(policies, table.column("picked").to_pylist(), strict=True)
        if picked
    )
    place = {policy: number for number, policy in enumerate(dict.fromkeys(policies))}
    in_order = sorted(counts.items(), key=lambda item: (place[item[0][0]], -item[1], item[0][1]))
    return [
        PickCount(policy=policy, picked=picked, runs=runs) for (policy, picked), runs in in_order
    ]
