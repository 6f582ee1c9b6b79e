"""Picture of a sample: scores of the expert, pattern of the state, position in the tree."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from milplib.files import atomic_write
from milplib.learn.samples.sample_set import Sample, SampleSet
from milplib.learn.samples.statistics import agreement, trivial_choices
from milplib.style import COLOURS, plain_style, plain_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["write_picture"]

_MUTED = "#999999"
_MARKS = {"most fractional": ("s", COLOURS[1]), "pseudocost": ("D", COLOURS[2])}
# Maximum numbers of image cells of a pattern, vertically and horizontally.
_CELLS = (240, 640)


def write_picture(samples: SampleSet, index: int, path: str | os.PathLike[str]) -> None:
    """Draw a sample as a PNG file, written atomically.

    The first panel shows the candidates in the order of the expert's scores, and the picks of the
    trivial choices. The second shows the node among the labelled nodes of its tree. The third
    shows the non-zeros of the state, with those of the candidates highlighted.

    Parameters
    ----------
    samples
        The set.
    index
        Index of the sample.
    path
        The file to write.

    Raises
    ------
    IndexError
        If the index is out of range.
    SampleError
        If the sample is damaged.
    OutputError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from milplib.generators import GeneralizedIndependentSet
    >>> from milplib.learn import collect
    >>> folder = tempfile.mkdtemp()
    >>> GeneralizedIndependentSet(n_nodes=40).generate(seed=0).write(folder + "/a.lp")
    >>> samples = collect([folder], out=folder + "/samples", samples_per_instance=1,
    ...                   expert_probability=1.0)
    >>> write_picture(samples, 0, folder + "/sample.png")
    >>> Path(folder, "sample.png").read_bytes()[1:4]
    b'PNG'
    """
    with plain_style():
        figure = _drawn(samples, index)
        stream = io.BytesIO()
        # No version in the metadata, so that equal samples have equal bytes.
        figure.savefig(stream, format="png", dpi=130, metadata={"Software": None})
    with atomic_write(path) as file:
        file.write(stream.getvalue())


def _drawn(samples: SampleSet, index: int) -> Figure:
    from matplotlib.figure import Figure

    sample = samples[index]
    tree, state = sample.tree, sample.state
    figure = Figure(figsize=(11.0, 8.0), layout="constrained")
    upper, lower = np.asarray(figure.subfigures(2, 1, height_ratios=(1.0, 1.1)))
    scores, place = upper.subplots(1, 2, width_ratios=(2.2, 1.0))
    _draw_scores(scores, sample)
    _draw_place(place, samples, index, sample)
    _draw_pattern(lower.subplots(), sample)
    part = f", part {tree.part}" if tree.part else ""
    figure.suptitle(
        f"sample {index} of {len(samples)}: {tree.instance}, episode {tree.episode}{part}, "
        f"SCIP's seed {sample.scip_seed}\n{state.n_rows:,} rows, {state.n_variables:,} columns, "
        f"{len(state.edge_features):,} non-zeros, {len(state.candidates):,} candidates, "
        f"{'with an' if state.has_incumbent else 'no'} incumbent",
        fontsize=10,
    )
    return figure


def _draw_scores(axis: Axes, sample: Sample) -> None:
    """Draw the candidates from the expert's best to the worst, those without a score last."""
    from matplotlib.ticker import MaxNLocator

    scores, valid = sample.scores, sample.valid
    order = np.lexsort((sample.state.candidates, -scores, ~valid))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(1, len(order) + 1)
    best, low = scores[valid].max(), scores[valid].min()
    if low > 0 and best > 100 * low:
        axis.set_yscale("log")
    floor = float(low)
    heights = np.where(valid, scores, floor)
    tied = sample.tied
    axis.plot(rank[valid & ~tied], heights[valid & ~tied], "o", color=_MUTED, markersize=4)
    axis.plot(
        rank[tied],
        heights[tied],
        "o",
        color=COLOURS[0],
        markersize=5,
        label=f"the expert's best ({tied.sum()})",
    )
    if not valid.all():
        missing = int((~valid).sum())
        axis.plot(rank[~valid], heights[~valid], "x", color=_MUTED, label=f"no score ({missing})")
    for name, probability in trivial_choices(sample).items():
        accuracy, regret = agreement(sample, probability)
        if name not in _MARKS:  # random is an expectation and picks no single candidate
            axis.plot([], [], " ", label=f"{name}: right {accuracy:.0%}, regret {regret:.2f}")
            continue
        taken = int(probability.argmax())
        marker, colour = _MARKS[name]
        axis.plot(
            rank[taken],
            heights[taken],
            marker,
            color=colour,
            markersize=10,
            fillstyle="none",
            markeredgewidth=1.8,
            label=f"{name}: place {rank[taken]}, regret {regret:.2f}",
        )
    if axis.get_yscale() == "log":
        plain_ticks(axis, "y")
    axis.set(xlabel="candidates by the expert's score", ylabel="score")
    axis.set_xlim(0.5, len(order) + 0.5)
    axis.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    axis.legend(fontsize=8, loc="upper right")


