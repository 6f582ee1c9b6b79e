"""Values of a study file that know their lines, so that errors can name them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from difflib import get_close_matches
from typing import Any, TypeVar, get_type_hints

from milplib.errors import ParameterError
from milplib.study.errors import FieldError, StudyError

__all__ = ["KINDS", "Entry", "Section", "cut"]

Built = TypeVar("Built")

_MAX_COUNT = 10_000
"""Largest number that may stand for the numbers below it, such as seeds."""
KINDS = {
    "null": "nothing",
    "bool": "a yes or no",
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Value of a study file, with its location.

    Parameters
    ----------
    value
        A `Section`, a list of entries, or a string, number, boolean or None.
    file, line
        Location of the value.
    name
        Name of the value, with the names of its sections, such as ``collection.expert``.
    """

    value: Any
    file: str
    line: int
    name: str

    def error(self, problem: str) -> StudyError:
        """Return an error that names the file and line of this value."""
        return StudyError(f"{self.file}, line {self.line}: {problem}")

    def section(self) -> Section:
        """Return the value; raise if it is not a section."""
        if isinstance(self.value, Section):
            return self.value
        raise self.error(f"{self.name} is {self.said()}; it must be a section of 'name: value'")

    def entries(self) -> list[Entry]:
        """Return the entries of a list; a single value counts as a list of one entry."""
        return self.value if isinstance(self.value, list) else [self]

    def whole_number(self) -> int:
        """Return the value; raise if it is not a whole number."""
        if isinstance(self.value, int) and not isinstance(self.value, bool):
            return self.value
        raise self.error(f"{self.name} is {self.said()}; it must be a whole number")

    def number(self) -> float:
        """Return the value as a float; raise if it is not a finite number."""
        value = self.value
        if isinstance(value, str):  # YAML 1.1 reads 1e-3 as a string
            try:
                value = float(value)
            except ValueError:
                value = None
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value):
            raise self.error(f"{self.name} is {self.said()}; it must be a number")
        return float(value)

    def text(self) -> str:
        """Return the value; raise if it is not a string."""
        if isinstance(self.value, str):
            return self.value
        raise self.error(f"{self.name} is {self.said()}; it must be a text")

    def truth(self) -> bool:
        """Return the value; raise if it is not true or false."""
        if isinstance(self.value, bool):
            return self.value
        raise self.error(f"{self.name} is {self.said()}; it must be true or false")

    def whole_numbers(self) -> tuple[int, ...]:
        """Return a list of whole numbers; a single number n >= 1 means the numbers 0 to n - 1."""
        if isinstance(self.value, list):
            return tuple(entry.whole_number() for entry in self.value)
        count = self.whole_number()
        if count < 1:
            raise self.error(f"{self.name} is {count}; it must be at least 1")
        if count > _MAX_COUNT:
            raise self.error(f"{self.name} is {count}; it must be at most {_MAX_COUNT}")
        return tuple(range(count))

    def texts(self) -> tuple[str, ...]:
        """Return a list of strings; a single string counts as a list of one."""
        return tuple(entry.text() for entry in self.entries())

    def said(self) -> str:
        """Return the value in words, for errors."""
        if isinstance(self.value, Section):
            return "a section"
        if isinstance(self.value, list):
            return "a list"
        return KINDS["null"] if self.value is None else repr(cut(self.value))

    def converted(self, hint: object) -> Any:
        """Return the value as the type of a field requires it."""
        if isinstance(self.value, type(None)):
            raise self.error(f"{self.name} has no value: add one, or remove the line")
        return _CONVERTERS[str(hint).removesuffix(" | None")](self)


_CONVERTERS = {
    "<class 'int'>": Entry.whole_number,
    "int": Entry.whole_number,
    "<class 'float'>": Entry.number,
    "float": Entry.number,
    "<class 'str'>": Entry.text,
    "str": Entry.text,
    "str | object": Entry.text,
    "<class 'bool'>": Entry.truth,
    "tuple[int, ...]": Entry.whole_numbers,
    "tuple[str, ...]": Entry.texts,
}


