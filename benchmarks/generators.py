"""How long instances take to generate: ``python benchmarks/generators.py [NAME ...]``.

Each distribution is generated with different seeds after one that is not counted; the table
shows the median and the extremes.
"""

from __future__ import annotations

import argparse
import statistics
import time

from rich.console import Console
from rich.table import Table

from milplib.generators import from_name
from milplib.library import InstanceGenerator

NAMES = (
    "CA-very-easy",
    "CA-medium",
    "CA-very-hard",
    "CA-very-hard2",
    "SC-easy",
    "SC-hard",
    "SC-very-hard",
    "MIS-medium",
    "MIS-very-hard",
    "CFLP-medium",
)


def seconds(generator: InstanceGenerator, repeats: int) -> list[float]:
    durations = []
    for seed in range(1, repeats + 1):
        start = time.perf_counter()
        generator.generate(seed)
        durations.append(time.perf_counter() - start)
    return durations


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=NAMES, metavar="NAME", help="distributions")
    parser.add_argument("--repeats", type=int, default=5, help="instances timed (default 5)")
    options = parser.parse_args()

    table = Table(title=f"Seconds an instance, {options.repeats} instances each")
    table.add_column("distribution")
    for column in ("rows", "columns", "nonzeros", "median", "fastest", "slowest"):
        table.add_column(column, justify="right")
    for name in options.names:
        generator = from_name(name)
        instance = generator.generate(0)
        sizes = (instance.n_rows, instance.n_columns, instance.n_nonzeros)
        durations = seconds(generator, options.repeats)
        figures = (statistics.median(durations), min(durations), max(durations))
        table.add_row(name, *(f"{size:,}" for size in sizes), *(f"{t:.3f}" for t in figures))
    Console().print(table)


if __name__ == "__main__":
    main()
