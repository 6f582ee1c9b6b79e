"""Summary of an evaluation: policies, ratios of every two, failures and findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from milplib.display import Shown, html_table
from milplib.evaluation.checks import Finding, check_claims, check_runs
from milplib.evaluation.comparisons import (
    Comparison,
    VirtualBest,
    compare_all,
    virtual_best,
)
from milplib.evaluation.matrix import Matrix, matrix
from milplib.evaluation.paired import PairedRuns
from milplib.evaluation.policy_summary import PolicySummary, policy_fields, policy_rows
from milplib.evaluation.significance import SignedRank, corrected_tests, signed_rank
from milplib.evaluation.statistics import TIME_SHIFT
from milplib.evaluation.table import NOT_RUN, judged_failures
from milplib.outcomes import SolveFailure

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "ALL",
    "Comparison",
    "Failure",
    "PolicySummary",
    "Summary",
    "VirtualBest",
    "summarise",
]

ALL = "all"
"""Name for the instances of all distributions together."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Run that did not solve its instance."""

    policy: str
    instance: str
    seed: int
    kind: str
    detail: str


@dataclass(frozen=True, kw_only=True, repr=False)
class Summary(Shown):
    """Summary of an evaluation.

    Parameters
    ----------
    policies, baseline
        Names of the policies, and of the baseline.
    distributions
        Names of the distributions, after `ALL` if there are several.
    instances
        Number of instances that count, by distribution.
    seeds
        Seeds of the runs.
    rows
        One row per policy and distribution.
    comparisons
        Comparison of every ordered pair of policies, by distribution.
    virtual_best
        Virtual best of each distribution.
    tests
        Wilcoxon's test of the times of every policy against the baseline on every distribution,
        and on `ALL` if there are several; corrected for multiple tests.
    matrix
        Ratios of times by policy and distribution; None without a run of the baseline.
    failures
        Failed runs.
    unread
        Reason why no run was possible, by instance.
    findings
        Problems of the runs, errors first.
    runs, expected_runs
        Number of finished runs, and of runs of the complete evaluation.
    """

    policies: tuple[str, ...]
    baseline: str
    distributions: tuple[str, ...]
    instances: dict[str, int]
    seeds: tuple[int, ...]
    rows: tuple[PolicySummary, ...]
    comparisons: dict[str, dict[tuple[str, str], Comparison]]
    virtual_best: dict[str, VirtualBest]
    tests: tuple[SignedRank, ...]
    matrix: Matrix | None
    failures: tuple[Failure, ...]
    unread: dict[str, str]
    findings: tuple[Finding, ...]
    runs: int
    expected_runs: int

    @property
    def errors(self) -> tuple[str, ...]:
        """Messages of the findings that make the results untrustworthy."""
        return tuple(finding.message for finding in self.findings if finding.is_error)

    @property
    def is_complete(self) -> bool:
        """Whether all expected runs are finished."""
        return self.runs >= self.expected_runs

    def test_of(self, policy: str, distribution: str) -> SignedRank | None:
        """Return the test of a policy against the baseline on a distribution; None without one."""
        for test in self.tests:
            if (test.policy, test.other, test.distribution) == (
                policy,
                self.baseline,
                distribution,
            ):
                return test
        return None

    def as_rows(self) -> list[dict[str, Any]]:
        """Flatten the summary to one row per policy and distribution; unknown values are None.

        The rows have equal names: the values of `PolicySummary`; for ``time``, ``nodes`` and
        ``fair_nodes`` the ratio to the baseline as ``…_ratio``, with its 95 % interval
        (``…_ratio_low``, ``…_ratio_high``) and ``…_ratio_instances``; and ``p_value`` and
        ``p_corrected`` of Wilcoxon's test of the times.
        """
        return [policy_fields(row, self.test_of(row.policy, row.distribution)) for row in self.rows]

    def to_pandas(self) -> pd.DataFrame:
        """Return `as_rows` as a pandas data frame."""
        import pandas as pd

        return pd.DataFrame(self.as_rows())

    def _facts(self) -> dict[str, object]:
        return {
            "policies": self.policies,
            "baseline": self.baseline,
            "instances": self.instances,
            "seeds": len(self.seeds),
            "runs": f"{self.runs} of {self.expected_runs}",
            "failures": len(self.failures),
            "errors": len(self.errors),
        }

    def _repr_html_(self) -> str:
        heading = ("distribution", "policy", "solved", "time s", "time ratio", "nodes", "wins")
        lines = []
        for row in self.rows:
            ratio = row.against_baseline.time.value if row.against_baseline else 1.0
            numbers = (f"{value:.3g}" for value in (row.time, ratio, row.nodes))
            solved = f"{row.solved}/{row.runs}"
            lines.append((row.distribution, row.policy, solved, *numbers, row.wins))
        return html_table(heading, lines)

    def rows_of(self, distribution: str) -> tuple[PolicySummary, ...]:
        """Rows of one distribution, in the order of the policies."""
        return tuple(row for row in self.rows if row.distribution == distribution)


