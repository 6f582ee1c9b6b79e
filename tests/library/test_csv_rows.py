"""The mirror's CSV files, whole and damaged."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import hypothesis
import hypothesis.strategies as st
import pytest

from milplib.errors import SourceError
from milplib.library.manifest import BrokenInstance
from milplib.library.sources import csv_instances
from milplib.library.sources.csv_rows import decoded

from .conftest import csv_text


def rows(path: Path, text: bytes | str) -> list[Any]:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return list(csv_instances(path))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "train.csv"


@hypothesis.given(st.binary())
def test_any_bytes_survive_their_repr(content: Any) -> None:
    assert decoded(repr(content)) == content


@hypothesis.given(st.text(alphabet="\\nrtx0a'\"\n\r\t\x00\xff", max_size=12))
def test_backslashes_in_any_order_survive(text: str) -> None:
    content = text.encode("latin-1")
    assert decoded(repr(content)) == content


@pytest.mark.parametrize("as_repr", [True, False])
def test_both_encodings_of_a_file_give_the_bytes(
    path: Path, texts: list[bytes], as_repr: bool
) -> None:
    found = rows(path, csv_text(texts, as_repr=as_repr))
    assert [row.content for row in found] == texts
    assert {row.suffix for row in found} == {".lp"}


def test_a_byte_order_mark_and_unix_line_ends_do_not_matter(path: Path, texts: list[bytes]) -> None:
    text = "\ufeff" + csv_text(texts).replace("\r\n", "\n")
    assert [row.content for row in rows(path, text)] == texts


def test_rows_without_a_format_are_taken_for_what_they_look_like(path: Path) -> None:
    mps = b"* a comment\nNAME x\nROWS\n N OBJ\nCOLUMNS\nRHS\nBOUNDS\nENDATA\n"
    lp = b"\\ a comment\nminimize OBJ: x subject to C: x >= 1 End\n"
    found = rows(path, csv_text([mps, lp], columns=("", "MILP")))
    assert [row.suffix for row in found] == [".mps", ".lp"]
    found = rows(path, csv_text([mps, lp], formats=""))
    assert [row.suffix for row in found] == [".mps", ".lp"]


def test_compressed_instances_get_the_suffix_that_says_so(path: Path) -> None:
    found = rows(path, csv_text([b"\x1f\x8b\x00\xff"], formats="mps"))
    assert (found[0].suffix, found[0].content) == (".mps.gz", b"\x1f\x8b\x00\xff")


def test_other_columns_in_any_order_are_allowed(path: Path, texts: list[bytes]) -> None:
    text = "format,note,MILP\n" + f'lp,hello,"{texts[0]!r}"\n'
    assert rows(path, text)[0].content == texts[0]


@pytest.mark.parametrize(
    "text",
    ["", "\n", "instance,format\n1,lp\n", "0,\"b'min'\",lp\n", "MILP,MILP\na,b\n", "\x00\x01\x02"],
)
def test_another_set_of_columns_is_refused_with_what_is_expected(path: Path, text: str) -> None:
    with pytest.raises(SourceError, match=r"train\.csv is no file of the mirror.*'MILP'"):
        rows(path, text)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("7", "1 fields instead of 3"),
        ("7,\"b'minimize", "cut off"),
        ("7,b'minimize", "2 fields"),
        ("7,b'minimize,lp", "closing quote"),
        ("7,b',lp", "closing quote"),
        ("7,b'a\\x1',lp", "not what Python writes"),
        ("7,b'a\\q',lp", "not what Python writes"),
        ("7,b'a\\N',lp", "not what Python writes"),
        ("7,b'a\\X41',lp", "not what Python writes"),
        ("7,'a\\U0041',lp", "not what Python writes"),
        ("7,b'a\\u0416\\n',lp", "not what Python writes"),
        ("7,b'\u0416',lp", "not what Python writes"),
        ("7,,lp", "empty"),
        ("7,b'minimize',xls", "format is 'xls'"),
        ("7,\"b'a'\"x,lp", "no CSV"),
    ],
)
def test_a_damaged_row_is_named_and_those_beside_it_are_read(
    path: Path, texts: list[bytes], row: str, reason: str
) -> None:
    before, after = csv_text(texts[:1]), csv_text(texts[1:3]).partition("\r\n")[2]
    found = rows(path, before + row + "\r\n" + after)
    assert isinstance(found[1], BrokenInstance)
    assert found[1].name == "row 1 of train.csv"
    assert reason in found[1].reason
    assert [found[place].content for place in (0, 2, 3)] == texts[:3]


def test_a_file_cut_off_anywhere_gives_whole_rows_and_at_most_one_broken(
    path: Path, texts: list[bytes]
) -> None:
    whole = csv_text([text[:60] for text in texts[:3]]).encode()
    head = whole.index(b"\n") + 1
    for end in range(head, len(whole)):
        found = rows(path, whole[:end])
        broken = [row for row in found if isinstance(row, BrokenInstance)]
        assert len(broken) <= 1
        assert broken in ([], found[-1:])
        good = found[: len(found) - len(broken)]
        assert [row.content for row in good] == [text[:60] for text in texts[: len(good)]]


def test_the_limit_of_the_csv_module_stays_what_it_was(path: Path, texts: list[bytes]) -> None:
    big = texts[0] + b"\\ " + b"x" * 200_000
    limit = csv.field_size_limit()
    assert rows(path, csv_text([big]))[0].content == big
    assert csv.field_size_limit() == limit
