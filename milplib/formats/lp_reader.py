"""Reader of the LP format, as CPLEX and SCIP have it."""

from __future__ import annotations

import re
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from milplib.errors import InstanceError
from milplib.formats.damage import LineError, MissingEndError, decoded, shown
from milplib.formats.lp_bounds import read_bounds, read_list, set_bounds
from milplib.formats.lp_names import name_problem
from milplib.formats.lp_rows import read_objective, read_rows
from milplib.formats.lp_sections import LpSection, split_sections
from milplib.formats.lp_tokens import Tokens, tokenized, without_comments
from milplib.formats.lp_words import (
    BINARY,
    BOUNDS,
    CONSTRAINTS,
    GENERAL,
    LABEL,
    MAXIMIZE,
    NAME,
)
from milplib.instance import Instance

__all__ = ["read_lp"]

_MEND = (
    "get or write it again (if it is whole, add a line 'End' or pass allow_missing_end=True to "
    "milplib.read)"
)
_END = re.compile(rb"(?<!\S)end(?!\S)", re.IGNORECASE)
_HINT = " (the file has no 'End': it may be cut off)"


def read_lp(text: bytes, *, name: str, allow_missing_end: bool = False) -> Instance:
    """Read an instance from the text of an LP file.

    Parameters
    ----------
    text
        The text.
    name
        Name of the instance.
    allow_missing_end
        Whether to read a file without ``End`` that may be cut off.

    Raises
    ------
    InstanceError
        If the text is not an LP file, names the line and the word.
    MissingEndError
        If the file has no ``End``, and columns that no list at its end names.

    Examples
    --------
    >>> read_lp(b"max 2 x + y st c: x + y <= 3 end", name="tiny").objective
    array([2., 1.])
    """
    try:
        tokens = tokenized(text)
        sections, ended = split_sections(tokens)
        parts = _Parts(tokens, sections)
        instance = parts.instance(name)
    except LineError as error:
        if _END.search(without_comments(text)):
            raise
        raise InstanceError(f"{error}{_HINT}") from error
    if not ended and not allow_missing_end:
        parts.check_end(instance)
    return instance


