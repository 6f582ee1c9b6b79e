"""Summary of each policy: means, counts, and its ratio to the baseline."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from milplib.display import Shown
from milplib.evaluation.comparisons import Comparison
from milplib.evaluation.paired import PairedRuns
from milplib.evaluation.significance import SignedRank
from milplib.evaluation.statistics import (
    NODE_SHIFT,
    TIME_SHIFT,
    shifted_geometric_mean,
)

__all__ = [
    "EXPORTED",
    "ITERATION_SHIFT",
    "TITLES",
    "PolicySummary",
    "is_nan",
    "policy_fields",
    "policy_rows",
]

ITERATION_SHIFT = 100.0
"""Shift of the geometric mean of simplex iterations."""
PENALTY = 10.0
"""Number of time limits that a failure counts as in PAR10."""

Values = npt.NDArray[np.float64]
_INTEGRALS = ("primal_integral", "dual_integral", "primal_dual_integral")
_TITLE = "title"


def _work(title: str) -> Any:
    """Declare a mean that the report shows below "Work and integrals", under a title."""
    return field(metadata={_TITLE: title})


@dataclass(frozen=True, kw_only=True, repr=False)
class PolicySummary(Shown):
    """Results of a policy on the instances of one distribution, or of all.

    Means are taken over the pairs of instance and seed for which every policy has a run, so they
    are comparable. Over all distributions, a policy that lacks one of them has no mean, and
    removes no pair from the others.

    Parameters
    ----------
    distribution, policy
        Name of the distribution (`ALL` for all together) and of the policy.
    runs, solved
        Number of runs, and of those that solved their instance.
    solved_at_root
        Number of runs solved without branching. They say nothing about a branching rule.
    wins
        Number of runs that are the fastest of their pair, ties (within 1 % or 0.01 s) included.
    failures
        Number of runs by kind of failure.
    time
        Shifted geometric mean of the seconds (shift 1 s). A failure counts as its limit.
    par10
        Mean over instances of the mean over seeds of the seconds. A failure counts as ten times
        its limit.
    nodes, fair_nodes
        Shifted geometric means (shift 10) over the pairs that all policies solved, ignoring
        policies that solved none.
    node_runs
        Number of these pairs.
    lp_iterations
        Shifted geometric mean (shift 100) of the simplex iterations, including those of strong
        branching, over the pairs where all policies have a number, ignoring policies that never
        have one. It measures work without a clock. An unsolved run counts with its iterations
        so far, a lower bound.
    lp_runs, lp_lower_bounds
        Number of these pairs, and of those that the policy did not solve.
    primal_integral, dual_integral, primal_dual_integral
        Shifted geometric means (shift 1 s) of the integrals of `milplib.evaluation.integrals` in
        seconds, over the pairs where they are known. SCIP's own is in percent-seconds.
    integral_runs
        Number of these pairs.
    policy_share
        Share of the solve time spent inside the policy or rule.
    decision_time
        Milliseconds per branching spent inside the policy or rule.
    against_baseline
        Comparison with the baseline; None for the baseline itself.

    References
    ----------
    PAR10: Hutter, Hoos, Leyton-Brown, Stützle, "ParamILS: an automatic algorithm configuration
    framework", Journal of Artificial Intelligence Research 36 (2009).
    """

    distribution: str
    policy: str
    runs: int
    solved: int
    solved_at_root: int
    wins: int
    failures: dict[str, int]
    time: float
    par10: float = _work("PAR10 (s)")
    nodes: float
    fair_nodes: float
    node_runs: int
    lp_iterations: float = _work("LP iterations")
    lp_runs: int
    lp_lower_bounds: int
    primal_integral: float = _work("primal integral")
    dual_integral: float = _work("dual integral")
    primal_dual_integral: float = _work("primal-dual integral")
    integral_runs: int
    policy_share: float
    decision_time: float
    against_baseline: Comparison | None


TITLES: dict[str, str] = {
    column.name: column.metadata[_TITLE]
    for column in fields(PolicySummary)
    if _TITLE in column.metadata
}
"""Titles of the means below "Work and integrals" in the report, by field."""

_PAIR_COUNTS = frozenset({"lp_runs", "lp_lower_bounds", "integral_runs"})
EXPORTED: tuple[str, ...] = tuple(
    column.name
    for column in fields(PolicySummary)
    if column.type in ("int", "float") and column.name not in _PAIR_COUNTS
)
"""Names of the fields that ``summary.csv`` holds, in order."""


def policy_rows(
    distribution: str,
    runs: PairedRuns,
    *,
    kinds: Mapping[str, Counter[str]],
    comparisons: Mapping[tuple[str, str], Comparison],
    baseline: str,
) -> list[PolicySummary]:
    """Summarise each policy on a distribution; `kinds` counts the failures of each policy."""
    common = runs.in_common()
    wins = common.wins()
    nodes, fair_nodes = common.when_solved(common.nodes), common.when_solved(common.fair_nodes)
    by_all = _shared(nodes)
    with_iterations = _shared(common.lp_iterations)
    integrals = {name: getattr(common, name) for name in _INTEGRALS}
    with_integrals = np.asarray(
        np.logical_and.reduce([_shared(values) for values in integrals.values()])
    )
    times, policy_times, policy_calls = (
        runs.columns[name] for name in ("time", "policy_time", "policy_calls")
    )
    penalised = np.where(common.solved, common.time, PENALTY * common.columns["time_limit"])
    rows = []
    for i, policy in enumerate(runs.policies):
        measured = ~(np.isnan(policy_times[i]) | np.isnan(times[i]))
        inside = float(policy_times[i][measured].sum())
        calls = float(np.nansum(policy_calls[i][measured]))
        rows.append(
            PolicySummary(
                distribution=distribution,
                policy=policy,
                runs=int(runs.present[i].sum()),
                solved=int(runs.solved[i].sum()),
                solved_at_root=int((runs.solved[i] & (runs.nodes[i] <= 1)).sum()),
                wins=int(wins[i].sum()),
                failures=dict(sorted(kinds[policy].items())),
                time=shifted_geometric_mean(common.time[i], shift=TIME_SHIFT),
                par10=_mean(penalised[i]),
                nodes=_mean_where(by_all, nodes[i], NODE_SHIFT),
                fair_nodes=_mean_where(by_all, fair_nodes[i], NODE_SHIFT),
                node_runs=int(by_all.sum()),
                lp_iterations=_mean_where(
                    with_iterations, common.lp_iterations[i], ITERATION_SHIFT
                ),
                lp_runs=int(with_iterations.sum()),
                lp_lower_bounds=int((with_iterations & ~common.solved[i]).sum()),
                **{
                    name: _mean_where(with_integrals, values[i], TIME_SHIFT)
                    for name, values in integrals.items()
                },
                integral_runs=int(with_integrals.sum()),
                policy_share=_share(inside, float(times[i][measured].sum())),
                decision_time=1e3 * _share(inside, calls) if inside else math.nan,
                against_baseline=comparisons.get((policy, baseline)),
            )
        )
    return rows


def _shared(values: Values) -> npt.NDArray[np.bool_]:
    """Mark the pairs where every policy has a value, ignoring policies without any value."""
    known = ~np.isnan(values)
    able = known.any(axis=(1, 2))
    return np.asarray(known[able].all(axis=0) & able.any())


def _mean_where(chosen: npt.NDArray[np.bool_], values: Values, shift: float) -> float:
    return shifted_geometric_mean(np.where(chosen, values, np.nan), shift=shift)


def _mean(values: Values) -> float:
    """Average over instances the mean over seeds."""
    known = ~np.isnan(values)
    used = known.any(axis=1)
    if not used.any():
        return math.nan
    sums, counts = np.where(known, values, 0.0).sum(axis=1), known.sum(axis=1)
    return float((sums[used] / counts[used]).mean())


def _share(part: float, whole: float) -> float:
    return part / whole if whole > 0 else math.nan


def policy_fields(row: PolicySummary, test: SignedRank | None) -> dict[str, Any]:
    """Flatten a policy's results, its ratios to the baseline and its test; NaN becomes None."""
    known: dict[str, Any] = {"distribution": row.distribution, "policy": row.policy}
    known |= {name: getattr(row, name) for name in EXPORTED}
    known["failures"] = "; ".join(f"{count} {kind}" for kind, count in row.failures.items())
    compared = row.against_baseline
    endings = {"": "value", "_low": "low", "_high": "high", "_instances": "instances"}
    for measure in ("time", "nodes", "fair_nodes"):
        estimate = getattr(compared, measure) if compared else None
        for ending, name in endings.items():
            known[f"{measure}_ratio{ending}"] = getattr(estimate, name) if estimate else None
    known["p_value"] = test.p_value if test else None
    known["p_corrected"] = test.corrected if test else None
    return {name: None if is_nan(value) else value for name, value in known.items()}


def is_nan(value: object) -> bool:
    """Whether a value is the floating-point NaN."""
    return isinstance(value, float) and math.isnan(value)