def _draw_place(axis: Axes, samples: SampleSet, index: int, sample: Sample) -> None:
    """Draw the labelled nodes of the tree by number and depth; mark the sample's node."""
    from matplotlib.ticker import MaxNLocator

    nodes = samples.nodes_beside(index)
    depth = {node.node: node.depth for node in nodes}
    for node in nodes:
        if node.parent in depth:
            ends = [node.parent, node.node], [depth[node.parent], node.depth]
            axis.plot(*ends, color=_MUTED, linewidth=0.8, zorder=1)
    axis.plot(list(depth), list(depth.values()), "o", color=_MUTED, markersize=4)
    axis.plot(sample.node, sample.depth, "o", color=COLOURS[0], markersize=9)
    parent = f"child of {sample.parent}" if sample.parent >= 0 else "the root"
    axis.set_title(f"node {sample.node} at depth {sample.depth}, {parent}", fontsize=9)
    axis.set(xlabel=f"number of the node ({len(nodes)} labelled)", ylabel="depth")
    for line in (axis.xaxis, axis.yaxis):
        line.set_major_locator(MaxNLocator("auto", integer=True))
    axis.set_ylim(max(depth.values()) + 0.5, min(depth.values()) - 0.5)


def _draw_pattern(axis: Axes, sample: Sample) -> None:
    """Draw the non-zeros of the rows and columns; highlight those of the candidates."""
    from matplotlib.colors import ListedColormap
    from matplotlib.lines import Line2D

    state = sample.state
    is_candidate = np.zeros(state.n_variables, dtype=np.bool_)
    is_candidate[state.candidates] = True
    shape = (min(_CELLS[0], max(1, state.n_rows)), min(_CELLS[1], state.n_variables))
    image = np.zeros(shape, dtype=np.uint8)
    rows, columns = state.edge_index
    lines = _cells(rows, state.n_rows, shape[0])
    places = _cells(columns, state.n_variables, shape[1])
    image[lines, places] = 1
    apart = is_candidate[columns]
    image[lines[apart], places[apart]] = 2
    axis.imshow(
        image,
        cmap=ListedColormap(["#ffffff", "#bbbbbb", COLOURS[0]]),
        vmin=0,
        vmax=2,
        aspect="auto",
        interpolation="nearest",
        extent=(-0.5, state.n_variables - 0.5, state.n_rows - 0.5, -0.5),
    )
    axis.set(xlabel="columns", ylabel="rows")
    names = {COLOURS[0]: "of a candidate", "#bbbbbb": "of another column"}
    axis.legend(
        handles=[
            Line2D([], [], marker="s", linestyle="none", color=colour, label=f"non-zero {name}")
            for colour, name in names.items()
        ],
        fontsize=8,
        ncols=2,
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
    )


def _cells(positions: npt.NDArray[np.int32], size: int, cells: int) -> npt.NDArray[np.int64]:
    return positions.astype(np.int64) * cells // max(1, size)
