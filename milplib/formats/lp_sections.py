"""The sections of an LP file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from milplib.errors import InstanceError
from milplib.formats.damage import shown
from milplib.formats.lp_tokens import Tokens
from milplib.formats.lp_words import (
    CONSTRAINTS,
    END,
    FOREIGN,
    LABEL,
    NAME,
    NUMBER,
    OBJECTIVE,
    RELATION,
    SECOND_WORDS,
    SECTIONS,
    SIGN,
)

__all__ = ["LpSection", "split_sections"]


@dataclass(frozen=True)
class LpSection:
    """A section of an LP file.

    Parameters
    ----------
    keyword
        First word of the keyword, in lower case.
    title
        The keyword as the file has it.
    start, stop
        Range of the section's tokens, without the keyword.
    """

    keyword: bytes
    title: bytes
    start: int
    stop: int


def split_sections(tokens: Tokens) -> tuple[list[LpSection], bool]:
    """Split the tokens of an LP file into sections.

    Returns
    -------
    list of LpSection
        The sections in the order of the file.
    bool
        Whether the file has its ``End``.

    Raises
    ------
    InstanceError
        If the file does not begin with its objective, a keyword stands where a name is expected,
        or a section is not linear.
    """
    found: list[tuple[bytes, bytes, int, int]] = []  # keyword, title, its token, next token
    for token, keyword in _keywords(tokens):
        length = 1
        if keyword in SECOND_WORDS:
            if not _is_word(tokens, token + 1, SECOND_WORDS[keyword]):
                continue
            length = 2
        elif keyword == b"semi" and _is_word(tokens, token + 2, b"continuous"):
            length = 3 if tokens.kind[token + 1] == SIGN else 1
        _check_place(tokens, token, keyword, found[-1][0] if found else b"")
        title = b" ".join(tokens.word(at) for at in range(token, token + length))
        if length == 3:
            title = b"semi-continuous"
        found.append((keyword, title, token, token + length))
    _check_beginning(tokens, found[0] if found else None)
    stops = [token for _, _, token, _ in found[1:]] + [tokens.kind.size]
    sections = [
        LpSection(keyword, title, start, stop)
        for (keyword, title, _, start), stop in zip(found, stops, strict=True)
    ]
    ended = sections[-1].keyword == END
    if ended:
        sections.pop()
    for section in sections:
        _check_linear(tokens, section)
    return sections, ended


def _keywords(tokens: Tokens) -> list[tuple[int, bytes]]:
    """Return the tokens that may be keywords, in order."""
    longest = max(map(len, SECTIONS))
    keywords = {
        position: name.lower()
        for position, name in enumerate(tokens.names)
        if len(name) <= longest and name.lower() in SECTIONS
    }
    at = np.flatnonzero((tokens.kind == NAME) & np.isin(tokens.name, list(keywords)))
    return [(token, keywords[int(tokens.name[token])]) for token in at.tolist()]


def _is_word(tokens: Tokens, token: int, word: bytes) -> bool:
    return (
        token < tokens.kind.size
        and tokens.kind[token] == NAME
        and tokens.names[tokens.name[token]].lower() == word
    )


def _check_place(tokens: Tokens, token: int, keyword: bytes, section: bytes) -> None:
    """Refuse a keyword behind what a name must follow: programs differ in what it is."""
    if token == 0:
        return
    before = tokens.kind[token - 1]
    coefficient = (
        before == NUMBER
        and section in CONSTRAINTS
        and (token < 2 or tokens.kind[token - 2] not in (RELATION, SIGN))
    )
    if before in (RELATION, SIGN, LABEL) or coefficient:
        if before == LABEL and section in OBJECTIVE:
            return  # an empty objective with a name
        raise tokens.error(
            token, f"'{keyword.decode()}' begins a section, so it cannot be the name of a column"
        )


def _check_beginning(tokens: Tokens, first: tuple[bytes, bytes, int, int] | None) -> None:
    if not tokens.kind.size:
        raise InstanceError("it holds nothing but comments")
    if first is None or first[2] != 0 or first[0] not in OBJECTIVE:
        word = tokens.word(0)
        if tokens.kind[0] == LABEL:
            word += b":"
        # SCIP treats all words before the first known section as a comment.
        raise InstanceError(
            "an LP file begins with 'minimize' or 'maximize', this one with "
            f"{shown(word)} (the LP format of lp_solve is another one: convert the file to MPS)"
        )


def _check_linear(tokens: Tokens, section: LpSection) -> None:
    if section.keyword in FOREIGN and section.stop > section.start:
        line = tokens.line(section.start - 1)
        raise InstanceError(
            f"line {line} begins the section '{section.title.decode()}': "
            f"{FOREIGN[section.keyword]}; an instance is a mixed-integer linear program: "
            "reformulate it linearly"
        )
    if section.keyword in OBJECTIVE and section.start > 1:
        raise tokens.error(section.start - 1, "the file has its objective already")
