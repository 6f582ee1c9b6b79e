"""A row a policy: means, counts, and its ratio to the baseline."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from milplib.evaluation.comparisons import Comparison
from milplib.evaluation.paired import PairedRuns
from milplib.evaluation.statistics import (
    NODE_SHIFT,
    TIME_SHIFT,
    shifted_geometric_mean,
)

__all__ = [
    "ITERATION_SHIFT",
    "PolicySummary",
    "policy_rows",
]

ITERATION_SHIFT = 100.0
"""Shift of the geometric mean of simplex iterations."""
PENALTY = 10.0
"""A failure counts as so many limits in PAR10."""

Values = npt.NDArray[np.float64]
_INTEGRALS = ("primal_integral", "dual_integral", "primal_dual_integral")


@dataclass(frozen=True, kw_only=True)
class PolicySummary:
    """A policy on the instances of a distribution, or on all.

    Means are about the pairs of instance and seed on which every policy has a run, so that they
    can be compared. Over all distributions a policy without runs on one of them has no mean, and
    takes no pair from the others.

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
    par10
        Mean over instances of the mean over seeds of the seconds, a failure counting as ten
        times its limit.
    nodes, fair_nodes
        Shifted geometric means over the pairs that all policies solved (all but those that
        solved none); shift 10.
    node_runs
        Number of these pairs.
    lp_iterations
        Shifted geometric mean of the simplex iterations with those of strong branching, over the
        pairs on which all policies have a number (all but those that never have); shift 100. Work
        without a clock. A run that did not solve its instance counts with what it had done: a
        lower bound.
    lp_runs, lp_lower_bounds
        Number of these pairs, and how many of them the policy did not solve.
    primal_integral, dual_integral, primal_dual_integral
        Shifted geometric means of the integrals of `milplib.evaluation.integrals` in seconds, over
        the pairs on which they are known; shift 1 s. Not SCIP's, which is in percent-seconds.
    integral_runs
        Number of these pairs.
    policy_share
        Share of the solve time inside the policy or rule.
    decision_time
        Milliseconds inside the policy or rule a branching.
    against_baseline
        The policy against the baseline; None for the baseline itself.

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
    par10: float
    nodes: float
    fair_nodes: float
    node_runs: int
    lp_iterations: float
    lp_runs: int
    lp_lower_bounds: int
    primal_integral: float
    dual_integral: float
    primal_dual_integral: float
    integral_runs: int
    policy_share: float
    decision_time: float
    against_baseline: Comparison | None


def policy_rows(
    distribution: str,
    runs: PairedRuns,
    *,
    kinds: Mapping[str, Counter[str]],
    comparisons: Mapping[tuple[str, str], Comparison],
    baseline: str,
) -> list[PolicySummary]:
    """Make the rows of a distribution; `kinds` counts the failures of each policy."""
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
    """Pairs on which every policy has a value; one that never has takes none from the others."""
    known = ~np.isnan(values)
    able = known.any(axis=(1, 2))
    return np.asarray(known[able].all(axis=0) & able.any())


def _mean_where(chosen: npt.NDArray[np.bool_], values: Values, shift: float) -> float:
    return shifted_geometric_mean(np.where(chosen, values, np.nan), shift=shift)


def _mean(values: Values) -> float:
    """Mean over instances of the mean over seeds."""
    known = ~np.isnan(values)
    used = known.any(axis=1)
    if not used.any():
        return math.nan
    sums, counts = np.where(known, values, 0.0).sum(axis=1), known.sum(axis=1)
    return float((sums[used] / counts[used]).mean())


def _share(part: float, whole: float) -> float:
    return part / whole if whole > 0 else math.nan
