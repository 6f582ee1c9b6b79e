"""Drawing of a branch-and-bound tree: page or SVG with a tooltip per node, or PNG or PDF."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from pathlib import Path

import numpy as np

from milplib.arguments import checked
from milplib.errors import ParameterError
from milplib.files import atomic_write
from milplib.style import page_style, plain_style
from milplib.tree.layout import tree_layout
from milplib.tree.search_tree import STATUSES, NodeStatus, SearchTree

__all__ = ["FORMATS", "check_format", "draw_tree", "explanation", "tree_svg"]

FORMATS = ("svg", "png", "pdf", "html")
"""File formats of a drawing."""

_COLOURS = dict(
    zip(STATUSES, ("#7a8793", "#009e73", "#d55e00", "#0072b2", "#b07a00", "#b9588f"), strict=True)
)
_ON_DARK = dict(
    zip(STATUSES, ("#9aa4ae", "#2fc49a", "#f0803c", "#4aa3df", "#f0b429", "#dd95bd"), strict=True)
)
_LABELLED = 40
"""Maximum number of nodes for which the edges are labelled with their branchings."""


@checked
def draw_tree(tree: SearchTree, path: str | os.PathLike[str]) -> Path:
    """Draw a tree into a file.

    Parameters
    ----------
    tree
        Tree to draw.
    path
        File to write; its suffix selects the format. In ``.svg`` and ``.html``, tooltips show the
        branching, bound and number of a node; ``.png`` and ``.pdf`` have none.

    Returns
    -------
    Path
        File that was written.

    Raises
    ------
    ParameterError
        If the suffix is not one of these.
    OutputError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from milplib.tree.record import record_tree
    >>> from milplib.generators import GeneralizedIndependentSet
    >>> instance = GeneralizedIndependentSet(n_nodes=40).generate(seed=4)
    >>> tree = record_tree(instance, policy="pscost")
    >>> draw_tree(tree, tempfile.mkdtemp() + "/tree.svg").read_text().count("<circle") == len(tree)
    True
    """
    path = Path(path)
    form = check_format(path)
    if form == "svg":
        content = tree_svg(tree).encode()
    elif form == "html":
        content = _page(tree).encode()
    else:
        content = _picture(tree, form)
    with atomic_write(path) as stream:
        stream.write(content)
    return path


def check_format(path: Path) -> str:
    """Return the format of a drawing from its file's suffix.

    Raises
    ------
    ParameterError
        If the suffix is not a format of drawings.
    """
    form = path.suffix.lower().removeprefix(".")
    if form not in FORMATS:
        raise ParameterError(
            f"a tree cannot be drawn into {path}: its name must end in "
            f"{', '.join('.' + name for name in FORMATS[:-1])} or .{FORMATS[-1]}"
        )
    return form


def explanation(tree: SearchTree) -> str:
    """Describe how many nodes are drawn, compared with SCIP's own count.

    Examples
    --------
    >>> from milplib.tree.record import record_tree
    >>> from milplib.generators import CombinatorialAuction
    >>> instance = CombinatorialAuction(n_items=30, n_bids=100).generate(seed=0)
    >>> explanation(record_tree(instance))
    'Processed: 1 node, as SCIP counts.'
    """
    noun = "node" if tree.processed == 1 else "nodes"
    words = f"Processed: {tree.processed:,} {noun}, as SCIP counts."
    if tree.processed != tree.scip_nodes:
        words = (
            f"Processed: {tree.processed:,} {noun}; SCIP counts {tree.scip_nodes:,}, because the "
            "others raised no event."
        )
    never = len(tree) - tree.processed
    if never:
        words += (
            f" Hollow: {never:,} more that were made and never processed, which SCIP does not "
            "count."
        )
    restarted = tree.count("restarted")
    if restarted:
        words += f" SCIP restarted: {restarted:,} of the nodes belong to trees given up before."
    return words


def _legend(tree: SearchTree) -> list[tuple[str, str, int]]:
    counted = ((status, _COLOURS[status], tree.count(status)) for status in STATUSES)
    return [entry for entry in counted if entry[2]]


def _tooltip(tree: SearchTree, node: int) -> str:
    order = int(tree.order[node])
    words = [f"processed as number {order:,}" if order else "never processed"]
    if tree.branching[node]:
        words.append(tree.branching[node])
    words += [f"depth {tree.depth[node]}", STATUSES[tree.status[node]]]
    if math.isfinite(tree.bound[node]):
        words.append(f"bound {tree.bound[node]:.9g}")
    return "; ".join(words)


def tree_svg(tree: SearchTree) -> str:
    """Draw a tree as a standalone SVG document; every node has a tooltip."""
    x, y = tree_layout(tree)
    across, down, radius = _spacing(tree)
    sentences = [f"{words}." for words in explanation(tree).removesuffix(".").split(". ")]
    margin, foot = 24.0, 36.0 + 16.0 * len(sentences)
    px, py = margin + across * x, margin + down * y
    width = max(float(px.max(initial=0.0)) + margin, 560.0)
    height = float(py.max(initial=0.0)) + margin + foot
    px = px + 0.5 * (width - margin - float(px.max(initial=0.0)) - margin)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" '
        f'aria-label="branch-and-bound tree: {escape(tree.title)}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}" '
        'font-family="DejaVu Sans, system-ui, sans-serif" font-size="11">',
        f"<style>{_style(_COLOURS, ink='#222', edge='#9aa4ae', paper='#fff')}"
        "@media (prefers-color-scheme:dark)"
        f"{{{_style(_ON_DARK, ink='#e4e8ec', edge='#5d666f', paper='#15181c')}}}</style>",
        f'<rect class="paper" stroke="none" width="{width:.0f}" height="{height:.0f}"/>',
    ]
    below = np.flatnonzero(tree.parent >= 0)
    above = tree.parent[below]
    lines = "".join(
        f"M{a:.1f} {b:.1f}L{c:.1f} {d:.1f}"
        for a, b, c, d in zip(px[above], py[above], px[below], py[below], strict=True)
    )
    parts.append(f'<path class="edge" d="{lines}" fill="none"/>')
    for node in range(len(tree)):
        kind = f"s{tree.status[node]}" if tree.order[node] else f"s{tree.status[node]} paper"
        parts.append(
            f'<circle cx="{px[node]:.1f}" cy="{py[node]:.1f}" r="{radius:.1f}" class="{kind}">'
            f"<title>{escape(_tooltip(tree, node))}</title></circle>"
        )
    if len(tree) <= _LABELLED:
        parts += [
            f'<text class="ink" font-size="9" text-anchor="middle" x="{px[node]:.1f}" '
            f'y="{py[node] + radius + 9:.1f}">{escape(tree.branching[node])}</text>'
            for node in below
        ]
    left = margin
    for status, _, count in _legend(tree):
        words = f"{count:,} {status}"
        parts.append(
            f'<rect class="s{STATUSES.index(status)}" x="{left:.0f}" y="{height - foot + 10:.0f}" '
            'width="9" height="9" rx="4.5"/>'
            f'<text class="ink" x="{left + 14:.0f}" y="{height - foot + 18.5:.1f}">'
            f"{escape(words)}</text>"
        )
        left += 30 + 6.6 * len(words)
    parts += [
        f'<text class="ink" x="{margin:.0f}" y="{height - foot + 38 + 16 * line:.0f}">'
        f"{escape(sentence)}</text>"
        for line, sentence in enumerate(sentences)
    ]
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def _style(colours: Mapping[NodeStatus, str], *, ink: str, edge: str, paper: str) -> str:
    statuses = "".join(
        f".s{number}{{fill:{colour};stroke:{colour}}}"
        for number, colour in enumerate(colours.values())
    )
    return f".ink{{fill:{ink}}}.edge{{stroke:{edge}}}{statuses}.paper{{fill:{paper}}}"


def _spacing(tree: SearchTree) -> tuple[float, float, float]:
    """Return pixels between leaves, pixels between levels and a node's radius."""
    has_children = np.unique(tree.parent[tree.parent >= 0])
    leaves = max(len(tree) - len(has_children), 1)
    across = float(np.clip(1080 / leaves, 7.0, 64.0))
    return across, float(np.clip(2 * across, 26.0, 52.0)), float(np.clip(0.3 * across, 2.6, 6.0))


