"""Heat map of policies and distributions: blue is better, orange is worse."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from milplib.report.figures.plot import Inks, Plot
from milplib.report.text import ratio

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from milplib.evaluation.matrix import Matrix
    from milplib.evaluation.statistics import RatioEstimate

__all__ = ["columns", "heat", "heat_map_plot"]

FULL_HEAT = 4.0
"""Ratio, or the inverse of a ratio, at which the colour is strongest."""

LETTER = 0.085
"""Width in inches of a letter of a name: a generous average."""

_BETTER, _EVEN, _WORSE = "#2b7bba", "#f7f7f7", "#e0761b"


def heat(value: float) -> float:
    """Map a ratio to a colour value from -1 (a quarter or less) to 1 (fourfold or more); 0 is even.

    Examples
    --------
    >>> heat(1.0), heat(0.5), heat(100.0)
    (0.0, -0.5, 1.0)
    """
    if not value > 0:
        return 0.0 if math.isnan(value) else -1.0
    return float(np.clip(math.log(value) / math.log(FULL_HEAT), -1.0, 1.0))


def columns(matrix: Matrix) -> dict[str, dict[str, RatioEstimate]]:
    """Return the columns of the heat map by heading: means first, then distributions.

    Returns
    -------
    dict
        Ratio by heading and policy. A single distribution has no columns of means.
    """
    means: dict[str, dict[str, RatioEstimate]] = {}
    if len(matrix.distributions) > 1:
        means = {"domains alike": matrix.balanced, "all pooled": matrix.pooled}
    cells = {
        name: {policy: matrix.cells[policy, name] for policy in matrix.policies}
        for name in matrix.distributions
    }
    return means | cells


def heat_map_plot(matrix: Matrix | None) -> Plot | None:
    """Plot every policy's ratio to the baseline, with its interval, on every distribution.

    Returns
    -------
    Plot or None
        The plot; None without a matrix, or without policies other than the baseline.
    """
    if matrix is None or not matrix.policies or not matrix.distributions:
        return None
    headed = columns(matrix)

    def draw(inks: Inks) -> Figure:
        from matplotlib.colors import LinearSegmentedColormap, Normalize

        colours = LinearSegmentedColormap.from_list("ratio", [_BETTER, _EVEN, _WORSE])
        heats = np.array([[heat(c[p].value) for c in headed.values()] for p in matrix.policies])
        n, k = heats.shape
        # Names and the label take the room they need; the cells get the rest.
        names = max(1.8, 0.5 + LETTER * max(map(len, matrix.policies)))
        label = f"{matrix.what}: ratio to {matrix.baseline}\nbelow 1 is better"
        cells = max(1.25 * k, LETTER * max(map(len, label.splitlines())))
        figure = inks.figure(figsize=(names + cells, 1.5 + 0.5 * n), layout="constrained")
        axis = figure.subplots()
        axis.imshow(heats, cmap=colours, norm=Normalize(-1, 1), aspect="auto")
        for i, policy in enumerate(matrix.policies):
            for j, of in enumerate(headed.values()):
                axis.text(j, i, _cell(of[policy]), ha="center", va="center", fontsize=7.5,
                          color="#111111")  # fmt: skip
        for j in range(1, k):
            axis.axvline(j - 0.5, color="white", linewidth=4 if j == 2 else 1)
        for i in range(1, n):
            axis.axhline(i - 0.5, color="white", linewidth=1)
        axis.set_xticks(range(k), [heading.replace(" ", "\n") for heading in headed])
        axis.set_yticks(range(n), matrix.policies)
        axis.tick_params(length=0, top=True, labeltop=True, bottom=False, labelbottom=False)
        axis.spines[:].set_visible(False)
        axis.set_xlabel(label)
        return figure

    return Plot(
        name=f"matrix-{matrix.what}",
        description=f"ratio of {matrix.what} to {matrix.baseline} by policy and distribution",
        draw=draw,
    )


def _cell(estimate: RatioEstimate) -> str:
    if math.isnan(estimate.value):
        return "no runs" if not estimate.instances else "–"
    if not estimate.has_interval:
        return ratio(estimate.value)
    return f"{ratio(estimate.value)}\n{ratio(estimate.low)} – {ratio(estimate.high)}"
