"""Figure of a measurement: sizes, kinds of columns and rows, times and nodes by folder."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from milplib.files import atomic_write
from milplib.hardness.results import HardnessResults
from milplib.hardness.rows import HardnessRow, numbers_of
from milplib.hardness.summary import COLUMN_KINDS, SIZES, FolderSummary
from milplib.structure.row_kinds import ROW_KINDS
from milplib.style import COLOURS, plain_style, plain_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["FIGURE", "write_figure"]

FIGURE = "statistics.png"
"""Name of the figure in a results folder."""

_MUTED = "#888888"
_KINDS: dict[str, tuple[str, ...]] = {"column_kinds": COLUMN_KINDS, "row_kinds": ROW_KINDS}


def write_figure(results: HardnessResults, path: Path) -> None:
    """Draw a measurement as a PNG file, and write it atomically.

    In the panels of sizes, times and nodes, every instance is a point, an unsolved one is a cross,
    and a bar marks the median of a folder. The other panels show the shares of kinds of columns
    and rows by folder.

    Examples
    --------
    >>> import tempfile
    >>> from milplib.generators import CombinatorialAuction
    >>> from milplib.hardness import measure
    >>> folder = tempfile.mkdtemp()
    >>> CombinatorialAuction(n_items=30, n_bids=100).generate(seed=0).write(folder + "/a.lp")
    >>> path = Path(folder) / "figure.png"
    >>> write_figure(measure([folder], solver=None), path)
    >>> path.read_bytes()[1:4]
    b'PNG'
    """
    with plain_style():
        figure = _drawn(results)
        stream = io.BytesIO()
        # Without the version of matplotlib, so that equal results give equal bytes.
        figure.savefig(stream, format="png", dpi=150, metadata={"Software": None})
    with atomic_write(path) as file:
        file.write(stream.getvalue())


def _drawn(results: HardnessResults) -> Figure:
    from matplotlib.figure import Figure

    summaries = results.summaries()
    folders = [summary.distribution for summary in summaries]
    lines = max(1, *(len(_kinds(summaries, which)) for which in _KINDS))
    heights = [0.9 + 0.3 * len(folders)] * 2 + [0.9 + 0.2 * lines * max(1, len(folders) / 2)]
    heights = heights if results.by else heights[::2]
    figure = Figure(figsize=(10.0, sum(heights)), layout="constrained")
    parts = np.atleast_1d(np.asarray(figure.subfigures(len(heights), 1, height_ratios=heights)))
    for axis, name in zip(parts[0].subplots(1, 4, sharey=True), SIZES, strict=True):
        _strip(axis, results, folders, name)
    if results.by:
        measured = ("time", "nodes", "primal_dual_integral")
        labels = ("time, s", "nodes", "primal-dual integral, %·s")
        axes = parts[1].subplots(1, 3, sharey=True)
        for axis, name, label in zip(axes, measured, labels, strict=True):
            _strip(axis, results, folders, name)
            axis.set_xlabel(label)
        limit = results.config["time_limit"]
        axes[0].axvline(limit, color=_MUTED, linewidth=0.8, linestyle=(0, (4, 3)))
        parts[1].suptitle(f"by {results.by}, limit {limit:g} s; crosses: not solved", fontsize=9)
    columns, rows = parts[-1].subplots(1, 2)
    _bars(columns, summaries, "column_kinds", "columns, mean share in %", lines=lines)
    _bars(rows, summaries, "row_kinds", "rows, mean share in %", lines=lines)
    if len(folders) > 1:
        rows.legend(fontsize=8)
    return figure


def _strip(axis: Axes, results: HardnessResults, folders: Sequence[str], name: str) -> None:
    """Draw the values of each folder on its own line."""
    from matplotlib.ticker import LogLocator

    seen: list[float] = []
    for line, folder in enumerate(folders):
        colour = COLOURS[line % len(COLOURS)]
        for marker, is_drawn in (("o", lambda row: not row["failure"]), ("x", _is_unsolved)):
            values = _values(results, folder, name, is_drawn)
            # Spread the points by a fixed rule, so that equal results give equal figures.
            spread = 0.5 * ((np.arange(len(values)) * 0.618034) % 1.0 - 0.5)
            axis.plot(values, line + spread, marker, color=colour, markersize=4, alpha=0.6)
            seen += values
        everything = _values(results, folder, name, lambda row: True)
        if everything:
            middle = float(np.median(everything))
            axis.plot([middle, middle], [line - 0.35, line + 0.35], color=colour, linewidth=2)
    if seen:
        axis.set(xscale="log", xlim=(min(seen) / 1.4, max(seen) * 1.4))
        plain_ticks(axis, "x")
        if max(seen) > 30 * min(seen):  # narrow panels have room only for the powers of ten
            axis.xaxis.set_major_locator(LogLocator(base=10))
    axis.set_yticks(range(len(folders)), folders)
    axis.set_ylim(len(folders) - 0.5, -0.5)
    axis.tick_params(axis="y", length=0)
    axis.set_xlabel(name)


def _is_unsolved(row: HardnessRow) -> bool:
    return bool(row["failure"])


def _values(
    results: HardnessResults, folder: str, name: str, is_drawn: Callable[[HardnessRow], bool]
) -> list[float]:
    """Return the known values, raised to the lower end of the logarithmic axis."""
    floor = 0.01 if name in ("time", "primal_dual_integral") else 1e-6 if name == "density" else 1.0
    drawn = [row for row in results.rows if row["distribution"] == folder and is_drawn(row)]
    return [max(float(n), floor) for n in numbers_of(drawn, name) if n is not None]


def _kinds(summaries: Sequence[FolderSummary], which: str) -> list[str]:
    """Return the kinds that occur in any folder, in their fixed order."""
    seen = {kind for summary in summaries for kind in getattr(summary, which)}
    return [kind for kind in _KINDS[which] if kind in seen]


def _bars(
    axis: Axes, summaries: Sequence[FolderSummary], which: str, label: str, *, lines: int
) -> None:
    """Draw shares as bars, on as many lines as the neighbouring panel has."""
    kinds = _kinds(summaries, which)
    thick = 0.8 / max(1, len(summaries))
    for place, summary in enumerate(summaries):
        shares = [100 * getattr(summary, which).get(kind, 0.0) for kind in kinds]
        heights = np.arange(len(kinds)) + (place - (len(summaries) - 1) / 2) * thick
        colour = COLOURS[place % len(COLOURS)]
        axis.barh(heights, shares, height=0.9 * thick, color=colour, label=summary.distribution)
    axis.set_yticks(range(len(kinds)), [kind.replace("_", " ") for kind in kinds])
    axis.set_ylim(lines - 0.5, -0.5)
    axis.tick_params(axis="y", length=0)
    axis.set(xlim=(0, 100), xlabel=label)
