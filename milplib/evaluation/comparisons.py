"""Comparisons of every two policies, and of each policy with the virtual best."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from milplib.display import Shown
from milplib.evaluation.paired import PairedRuns
from milplib.evaluation.statistics import (
    NODE_SHIFT,
    TIME_SHIFT,
    RatioEstimate,
    compare,
    shifted_geometric_mean,
)

__all__ = ["VIRTUAL_BEST", "Comparison", "VirtualBest", "compare_all", "virtual_best"]

VIRTUAL_BEST = "virtual best"
"""Name of the virtual best in a comparison."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Comparison(Shown):
    """Comparison of two policies; a ratio below 1 favours the first.

    Parameters
    ----------
    policy, other
        Names of the policies.
    time
        Ratio of times over all pairs of runs (shift 1 s). A failure counts as its limit.
    nodes, fair_nodes
        Ratios of node counts over the pairs that both policies solved (shift 10).
    """

    policy: str
    other: str
    time: RatioEstimate
    nodes: RatioEstimate
    fair_nodes: RatioEstimate

    def inverse(self) -> Comparison:
        """Return the comparison with both policies swapped."""
        return Comparison(
            policy=self.other,
            other=self.policy,
            time=self.time.inverse(),
            nodes=self.nodes.inverse(),
            fair_nodes=self.fair_nodes.inverse(),
        )


@dataclass(frozen=True, kw_only=True, repr=False)
class VirtualBest(Shown):
    """The fastest policy of each pair of instance and seed, chosen in hindsight.

    It bounds what choosing a policy per instance can gain.

    Parameters
    ----------
    distribution
        Name of the distribution; `ALL` for all together.
    pairs, solved
        Number of pairs on which every policy has a run, and of those that some policy solved.
    time
        Shifted geometric mean of the seconds (shift 1 s).
    nodes
        Shifted geometric mean of the nodes over the solved pairs (shift 10).
    ratios
        Comparison of each policy with the virtual best, by policy. The fastest run need not have
        the fewest nodes.
    """

    distribution: str
    pairs: int
    solved: int
    time: float
    nodes: float
    ratios: dict[str, Comparison]


def compare_all(runs: PairedRuns) -> dict[tuple[str, str], Comparison]:
    """Compare every two policies, in both directions, on the pairs for which both have a run.

    Policies that are not whole (`PairedRuns.whole`) have no ratio.
    """
    runs = runs.of_whole_policies()
    nodes, fair_nodes = runs.when_solved(runs.nodes), runs.when_solved(runs.fair_nodes)
    comparisons = {}
    for i, policy in enumerate(runs.policies):
        for j in range(i + 1, len(runs.policies)):
            comparison = Comparison(
                policy=policy,
                other=runs.policies[j],
                time=compare(runs.time[i], runs.time[j], shift=TIME_SHIFT),
                nodes=compare(nodes[i], nodes[j], shift=NODE_SHIFT),
                fair_nodes=compare(fair_nodes[i], fair_nodes[j], shift=NODE_SHIFT),
            )
            comparisons[policy, comparison.other] = comparison
            comparisons[comparison.other, policy] = comparison.inverse()
    return comparisons


def virtual_best(distribution: str, runs: PairedRuns) -> VirtualBest:
    """Compute the virtual best: the fastest run of each pair, the first one in a tie."""
    runs = runs.in_common()
    pairs = runs.present.any(axis=0)
    times = np.where(runs.present, runs.time, np.inf)
    # A failure that stopped at its limit must not pass for as fast as a solve of equal length.
    first = np.lexsort((~runs.solved, times), axis=0)[:1] if len(times) else None
    if first is None or not pairs.any():
        nothing = np.full(pairs.shape, np.nan)
        time, nodes, fair_nodes, solved = nothing, nothing, nothing, pairs & False
    else:
        time, nodes, fair_nodes, solved = (
            np.take_along_axis(values, first, axis=0)[0]
            for values in (
                runs.time,
                runs.when_solved(runs.nodes),
                runs.when_solved(runs.fair_nodes),
                runs.solved,
            )
        )
    ratios = {}
    for i, policy in enumerate(runs.policies):
        done = runs.solved[i]
        ratios[policy] = Comparison(
            policy=policy,
            other=VIRTUAL_BEST,
            time=compare(runs.time[i], time, shift=TIME_SHIFT),
            nodes=compare(np.where(done, runs.nodes[i], np.nan), nodes, shift=NODE_SHIFT),
            fair_nodes=compare(
                np.where(done, runs.fair_nodes[i], np.nan), fair_nodes, shift=NODE_SHIFT
            ),
        )
    return VirtualBest(
        distribution=distribution,
        pairs=int(pairs.sum()),
        solved=int(solved.sum()),
        time=shifted_geometric_mean(time, shift=TIME_SHIFT),
        nodes=shifted_geometric_mean(nodes, shift=NODE_SHIFT),
        ratios=ratios,
    )