def _page(tree: SearchTree) -> str:
    import jinja2

    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    template = files("milplib.tree").joinpath("tree.html.j2").read_text(encoding="utf-8")
    bounds = tree.bound[np.isfinite(tree.bound)]
    facts = {
        "ended": tree.solve_status,
        "best solution": "none" if tree.objective is None else f"{tree.objective:.12g}",
        "bound at the root": f"{bounds[0]:.12g}" if bounds.size else "none",
        "deepest node": str(tree.depth.max(initial=0)),
    }
    svg = tree_svg(tree).replace(' xmlns="http://www.w3.org/2000/svg"', "", 1)
    return environment.from_string(template).render(
        title=tree.title,
        style=page_style(),
        explanation=explanation(tree),
        facts=facts,
        svg=svg,
    )


def _picture(tree: SearchTree, form: str) -> bytes:
    from matplotlib.collections import LineCollection
    from matplotlib.figure import Figure

    x, y = tree_layout(tree)
    across, down, radius = (size / 72 for size in _spacing(tree))
    width = float(np.clip(across * x.max(initial=0.0) + 1, 7, 60))
    height = float(np.clip(down * y.max(initial=0.0) + 1.2, 3, 40))
    with plain_style({"pdf.fonttype": 42}):
        figure = Figure(figsize=(width, height), layout="constrained")
        axis = figure.subplots()
        below = np.flatnonzero(tree.parent >= 0)
        ends = np.stack([np.c_[x, y][tree.parent[below]], np.c_[x, y][below]], axis=1)
        axis.add_collection(LineCollection(ends.tolist(), colors="#9aa4ae", linewidths=0.6))
        for status, colour, count in _legend(tree):
            chosen = tree.status == STATUSES.index(status)
            for seen in (True, False):
                now = chosen & ((tree.order > 0) == seen)
                if now.any():
                    axis.scatter(
                        x[now], y[now], s=(144 * radius) ** 2 / 4,
                        facecolors=colour if seen else "white", edgecolors=colour,
                        linewidths=0.8, zorder=3,
                        label=f"{count:,} {status}" if seen or not (chosen & (tree.order > 0)).any()
                        else None,
                    )  # fmt: skip
        if len(tree) <= _LABELLED:
            for node in below:
                axis.annotate(
                    tree.branching[node], (x[node], y[node]), xytext=(0, -14), ha="center",
                    textcoords="offset points", fontsize=6,
                )  # fmt: skip
        axis.set_xlim(x.min(initial=0.0) - 0.7, x.max(initial=0.0) + 0.7)
        axis.set_ylim(y.max(initial=0.0) + 0.7, -0.7)
        axis.set_axis_off()
        figure.legend(loc="outside lower left", ncols=6, fontsize=8)
        figure.suptitle(f"{tree.title}\n{explanation(tree)}", fontsize=8, x=0.01, ha="left")
        stream = io.BytesIO()
        metadata = {"CreationDate": None} if form == "pdf" else None
        figure.savefig(stream, format=form, dpi=_resolution(width), metadata=metadata)
    return stream.getvalue()


def _resolution(width: float) -> float:
    """Return the dots per inch, bounded so that wide pictures can be opened."""
    return min(160.0, 8000.0 / width)
