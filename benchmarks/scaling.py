"""What a second worker is worth: ``milplib collect`` with two workers and with one, in turns.

``.venv/bin/python benchmarks/scaling.py [FAMILY]`` measures it by itself, on an idle machine.
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
    """Collect from the same instances with one worker and with two, as the command does.

    The times are those of the whole command, with the start of the processes.
    """
    (folder / "scaling").mkdir(parents=True)
    for seed in range(instances):
        instance = family.generator.generate(2000 + seed)
        instance.write(folder / "scaling" / f"{seed:03d}.lp")
    costs: dict[int, list[float]] = {workers: [] for workers in WORKERS}
    for number in range(rounds):
        # Neither is always the first: what the machine does beside meets both.
        for workers in WORKERS if number % 2 else reversed(WORKERS):
            out = folder / f"scaling-{number}-{workers}"
            costs[workers].append(_milliseconds_a_sample(folder / "scaling", out, family, workers))
    one, two = (statistics.median(costs[workers]) for workers in WORKERS)
    ratios = [other / ours for other, ours in zip(costs[1], costs[2], strict=True)]
    yield Row(
        family=family.name,
        name="collection with 2 workers / with 1",
        ours=two,
        other=one,
        note=f"{1000 / two:.2f} samples a second instead of {1000 / one:.2f}; ratios of "
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
    parser.add_argument("--instances", type=int, default=20, help="to collect from (default 20)")
    parser.add_argument("--rounds", type=int, default=3, help="default 3")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = rows(
            known[options.family],
            Path(folder),
            instances=options.instances,
            rounds=options.rounds,
        )
        show(as_table(list(found), "Medians"))


if __name__ == "__main__":
    main()
