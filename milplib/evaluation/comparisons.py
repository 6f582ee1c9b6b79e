"""Every two policies side by side, and each beside the best one of every pair."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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
"""What the best policy of every pair is called in a comparison."""


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
class VirtualBest:
    """The fastest policy of every pair, as if one knew it beforehand: what a choice could reach.

    Parameters
    ----------
    distribution
        Where; `ALL` for all together.
    pairs, solved
        Number of pairs on which every policy has a run, and of those that one of them solved.
    time
        Shifted geometric mean of its seconds; shift 1 s.
    nodes
        Shifted geometric mean of its nodes over the pairs that it solved; shift 10.
    ratios
        Every policy against it, by policy: how far it is from the best choice. The nodes of the
        fastest run need not be the fewest.
    """

    distribution: str
    pairs: int
    solved: int
    time: float
    nodes: float
    ratios: dict[str, Comparison]


def compare_all(runs: PairedRuns) -> dict[tuple[str, str], Comparison]:
    """Compare every two policies, both ways round, on the pairs that both have a run for.

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
    """Take of every pair the run of the fastest policy, the first one of equals."""
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
