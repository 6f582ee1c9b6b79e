"""Options of a study's models, by their kind of model."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from milplib.errors import FieldError
from milplib.policies.model_kinds import ModelKind
from milplib.policies.networks import check_network_options
from milplib.study.document import Entry, Section

__all__ = ["model_options"]

_OF_NETWORK = "model_options"


def model_options(kind: ModelKind, section: Section) -> Any:
    """Build the options of a kind of model from a section.

    The section of a user's torch module holds the options of both the module and its training.

    Parameters
    ----------
    kind
        Kind of model.
    section
        Section of the model.

    Raises
    ------
    StudyError
        If a name is unknown, or a value has the wrong type or is outside its domain; the message
        names the line.
    """
    if kind.network is None:
        return section.build(kind.options)
    names = {f.name for f in fields(kind.options)} - {_OF_NETWORK}
    own = {name: _plain(entry) for name, entry in section.entries.items() if name not in names}
    try:
        check_network_options(kind.network, own)
    except FieldError as error:
        raise section.error(f"{section.name}.{error}", at=error.field) from error
    shared = {name: entry for name, entry in section.entries.items() if name in names}
    rest = Section(entries=shared, file=section.file, line=section.line, name=section.name)
    return rest.build(kind.options, **{_OF_NETWORK: own})


def _plain(entry: Entry) -> Any:
    if isinstance(entry.value, Section):
        return {name: _plain(below) for name, below in entry.value.entries.items()}
    if isinstance(entry.value, list):
        return [_plain(below) for below in entry.value]
    return entry.value
