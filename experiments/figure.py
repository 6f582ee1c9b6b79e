"""Draw the figure of RESULTS.md from the committed summaries of the studies.

``.venv/bin/python experiments/figure.py [--out FILE]``
"""

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from milplib.files import atomic_write
from milplib.study.merging import BEST, EARLIER_BEST

HERE = Path(__file__).parent
FIGURE = HERE.parent / "docs" / "results" / "ratios.svg"
SETTINGS = ("learn2branch", "default")
_NETWORK = "gcnn-homogeneous-50-seed0"
_COLOURS = {"network": "#0b5394", "best SCIP rule": "#b45f06"}


class Ratio(NamedTuple):
    """A ratio of shifted geometric mean times, with its 95 % interval."""

    distribution: str
    policy: str
    value: float
    low: float
    high: float


class Group(NamedTuple):
    """Ratios under a common heading, in one setting."""

    title: str
    ratios: list[Ratio]


def groups(setting: str) -> Iterator[Group]:
    """Read the ratios to ``relpscost`` in a setting."""
    yield Group("judging sets", list(_of_summary("verdict", setting)))
    yield Group("larger trees", list(_of_summary("deep", setting)))
    if setting == "learn2branch":
        twice = list(_of_summary("larger", f"{setting}-transfer"))
        yield Group("trained on half the size", twice)
        yield Group("new domains", list(_of_training_sets("new-domains", setting)))


def _of_summary(study: str, table: str) -> Iterator[Ratio]:
    names = {_NETWORK: "network", **dict.fromkeys((BEST, EARLIER_BEST), "best SCIP rule")}
    for row in _rows(study, f"{table}-summary.csv"):
        if row["policy"] in names and row["distribution"] != "all":
            yield _ratio(row, names[row["policy"]])


def _of_training_sets(study: str, setting: str) -> Iterator[Ratio]:
    for row in _rows(study, f"{setting}-training-sets.csv"):
        if row["model"] == "gcnn" and row["against"] == "relpscost":
            yield _ratio(row, "network")


def _rows(study: str, name: str) -> list[dict[str, str]]:
    with (HERE / study / "small" / name).open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def _ratio(row: dict[str, str], policy: str) -> Ratio:
    value, low, high = (float(row[f"time_ratio{end}"]) for end in ("", "_low", "_high"))
    return Ratio(row["distribution"], policy, value, low, high)


def draw() -> bytes:
    """Draw one panel for each setting; return the SVG."""
    style: Any = {"svg.fonttype": "none", "svg.hashsalt": "milplib", "font.size": 9}
    with matplotlib.rc_context(style):
        figure = Figure(figsize=(8.6, 6), layout="constrained")
        panels = figure.subplots(1, 2, sharey=True)
        for axes, setting in zip(panels, SETTINGS, strict=True):
            lines = list(_lines(setting))
            for place, (_, ratios) in enumerate(lines):
                for ratio in ratios:
                    _interval(axes, place, ratio)
            _finish(axes, setting)
            if axes is panels[0]:  # the first setting has all lines of the second
                axes.set_yticks(range(len(lines)), [label for label, _ in lines])
                axes.set_ylim(len(lines) - 0.4, -0.6)
        handles, labels = panels[0].get_legend_handles_labels()
        legend = dict(zip(labels, handles, strict=True))
        figure.legend(legend.values(), legend, loc="outside lower center", ncols=2, frameon=False)
        stream = io.BytesIO()
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    text = "".join(f"{line.rstrip()}\n" for line in stream.getvalue().decode().splitlines())
    return text.encode()


def _lines(setting: str) -> Iterator[tuple[str, list[Ratio]]]:
    """Yield the label and ratios of each line: a heading and its distributions."""
    for group in groups(setting):
        yield group.title.upper(), []
        for name in dict.fromkeys(ratio.distribution for ratio in group.ratios):
            yield name, [ratio for ratio in group.ratios if ratio.distribution == name]


def _finish(axes: Axes, setting: str) -> None:
    axes.axvline(1, color="#666666", linewidth=1)
    axes.set_xscale("log")
    ticks = (0.4, 0.5, 0.6, 0.8, 1, 1.25, 1.6, 2)
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(0.35, 2.05)
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_title(setting)
    axes.set_xlabel("time relative to relpscost (left of 1 is faster)")


def _interval(axes: Axes, place: float, ratio: Ratio) -> None:
    is_network = ratio.policy == "network"
    axes.errorbar(
        ratio.value,
        place + (-0.16 if is_network else 0.16),
        xerr=[[ratio.value - ratio.low], [ratio.high - ratio.value]],
        fmt="o" if is_network else "s",
        markersize=4.5,
        color=_COLOURS[ratio.policy],
        label=ratio.policy,
    )


def main() -> None:
    """Draw the figure named by the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=FIGURE, metavar="FILE")
    with atomic_write(parser.parse_args().out) as stream:
        stream.write(draw())


if __name__ == "__main__":
    main()