def summarise(
    table: pa.Table,
    runs: PairedRuns,
    *,
    policies: tuple[str, ...],
    baseline: str,
    expected_runs: int,
) -> Summary:
    """Summarise the runs of an evaluation.

    Parameters
    ----------
    table, runs
        Runs, as a table and paired.
    policies
        Names of the policies, in the order of the arguments.
    baseline
        Name of the policy that the others are compared with.
    expected_runs
        Number of runs of the complete evaluation.
    """
    names = list(dict.fromkeys(runs.distributions.tolist()))
    groups = {name: runs.of_distribution(name) for name in names}
    if len(names) > 1:
        groups = {ALL: runs, **groups}
    comparisons = {name: compare_all(group) for name, group in groups.items()}
    failures, unread = _failures(table, runs)
    rows = [
        row
        for name, group in groups.items()
        for row in policy_rows(
            name,
            group,
            kinds=_kinds(failures, group),
            comparisons=comparisons[name],
            baseline=baseline,
        )
    ]
    has_baseline = baseline in runs.policies
    tests = _tests(groups, baseline) if has_baseline else ()
    return Summary(
        policies=policies,
        baseline=baseline,
        distributions=tuple(groups),
        instances={name: int(group.tried.sum()) for name, group in groups.items()},
        seeds=runs.seeds,
        rows=tuple(rows),
        comparisons=comparisons,
        virtual_best={name: virtual_best(name, group) for name, group in groups.items()},
        tests=tests,
        matrix=matrix(runs, baseline=baseline) if has_baseline else None,
        failures=tuple(failures),
        unread=unread,
        findings=(*check_runs(table, policies=policies), *check_claims(tests)),
        runs=len(table),
        expected_runs=expected_runs,
    )


def _failures(table: pa.Table, runs: PairedRuns) -> tuple[list[Failure], dict[str, str]]:
    """Return the failed runs, and separately the instances without any possible run."""
    counted = dict(zip(runs.instances, runs.tried.tolist(), strict=True))
    failures, unread = [], {}
    for policy, instance, seed, kind, detail in zip(
        *(table.column(name).to_pylist() for name in ("policy", "instance", "seed")),
        judged_failures(table),
        table.column("failure_detail").to_pylist(),
        strict=True,
    ):
        if not kind:
            continue
        if kind == SolveFailure.LEAK:
            detail = "solved an instance that the policy had seen in its training"
        if kind in NOT_RUN and not counted[instance]:
            unread[instance] = f"{kind}: {detail or ''}".removesuffix(": ")
            continue
        failures.append(
            Failure(policy=policy, instance=instance, seed=seed, kind=kind, detail=detail or "")
        )
    return failures, unread


def _kinds(failures: Iterable[Failure], runs: PairedRuns) -> dict[str, Counter[str]]:
    ours = set(runs.instances)
    kinds = {name: Counter[str]() for name in runs.policies}
    for failure in failures:
        if failure.instance in ours:
            kinds[failure.policy][failure.kind] += 1
    return kinds


def _tests(groups: Mapping[str, PairedRuns], baseline: str) -> tuple[SignedRank, ...]:
    """Test the times of every policy on every distribution, and on all together."""
    tests = []
    for distribution, group in groups.items():
        runs = group.of_whole_policies()
        reference = runs.time[runs.policies.index(baseline)]
        tests += [
            signed_rank(
                runs.time[place],
                reference,
                shift=TIME_SHIFT,
                policy=policy,
                other=baseline,
                distribution=distribution,
            )
            for place, policy in enumerate(runs.policies)
            if policy != baseline
        ]
    return corrected_tests(tests)
