"""Rows of a benchmark. Each row compares two alternatives."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from rich.table import Table


@dataclass(frozen=True, kw_only=True)
class Row:
    """Comparison of two alternatives.

    Parameters
    ----------
    family, name
        Family of instances, and name of the comparison: "ours / other".
    ours, other
        Median costs.
    unit
        Unit of the costs: ``ms`` or ``bytes``.
    note
        Details in words.
    """

    family: str
    name: str
    ours: float
    other: float
    unit: str = "ms"
    note: str = ""

    @property
    def ratio(self) -> float:
        """Ratio of the other cost to ours."""
        return self.other / self.ours

    def as_json(self) -> dict[str, float]:
        """Return the ratio and both costs."""
        named = {f"ours_{self.unit}": self.ours, f"other_{self.unit}": self.other}
        return {"ratio": self.ratio, **named}


def as_json(rows: Iterable[Row]) -> dict[str, dict[str, float]]:
    """Return the rows by name."""
    return {f"{row.family}: {row.name}": row.as_json() for row in rows}


def as_table(rows: Iterable[Row], title: str) -> Table:
    """Return a table of the rows with a section per family."""
    table = Table(title=title)
    table.add_column("ours / other")
    for heading in ("ours", "other", "", "ratio"):
        table.add_column(heading, justify="left" if not heading else "right")
    table.add_column("that is")
    family = None
    for row in rows:
        if row.family != family:
            table.add_section()
            table.add_row(f"[bold]{row.family}[/]")
            family = row.family
        digits = 0 if row.unit == "bytes" else 3
        table.add_row(
            row.name,
            f"{row.ours:,.{digits}f}",
            f"{row.other:,.{digits}f}",
            row.unit,
            f"{row.ratio:.2f}",
            row.note,
        )
    return table


def alternated(functions: Mapping[str, Callable[[], object]], *, rounds: int) -> dict[str, float]:
    """Return the median milliseconds of functions that take turns, after an uncounted round."""
    times: dict[str, list[float]] = {name: [] for name in functions}
    for number in range(rounds + 1):
        for name, function in functions.items():
            begin = time.perf_counter()
            function()
            if number:
                times[name].append(1000 * (time.perf_counter() - begin))
    return {name: statistics.median(measured) for name, measured in times.items()}
