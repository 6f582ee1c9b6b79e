"""Origin of the instances of a split, as its manifest holds it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

__all__ = ["SourceEntry", "SplitConfig"]


class SourceEntry(TypedDict, total=False):
    """Source of a split: which kind of source, where it is, and its size and checksum."""

    kind: str
    path: str
    url: str
    repository: str
    file: str
    bytes: int
    sha256: str


class SplitConfig(TypedDict, total=False):
    """Origin of a split: a generator with its parameters, or a source."""

    distribution: str
    provenance: str
    regenerated: bool
    generator: str
    generator_version: int
    parameters: Mapping[str, object]
    split: str
    seed: int
    format: str
    source: SourceEntry
