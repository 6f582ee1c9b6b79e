"""Cost of reading an instance file with a million nonzeros: ``python benchmarks/reading.py``.

The comparison is between `milplib.read`, from the file to the arrays, and SCIP's own reader
(`Model.readProblem`), which ends with SCIP's model.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pyscipopt
import scipy.sparse as sp
from rich.console import Console
from rows import Row, alternated, as_table

import milplib
from milplib import Instance

FORMATS = ("mps", "lp")


def random_instance(n_nonzeros: int) -> Instance:
    """Draw an instance in which a third of the columns is continuous, the rest binary."""
    random = np.random.RandomState(0)
    m, n = max(2, n_nonzeros // 50), max(2, n_nonzeros // 20)
    values = np.round(random.uniform(-99, 99, n_nonzeros), 3)
    at = random.randint(0, m, n_nonzeros), random.randint(0, n, n_nonzeros)
    integer = np.arange(n) % 3 > 0
    return Instance(
        objective=np.round(random.uniform(1, 9, n), 2),
        A=sp.coo_array((values, at), shape=(m, n)),
        row_lower=np.full(m, -np.inf),
        row_upper=np.round(random.uniform(1, 1e4, m), 1),
        lower=np.zeros(n),
        upper=np.where(integer, 1.0, np.inf),
        integrality=integer.astype(np.uint8),
    )


def _scip(path: Path) -> None:
    model = pyscipopt.Model()
    model.hideOutput()
    model.readProblem(str(path))


def rows(folder: Path, *, n_nonzeros: int = 1_000_000, rounds: int = 5) -> Iterator[Row]:
    """Write an instance in both formats, and read it in both ways."""
    instance = random_instance(n_nonzeros)
    for suffix in FORMATS:
        path = folder / f"read.{suffix}"
        instance.write(path)
        costs = alternated(
            {"milplib": partial(milplib.read, path), "scip": partial(_scip, path)},
            rounds=rounds,
        )
        yield Row(
            family=f"{instance.n_nonzeros:,} nonzeros",
            name=f"reading {suffix.upper()} / SCIP's reader",
            ours=costs["milplib"],
            other=costs["scip"],
            note=f"{path.stat().st_size / 1e3 / costs['milplib']:.0f} MB a second",
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nonzeros", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = list(rows(Path(folder), n_nonzeros=options.nonzeros, rounds=options.rounds))
    console = Console()
    console.width = max(console.width, 120)
    console.print(as_table(found, "Medians"))


if __name__ == "__main__":
    main()
