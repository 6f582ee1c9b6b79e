"""Ratios to the baseline: with their intervals, and seed by seed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from milplib.evaluation.statistics import TIME_SHIFT, compare
from milplib.report.figures.plot import Inks, Plot, colour
from milplib.style import plain_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from milplib.evaluation.paired import PairedRuns
    from milplib.evaluation.statistics import RatioEstimate
    from milplib.evaluation.summary import Summary

__all__ = ["ratio_plot", "seed_plot"]


def ratio_plot(summary: Summary) -> Plot | None:
    """Plot the ratios of time and nodes to the baseline, by policy and distribution.

    Returns
    -------
    Plot or None
        The plot; None if there is nothing to compare.
    """
    others = [policy for policy in summary.policies if policy != summary.baseline]
    lines = [(name, policy) for name in summary.distributions for policy in others]
    comparisons = {line: summary.comparisons[line[0]][line[1], summary.baseline] for line in lines}
    if not any(
        np.isfinite(c.time.value) or np.isfinite(c.nodes.value) for c in comparisons.values()
    ):
        return None

    def draw(inks: Inks) -> Figure:
        figure = inks.figure(figsize=(8.2, 1.1 + 0.27 * len(lines)), layout="constrained")
        axes = figure.subplots(1, 2, sharey=True)
        for axis, measure in zip(axes, ("time", "nodes"), strict=True):
            estimates = [getattr(comparisons[line], measure) for line in lines]
            colours = [colour(summary.policies.index(policy)) for _, policy in lines]
            _forest(axis, estimates, colours, inks)
            axis.set_xlabel(f"{measure}: ratio to {summary.baseline}")
            for group in range(1, len(summary.distributions)):
                axis.axhline(group * len(others) - 0.5, color=inks.muted, linewidth=0.4, alpha=0.5)
        several = len(summary.distributions) > 1
        names = [f"{policy} · {name}" if several else policy for name, policy in lines]
        axes[0].set_yticks(range(len(lines)), names)
        axes[0].set_ylim(len(lines) - 0.5, -0.5)
        return figure

    return Plot(
        name="ratios",
        description=f"ratios of time and nodes to {summary.baseline} with 95 % intervals",
        draw=draw,
    )


def _forest(
    axis: Axes, estimates: Sequence[RatioEstimate], colours: Sequence[str], inks: Inks
) -> None:
    axis.axvline(1.0, color=inks.muted, linewidth=0.8, linestyle=(0, (4, 3)))
    shown = [e for e in estimates if np.isfinite(e.value) and e.value > 0]
    # Few instances can have intervals over many decades, which would squeeze all the others.
    low = min((e.value for e in shown), default=1.0) / 30
    high = max((e.value for e in shown), default=1.0) * 30
    for line, (estimate, its_colour) in enumerate(zip(estimates, colours, strict=True)):
        if estimate not in shown:
            continue
        if estimate.has_interval:
            ends = np.clip([estimate.low, estimate.high], low, high)
            axis.plot(ends, [line, line], color=its_colour, linewidth=2)
        axis.plot([estimate.value], [line], "o", color=its_colour, markersize=6)
    axis.set_xscale("log")
    plain_ticks(axis, "x")
    axis.tick_params(axis="y", length=0)
    axis.spines["left"].set_visible(False)


def seed_plot(runs: PairedRuns, *, baseline: str) -> Plot | None:
    """Plot the ratio of each seed alone, and the spread of times over seeds.

    Returns
    -------
    Plot or None
        The plot; None with a single seed, or without runs.
    """
    right = runs.policies.index(baseline)
    if len(runs.seeds) < 2 or not runs.present.any():
        return None
    alone = {
        i: [
            compare(runs.time[i, :, [s]].T, runs.time[right, :, [s]].T, shift=TIME_SHIFT).value
            for s in range(len(runs.seeds))
        ]
        for i in range(len(runs.policies))
        if i != right
    }
    together = {i: compare(runs.time[i], runs.time[right], shift=TIME_SHIFT).value for i in alone}
    shown = [i for i in alone if np.isfinite(alone[i]).any()]
    spreads = [_spread(runs, i) for i in range(len(runs.policies))]

    def draw(inks: Inks) -> Figure:
        n = len(runs.policies)
        figure = inks.figure(figsize=(8.2, 1.2 + 0.32 * n), layout="constrained")
        left, other = figure.subplots(1, 2, sharey=True)
        left.axvline(1.0, color=inks.muted, linewidth=0.8, linestyle=(0, (4, 3)))
        for i in shown:
            left.plot(alone[i], np.full(len(alone[i]), i), "o", color=colour(i), alpha=0.6)
            left.plot([together[i]], [i], "|", color=colour(i), markersize=16, markeredgewidth=2)
        left.set_xlabel(f"time: ratio to {baseline} by each seed alone")
        for i, spread in enumerate(spreads):
            if spread.size:
                # Spread overlapping points by a fixed rule, so that drawings are reproducible.
                shift = 0.22 * np.sin(2.4 * np.arange(len(spread)))
                other.plot(spread, i + shift, ".", color=colour(i), alpha=0.55, markersize=5)
                other.plot([np.median(spread)], [i], "|", color=colour(i), markersize=16,
                           markeredgewidth=2)  # fmt: skip
        other.set_xlabel("slowest seed / fastest seed of an instance")
        left.set_yticks(range(n), runs.policies)
        left.set_ylim(n - 0.5, -0.5)
        for axis in (left, other):
            axis.set_xscale("log")
            low, high = axis.get_xlim()
            axis.set_xlim(min(low, 0.9), max(high, 1.15))
            plain_ticks(axis, "x")
            axis.tick_params(axis="y", length=0)
            axis.spines["left"].set_visible(False)
        return figure

    return Plot(
        name="seeds",
        description=f"ratio of time to {baseline} seed by seed, and the spread of times over seeds",
        draw=draw,
    )


def _spread(runs: PairedRuns, policy: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return the ratio of slowest to fastest time of each instance with runs of all seeds."""
    times = np.maximum(runs.time[policy], 0.01)
    times = times[~np.isnan(times).any(axis=1)]
    if not times.size:
        return np.empty(0)
    return np.asarray(times.max(axis=1) / times.min(axis=1), dtype=np.float64)
