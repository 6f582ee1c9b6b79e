"""Time the generation and writing of instances: ``python benchmarks/generators.py [NAME ...]``.

Each distribution is generated with different seeds, after an uncounted first seed, and each
instance is written as an LP file. The table shows medians, and the largest sum of both times.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

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
    "MVC-hard",
    "GISP-hard",
    "CFLP-medium",
    "LB-milplib-hard",
    "IP-milplib-very-hard",
    "MIRP-milplib-hard",
    "NNV-digits-easy-large",
    "OTS-milplib-easy-large",
    "MMCN-milplib-very-hard",
    "SRPN-milplib-hard",
    "Corridor-milplib-easy-large",
    "ABD-milplib-hard",
    "NAS-milplib-hard",
    "CTS-milplib-hard",
    "MOE-milplib-hard",
)


def seconds(generator: InstanceGenerator, seed: int, folder: Path) -> tuple[float, float]:
    """Return the seconds to generate and to write an instance."""
    begin = time.perf_counter()
    instance = generator.generate(seed)
    generated = time.perf_counter()
    instance.write(folder / "instance.lp")
    return generated - begin, time.perf_counter() - generated


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=NAMES, metavar="NAME", help="distributions")
    parser.add_argument("--repeats", type=int, default=5, help="instances timed (default 5)")
    options = parser.parse_args()

    table = Table(title=f"Seconds an instance, {options.repeats} instances each")
    table.add_column("distribution")
    for column in ("rows", "columns", "nonzeros", "generate", "write", "slowest"):
        table.add_column(column, justify="right")
    with tempfile.TemporaryDirectory() as folder:
        for name in options.names:
            generator = from_name(name)
            instance = generator.generate(0)
            sizes = (instance.n_rows, instance.n_columns, instance.n_nonzeros)
            taken = [seconds(generator, s, Path(folder)) for s in range(1, options.repeats + 1)]
            medians = (statistics.median(part) for part in zip(*taken, strict=True))
            figures = (*medians, max(map(sum, taken)))
            table.add_row(name, *(f"{n:,}" for n in sizes), *(f"{t:.3f}" for t in figures))
    Console().print(table)


if __name__ == "__main__":
    main()
