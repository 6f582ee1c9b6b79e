"""Which trees a shard holds: an entry each, kept as columns of numbers."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self, TypeVar, overload

import numpy as np
import pyarrow as pa

__all__ = ["TreeEntry", "TreeTable", "checked", "compact_trees"]

_Kind = TypeVar("_Kind")


@dataclass(frozen=True, kw_only=True)
class TreeEntry:
    """A record batch of a shard: which tree it is, and what it holds.

    Parameters
    ----------
    instance, instance_hash, episode, part
        Which tree, and which part of it.
    samples
        Number of labelled nodes.
    root_labelled
        Whether the batch's first line, the root state, is one of them.
    """

    instance: str
    instance_hash: str
    episode: int
    part: int
    samples: int
    root_labelled: bool

    @classmethod
    def of(cls, batch: pa.RecordBatch) -> TreeEntry:
        """Describe a record batch."""
        scores = batch.column("scores")
        return cls(
            **{
                name: batch.column(name)[0].as_py()
                for name in ("instance", "instance_hash", "episode", "part")
            },
            samples=len(scores) - scores.null_count,
            root_labelled=scores[0].is_valid,
        )

    def as_json(self) -> dict[str, Any]:
        """Give the entry as JSON values."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


_KINDS = {
    "instance": str,
    "instance_hash": str,
    "episode": int,
    "part": int,
    "samples": int,
    "root_labelled": bool,
}


class TreeTable(Sequence[TreeEntry]):
    """The trees of a shard, in order.

    A collection has tens of thousands of trees, and an object for each would take a kilobyte:
    the table holds arrays, and makes an entry when one is asked for.

    Parameters
    ----------
    entries
        The trees.

    Raises
    ------
    ValueError
        If a number is no int32.

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
        """Read the entries of a manifest, as `compact_trees` leaves them.

        Raises
        ------
        ValueError
            If one cannot be true.
        """
        return cls(
            TreeEntry(
                **{
                    name: checked(value, kind, name)
                    for (name, kind), value in zip(_KINDS.items(), entry, strict=True)
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

    __hash__ = None  # type: ignore[assignment]  # as of other sequences that compare their items

    def __repr__(self) -> str:
        return f"TreeTable({len(self)} trees, {self.n_samples} samples)"


def compact_trees() -> Callable[[dict[str, Any]], Any]:
    """Make a hook for `json.loads` that keeps the entries of trees small.

    Examples
    --------
    >>> import json
    >>> text = json.dumps([dict.fromkeys(_KINDS, 1), {"other": 2}])
    >>> json.loads(text, object_hook=compact_trees())
    [(1, 1, 1, 1, 1, 1), {'other': 2}]
    """
    known: dict[str, str] = {}

    def compact(found: dict[str, Any]) -> Any:
        if found.keys() != _KINDS.keys():
            return found
        values = (found[name] for name in _KINDS)
        return tuple(known.setdefault(v, v) if isinstance(v, str) else v for v in values)

    return compact


def checked(value: object, kind: type[_Kind], name: str) -> _Kind:
    """Give a value of a manifest, or refuse it with a ValueError."""
    if type(value) is not kind or (isinstance(value, int) and value < 0):
        raise ValueError(f"'{name}' is {value!r}")
    return value
