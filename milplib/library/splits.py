"""Splits: instance files in a fixed order, had when they are needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, overload

import numpy as np

from milplib.errors import ParameterError
from milplib.formats.reader import read
from milplib.instance import Instance

__all__ = ["InstanceFile", "LaterFiles", "ListedFiles", "Split", "SplitFiles", "shuffled"]


@dataclass(frozen=True)
class InstanceFile:
    """An instance file.

    Parameters
    ----------
    name
        Its name in results: the end of its path, as much of it as tells the folders apart.
    path
        Where it lies.
    content_hash
        `milplib.Instance.content_hash`, where it is known without reading the file.
    distribution
        Name of the distribution that it is of, where that is known.
    """

    name: str
    path: Path
    content_hash: str = ""
    distribution: str = ""

    def read(self) -> Instance:
        """Read the instance; see `milplib.read`."""
        return read(self.path)


class SplitFiles(Protocol):
    """The files behind a split, which may have to be fetched or generated first."""

    def __len__(self) -> int:
        """Tell how many there are."""
        ...

    def files(self, indices: Sequence[int]) -> list[InstanceFile]:
        """Give some of them; they are on the disk then."""
        ...


class Split(Sequence[InstanceFile]):
    """Instance files in a fixed order.

    A split is cut like a list, and what is cut out is a split. Files are fetched or generated
    when they are asked for, not before. `milplib.learn.collect`, `milplib.evaluate` and
    `milplib.hardness.measure` take splits where they take folders.

    Parameters
    ----------
    files
        The files behind it.
    distribution, domain, name
        What it is a split of, and which one.
    chosen
        Positions of the files that belong to it; all if not given.

    Examples
    --------
    >>> import milplib
    >>> train = milplib.load("SC-milplib-small").train
    >>> train, train[:80], len(train[::2])
    (<SC-milplib-small train: 800 instances>, <SC-milplib-small train: 80 instances>, 400)
    """

    def __init__(
        self,
        files: SplitFiles,
        *,
        distribution: str,
        domain: str,
        name: str,
        chosen: Sequence[int] | None = None,
    ) -> None:
        self._files, self._chosen = files, chosen
        self.distribution = distribution
        """Name of the distribution."""
        self.domain = domain
        """Short name of its problem domain."""
        self.name = name
        """``train``, ``val`` or ``test``."""

    def __len__(self) -> int:
        return len(self._files) if self._chosen is None else len(self._chosen)

    @overload
    def __getitem__(self, index: int) -> InstanceFile: ...

    @overload
    def __getitem__(self, index: slice) -> Split: ...

    def __getitem__(self, index: int | slice) -> InstanceFile | Split:
        if isinstance(index, slice):
            return self._part(self._places()[index])
        return self._files.files([self._places()[index]])[0]

    def __iter__(self) -> Iterator[InstanceFile]:
        return iter(self._files.files(self._places()))

    def _places(self) -> Sequence[int]:
        return range(len(self._files)) if self._chosen is None else self._chosen

    def __repr__(self) -> str:
        return f"<{self.distribution} {self.name}: {len(self)} instances>"

    def sample(self, count: int, *, seed: int) -> Split:
        """Draw instances without repetition.

        With one seed a smaller sample is the beginning of a larger one.

        Parameters
        ----------
        count
            How many.
        seed
            Of the draw.

        Raises
        ------
        ParameterError
            If the split has not so many.

        Examples
        --------
        >>> import milplib
        >>> train = milplib.load("SC-milplib-small").train
        >>> small, large = train.sample(2, seed=0), train.sample(160, seed=0)
        >>> [file.name for file in small] == [file.name for file in large[:2]]
        True
        """
        if not 0 <= count <= len(self):
            raise ParameterError(
                f"{count} instances are asked for, and the {self.name} split of "
                f"{self.distribution} has {len(self)}"
            )
        places = self._places()
        return self._part([places[place] for place in shuffled(len(self), seed=seed)[:count]])

    def content_hashes(self) -> list[str]:
        """Give the content hash of each instance; files are read where it is not known."""
        return [file.content_hash or file.read().content_hash for file in self]

    def _part(self, chosen: Sequence[int]) -> Split:
        return Split(
            self._files,
            distribution=self.distribution,
            domain=self.domain,
            name=self.name,
            chosen=chosen,
        )


def shuffled(count: int, *, seed: int, stream: str = "sample") -> list[int]:
    """Shuffle ``range(count)``: the same in every version of numpy.

    Examples
    --------
    >>> shuffled(4, seed=0) == shuffled(4, seed=0)
    True
    """
    if seed < 0:
        raise ParameterError(f"the seed is {seed}; it must not be negative")
    key = np.random.SeedSequence([seed, *stream.encode()]).generate_state(8)
    return [int(place) for place in np.random.RandomState(key).permutation(count)]


class ListedFiles:
    """Files that are there."""

    def __init__(self, files: Iterable[InstanceFile]) -> None:
        self._listed = list(files)

    def __len__(self) -> int:
        return len(self._listed)

    def files(self, indices: Sequence[int]) -> list[InstanceFile]:
        """Give some of them."""
        return [self._listed[index] for index in indices]


class LaterFiles:
    """Files that somebody gets when the first of them is asked for, or how many they are."""

    def __init__(self, get: Callable[[], SplitFiles], *, count: int | None = None) -> None:
        self._get, self._count = get, count
        self._got: SplitFiles | None = None

    def _all(self) -> SplitFiles:
        if self._got is None:
            self._got = self._get()
        return self._got

    def __len__(self) -> int:
        return len(self._all()) if self._count is None else self._count

    def files(self, indices: Sequence[int]) -> list[InstanceFile]:
        """Give some of them."""
        return self._all().files(indices)
