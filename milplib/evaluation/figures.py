"""Figures of a report as SVG that stands in a page and takes its colours from there."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from milplib.evaluation.style import COLOURS, plain_style, plain_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from milplib.evaluation.paired import PairedRuns
    from milplib.evaluation.statistics import RatioEstimate
    from milplib.evaluation.summary import Summary

__all__ = ["ratio_figure", "scatter_figure"]

# Stands for the colour of the page's text, which only the browser knows.
_INK = "#010203"
_MUTED = "#040506"


def _draw(draw: Callable[[], Figure], *, name: str, description: str) -> str:
    """Draw without a display, whatever the user's own settings, and give SVG to stand in HTML."""
    # Equal results give equal pages; two figures share no name.
    with plain_style({"svg.hashsalt": name, "svg.fonttype": "path"}, ink=_INK, muted=_MUTED):
        figure = draw()
        stream = io.StringIO()
        figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None})
    svg = stream.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    # In HTML an svg needs no namespace, and a page without addresses is easily seen to load none.
    svg = re.sub(r' xmlns(:\w+)?="[^"]*"', "", svg)
    svg = re.sub(r'<svg [^>]*viewBox="([\d. -]+)"[^>]*>', _opening(description), svg, count=1)
    # Names of parts are the same in every figure, and a page must not have one twice.
    svg = re.sub(r'\bid="(?!p[0-9a-f]{6})', f'id="{name}-', svg)
    svg = re.sub(r'href="#(?!p[0-9a-f]{6})', f'href="#{name}-', svg)
    svg = re.sub(r"url\(#(?!p[0-9a-f]{6})", f"url(#{name}-", svg)
    return svg.replace(_INK, "currentColor").replace(_MUTED, "var(--muted)")


def _opening(description: str) -> Callable[[re.Match[str]], str]:
    from html import escape

    def opening(found: re.Match[str]) -> str:
        width = float(found[1].split()[2])
        return (
            f'<svg role="img" aria-label="{escape(description, quote=True)}" '
            f'viewBox="{found[1]}" style="width:{width * 4 / 3:.0f}px">'
        )

    return opening


def ratio_figure(summary: Summary) -> str:
    """Ratio of time and of nodes to the baseline, with intervals, by policy and distribution.

    Returns
    -------
    str
        An ``<svg>`` element; empty if there is nothing to compare.
    """
    from matplotlib.figure import Figure

    others = [policy for policy in summary.policies if policy != summary.baseline]
    lines = [(name, policy) for name in summary.distributions for policy in others]
    found = {line: summary.comparisons[line[0]][line[1], summary.baseline] for line in lines}
    if not any(np.isfinite(c.time.value) or np.isfinite(c.nodes.value) for c in found.values()):
        return ""

    def draw() -> Figure:
        figure = Figure(figsize=(8.2, 1.1 + 0.3 * len(lines)), layout="constrained")
        axes = figure.subplots(1, 2, sharey=True)
        for axis, what in zip(axes, ("time", "nodes"), strict=True):
            estimates = [getattr(found[line], what) for line in lines]
            colours = [COLOURS[others.index(policy) % len(COLOURS)] for _, policy in lines]
            _forest(axis, estimates, colours)
            axis.set_xlabel(f"{what}: ratio to {summary.baseline}")
        several = len(summary.distributions) > 1
        names = [f"{policy} · {name}" if several else policy for name, policy in lines]
        axes[0].set_yticks(range(len(lines)), names)
        axes[0].set_ylim(len(lines) - 0.5, -0.5)
        return figure

    return _draw(
        draw,
        name="ratios",
        description=f"ratios of time and nodes to {summary.baseline} with 95 % intervals",
    )


def _forest(axis: Axes, estimates: Sequence[RatioEstimate], colours: Sequence[str]) -> None:
    axis.axvline(1.0, color=_MUTED, linewidth=0.8, linestyle=(0, (4, 3)))
    for line, (estimate, colour) in enumerate(zip(estimates, colours, strict=True)):
        if not np.isfinite(estimate.value) or estimate.value <= 0:
            continue
        if estimate.low > 0 and np.isfinite(estimate.high):
            axis.plot([estimate.low, estimate.high], [line, line], color=colour, linewidth=2)
        axis.plot([estimate.value], [line], "o", color=colour, markersize=6)
    axis.set_xscale("log")
    plain_ticks(axis, "x")
    axis.tick_params(axis="y", length=0)
    axis.spines["left"].set_visible(False)


def scatter_figure(runs: PairedRuns, *, baseline: str, what: str) -> str:
    """Every pair of runs: the policy upwards, the baseline to the right.

    Parameters
    ----------
    runs
        The runs.
    baseline
        The policy to the right.
    what
        ``"time"``, where failures stand at their limit as crosses, or ``"nodes"``, of the pairs
        that both solved.

    Returns
    -------
    str
        An ``<svg>`` element; empty if there are no pairs.
    """
    from matplotlib.figure import Figure

    values, floor = (runs.time, 0.01) if what == "time" else (runs.nodes, 1.0)
    if what == "nodes":
        values = runs.when_solved(values)
    right = runs.policies.index(baseline)
    others = [i for i in range(len(runs.policies)) if i != right]
    pairs = {i: ~(np.isnan(values[i]) | np.isnan(values[right])) for i in others}
    shown = [i for i in others if pairs[i].any()]
    if not shown:
        return ""
    seen = np.concatenate([np.r_[values[i][pairs[i]], values[right][pairs[i]]] for i in shown])
    seen = np.maximum(seen, floor)
    low, high = seen.min() / 1.3, seen.max() * 1.3

    def draw() -> Figure:
        columns = min(3, len(shown))
        lines = -(-len(shown) // columns)
        figure = Figure(figsize=(2.9 * columns, 2.9 * lines), layout="constrained")
        axes = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
        for place in range(len(shown), lines * columns):
            axes.flat[place].set_visible(False)
            axes.flat[place - columns].tick_params(labelbottom=True)
        for axis, i in zip(axes.flat, shown, strict=False):
            both = runs.solved[i] & runs.solved[right]
            colour = COLOURS[others.index(i) % len(COLOURS)]
            axis.plot([low, high], [low, high], color=_MUTED, linewidth=0.8, zorder=0)
            for chosen, marker in ((pairs[i] & both, "o"), (pairs[i] & ~both, "x")):
                x = np.maximum(values[right][chosen], floor)
                y = np.maximum(values[i][chosen], floor)
                axis.plot(x, y, marker, color=colour, markersize=4, alpha=0.75)
            axis.set(xscale="log", yscale="log", xlim=(low, high), ylim=(low, high))
            plain_ticks(axis, "x", "y")
            axis.set_aspect("equal")
            axis.set_title(runs.policies[i], fontsize=9)
        unit = "seconds" if what == "time" else "nodes"
        figure.supxlabel(f"{baseline}, {unit}", fontsize=9)
        figure.supylabel(f"policy, {unit}", fontsize=9)
        return figure

    return _draw(draw, name=what, description=f"{what} of every pair of runs against {baseline}")
