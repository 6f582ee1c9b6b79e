"""Reading of a YAML file of plain values; every value knows its line."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import Any

import yaml

from milplib.parsing import MAX_YAML_BYTES, ParseError, compose_yaml, read_regular
from milplib.study.document import KINDS, Entry, Section, cut
from milplib.study.errors import StudyError

__all__ = ["read_document"]

_WHOLE_NUMBER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")


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
    >>> from pathlib import Path
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
    shown = cut(text)
    if tag not in KINDS:
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
