"""Protocol of the sources of published instances."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from milplib.formats import file_stem
from milplib.library.config import SourceEntry
from milplib.library.manifest import BrokenInstance

__all__ = [
    "InstanceSource",
    "OnBytes",
    "RawInstance",
    "flat_names",
    "split_aliases",
]

OnBytes = Callable[[int, int | None, str], None]
"""Callback of a download: received bytes, total bytes or None, and file name."""

_ALIASES = {"val": ("val", "validation", "valid")}


@dataclass(frozen=True)
class RawInstance:
    """An instance of a source that has not been read yet.

    Parameters
    ----------
    file
        File name to store it under, unique within the split.
    name
        Name in messages: its place in the source.
    open
        Function that opens its bytes, in pieces of a few MB at most. Call it at most once.
    whole
        Whether the source proves that no byte is missing, by a checksum or a closing quote.
    """

    file: str
    name: str
    open: Callable[[], AbstractContextManager[Iterable[bytes]]]
    whole: bool = False


class InstanceSource(Protocol):
    """Source of a distribution's instances: a folder, an archive or a mirror."""

    def describe(self, split: str) -> SourceEntry:
        """Return the origin of a split as JSON values. Equal values mean equal instances.

        Raises
        ------
        SourceUnavailableError
            If the source cannot be reached.
        MilplibError
            If it has no such split, or its contents have changed.
        """
        ...

    def instances(self, split: str) -> Iterator[RawInstance | BrokenInstance]:
        """Yield the instances of a split in a fixed order, including broken ones."""
        ...

    def splits(self) -> tuple[str, ...]:
        """Return the known splits; empty if the source does not distinguish splits."""
        ...

    def count(self, split: str) -> int | None:
        """Return the number of instances of a split, or None if unknown before reading."""
        ...

    def release(self, split: str) -> None:
        """Remove temporary data of a split after all its instances are stored."""
        ...


def split_aliases(split: str) -> tuple[str, ...]:
    """Return the names of a split in sources.

    Examples
    --------
    >>> split_aliases("val"), split_aliases("test")
    (('val', 'validation', 'valid'), ('test',))
    """
    return _ALIASES.get(split, (split,))


def flat_names(paths: Iterable[tuple[str, ...]]) -> list[str]:
    """Return unique names for files of nested folders, to store them in one folder.

    A file keeps its name if no other file has it, ignoring case. Otherwise its folders are
    prepended.

    Parameters
    ----------
    paths
        Parts of each path below the split's folder, with the file name last. All are distinct.

    Examples
    --------
    >>> flat_names([("a", "1.lp"), ("b", "1.lp"), ("b", "2.lp")])
    ['a--1.lp', 'b--1.lp', '2.lp']
    """
    paths = list(paths)
    counts: dict[str, int] = {}
    for path in paths:
        counts[path[-1].casefold()] = counts.get(path[-1].casefold(), 0) + 1
    names, taken = [], {path[-1].casefold() for path in paths if counts[path[-1].casefold()] == 1}
    for path in paths:
        name = path[-1]
        if counts[name.casefold()] > 1:
            joined = "--".join(path)
            name, number = joined, 1
            while name.casefold() in taken:
                number += 1
                name = _numbered(joined, number)
            taken.add(name.casefold())
        names.append(name)
    return names


def _numbered(name: str, number: int) -> str:
    stem = file_stem(name)
    return f"{stem}--{number}{name[len(stem) :]}"
