"""Cost of decoding a file of the Distributional MIPLIB mirror.

The file has the mirror's format: CSV, with each instance as the repr of its bytes. The comparison
is between milplib and the straightforward code with the csv module and `ast.literal_eval`. Parsing
of the instances by SCIP is not included.
"""

from __future__ import annotations

import ast
import csv
from collections.abc import Iterator
from pathlib import Path

from families import Family
from rows import Row, alternated

from milplib.library.manifest import BrokenInstance
from milplib.library.sources import csv_instances
from milplib.library.sources.csv_rows import CsvInstance


def _content(row: CsvInstance | BrokenInstance) -> bytes:
    assert isinstance(row, CsvInstance)
    return row.content


def rows(
    family: Family, folder: Path, *, megabytes: float = 20.0, rounds: int = 5
) -> Iterator[Row]:
    """Write a file of a given size, and decode it in both ways."""
    instance_path, path = folder / "decoded.lp", folder / "train.csv"
    family.generator.generate(0).write(instance_path)
    content = instance_path.read_bytes()
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["", "MILP", "format"])
        for number in range(max(1, round(megabytes * 1e6 / len(content)))):
            writer.writerow([number, repr(content), "lp"])
    costs = alternated(
        {
            "milplib": lambda: sum(len(_content(row)) for row in csv_instances(path)),
            "textbook": lambda: sum(len(text) for text in _textbook(path)),
        },
        rounds=rounds,
    )
    speed = path.stat().st_size / 1e3 / costs["milplib"]
    yield Row(
        family=family.name,
        name="decoding a mirror's file / csv and literal_eval",
        ours=costs["milplib"],
        other=costs["textbook"],
        note=f"{speed:.0f} MB a second",
    )


def _textbook(path: Path) -> Iterator[bytes]:
    limit = csv.field_size_limit(1 << 30)
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            for row in csv.DictReader(stream):
                yield ast.literal_eval(row["MILP"])
    finally:
        csv.field_size_limit(limit)
