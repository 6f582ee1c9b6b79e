"""Split of the solve time: observing, scoring, branching, and the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from milplib.display import Shown
from milplib.report.figures.plot import Inks, Plot

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["PARTS", "TimeSplit", "time_split", "time_split_plot"]

PARTS = ("observe", "score", "branch", "rule")
"""Parts of the time inside a policy. ``rule`` is SCIP's own rules, and time in no other part."""

_COLOURS = dict(zip(PARTS, ("#56b4e9", "#0072b2", "#e69f00", "#009e73"), strict=True))


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class TimeSplit(Shown):
    """Time inside each policy by part, over all measured runs.

    Parameters
    ----------
    policies
        Names of the policies.
    shares
        Shares of the solve time in the order of `PARTS`; NaN for a policy without measured runs.
        Shape (policies, 4), float64.
    milliseconds
        Milliseconds per branching, by part. Shape (policies, 4), float64.
    """

    policies: tuple[str, ...]
    shares: npt.NDArray[np.float64]
    milliseconds: npt.NDArray[np.float64]


def time_split(table: pa.Table, policies: tuple[str, ...]) -> TimeSplit:
    """Sum the time of each policy's runs by part.

    Parameters
    ----------
    table
        Checked table of runs.
    policies
        Names of the policies.

    Examples
    --------
    >>> from milplib.evaluation.table import run_table
    >>> table = run_table([{"policy": "mine", "time": 10.0, "policy_time": 4.0, "policy_calls": 8,
    ...                     "observe_time": 1.0, "score_time": 2.0, "branch_time": 0.5}])
    >>> split = time_split(table, ("mine",))
    >>> split.shares.tolist(), split.milliseconds.tolist()
    ([[0.1, 0.2, 0.05, 0.05]], [[125.0, 250.0, 62.5, 62.5]])
    """
    names = ["observe_time", "score_time", "branch_time", "policy_time", "time", "policy_calls"]
    frame = table.select(["policy", *names]).to_pandas()
    frame = frame.dropna(subset=["policy_time", "time"]).fillna(0.0)
    sums = frame.groupby("policy")[names].sum().reindex(list(policies)).to_numpy(dtype=np.float64)
    parts = sums[:, :4].copy()
    parts[:, 3] = np.maximum(sums[:, 3] - sums[:, :3].sum(axis=1), 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.where(sums[:, [4]] > 0, parts / sums[:, [4]], np.nan)
        calls = np.where(sums[:, [5]] > 0, 1e3 * parts / sums[:, [5]], np.nan)
    return TimeSplit(policies=policies, shares=shares, milliseconds=calls)


def time_split_plot(split: TimeSplit) -> Plot | None:
    """Plot the share of the solve time, and milliseconds per branching, inside each policy.

    Returns
    -------
    Plot or None
        The plot; None if nothing was measured.
    """
    if not np.nansum(split.shares) > 0:
        return None

    def draw(inks: Inks) -> Figure:
        n = len(split.policies)
        figure = inks.figure(figsize=(8.2, 1.5 + 0.3 * n), layout="constrained")
        axes = figure.subplots(1, 2, sharey=True)
        for axis, values in zip(axes, (100 * split.shares, split.milliseconds), strict=True):
            left = np.zeros(n)
            for part, name in enumerate(PARTS):
                width = np.nan_to_num(values[:, part])
                axis.barh(range(n), width, left=left, color=_COLOURS[name], height=0.6, label=name)
                left += width
            axis.tick_params(axis="y", length=0)
            axis.spines["left"].set_visible(False)
        axes[0].barh(
            range(n), np.where(np.isnan(split.shares[:, 0]), 0.0, 100 - np.minimum(
                100 * np.nan_to_num(split.shares.sum(axis=1)), 100)),
            left=100 * np.nan_to_num(split.shares.sum(axis=1)),
            color=inks.muted, alpha=0.2, height=0.6, label="rest of the solve",
        )  # fmt: skip
        axes[0].set(xlim=(0, 100), xlabel="share of the solve time, %")
        axes[1].set_xlabel("milliseconds a branching")
        axes[0].set_yticks(range(n), split.policies)
        axes[0].set_ylim(n - 0.5, -0.5)
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=5)
        return figure

    return Plot(
        name="policy-time",
        description="share of the solve time and milliseconds a branching inside each policy",
        draw=draw,
    )
