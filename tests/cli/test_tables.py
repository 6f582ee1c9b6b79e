"""Tables fit any width, show every column, and repeat the column that names the row."""

from __future__ import annotations

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from milplib.cli.console import print_pairs, say
from milplib.cli.tables import Column, layouts, print_table

WORDS = st.builds(
    lambda text, times: (text * times).strip(),
    st.text("abcX-_/.[]日 ", min_size=1, max_size=12).filter(str.strip),
    st.integers(1, 6),
)
NUMBERS = st.from_regex(
    r"[0-9]{1,6}(\.[0-9]{1,2})?( \([0-9.]{1,6} to [0-9.]{1,6}\))?", fullmatch=True
)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[Column], list[list[str]]]:
    columns = [Column(heading="policy", is_key=True)]
    for number in range(draw(st.integers(0, 9))):
        is_text = draw(st.booleans())
        break_at = "" if is_text else draw(st.sampled_from(("", " (")))
        part = draw(st.integers(0, 3))
        heading = f"h{number}" + "x" * draw(st.integers(0, 8))
        columns.append(Column(heading=heading, is_text=is_text, break_at=break_at, part=part))
    rows = draw(
        st.lists(
            st.tuples(*(WORDS if c.is_foldable else NUMBERS for c in columns)).map(list),
            max_size=4,
        )
    )
    return columns, rows


def printed(columns: list[Column], rows: list[list[str]], width: int) -> list[str]:
    stream = io.StringIO()
    console = Console(file=stream, width=width, highlight=False, soft_wrap=True)
    print_table(columns, rows, console=console)
    return stream.getvalue().splitlines()


@given(tables(), st.integers(12, 150))
def test_every_column_is_shown_beside_the_key_within_the_width(
    table: tuple[list[Column], list[list[str]]], width: int
) -> None:
    columns, rows = table
    found = layouts(columns, rows, width=width)
    shown = [place for layout in found for place in layout.columns if place]
    assert sorted(shown) == list(range(1, len(columns)))
    for layout in found:
        assert layout.columns[0] == 0
        assert min(layout.widths) >= 1
        assert sum(layout.widths) + 2 * (len(layout.widths) - 1) <= width
        # A key column of a long name keeps a share that can be read.
        natural = max([6, *(cell_len(row[0]) for row in rows)])
        assert layout.widths[0] >= min(natural, 16, width // 3)
    assert max(map(cell_len, printed(columns, rows, width)), default=0) <= width


@given(tables(), st.integers(12, 150))
def test_no_character_of_a_cell_is_lost(
    table: tuple[list[Column], list[list[str]]], width: int
) -> None:
    columns, rows = table
    text = "".join(printed(columns, rows, width))
    n_tables = len(layouts(columns, rows, width=width))
    for letter in set(re.sub(r"\s", "", "".join(map("".join, rows)))):
        wanted = sum(row[0].count(letter) * n_tables for row in rows)
        wanted += sum(cell.count(letter) for row in rows for cell in row[1:])
        wanted += columns[0].heading.count(letter) * n_tables
        wanted += sum(column.heading.count(letter) for column in columns[1:])
        assert text.count(letter) == wanted


def test_a_table_that_fits_is_one_and_an_interval_takes_a_second_line_before_a_second_table() -> (
    None
):
    columns = [
        Column(heading="policy", is_key=True),
        Column(heading="time ratio", break_at=" ("),
        Column(heading="node ratio", break_at=" (", part=1),
    ]
    rows = [["gcnn", "0.51 (0.41 to 0.66)", "0.71 (0.61 to 0.86)"]]
    assert [line.rstrip() for line in printed(columns, rows, 50)] == [
        "policy           time ratio           node ratio",
        "gcnn    0.51 (0.41 to 0.66)  0.71 (0.61 to 0.86)",
    ]
    assert [line.rstrip() for line in printed(columns, rows, 40)] == [
        "policy      time ratio      node ratio",
        "gcnn              0.51            0.71",
        "        (0.41 to 0.66)  (0.61 to 0.86)",
    ]
    assert [line.rstrip() for line in printed(columns, rows, 30)] == [
        "policy      time ratio",
        "gcnn              0.51",
        "        (0.41 to 0.66)",
        "",
        "policy      node ratio",
        "gcnn              0.71",
        "        (0.61 to 0.86)",
    ]


def test_outside_a_terminal_pairs_and_sentences_are_one_line_each(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    print_pairs({"a": "word " * 50 + "end", "name": ""})
    say("  note: " + "word " * 50 + "end", hanging=4)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[-1] for line in lines] == ["end", "name", "end"]
    assert lines[2].startswith("  note: word")
