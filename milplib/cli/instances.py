"""Commands about instances: ``generate`` and ``list``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter
from rich.table import Table

from milplib.cli.console import WholeNumber, output, progress_bar

__all__ = ["generate", "list_distributions"]


def generate(
    name: str,
    /,
    *,
    out: Path,
    split: Literal["train", "val", "test"] = "train",
    count: WholeNumber = 10,
    seed: WholeNumber = 0,
    file_format: Annotated[
        Literal["lp", "lp.gz", "mps", "mps.gz"], Parameter(name="--format")
    ] = "lp",
    force: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Generate instances of a distribution, each reproducible by itself.

    Writes OUT/SPLIT/ with the instances and a manifest. A larger count only adds.

    Parameters
    ----------
    name
        Name of the distribution; see ``milplib list``.
    out
        Folder of the data set.
    split
        The split to generate; splits never share instances.
    count
        Number of instances.
    seed
        Of the whole data set.
    file_format
        Form of the files.
    force
        Replace other instances that OUT/SPLIT holds.
    """
    from milplib.library import distribution, generate_split

    source = distribution(name)
    with progress_bar(f"generating {name}") as bar:
        entries = generate_split(
            source,
            split=split,
            count=count,
            seed=seed,
            out=out,
            file_format=file_format,
            force=force,
            on_progress=lambda done: bar.update(done, count),
        )
    size = sum(entry.bytes for entry in entries)
    output().print(
        f"{len(entries)} instances of {name} in {out / split} ({size / 1e6:.1f} MB)", markup=False
    )


def list_distributions() -> None:
    """List the distributions that can be generated."""
    from milplib.library import distributions, generator_parameters

    table = Table(box=None, pad_edge=False)
    for heading in ("name", "domain", "level", "provenance", "parameters"):
        table.add_column(heading)
    for entry in distributions():
        telling = generator_parameters(entry.generator, with_defaults=False)
        parameters = ", ".join(f"{name}={value}" for name, value in telling.items())
        table.add_row(entry.name, entry.domain, entry.level, entry.provenance, parameters)
    output().print(table)
