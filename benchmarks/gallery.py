"""Draw the gallery of the generators: ``.venv/bin/python benchmarks/gallery.py``.

Writes ``docs/generators.md``, and a picture per family to ``docs/generators/``: the positions of
the non-zeros of a small instance, with the first row at the top.
"""

from __future__ import annotations

import inspect
import io
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure

import milplib
from milplib.files import atomic_write
from milplib.instance import Instance
from milplib.library import Distribution, find_generator

DOCS = Path(__file__).resolve().parents[1] / "docs"
SIDE = 360  # pixels of a picture's longer side


def smallest(entries: list[Distribution]) -> tuple[Distribution, Instance]:
    """Return the distribution of a family with the smallest instance, and this instance."""
    tried = [
        (entry, find_generator(entry).generate(0)) for entry in entries if "hard" not in entry.name
    ]
    return min(tried, key=lambda pair: pair[1].n_nonzeros)


def picture(instance: Instance) -> bytes:
    """Draw the non-zeros of an instance as a PNG."""
    rows, columns = instance.A.shape
    scale = SIDE / max(rows, columns)
    height, width = (max(24, min(SIDE, round(scale * n))) for n in (rows, columns))
    entries = instance.A.tocoo()
    counts, _, _ = np.histogram2d(
        entries.coords[0],
        entries.coords[1],
        bins=(min(height, rows), min(width, columns)),
        range=((0, rows), (0, columns)),
    )
    figure = Figure(figsize=(width / 100, height / 100), dpi=100)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.imshow(counts > 0, cmap="Blues", aspect="auto", interpolation="nearest", vmin=0, vmax=1.3)
    axes.set_axis_off()
    stream = io.BytesIO()
    figure.savefig(stream, format="png", metadata={"Software": None})
    return stream.getvalue()


def main() -> None:
    matplotlib.use("agg")
    families: dict[type, list[Distribution]] = {}
    for entry in milplib.distributions():
        if entry.generator is not None:
            families.setdefault(type(entry.generator), []).append(entry)
    (DOCS / "generators").mkdir(exist_ok=True)
    lines = [
        "# Gallery of the generators",
        "",
        "Each picture shows the non-zeros of a small instance of a family, first row at the top.",
        "[generators/README.md](../generators/README.md) has sizes, root gaps, nodes and times of",
        "all distributions. `make renew` redraws the pictures.",
        "",
    ]
    for family, entries in families.items():
        print(f"picture of {family.__name__}", flush=True)
        entry, instance = smallest(entries)
        name = f"{family.__name__}.png"
        with atomic_write(DOCS / "generators" / name) as stream:
            stream.write(picture(instance))
        summary = (inspect.getdoc(family) or "").partition("\n")[0]
        lines += [
            f"## {entry.domain}: `{family.__name__}`",
            "",
            summary,
            "",
            f"![non-zeros of {entry.name}](generators/{name})",
            "",
            f"`{entry.name}`, seed 0: {instance.n_rows:,} rows, {instance.n_columns:,} columns, "
            f"{instance.n_nonzeros:,} non-zeros. Distributions: "
            f"{', '.join(f'`{other.name}`' for other in entries)}.",
            "",
        ]
    with atomic_write(DOCS / "generators.md") as stream:
        stream.write("\n".join(lines).encode())


if __name__ == "__main__":
    main()
