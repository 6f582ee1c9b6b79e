"""Tables that fit the terminal: on two lines a cell, folded, or in several tables, never cut off.

A table that is too wide puts what follows `Column.break_at` on a line of its own. If that is not
enough, it folds columns of words; then it continues in a second table below, which repeats the key
column. Outside a terminal a row is one line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from milplib.cli.console import GAP, output
from milplib.escaping import terminal_safe

__all__ = ["Column", "Layout", "layouts", "print_table"]

_KEY = 16
"""Width below which a key column is not folded while another layout is left."""
_WORDS = 24
"""The same for another column of words."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """Column of a table.

    Parameters
    ----------
    heading
        Heading.
    is_key
        Whether the column names the row. It comes first, and every part of a table repeats it.
    is_text
        Whether the column holds words, which may be folded. Numbers are aligned to the right.
    break_at
        Text before which a cell may continue on a second line, such as ``" ("``.
    part
        Number of the part that the column belongs to, if a table must be continued below.
    """

    heading: str
    is_key: bool = False
    is_text: bool = False
    break_at: str = ""
    part: int = 0

    @property
    def is_foldable(self) -> bool:
        """Whether cells may be folded anywhere."""
        return self.is_key or self.is_text

    def broken(self, cell: str) -> str:
        """Return a cell on two lines."""
        before, found, after = cell.partition(self.break_at) if self.break_at else (cell, "", "")
        return f"{before}\n{found.lstrip()}{after}" if found else cell


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Layout of one of the tables that show the columns.

    Parameters
    ----------
    columns
        Positions of its columns.
    widths
        Width of each.
    is_broken
        Whether cells are on two lines.
    """

    columns: tuple[int, ...]
    widths: tuple[int, ...]
    is_broken: bool


def layouts(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], *, width: int
) -> list[Layout]:
    """Distribute columns over tables that are at most `width` wide.

    Examples
    --------
    >>> columns = [Column(heading="policy", is_key=True), Column(heading="time"),
    ...            Column(heading="nodes")]
    >>> rows = [["a-policy-of-mine", "1234.5", "987654"]]
    >>> [layout.widths for layout in layouts(columns, rows, width=40)]
    [(16, 6, 6)]
    >>> [layout.widths for layout in layouts(columns, rows, width=25)]
    [(16, 6), (16, 6)]
    """
    every = tuple(range(len(columns)))
    for is_broken in (False, True):
        natural = _widths(columns, rows, is_broken=is_broken)
        if _total(natural) <= width:
            return [Layout(columns=every, widths=tuple(natural), is_broken=is_broken)]
    folded = [min(n, _narrow(column)) for n, column in zip(natural, columns, strict=True)]
    if _total(folded) <= width:
        return [_filled(every, natural, folded, width)]
    # The key leaves room for the widest of the other columns, but keeps a third of the width.
    rest = max((n for n, c in zip(folded, columns, strict=True) if not c.is_key), default=0)
    room = max(width - rest - GAP, width // 3, 1)
    keys = tuple(place for place in every if columns[place].is_key)
    folded = [min(n, room) if c.is_key else n for n, c in zip(folded, columns, strict=True)]
    return [
        _filled((*keys, *part), natural, folded, width)
        for part in _parts(columns, folded, keys, width)
    ]


def _parts(
    columns: Sequence[Column], widths: Sequence[int], keys: Sequence[int], width: int
) -> Iterator[tuple[int, ...]]:
    """Fill tables with whole parts of columns, or else with single columns."""
    used = sum(widths[place] + GAP for place in keys) - GAP
    parts: dict[int, list[int]] = {}
    for place, column in enumerate(columns):
        if not column.is_key:
            parts.setdefault(column.part, []).append(place)
    line: list[int] = []
    for part in parts.values():
        if used + _needed(widths, [*line, *part]) <= width:
            line += part
            continue
        if line and used + _needed(widths, part) <= width:
            yield tuple(line)
            line = list(part)
            continue
        for place in part:
            if line and used + _needed(widths, [*line, place]) > width:
                yield tuple(line)
                line = []
            line.append(place)
    if line or not parts:
        yield tuple(line)


def _needed(widths: Sequence[int], places: Iterable[int]) -> int:
    return sum(widths[place] + GAP for place in places)


def _filled(
    places: Sequence[int], natural: Sequence[int], folded: Sequence[int], width: int
) -> Layout:
    """Give the width that is left to the columns that are folded, those that lack least first."""
    widths = {place: folded[place] for place in places}
    left = width - _total(list(widths.values()))
    for place in sorted(places, key=lambda place: natural[place] - folded[place]):
        # If not even the narrowest widths fit, the last column yields.
        more = min(natural[place] - widths[place], left)
        if more > 0:
            widths[place] += more
            left -= more
    if left < 0:
        widths[places[-1]] = max(1, widths[places[-1]] + left)
    return Layout(columns=tuple(places), widths=tuple(widths.values()), is_broken=True)


def _widths(
    columns: Sequence[Column], rows: Iterable[Sequence[str]], *, is_broken: bool
) -> list[int]:
    widths = [cell_len(column.heading) for column in columns]
    for row in rows:
        for place, (column, cell) in enumerate(zip(columns, row, strict=True)):
            lines = (column.broken(cell) if is_broken else cell).splitlines()
            widths[place] = max([widths[place], *map(cell_len, lines)])
    return widths


def _narrow(column: Column) -> int:
    if not column.is_foldable:
        return 10**6
    return max(_KEY if column.is_key else _WORDS, cell_len(column.heading))


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + GAP * (len(widths) - 1)


def print_table(
    columns: Sequence[Column],
    rows: Iterable[Sequence[str]],
    *,
    title: str = "",
    console: Console | None = None,
) -> None:
    """Print a table, or several below each other if one is wider than the terminal.

    Parameters
    ----------
    columns
        Columns, those that name the row first.
    rows
        Cells of each row.
    title
        Title.
    console
        Where to print. Default: stdout.
    """
    console = console or output()
    listed = [[terminal_safe(cell).replace("\n", "\\n") for cell in row] for row in rows]
    for number, layout in enumerate(layouts(columns, listed, width=console.width)):
        if number:
            console.print()
        table = Table(box=None, pad_edge=False, title=title or None, title_justify="left")
        for place, width in zip(layout.columns, layout.widths, strict=True):
            column = columns[place]
            table.add_column(
                Text(column.heading),
                justify="left" if column.is_foldable else "right",
                width=width,
                overflow="fold",
            )
        for row in listed:
            cells = ((columns[place], row[place]) for place in layout.columns)
            table.add_row(*(Text(c.broken(v) if layout.is_broken else v) for c, v in cells))
        console.print(table, soft_wrap=False, no_wrap=False, overflow="fold", crop=False)
