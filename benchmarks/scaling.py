"""Speed-up of ``milplib collect`` by a second worker.

``.venv/bin/python benchmarks/scaling.py [FAMILY]`` runs one and two workers in turns. Run it on an
idle machine.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from families import FAMILIES, Family
from rich import print as show
from rows import Row, as_table

from milplib.learn import SampleSet

WORKERS = (1, 2)


def rows(family: Family, folder: Path, *, instances: int, rounds: int) -> Iterator[Row]:
    """Collect from the same instances with one worker and with two.

    Times are those of the whole command, including the start of the processes.
    """
    (folder / "scaling").mkdir(parents=True)
    for seed in range(instances):
        instance = family.generator.generate(2000 + seed)
        instance.write(folder / "scaling" / f"{seed:03d}.lp")
    costs: dict[int, list[float]] = {workers: [] for workers in WORKERS}
    for number in range(rounds):
        # The order alternates, so that other load of the machine affects both.
        for workers in WORKERS if number % 2 else reversed(WORKERS):
            out = folder / f"scaling-{number}-{workers}"
            costs[workers].append(_milliseconds_a_sample(folder / "scaling", out, family, workers))
    single, double = (statistics.median(costs[workers]) for workers in WORKERS)
    ratios = [other / ours for other, ours in zip(costs[1], costs[2], strict=True)]
    yield Row(
        family=family.name,
        name="collection with 2 workers / with 1",
        ours=double,
        other=single,
        note=f"{1000 / double:.2f} samples a second instead of {1000 / single:.2f}; ratios of "
        f"{rounds} rounds from {min(ratios):.2f} to {max(ratios):.2f}",
    )


def _milliseconds_a_sample(instances: Path, out: Path, family: Family, workers: int) -> float:
    command = [sys.executable, "-m", "milplib.cli", "collect", instances, "--out", out]
    options = {
        "workers": workers,
        "samples-per-instance": family.samples,
        "expert-probability": 0.2,
    }
    for name, value in options.items():
        command += [f"--{name}", value]
    begin = time.perf_counter()
    subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL)
    return 1000 * (time.perf_counter() - begin) / len(SampleSet(out))


def main() -> None:
    known = {family.name: family for family in FAMILIES}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("family", nargs="?", default="CA 100x500", choices=known)
    parser.add_argument(
        "--instances", type=int, default=20, help="number of instances (default 20)"
    )
    parser.add_argument("--rounds", type=int, default=3, help="default 3")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measured = rows(
            known[options.family],
            Path(folder),
            instances=options.instances,
            rounds=options.rounds,
        )
        show(as_table(list(measured), "Medians"))


if __name__ == "__main__":
    main()
