"""Scatter plot of pairs of runs: a policy against the baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from milplib.report.figures.plot import Inks, Plot, colour
from milplib.style import plain_ticks

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from milplib.evaluation.paired import PairedRuns

__all__ = ["scatter_plot"]


def scatter_plot(runs: PairedRuns, *, baseline: str, what: str) -> Plot | None:
    """Plot every pair of runs: the policy's value over the baseline's.

    Parameters
    ----------
    runs
        Runs of the policies.
    baseline
        Name of the policy on the horizontal axis.
    what
        ``"time"``, where failures are crosses at their limit, or ``"nodes"`` of the pairs that
        both policies solved.

    Returns
    -------
    Plot or None
        The plot; None without pairs.
    """
    values, floor = (runs.time, 0.01) if what == "time" else (runs.nodes, 1.0)
    if what == "nodes":
        values = runs.when_solved(values)
    right = runs.policies.index(baseline)
    others = [i for i in range(len(runs.policies)) if i != right]
    pairs = {i: ~(np.isnan(values[i]) | np.isnan(values[right])) for i in others}
    shown = [i for i in others if pairs[i].any()]
    if not shown:
        return None
    seen = np.concatenate([np.r_[values[i][pairs[i]], values[right][pairs[i]]] for i in shown])
    seen = np.maximum(seen, floor)
    low, high = seen.min() / 1.3, seen.max() * 1.3

    def draw(inks: Inks) -> Figure:
        columns = min(3, len(shown))
        lines = -(-len(shown) // columns)
        figure = inks.figure(figsize=(2.75 * columns, 2.8 * lines), layout="constrained")
        axes = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
        for place in range(len(shown), lines * columns):
            axes.flat[place].set_visible(False)
            axes.flat[place - columns].tick_params(labelbottom=True)
        for axis, i in zip(axes.flat, shown, strict=False):
            both = runs.solved[i] & runs.solved[right]
            axis.plot([low, high], [low, high], color=inks.muted, linewidth=0.8, zorder=0)
            for chosen, marker in ((pairs[i] & both, "o"), (pairs[i] & ~both, "x")):
                x = np.maximum(values[right][chosen], floor)
                y = np.maximum(values[i][chosen], floor)
                axis.plot(x, y, marker, color=colour(i), markersize=4, alpha=0.75)
            axis.set(xscale="log", yscale="log", xlim=(low, high), ylim=(low, high))
            plain_ticks(axis, "x", "y")
            axis.set_aspect("equal")
            axis.set_title(runs.policies[i], fontsize=9)
        unit = "seconds" if what == "time" else "nodes"
        figure.supxlabel(f"{baseline}, {unit}", fontsize=9)
        figure.supylabel(f"policy, {unit}", fontsize=9)
        return figure

    return Plot(
        name=f"{what}-pairs",
        description=f"{what} of every pair of runs against {baseline}",
        draw=draw,
    )
