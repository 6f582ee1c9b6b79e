"""Leakage: instances that two splits share, whatever their files are called."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from milplib.library.splits import Split

__all__ = ["Leak", "leaks"]


@dataclass(frozen=True)
class Leak:
    """An instance that stands in several places.

    Parameters
    ----------
    content_hash
        `milplib.Instance.content_hash` of all of them.
    places
        The split, as distribution and name, and the file of each.
    """

    content_hash: str
    places: tuple[tuple[str, str, str], ...]

    @property
    def crosses_splits(self) -> bool:
        """Whether the places are in different splits, and not one split repeats an instance."""
        return len({place[:2] for place in self.places}) > 1


def leaks(splits: Iterable[Split]) -> list[Leak]:
    """Find instances that occur more than once in splits, of one distribution or of several.

    Two files are one instance if they have equal arrays and names of columns and rows, as
    `milplib.Instance.content_hash` tells; file format and file name do not matter.

    Parameters
    ----------
    splits
        The splits.

    Returns
    -------
    list of Leak
        In the order of the first place; empty if there are none.

    Examples
    --------
    >>> import milplib
    >>> data = milplib.load("SC-milplib-small")
    >>> leaks([data.train[:3], data.test[:3]])
    []
    >>> leaks([data.train[:1], data.train[:2]])[0].crosses_splits
    False
    """
    places: dict[str, list[tuple[str, str, str]]] = {}
    for split in splits:
        for file, content_hash in zip(split, split.content_hashes(), strict=True):
            place = (split.distribution, split.name, file.name)
            places.setdefault(content_hash, []).append(place)
    return [Leak(key, tuple(holders)) for key, holders in places.items() if len(holders) > 1]
