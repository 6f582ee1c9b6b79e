"""The sections of an MPS file, with the numbers of their lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from milplib.errors import InstanceError
from milplib.formats.damage import LineError

__all__ = ["MARKER", "ROW_SECTIONS", "Section", "split_sections", "words_per_line"]

MARKER = b"'MARKER'"
"""Word of the lines around integer columns."""

ROW_SECTIONS = ("ROWS", "USERCUTS", "LAZYCONS")
"""Sections that declare rows. They alone may occur several times."""

_SENSE = ("OBJSENSE", "OBJSENS")
_KNOWN = ("NAME", *_SENSE, "OBJNAME", *ROW_SECTIONS, "COLUMNS", "RHS", "RANGES", "BOUNDS")
_FOREIGN = {
    "SOS": "special ordered sets",
    "SETS": "special ordered sets",
    "QUADOBJ": "a quadratic objective",
    "QSECTION": "a quadratic objective",
    "QMATRIX": "a quadratic objective",
    "QCMATRIX": "quadratic constraints",
    "CSECTION": "conic constraints",
    "INDICATORS": "indicator constraints",
    "GENCONS": "general constraints",
    "PWLOBJ": "a piecewise linear objective",
}
# In OBJSENSE, some programs write these in the first column.
_SENSE_WORDS = ("MAX", "MAXIMIZE", "MAXIMUM", "MIN", "MINIMIZE", "MINIMUM")
_COMMENT_LINE = re.compile(rb"^\*.*", re.MULTILINE)
# A dollar sign that begins a field behind the first one begins a comment.
_COMMENT = re.compile(rb"(?<=\S)[ \t]+\$.*")
_NO_KEYWORD = np.isin(np.arange(256), list(b" \t\n\v\f*"))


@dataclass(frozen=True)
class Section:
    """A section of an MPS file.

    Parameters
    ----------
    keyword
        Keyword in upper case.
    argument
        Words behind the keyword.
    line
        Number of the keyword's line, from 1.
    body
        The lines up to the next keyword, without comments.
    """

    keyword: str
    argument: tuple[bytes, ...]
    line: int
    body: bytes

    def lines(self) -> Iterator[tuple[int, list[bytes]]]:
        """Yield number and words of each line that is not blank."""
        for number, line in enumerate(self.body.split(b"\n"), start=self.line + 1):
            if words := line.split():
                yield number, words


def split_sections(text: bytes) -> list[Section]:
    """Split an MPS file at the lines that begin in the first column, up to ``ENDATA``.

    Raises
    ------
    InstanceError
        If a section is unknown, missing, repeated or not linear, or if ``ENDATA`` is missing.
    """
    starts, lines = _keyword_lines(text)
    found: list[Section] = []
    ends = [*starts[1:], len(text)][: len(starts)]
    whole = False
    for start, end, line in zip(starts, ends, lines, strict=True):
        newline = text.find(b"\n", start, end)
        header = text[start : end if newline < 0 else newline].split()
        body = b"" if newline < 0 else text[newline + 1 : end]
        keyword = header[0].upper().decode(errors="backslashreplace")
        if keyword == "ENDATA":
            whole = True
            break
        if keyword in _SENSE_WORDS and found and found[-1].keyword == "OBJSENSE":
            last = found.pop()
            body = last.body + b"\n " + b" ".join(header) + b"\n" + body
            found.append(Section(last.keyword, last.argument, last.line, body))
            continue
        found.append(_section(keyword, header, line, body))
    if not whole:
        raise InstanceError(
            "it has no line ENDATA, so it is cut off or no MPS file; get or write it again"
        )
    _check(text[: starts[0]], found)
    return found


def _keyword_lines(text: bytes) -> tuple[list[int], list[int]]:
    """Return start and number of each line that begins in the first column, without comments."""
    characters = np.frombuffer(text, dtype=np.uint8)
    starts = np.concatenate(([0], np.flatnonzero(characters == ord("\n")) + 1))
    if starts[-1] == characters.size:
        starts = starts[:-1]
    lines = np.flatnonzero(~_NO_KEYWORD[characters[starts]])
    return starts[lines].tolist(), (lines + 1).tolist()


def _section(keyword: str, header: list[bytes], line: int, body: bytes) -> Section:
    if b"\n*" in body or body.startswith(b"*"):
        body = _COMMENT_LINE.sub(b"", body)
    if b"$" in body:
        body = _COMMENT.sub(b"", body)
    return Section("OBJSENSE" if keyword in _SENSE else keyword, tuple(header[1:]), line, body)


def _check(preamble: bytes, found: list[Section]) -> None:
    if _COMMENT_LINE.sub(b"", preamble).strip():
        raise InstanceError(
            "it does not begin with the section NAME or ROWS, so it is no MPS file; get or write "
            "it again"
        )
    first: dict[str, int] = {}
    for section in found:
        keyword, line = section.keyword, section.line
        if keyword in _FOREIGN:
            raise InstanceError(
                f"line {line} begins the section '{keyword}': {_FOREIGN[keyword]}; an instance is "
                "a mixed-integer linear program: reformulate it linearly"
            )
        if keyword not in _KNOWN:
            raise LineError(
                line,
                keyword.encode(),
                "this is no section of an MPS file (other lines must begin with a blank)",
            )
        if section.argument and keyword not in ("NAME", "OBJSENSE"):
            raise LineError(
                line,
                section.argument[0],
                f"text behind the keyword {keyword} (lines of a section begin with a blank)",
            )
        if keyword in first and keyword not in ROW_SECTIONS:
            raise LineError(
                line, keyword.encode(), f"the section began in line {first[keyword]} already"
            )
        if keyword == "NAME" and section.body.strip():
            number, words = next(section.lines())
            raise LineError(number, words[0], "this line stands in no section")
        first[keyword] = line
    for keyword in ("ROWS", "COLUMNS"):
        if keyword not in first:
            raise InstanceError(f"it has no section {keyword}, so it is no whole MPS file")


def words_per_line(block: bytes, n_words: int) -> npt.NDArray[np.int64]:
    r"""Count the words in each line of a text without control characters but white space.

    Parameters
    ----------
    block
        The text.
    n_words
        Number of words of the whole text.

    Examples
    --------
    >>> words_per_line(b"a b\n\n c", 3)
    array([2, 0, 1])
    """
    characters = np.frombuffer(block, dtype=np.uint8)
    begins = characters > ord(" ")
    begins[1:] &= ~begins[:-1]
    starts = np.concatenate(([0], np.flatnonzero(characters == ord("\n")) + 1))
    starts = starts[starts < characters.size]
    # The sum of bytes is the fastest; it is wrong where a line has more than 255 words.
    counts = np.add.reduceat(begins.view(np.uint8), starts).astype(np.int64)
    if counts.sum() != n_words:
        counts = np.add.reduceat(begins, starts, dtype=np.int64)
    return counts
