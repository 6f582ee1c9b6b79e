"""Curves: performance profiles, and gaps over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from milplib.evaluation.integrals import gap
from milplib.evaluation.profiles import performance_profile
from milplib.evaluation.table import NOT_RUN, PROVES_NOTHING, judged_failures
from milplib.evaluation.traces import traces_by_run
from milplib.report.figures.plot import Inks, Plot, colour, stroke
from milplib.style import plain_ticks

if TYPE_CHECKING:
    import pyarrow as pa
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from milplib.evaluation.paired import PairedRuns
    from milplib.evaluation.results import Evaluation

__all__ = ["gap_curves", "gap_plot", "profile_plot"]

Values = npt.NDArray[np.float64]

_GRID = 240
_FIRST_SECOND = 0.01


def profile_plot(runs: PairedRuns) -> Plot | None:
    """Plot performance profiles: how often a policy is within a factor of the best.

    Returns
    -------
    Plot or None
        The plot; None with fewer than two policies, or if no run solved its instance.

    References
    ----------
    Dolan & Moré, "Benchmarking optimization software with performance profiles", Mathematical
    Programming 91 (2002).
    """
    if len(runs.policies) < 2 or not runs.solved.any():
        return None
    profile = performance_profile(runs.time, runs.solved)
    finite = profile.ratios[np.isfinite(profile.ratios)]
    if not finite.size:
        return None
    end = max(2.0, float(finite.max()) * 1.1)

    def draw(inks: Inks) -> Figure:
        figure = inks.figure(
            figsize=(6.0, 4.0 + 0.2 * (len(runs.policies) // 3)), layout="constrained"
        )
        axis = figure.subplots()
        for i, policy in enumerate(runs.policies):
            taus, fractions = profile.steps(i)
            if not np.isfinite(fractions).all():
                continue
            axis.step(
                np.append(taus, end), np.append(fractions, fractions[-1]), where="post",
                color=colour(i), linestyle=stroke(i), linewidth=1.8, label=policy,
            )  # fmt: skip
        axis.set(xscale="log", xlim=(1, end), ylim=(0, 1.02))
        plain_ticks(axis, "x")
        axis.set_xlabel("factor of the fastest policy's time on the same instance and seed")
        axis.set_ylabel("share of the pairs")
        _finish(figure, axis, inks)
        return figure

    return Plot(
        name="profiles",
        description="performance profiles: share of the pairs solved within a factor of the best",
        draw=draw,
    )


def gap_curves(
    table: pa.Table, traces: pa.Table, *, policies: Sequence[str], limit: float
) -> tuple[Values, dict[str, Values], int]:
    """Compute every policy's mean gap over time, over the pairs with a run of every policy.

    The gap is that of the primal-dual integral (`milplib.evaluation.integrals`). It is 0 once a
    run has solved its instance; other runs keep their last gap.

    Parameters
    ----------
    table
        Checked table of runs.
    traces
        Traces of the runs. Pairs in which a solved run has no trace are left out.
    policies
        Names of the policies. A policy without any run removes no pair from the others.
    limit
        End of the curves in seconds.

    Returns
    -------
    seconds : ndarray
        Times, evenly spaced on a logarithmic scale. Shape (k,), float64.
    gaps : dict
        Mean gaps at these times by policy. Shape (k,), float64.
    pairs : int
        Number of runs in each mean.

    Examples
    --------
    >>> from milplib.evaluation.table import run_table
    >>> from milplib.evaluation.traces import trace_table
    >>> rows = [{"policy": "a", "instance": "x", "seed": 0, "failure": "", "time": 1.0,
    ...          "time_limit": 10.0, "trace": {"time": [0.1], "primal": [2.0], "dual": [1.0]}}]
    >>> seconds, gaps, pairs = gap_curves(
    ...     run_table(rows), trace_table(rows), policies=["a"], limit=10.0)
    >>> gaps["a"][[0, np.searchsorted(seconds, 0.5), -1]].tolist(), pairs
    ([1.0, 0.5, 0.0], 1)
    """
    known = traces_by_run(traces)
    grid = np.geomspace(min(_FIRST_SECOND, limit / 2), limit, _GRID)
    curves: dict[str, dict[tuple[str, int], Values]] = {}
    names = ("policy", "instance", "seed", "time")
    for failure, row in zip(judged_failures(table), table.select(names).to_pylist(), strict=True):
        if failure in NOT_RUN:
            continue
        trace = known.get((row["policy"], row["instance"], row["seed"]))
        if failure in PROVES_NOTHING or (failure and trace is None):
            curve = np.ones(_GRID)
        elif trace is None:
            continue
        else:
            gaps = np.append(gap(trace.primal, trace.dual), 1.0)  # index -1: before the first point
            curve = gaps[np.searchsorted(trace.time, grid, side="right") - 1]
            if not failure:
                curve = np.where(grid >= row["time"], 0.0, curve)
        curves.setdefault(row["policy"], {})[row["instance"], row["seed"]] = curve
    common = sorted(set.intersection(*map(set, curves.values()))) if curves else []
    means = {
        policy: np.asarray(np.mean([curves[policy][pair] for pair in common], axis=0))
        for policy in policies
        if policy in curves and common
    }
    return grid, means, len(common)


def gap_plot(results: Evaluation) -> Plot | None:
    """Plot every policy's mean gap over time.

    Returns
    -------
    Plot or None
        The plot; None if no pair has traces of every policy.
    """
    if results.traces is None or not len(results.traces):
        return None
    policies, limit = results.policies, float(results.config["time_limit"])
    seconds, gaps, pairs = gap_curves(results.table, results.traces, policies=policies, limit=limit)
    if not gaps:
        return None

    def draw(inks: Inks) -> Figure:
        figure = inks.figure(figsize=(6.0, 4.0 + 0.2 * (len(policies) // 3)), layout="constrained")
        axis = figure.subplots()
        for i, policy in enumerate(policies):
            if policy in gaps:
                axis.step(
                    seconds, 100 * gaps[policy], where="post", color=colour(i),
                    linestyle=stroke(i), linewidth=1.8, label=policy,
                )  # fmt: skip
        axis.set(xscale="log", xlim=(seconds[0], seconds[-1]), ylim=(0, 102))
        plain_ticks(axis, "x")
        axis.set_xlabel("seconds")
        axis.set_ylabel("mean gap, %")
        _finish(figure, axis, inks)
        return figure

    return Plot(
        name="gaps",
        description=f"mean gap over time, over {pairs} runs of every policy",
        draw=draw,
    )


def _finish(figure: Figure, axis: Axes, inks: Inks) -> None:
    """Add a grid, and a legend below the axes, where it takes no width on a narrow page."""
    axis.grid(color=inks.muted, alpha=0.2, linewidth=0.6)
    figure.legend(loc="outside lower left", ncols=4 if len(axis.lines) <= 4 else 3)
