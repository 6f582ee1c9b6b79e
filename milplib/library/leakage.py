"""Leakage: instances shared by splits, regardless of file names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from milplib.display import Shown
from milplib.library.mixtures import checked_splits
from milplib.library.splits import Split

__all__ = ["Leak", "leaks"]


@dataclass(frozen=True, repr=False)
class Leak(Shown):
    """An instance that occurs in several places.

    Parameters
    ----------
    content_hash
        `milplib.Instance.content_hash` of the instance.
    places
        Split (distribution and name) and file of each occurrence.
    """

    content_hash: str
    places: tuple[tuple[str, str, str], ...]

    @property
    def crosses_splits(self) -> bool:
        """Whether the instance occurs in different splits, and not only repeatedly in one."""
        return len({place[:2] for place in self.places}) > 1


def leaks(splits: Iterable[Split]) -> list[Leak]:
    """Find instances that occur more than once in splits.

    Two files hold the same instance if their arrays and their names of columns and rows are
    equal, by `milplib.Instance.content_hash`. File format and file name do not matter.

    Parameters
    ----------
    splits
        Splits of one or several distributions.

    Returns
    -------
    list of Leak
        In the order of first occurrence.

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
    for split in checked_splits(splits):
        for file, content_hash in zip(split, split.content_hashes(), strict=True):
            place = (split.distribution, split.name, file.name)
            places.setdefault(content_hash, []).append(place)
    return [Leak(key, tuple(holders)) for key, holders in places.items() if len(holders) > 1]
