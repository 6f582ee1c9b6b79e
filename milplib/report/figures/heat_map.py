"""The matrix of policies and distributions as a heat map: blue is better, orange is worse."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from milplib.report.figures.plot import Inks, Plot
from milplib.report.text import number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from milplib.evaluation.matrix import Matrix
    from milplib.evaluation.statistics import RatioEstimate

__all__ = ["columns", "heat", "heat_map_plot"]

FULL_HEAT = 4.0
"""The ratio, and by its inverse the other end, from which on the colour gets no stronger."""

LETTER = 0.085
"""Inches that a letter of a name takes, on average and with some to spare."""

_BETTER, _EVEN, _WORSE = "#2b7bba", "#f7f7f7", "#e0761b"


def heat(value: float) -> float:
    """Place of a ratio between -1 (a quarter or less) and 1 (fourfold or more); 0 is even.

    Examples
    --------
    >>> heat(1.0), heat(0.5), heat(100.0)
    (0.0, -0.5, 1.0)
    """
    if not value > 0:
        return 0.0 if math.isnan(value) else -1.0
    return float(np.clip(math.log(value) / math.log(FULL_HEAT), -1.0, 1.0))


def columns(found: Matrix) -> dict[str, dict[str, RatioEstimate]]:
    """Columns of the matrix by heading: the means first, then the distributions.

    Returns
    -------
    dict
        By heading, and in it by policy. The means are left out with a single distribution.
    """
    means: dict[str, dict[str, RatioEstimate]] = {}
    if len(found.distributions) > 1:
        means = {"domains alike": found.balanced, "all pooled": found.pooled}
    cells = {
        name: {policy: found.cells[policy, name] for policy in found.policies}
        for name in found.distributions
    }
    return means | cells


def heat_map_plot(found: Matrix | None) -> Plot | None:
    """Ratio to the baseline, with its interval, of every policy on every distribution.

    Returns
    -------
    Plot or None
        None without a matrix or without policies beside the baseline.
    """
    if found is None or not found.policies or not found.distributions:
        return None
    headed = columns(found)

    def draw(inks: Inks) -> Figure:
        from matplotlib.colors import LinearSegmentedColormap, Normalize
        from matplotlib.figure import Figure

        colours = LinearSegmentedColormap.from_list("ratio", [_BETTER, _EVEN, _WORSE])
        heats = np.array([[heat(c[p].value) for c in headed.values()] for p in found.policies])
        n, k = heats.shape
        # Names and the label below take what they need; what is left is for the cells.
        names = max(1.8, 0.5 + LETTER * max(map(len, found.policies)))
        label = f"{found.what}: ratio to {found.baseline}\nbelow 1 is better"
        cells = max(1.25 * k, LETTER * max(map(len, label.splitlines())))
        figure = Figure(figsize=(names + cells, 1.5 + 0.5 * n), layout="constrained")
        axis = figure.subplots()
        axis.imshow(heats, cmap=colours, norm=Normalize(-1, 1), aspect="auto")
        for i, policy in enumerate(found.policies):
            for j, of in enumerate(headed.values()):
                axis.text(j, i, _cell(of[policy]), ha="center", va="center", fontsize=7.5,
                          color="#111111")  # fmt: skip
        for j in range(1, k):
            axis.axvline(j - 0.5, color="white", linewidth=4 if j == 2 else 1)
        for i in range(1, n):
            axis.axhline(i - 0.5, color="white", linewidth=1)
        axis.set_xticks(range(k), [heading.replace(" ", "\n") for heading in headed])
        axis.set_yticks(range(n), found.policies)
        axis.tick_params(length=0, top=True, labeltop=True, bottom=False, labelbottom=False)
        axis.spines[:].set_visible(False)
        axis.set_xlabel(label)
        return figure

    return Plot(
        name=f"matrix-{found.what}",
        description=f"ratio of {found.what} to {found.baseline} by policy and distribution",
        draw=draw,
    )


def _cell(estimate: RatioEstimate) -> str:
    if math.isnan(estimate.value):
        return "no runs" if not estimate.instances else "–"
    if not estimate.has_interval:
        return number(estimate.value)
    return f"{number(estimate.value)}\n{number(estimate.low)} – {number(estimate.high)}"
