"""YAML files as sections whose values know their lines, so that errors can name them."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from difflib import get_close_matches
from typing import Any, TypeVar, get_type_hints

import yaml

from milplib.errors import ParameterError
from milplib.parsing import MAX_YAML_BYTES, ParseError, compose_yaml, read_regular
from milplib.study.errors import FieldError, StudyError

__all__ = ["Entry", "Section", "read_document"]

Built = TypeVar("Built")

_WHOLE_NUMBER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_MAX_COUNT = 10_000
"""Largest number that may stand for the numbers below it, such as seeds."""
_KINDS = {
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
        return _KINDS["null"] if self.value is None else repr(_cut(self.value))

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


def read_document(path: str | os.PathLike[str]) -> Section:
    r"""Read a YAML file of plain values; nothing in it is executed.

    Raises
    ------
    StudyError
        If the file cannot be read or parsed, repeats a name, or holds anything but names, lists,
        strings, numbers and booleans.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "a.yaml")
    >>> _ = path.write_text("about: a try\nsettings:\n  - default\n")
    >>> read_document(path).get("settings").line
    2
    """
    file = os.fspath(path)
    try:
        node = compose_yaml(read_regular(path, limit=MAX_YAML_BYTES))
        if node is None:
            raise StudyError(f"the study {file} is empty")
        return _entry(node, file, "").section()
    except OSError as error:
        raise StudyError(f"cannot read the study {file}: {error.strerror or error}") from error
    except ParseError as error:
        separator = "," if str(error).startswith("line ") else ":"
        raise StudyError(f"{file}{separator} {error}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{file}, line {mark.line + 1}" if mark else file
        problem = getattr(error, "problem", None) or str(error)
        raise StudyError(f"{where}: this is no YAML: {problem}") from error


def _entry(node: yaml.Node, file: str, name: str) -> Entry:
    line = node.start_mark.line + 1
    value: Any
    if isinstance(node, yaml.MappingNode):
        value = _section(node, file, name)
    elif isinstance(node, yaml.SequenceNode):
        value = [_entry(child, file, name) for child in node.value]
    else:
        value = _scalar(node, file, line)
    return Entry(value=value, file=file, line=line, name=name)


def _scalar(node: yaml.Node, file: str, line: int) -> object:
    tag, text = node.tag.removeprefix("tag:yaml.org,2002:"), str(node.value)
    shown = _cut(text)
    if tag not in _KINDS:
        raise StudyError(
            f"{file}, line {line}: '{shown}' is of the kind '{tag}'; a study holds "
            "texts, numbers and truth values: put a text in quotes"
        )
    # YAML 1.1 reads 010 as eight, 1:30 as ninety and 1_0 as ten, which hardly anybody means.
    if tag == "int" and not _WHOLE_NUMBER.fullmatch(text):
        raise StudyError(
            f"{file}, line {line}: '{shown}' is not a whole number in plain digits of at most 18: "
            "write it so, or put a text in quotes"
        )
    if tag == "float" and (":" in text or "_" in text):
        raise StudyError(f"{file}, line {line}: '{shown}' is not a number in plain digits")
    try:
        value: object = yaml.SafeLoader("").construct_object(node)
    except (ValueError, yaml.YAMLError) as error:
        raise StudyError(f"{file}, line {line}: cannot read '{shown}': {error}") from error
    return value


def _cut(value: Any) -> Any:
    """Return a value, a long text cut for a message."""
    return f"{value[:40]}…" if isinstance(value, str) and len(value) > 40 else value


def _section(node: yaml.MappingNode, file: str, name: str) -> Section:
    entries: dict[str, Entry] = {}
    for key, child in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise StudyError(f"{file}, line {line}: a name must be a text")
        if key.value in entries:
            raise StudyError(f"{file}, line {line}: '{key.value}' stands here twice: remove one")
        entry = _entry(child, file, f"{name}.{key.value}".lstrip("."))
        entries[key.value] = replace(entry, line=line)  # line of the name, not of the value
    return Section(entries=entries, file=file, line=node.start_mark.line + 1, name=name)
