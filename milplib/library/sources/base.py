"""What a source of published instances gives, whatever it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from milplib.formats import file_stem
from milplib.library.manifest import BrokenInstance

__all__ = [
    "InstanceSource",
    "OnBytes",
    "RawInstance",
    "flat_names",
    "split_aliases",
]

OnBytes = Callable[[int, int | None, str], None]
"""Called with the bytes of a download that are here, of all if that is known, and its name."""

_ALIASES = {"val": ("val", "validation", "valid")}


@dataclass(frozen=True)
class RawInstance:
    """An instance as a source has it: nobody has looked into it yet.

    Parameters
    ----------
    file
        The name its file gets, one of a kind within the split.
    name
        What to call it in messages: where in the source it is.
    open
        Opens its bytes, as pieces of at most a few MB; it may be called once or never.
    """

    file: str
    name: str
    open: Callable[[], AbstractContextManager[Iterable[bytes]]]


class InstanceSource(Protocol):
    """Where the instances of a distribution come from: a folder, an archive, a mirror."""

    def describe(self, split: str) -> Mapping[str, Any]:
        """Say what is going to be read, as JSON values: equal ones mean equal instances.

        Raises
        ------
        SourceUnavailableError
            If the source cannot be reached at all.
        MilplibError
            If it has no such split, or what it gave is not what it gave before.
        """
        ...

    def instances(self, split: str) -> Iterator[RawInstance | BrokenInstance]:
        """Give the instances of a split in a fixed order, and those that are broken in it."""
        ...

    def splits(self) -> tuple[str, ...]:
        """Name the splits that it has, as far as it knows; none if it knows no splits."""
        ...

    def count(self, split: str) -> int | None:
        """Tell how many instances a split has, if that is known before they are read."""
        ...

    def release(self, split: str) -> None:
        """Drop what was kept for a split whose instances are all stored now."""
        ...


def split_aliases(split: str) -> tuple[str, ...]:
    """Names under which a split is found.

    Examples
    --------
    >>> split_aliases("val"), split_aliases("test")
    (('val', 'validation', 'valid'), ('test',))
    """
    return _ALIASES.get(split, (split,))


def flat_names(paths: Iterable[tuple[str, ...]]) -> list[str]:
    """Name files of nested folders so that all fit into one folder.

    A file keeps its name where no other has it, in whatever case; else the folders before it
    are put in front of it.

    Parameters
    ----------
    paths
        Parts of each path below the split's folder, the file's own name last; none twice.

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
