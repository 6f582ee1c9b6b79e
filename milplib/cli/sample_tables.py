"""Tables of ``samples inspect``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from milplib.cli.console import print_pairs, say
from milplib.cli.tables import Column, print_table

if TYPE_CHECKING:
    from milplib.learn import SampleSet
    from milplib.learn.samples.ranges import FeatureRange
    from milplib.learn.samples.statistics import SampleStatistics

__all__ = ["print_damaged", "print_ranges", "print_statistics"]


def print_damaged(samples: SampleSet) -> None:
    """Print the damaged shards and the number of lost samples."""
    for shard in samples.damaged:
        say(
            f"  left out {shard.file} with {shard.samples} samples of {shard.trees} trees: "
            f"{shard.reason}",
            hanging=4,
        )


def print_statistics(
    samples: SampleSet, statistics: SampleStatistics, ranges: Sequence[FeatureRange]
) -> None:
    """Print statistics of the samples, and the agreement of trivial choices with the expert."""
    from milplib.report.text import count

    smallest, mean, median, largest = statistics.candidates
    size = sum(shard.bytes for shard in samples.manifest.shards)
    constant = sum(feature.is_constant for feature in ranges)
    broken = sum(feature.not_finite > 0 for feature in ranges)
    lines = {
        "trees": f"{statistics.trees}, from {count(statistics.instances, 'instance')}",
        "size on disk": f"{size / 1e6:.2f} MB, {size / statistics.samples / 1e3:.1f} kB a sample",
        "state (mean)": f"{statistics.rows:.0f} rows, {statistics.columns:.0f} columns, "
        f"{statistics.edges:.0f} edges",
        "depth": f"mean {statistics.depth[0]:.1f}, largest {statistics.depth[1]}",
        "candidates a sample": f"mean {mean:.1f}, median {median:.0f}, from {smallest} to "
        f"{largest}",
        "ties": f"{100 * statistics.samples_with_ties:.1f} % of the samples have several best "
        f"candidates; {statistics.tied:.2f} best candidates a sample",
        "candidates without a score": f"{100 * statistics.invalid_scores:.2f} %",
        "blocks": ", ".join(
            f"{block.name} {block.version} ({len(block.columns)} columns)"
            for block in samples.blocks
        )
        or "none",
        "features": f"{len(ranges)}, of which {constant} are constant and {broken} have values "
        "that are not finite (--features lists them)",
    }
    print_pairs(lines)
    print_table(
        [
            Column(heading="choice", is_key=True),
            Column(heading="accuracy@1"),
            Column(heading="score regret"),
        ],
        [
            [name, f"{choice.accuracy:.3f}", f"{choice.regret:.3f}"]
            for name, choice in statistics.choices.items()
        ],
        title="trivial choices against the expert",
    )


def print_ranges(ranges: Sequence[FeatureRange]) -> None:
    """Print a row for each feature: its range, and whether it is constant or not finite."""
    group = None
    rows = []
    for feature in ranges:
        marks = ["constant"] if feature.is_constant else []
        if feature.not_finite:
            marks.append(f"{feature.not_finite} of {feature.values} not finite")
        numbers = (feature.minimum, feature.mean, feature.maximum)
        rows.append(
            [
                "" if feature.group == group else feature.group,
                feature.name,
                *("" if number is None else f"{number + 0.0:.4g}" for number in numbers),  # not -0
                "" if feature.zeros is None else f"{100 * feature.zeros:.2f} %",
                ", ".join(marks),
            ]
        )
        group = feature.group
    print_table(
        [
            Column(heading="of", is_key=True),
            Column(heading="feature", is_key=True),
            *(Column(heading=heading) for heading in ("minimum", "mean", "maximum", "zeros")),
            Column(heading="", is_text=True),
        ],
        rows,
        title="features",
    )