class _Parts:
    """The sections of an LP file, read one by one."""

    def __init__(self, tokens: Tokens, sections: list[LpSection]) -> None:
        self._tokens, self._sections = tokens, sections
        self._objective = read_objective(tokens, sections[0])
        none = np.empty(0, dtype=np.int64)
        self._constraints = self._of(CONSTRAINTS)
        self._rows = [read_rows(tokens, part) for part in self._constraints]
        self._bounds = [read_bounds(tokens, part) for part in self._of(BOUNDS)]
        self._general, self._binary = (
            np.concatenate([none, *(read_list(tokens, part) for part in self._of(words))])
            for words in (GENERAL, BINARY)
        )
        self._names, self._column = self._columns()

    def _of(self, keywords: frozenset[bytes]) -> list[LpSection]:
        return [part for part in self._sections if part.keyword in keywords]

    def _columns(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return the names of the columns by first appearance, and the column of each name."""
        tokens = self._tokens
        used = np.zeros(tokens.kind.size, dtype=bool)
        for part in (self._sections[0], *self._constraints):
            used[part.start : part.stop] = tokens.kind[part.start : part.stop] == NAME
        for bounds in self._bounds:
            used[bounds.columns] = True
        used[self._general] = used[self._binary] = True
        at = np.flatnonzero(used)
        first = np.full(len(tokens.names), tokens.kind.size)
        first[tokens.name[at[::-1]]] = at[::-1]  # the last assignment counts
        names = np.argsort(first, kind="stable")[: int((first < tokens.kind.size).sum())]
        column = np.full(len(tokens.names), -1)
        column[names] = np.arange(names.size)
        for position in names.tolist():
            if problem := name_problem(tokens.names[position]):
                raise tokens.error(int(first[position]), problem)
        return names, column

    def instance(self, name: str) -> Instance:
        """Build the instance."""
        tokens, n = self._tokens, self._names.size
        objective = np.bincount(
            self._column[self._objective.names], weights=self._objective.values, minlength=n
        )
        term_rows, done = [], 0
        for rows in self._rows:
            term_rows.append(rows.term_rows + done)
            done += rows.labels.size

        def joined(key: str, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
            return np.concatenate([np.empty(0, dtype), *(getattr(row, key) for row in self._rows)])

        row = np.concatenate([np.empty(0, dtype=np.int64), *term_rows])
        entries = np.bincount(row, minlength=done)
        matrix = sp.csr_array(
            (
                joined("values", np.float64),
                self._column[joined("names", np.int32)],
                np.concatenate(([0], np.cumsum(entries))),
            ),
            shape=(done, n),
        )
        lower, upper, integer = self._column_bounds(n)
        return Instance(
            objective=objective.astype(np.float64),
            A=matrix,
            row_lower=joined("lower", np.float64),
            row_upper=joined("upper", np.float64),
            lower=lower,
            upper=upper,
            integrality=integer.astype(np.uint8),
            column_names=decoded([tokens.names[position] for position in self._names.tolist()]),
            row_names=self._row_names(joined("labels", np.int32)),
            sense="maximize" if self._sections[0].keyword in MAXIMIZE else "minimize",
            offset=self._objective.offset,
            name=name,
        )

    def _column_bounds(
        self, n: int
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
        tokens = self._tokens
        lower, upper = np.zeros(n), np.full(n, np.inf)
        for which, array in (("lower", lower), ("upper", upper)):
            sides = [getattr(bounds, which) for bounds in self._bounds]
            if sides:
                names, values, at = (np.concatenate(part) for part in zip(*sides, strict=True))
                set_bounds(tokens, array, self._column[names], values, at, which)
        binary = self._column[tokens.name[self._binary]]
        wrong = (lower[binary] < 0) | (lower[binary] > 1)
        wrong |= (upper[binary] < 0) | ((upper[binary] > 1) & (upper[binary] < np.inf))
        if wrong.any():
            column = int(binary[wrong.argmax()])
            raise tokens.error(
                int(self._binary[wrong.argmax()]),
                f"a binary column with the bounds {lower[column]:g} and {upper[column]:g}: list "
                "it as general, or remove the bounds",
            )
        upper[binary] = np.minimum(upper[binary], 1.0)
        integer = np.zeros(n, dtype=bool)
        integer[binary] = integer[self._column[tokens.name[self._general]]] = True
        return lower, upper, integer

    def _row_names(self, labels: npt.NDArray[np.int32]) -> tuple[str, ...]:
        """Return the labels as names; rows without one get C and their position, from 1."""
        tokens = self._tokens
        given = [tokens.labels[label] for label in labels[labels >= 0].tolist()]
        taken = set(given)
        if len(taken) < len(given):
            self._refuse_repeated(labels)
        names = []
        for position, label in enumerate(labels.tolist(), start=1):
            if label >= 0:
                names.append(tokens.labels[label])
                continue
            base = f"C{position}".encode()
            name = base
            for suffix in count(1):
                if name not in taken:
                    break
                name = base + f"_{suffix}".encode()
            taken.add(name)
            names.append(name)
        return decoded(names)

    def _refuse_repeated(self, labels: npt.NDArray[np.int32]) -> None:
        tokens = self._tokens
        seen = set()
        at = np.flatnonzero(tokens.kind == LABEL)
        rows = set(labels.tolist())
        for token in at.tolist():
            label = int(tokens.name[token])
            if label in rows:
                name = tokens.labels[label]
                if name in seen:
                    raise tokens.error(token, f"the row name {shown(name)} occurs twice")
                seen.add(name)

    def check_end(self, instance: Instance) -> None:
        """Check that a file without ``End`` is whole: its last lists name all columns."""
        last = self._sections[-1]
        title = last.title.decode()
        if last.keyword not in GENERAL | BINARY or last.start == last.stop:
            place = "of constraints" if last.keyword in CONSTRAINTS else f"'{title}'"
            raise MissingEndError(
                f"it is cut off: it ends in its section {place}, without 'End'; {_MEND}"
            )
        tokens = self._tokens
        name = int(tokens.name[last.stop - 1])
        end = f"it is cut off: its section '{title}' ends with {shown(tokens.names[name])} and "
        before = tokens.name[: self._first_list()]
        if not (before == name).any():
            raise MissingEndError(
                f"{end}without 'End', and that column occurs nowhere else; {_MEND}"
            )
        missing = instance.integrality == 0
        if missing.any():
            column = instance.column_names[int(missing.argmax())]
            bounded = np.zeros(missing.size, dtype=bool)
            for bounds in self._bounds:
                bounded[self._column[tokens.name[bounds.columns]]] = True
            raise MissingEndError(
                f"{end}without 'End', and '{column}' is not listed; {_MEND}",
                plausible=bool((bounded == missing).all()),
            )

    def _first_list(self) -> int:
        return min(part.start for part in self._of(GENERAL | BINARY))