@dataclass(frozen=True, kw_only=True)
class Section:
    """Section of a study file: values by name.

    Parameters
    ----------
    entries
        Values by name.
    file, line
        Location of the first line.
    name
        Name of the section; empty for the whole file.
    """

    entries: Mapping[str, Entry] = field(default_factory=dict)
    file: str
    line: int
    name: str = ""

    def error(self, problem: str, *, at: str = "") -> StudyError:
        """Return an error that names the line of an entry, or of this section."""
        line = self.entries[at].line if at in self.entries else self.line
        return StudyError(f"{self.file}, line {line}: {problem}")

    def __contains__(self, name: str) -> bool:
        return name in self.entries

    def get(self, name: str) -> Entry:
        """Return a value; raise if it is missing."""
        if name not in self.entries:
            where = f"the section '{self.name}'" if self.name else "the study"
            raise self.error(f"{where} has no '{name}', which it needs")
        return self.entries[name]

    def refuse_others(self, known: Iterable[str]) -> None:
        """Check that all names are known.

        Raises
        ------
        StudyError
            If a name is unknown; the message names the line and the nearest known name.
        """
        names = list(known)
        for name in self.entries:
            if name not in names:
                near = get_close_matches(name.replace("-", "_"), names, n=1, cutoff=0.6)
                mend = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(names)}"
                where = f" in '{self.name}'" if self.name else ""
                raise self.error(f"unknown key '{name}'{where}: {mend}", at=name)

    def build(self, kind: type[Built], **given: Any) -> Built:
        """Build a dataclass whose fields are the entries.

        Parameters
        ----------
        kind
            The dataclass.
        given
            Values of fields that do not come from the file.

        Raises
        ------
        StudyError
            If a name is unknown, a field without a default is missing, or a value has the wrong
            type or is outside its domain.
        """
        wanted = [f for f in fields(kind) if f.name not in given]  # type: ignore[arg-type]
        self.refuse_others(f.name for f in wanted)
        hints = get_type_hints(kind)
        values = dict(given)
        for f in wanted:
            if f.name in self.entries:
                values[f.name] = self.entries[f.name].converted(hints[f.name])
            elif f.default is MISSING and f.default_factory is MISSING:
                self.get(f.name)
        try:
            return kind(**values)
        except FieldError as error:
            raise self.error(f"{self.name}.{error}", at=error.field) from error
        except ParameterError as error:
            raise self.error(f"{self.name}: {error}") from error

    def renamed(self, names: Mapping[str, Mapping[str, str]]) -> Section:
        """Return the section with earlier names in its subsections replaced by present ones.

        Parameters
        ----------
        names
            Present names by earlier names, for each subsection.

        Raises
        ------
        StudyError
            If a section has a value under both names.
        """
        entries = dict(self.entries)
        for section, present in names.items():
            below = entries.get(section)
            if below is None or not isinstance(below.value, Section):
                continue
            values: dict[str, Entry] = {}
            for name, entry in below.value.entries.items():
                if present.get(name, name) in values:
                    raise entry.error(
                        f"'{name}' and '{present.get(name, name)}' are the same: remove one"
                    )
                values[present.get(name, name)] = entry
            entries[section] = replace(below, value=replace(below.value, entries=values))
        return replace(self, entries=entries)

    def merged(self, other: Section) -> Section:
        r"""Overlay another section: its values replace these, and an empty value removes one.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> from milplib.study.yaml_file import read_document
        >>> path = Path(tempfile.mkdtemp(), "a.yaml")
        >>> _ = path.write_text("a: {b: 1, c: 2, d: 3}\nchange: {b: 5, d: }")
        >>> document = read_document(path)
        >>> changed = document.get("a").section().merged(document.get("change").section())
        >>> {name: entry.value for name, entry in changed.entries.items()}
        {'b': 5, 'c': 2}
        """
        entries = dict(self.entries)
        for name, entry in other.entries.items():
            below = entries.get(name)
            if entry.value is None:
                if below is None:
                    raise entry.error(
                        f"'{name}' cannot be removed, since it is not there: remove the line"
                    )
                del entries[name]
            elif isinstance(entry.value, Section) and below and isinstance(below.value, Section):
                value = below.value.merged(entry.value)
                entries[name] = Entry(
                    value=value, file=below.file, line=below.line, name=below.name
                )
            else:
                entries[name] = entry
        return Section(entries=entries, file=self.file, line=self.line, name=self.name)


def cut(value: Any) -> Any:
    """Return a value, a long text cut for a message."""
    return f"{value[:40]}…" if isinstance(value, str) and len(value) > 40 else value
