"""Measure the costs of the hot paths: ``python benchmarks [--json FILE]``, ``make benchmark``.

Each row is a ratio of two alternatives, measured in turns in this process on one thread. Rows
cover extraction and decisions at real nodes, collection, decoding of published instances, a
training step, rankers of candidates, batches of samples, and a trained policy's share of a solve.
`learning.py`, `generators.py`, `difficulty.py`, `labels.py`, `policies_in_turn.py`,
`samples_at_size.py`, `reading.py` and `gpu_step.py` are separate scripts.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import batches
import collection
import decoding
import hot_path
import policy_share
import rankers
import scaling
import torch
import training_step
from families import FAMILIES, SMOKE, Family
from rich.console import Console
from rows import Row, as_json, as_table

from milplib.scip.native import native_status

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def measured(family: Family, folder: Path, options: argparse.Namespace) -> Iterator[Row]:
    """Yield the rows of all benchmarks on a family."""
    smoke = options.smoke
    if native_status().module is not None:
        n_samples, n_seeds = (1, 1) if smoke else (8, 2)
        yield from hot_path.rows(family, samples=n_samples, seeds=n_seeds, smoke=smoke)
    yield from collection.rows(family, folder)
    if family.name.startswith("CA"):
        yield from scaling.rows(
            family, folder, instances=4 if smoke else 20, rounds=1 if smoke else 3
        )
    samples = collection.samples_in(folder)
    yield from decoding.rows(
        family, folder, megabytes=0.1 if smoke else 20, rounds=1 if smoke else 5
    )
    yield from training_step.rows(family, samples, rounds=1 if smoke else 5)
    if native_status().module is not None:
        yield from rankers.rows(
            family, samples, folder, nodes=1 if smoke else 8, seeds=1 if smoke else 2, smoke=smoke
        )
    yield from batches.rows(family, samples, folder / "pickles", rounds=1 if smoke else 9)
    if family.epochs:
        policy = dict(option.split("=", 1) for option in options.policy).get(family.name)
        yield from policy_share.rows(
            family, samples, folder, policy=policy, instances=1 if smoke else 10
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("families", nargs="*", help="names of families (default: all)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the rows to FILE")
    parser.add_argument(
        "--smoke", action="store_true", help="run everything once on a small family"
    )
    parser.add_argument(
        "--policy",
        action="append",
        default=[],
        metavar="FAMILY=FILE",
        help="policy for the share of a solve (default: trained on a few samples)",
    )
    options = parser.parse_args()
    torch.set_num_threads(1)
    families = SMOKE if options.smoke else FAMILIES
    unknown = set(options.families) - {family.name for family in families}
    if unknown:
        parser.error(f"no family is called {', '.join(sorted(unknown))}")
    rows: list[Row] = []
    for family in families:
        if options.families and family.name not in options.families:
            continue
        with tempfile.TemporaryDirectory() as folder:
            for row in measured(family, Path(folder), options):
                print(f"{row.family}: {row.name}: {row.ratio:.2f}", file=sys.stderr, flush=True)
                rows.append(row)
    console = Console()
    console.width = max(console.width, 150)
    console.print(as_table(rows, f"Medians; native code: {native_status().extraction}"))
    if options.json:
        options.json.write_text(json.dumps(as_json(rows), indent=2) + "\n")


if __name__ == "__main__":
    if any(os.environ.get(name) != "1" for name in ONE_THREAD):
        # Libraries read these variables when they are loaded.
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | ONE_THREAD)
    main()
