"""Entries of the trees of a shard, stored as columns of numbers."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self, TypeVar, overload

import numpy as np
import pyarrow as pa

__all__ = ["TreeEntry", "TreeTable", "checked", "compact_trees"]

_Value = TypeVar("_Value")


@dataclass(frozen=True, kw_only=True)
class TreeEntry:
    """Entry of a record batch of a shard: a tree, or a part of one.

    Parameters
    ----------
    instance, instance_hash, episode, part
        Identity of the tree and number of the part.
    samples
        Number of labelled nodes.
    root_labelled
        Whether the first line of the batch, the root state, is a labelled node.
    """

    instance: str
    instance_hash: str
    episode: int
    part: int
    samples: int
    root_labelled: bool

    @classmethod
    def of(cls, batch: pa.RecordBatch) -> TreeEntry:
        """Return the entry of a record batch."""
        scores = batch.column("scores")
        return cls(
            **{
                name: batch.column(name)[0].as_py()
                for name in ("instance", "instance_hash", "episode", "part")
            },
            samples=len(scores) - scores.null_count,
            root_labelled=scores[0].is_valid,
        )

    def as_json(self) -> dict[str, object]:
        """Return the entry as JSON values."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


_FIELD_TYPES = {
    "instance": str,
    "instance_hash": str,
    "episode": int,
    "part": int,
    "samples": int,
    "root_labelled": bool,
}


class TreeTable(Sequence[TreeEntry]):
    """Trees of a shard, in order.

    A collection has tens of thousands of trees, and an object per tree would take a kilobyte. The
    table holds arrays and creates entries on demand.

    Parameters
    ----------
    entries
        Entries of the trees.

    Raises
    ------
    ValueError
        If a number does not fit int32.

    Examples
    --------
    >>> tree = TreeEntry(instance="a.lp", instance_hash="0f", episode=0, part=0, samples=3,
    ...                  root_labelled=True)
    >>> table = TreeTable([tree])
    >>> table.samples.tolist(), table[0] == tree
    ([3], True)
    """

    def __init__(self, entries: Iterable[TreeEntry] = ()) -> None:
        instances: dict[tuple[str, str], int] = {}
        columns = tuple(array("i") for _ in range(4))
        labelled = bytearray()
        for entry in entries:
            name = (entry.instance, entry.instance_hash)
            number = instances.setdefault(name, len(instances))
            try:
                for column, value in zip(
                    columns, (number, entry.episode, entry.part, entry.samples), strict=True
                ):
                    column.append(value)
            except OverflowError as error:
                raise ValueError(f"a number of {entry} is too large") from error
            labelled.append(entry.root_labelled)
        self.instances: tuple[tuple[str, str], ...] = tuple(instances)
        """Name and content hash of each instance."""
        self.instance, self._episode, self._part, self.samples = (
            np.frombuffer(column, dtype=np.intc) if column else np.empty(0, dtype=np.intc)
            for column in columns
        )
        self.root_labelled = np.frombuffer(bytes(labelled), dtype=np.bool_)

    @classmethod
    def from_json(cls, entries: Iterable[tuple[Any, ...]]) -> Self:
        """Read the entries of a manifest, as returned by `compact_trees`.

        Raises
        ------
        ValueError
            If a value has the wrong type or is negative.
        """
        return cls(
            TreeEntry(
                **{
                    name: checked(value, field_type, name)
                    for (name, field_type), value in zip(_FIELD_TYPES.items(), entry, strict=True)
                }
            )
            for entry in entries
        )

    @property
    def n_samples(self) -> int:
        """Number of labelled nodes in all trees."""
        return int(self.samples.sum(dtype=np.int64))

    def __len__(self) -> int:
        return len(self.samples)

    @overload
    def __getitem__(self, index: int) -> TreeEntry: ...
    @overload
    def __getitem__(self, index: slice) -> list[TreeEntry]: ...
    def __getitem__(self, index: int | slice) -> TreeEntry | list[TreeEntry]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        name, content_hash = self.instances[self.instance[index]]
        return TreeEntry(
            instance=name,
            instance_hash=content_hash,
            episode=int(self._episode[index]),
            part=int(self._part[index]),
            samples=int(self.samples[index]),
            root_labelled=bool(self.root_labelled[index]),
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TreeTable) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # unhashable, like a list

    def __repr__(self) -> str:
        return f"TreeTable({len(self)} trees, {self.n_samples} samples)"


def compact_trees() -> Callable[[dict[str, object]], object]:
    """Return a hook for `milplib.parsing.parse_json` that turns entries of trees into tuples.

    Examples
    --------
    >>> import json
    >>> from milplib.parsing import parse_json
    >>> text = json.dumps([dict.fromkeys(_FIELD_TYPES, 1), {"other": 2}])
    >>> parse_json(text, object_hook=compact_trees())
    [(1, 1, 1, 1, 1, 1), {'other': 2}]
    """
    known: dict[str, str] = {}

    def compact(content: dict[str, object]) -> object:
        if content.keys() != _FIELD_TYPES.keys():
            return content
        values = (content[name] for name in _FIELD_TYPES)
        return tuple(known.setdefault(v, v) if isinstance(v, str) else v for v in values)

    return compact


def checked(value: object, expected: type[_Value], name: str) -> _Value:
    """Return a value of a manifest; raise ValueError if its type is wrong or it is negative."""
    if type(value) is not expected or (isinstance(value, int) and value < 0):
        raise ValueError(f"'{name}' is {value!r}")
    return value
