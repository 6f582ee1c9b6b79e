"""What an evaluation comes to: a row a policy, ratios of every two, failures, findings."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from milplib.evaluation.checks import Finding, check_runs
from milplib.evaluation.paired import PairedRuns
from milplib.evaluation.statistics import (
    NODE_SHIFT,
    TIME_SHIFT,
    RatioEstimate,
    compare,
    shifted_geometric_mean,
)
from milplib.evaluation.table import NOT_RUN

if TYPE_CHECKING:
    from milplib.evaluation.results import Evaluation

__all__ = ["ALL", "Comparison", "Failure", "PolicySummary", "Summary", "summarise"]

ALL = "all"
"""What stands for the instances of all distributions together."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two policies side by side; ratios below 1 speak for the first one.

    Parameters
    ----------
    policy, other
        The two.
    time
        Of all pairs of runs, a failure counting as its limit; shift 1 s.
    nodes, fair_nodes
        Of the pairs that both solved; shift 10.
    """

    policy: str
    other: str
    time: RatioEstimate
    nodes: RatioEstimate
    fair_nodes: RatioEstimate

    def inverse(self) -> Comparison:
        """The two the other way round."""
        return Comparison(
            policy=self.other,
            other=self.policy,
            time=self.time.inverse(),
            nodes=self.nodes.inverse(),
            fair_nodes=self.fair_nodes.inverse(),
        )


@dataclass(frozen=True, kw_only=True)
class PolicySummary:
    """A policy on the instances of a distribution, or on all.

    Parameters
    ----------
    distribution, policy
        Which; the distribution is `ALL` for all together.
    runs, solved
        Numbers of runs, and of those that solved their instance.
    solved_at_root
        Of these, the ones without branching: they say nothing about a branching rule.
    wins
        Runs that are the fastest of their pair, up to ties (within 1 % or 0.01 s).
    failures
        Number of runs by kind of failure.
    time
        Shifted geometric mean of the seconds, a failure counting as its limit; shift 1 s.
    nodes, fair_nodes
        Shifted geometric means over the pairs that all policies solved (all but those that
        solved none); shift 10.
    node_runs
        Number of these pairs.
    policy_share
        Share of the solve time inside the policy or rule.
    decision_time
        Milliseconds inside the policy or rule a branching.
    against_baseline
        The policy against the baseline; None for the baseline itself.
    """

    distribution: str
    policy: str
    runs: int
    solved: int
    solved_at_root: int
    wins: int
    failures: dict[str, int]
    time: float
    nodes: float
    fair_nodes: float
    node_runs: int
    policy_share: float
    decision_time: float
    against_baseline: Comparison | None


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A run that did not solve its instance."""

    policy: str
    instance: str
    seed: int
    kind: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What an evaluation comes to.

    Parameters
    ----------
    policies, baseline
        Names of the policies.
    distributions
        The distributions, and `ALL` first if there are several.
    instances
        Number of judged instances of each of them.
    seeds
        The seeds.
    rows
        A row a policy and distribution.
    comparisons
        Every ordered pair of policies, by distribution.
    failures
        Runs that failed.
    unread
        Instances on which no run could be made, and why.
    findings
        What is wrong with the runs, errors first.
    runs, expected_runs
        Runs that are there, and those of the complete evaluation.
    """

    policies: tuple[str, ...]
    baseline: str
    distributions: tuple[str, ...]
    instances: dict[str, int]
    seeds: tuple[int, ...]
    rows: tuple[PolicySummary, ...]
    comparisons: dict[str, dict[tuple[str, str], Comparison]]
    failures: tuple[Failure, ...]
    unread: dict[str, str]
    findings: tuple[Finding, ...]
    runs: int
    expected_runs: int

    @property
    def errors(self) -> tuple[str, ...]:
        """Findings for which the results cannot be trusted."""
        return tuple(finding.message for finding in self.findings if finding.is_error)

    @property
    def is_complete(self) -> bool:
        """Whether every run is there."""
        return self.runs >= self.expected_runs

    def rows_of(self, distribution: str) -> tuple[PolicySummary, ...]:
        """Rows of one distribution, in the order of the policies."""
        return tuple(row for row in self.rows if row.distribution == distribution)


def summarise(results: Evaluation) -> Summary:
    """Judge the policies of an evaluation."""
    table = results.table
    runs = PairedRuns.of(table, results.policies)
    names = list(dict.fromkeys(runs.distributions.tolist()))
    groups = {name: runs.of_distribution(name) for name in names}
    if len(names) > 1:
        groups = {ALL: runs, **groups}
    comparisons = {name: _compare_all(group) for name, group in groups.items()}
    failures, unread = _failures(table, runs)
    rows = [
        row
        for name, group in groups.items()
        for row in _rows(name, group, failures, comparisons[name], results.baseline)
    ]
    return Summary(
        policies=results.policies,
        baseline=results.baseline,
        distributions=tuple(groups),
        instances={name: int(group.tried.sum()) for name, group in groups.items()},
        seeds=runs.seeds,
        rows=tuple(rows),
        comparisons=comparisons,
        failures=tuple(failures),
        unread=unread,
        findings=check_runs(table),
        runs=len(table),
        expected_runs=results.expected_runs,
    )


def _compare_all(runs: PairedRuns) -> dict[tuple[str, str], Comparison]:
    nodes, fair_nodes = runs.when_solved(runs.nodes), runs.when_solved(runs.fair_nodes)
    found = {}
    for i, policy in enumerate(runs.policies):
        for j in range(i + 1, len(runs.policies)):
            comparison = Comparison(
                policy=policy,
                other=runs.policies[j],
                time=compare(runs.time[i], runs.time[j], shift=TIME_SHIFT),
                nodes=compare(nodes[i], nodes[j], shift=NODE_SHIFT),
                fair_nodes=compare(fair_nodes[i], fair_nodes[j], shift=NODE_SHIFT),
            )
            found[policy, comparison.other] = comparison
            found[comparison.other, policy] = comparison.inverse()
    return found


def _failures(table: pa.Table, runs: PairedRuns) -> tuple[list[Failure], dict[str, str]]:
    """Failed runs, and apart from them the instances that nobody could run on."""
    counted = dict(zip(runs.instances, runs.tried.tolist(), strict=True))
    names = ("policy", "instance", "seed", "failure", "failure_detail")
    failed = table.filter(pc.not_equal(table.column("failure"), "")).select(names)
    failures, unread = [], {}
    for policy, instance, seed, kind, detail in zip(
        *(failed.column(name).to_pylist() for name in names), strict=True
    ):
        if kind in NOT_RUN and not counted[instance]:
            unread[instance] = f"{kind}: {detail or ''}".removesuffix(": ")
            continue
        failures.append(
            Failure(policy=policy, instance=instance, seed=seed, kind=kind, detail=detail or "")
        )
    return failures, unread


def _rows(
    distribution: str,
    runs: PairedRuns,
    failures: Iterable[Failure],
    comparisons: dict[tuple[str, str], Comparison],
    baseline: str,
) -> list[PolicySummary]:
    ours = set(runs.instances)
    kinds = {name: Counter[str]() for name in runs.policies}
    for failure in failures:
        if failure.instance in ours:
            kinds[failure.policy][failure.kind] += 1
    # Means of node counts of different runs cannot be compared; a policy that solved nothing has
    # none, and takes the others theirs not away.
    able = runs.solved.any(axis=(1, 2))
    by_all = np.asarray((runs.solved & ~np.isnan(runs.nodes))[able].all(axis=0) & able.any())
    wins = runs.wins()
    rows = []
    for i, policy in enumerate(runs.policies):
        measured = ~(np.isnan(runs.policy_time[i]) | np.isnan(runs.measured_time[i]))
        inside = float(runs.policy_time[i][measured].sum())
        calls = float(np.nansum(runs.policy_calls[i][measured]))
        rows.append(
            PolicySummary(
                distribution=distribution,
                policy=policy,
                runs=int(runs.present[i].sum()),
                solved=int(runs.solved[i].sum()),
                solved_at_root=int((runs.solved[i] & (runs.nodes[i] <= 1)).sum()),
                wins=int(wins[i].sum()),
                failures=dict(sorted(kinds[policy].items())),
                time=shifted_geometric_mean(runs.time[i], shift=TIME_SHIFT),
                nodes=_mean_where(by_all, runs.nodes[i]),
                fair_nodes=_mean_where(by_all, runs.fair_nodes[i]),
                node_runs=int(by_all.sum()),
                policy_share=_share(inside, float(runs.measured_time[i][measured].sum())),
                decision_time=1e3 * _share(inside, calls) if inside else math.nan,
                against_baseline=comparisons.get((policy, baseline)),
            )
        )
    return rows


def _mean_where(chosen: npt.NDArray[np.bool_], values: npt.NDArray[np.float64]) -> float:
    return shifted_geometric_mean(np.where(chosen, values, np.nan), shift=NODE_SHIFT)


def _share(part: float, whole: float) -> float:
    return part / whole if whole > 0 else math.nan
