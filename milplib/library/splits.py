"""Splits: instance files in a fixed order, fetched or generated on demand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, overload, runtime_checkable

import numpy as np

from milplib.arguments import checked, given
from milplib.display import html_table
from milplib.errors import ParameterError
from milplib.files import file_sha256, printable_path
from milplib.formats.reader import read
from milplib.instance import Instance

__all__ = ["InstanceFile", "LaterFiles", "ListedFiles", "Split", "SplitFiles", "Splits", "shuffled"]


@dataclass(frozen=True)
class InstanceFile:
    """An instance file.

    Parameters
    ----------
    name
        Name in results: the end of its path that tells the folders apart.
    path
        Path of the file.
    content_hash
        `milplib.Instance.content_hash`, if known without reading the file.
    distribution
        Name of its distribution, if known.
    instance
        The instance itself, if it is in memory and in no file.
    """

    name: str
    path: Path
    content_hash: str = ""
    distribution: str = ""
    instance: Instance | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of(
        cls, instance: Instance, *, name: str = "", distribution: str = "memory"
    ) -> InstanceFile:
        """Stand for an instance in memory, under its own name or its content hash.

        Examples
        --------
        >>> from milplib.generators import SetCover
        >>> cover = SetCover(n_rows=20, n_columns=30, density=0.1).generate(seed=0)
        >>> InstanceFile.of(cover, name="cover").read() is cover
        True
        """
        if not name:
            own = printable_path(instance.name).replace("/", "_")
            name = f"memory/{own or f'instance-{instance.content_hash[:8]}'}"
        return cls(name, Path(name), instance.content_hash, distribution, instance)

    def read(self) -> Instance:
        """Read the instance; see `milplib.read`."""
        return read(self.path) if self.instance is None else self.instance

    def checksum(self) -> str:
        """Return the SHA-256 of the file, or the content hash of an instance in memory.

        It is ``"unreadable"`` if the file cannot be read.
        """
        if self.instance is not None:
            return self.content_hash
        try:
            return file_sha256(self.path)
        except OSError:
            return "unreadable"


@runtime_checkable
class Splits(Protocol):
    """Anything with instances by split, such as a `milplib.Distribution`."""

    @property
    def splits(self) -> Mapping[str, Split] | None:
        """Instances by split name."""
        ...

    def split(self, name: str) -> Split:
        """Return a split."""
        ...


class SplitFiles(Protocol):
    """Files of a split, which may have to be fetched or generated first."""

    def __len__(self) -> int:
        """Return the number of files."""
        ...

    def files(self, indices: Sequence[int]) -> list[InstanceFile]:
        """Return files by position, after fetching or generating them."""
        ...


class Split(Sequence[InstanceFile]):
    """Instance files in a fixed order.

    A slice of a split is a split. Files are fetched or generated on first access.
    `milplib.learn.collect`, `milplib.evaluate` and `milplib.hardness.measure` accept splits in
    place of folders.

    Parameters
    ----------
    files
        Files to choose from.
    distribution, domain, name
        Distribution, its problem domain, and the name of the split.
    chosen
        Positions of the files in `files`. Default: all.

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
        if isinstance(index, bool) or not isinstance(index, int | np.integer):
            raise ParameterError(f"the index is {given(index)}; give an integer or a slice")
        return self._files.files([self._places()[index]])[0]

    def __iter__(self) -> Iterator[InstanceFile]:
        return iter(self._files.files(self._places()))

    def _places(self) -> Sequence[int]:
        return range(len(self._files)) if self._chosen is None else self._chosen

    def __repr__(self) -> str:
        return f"<{self.distribution} {self.name}: {len(self)} instances>"

    def _repr_html_(self) -> str:
        facts = {"distribution": self.distribution, "domain": self.domain, "split": self.name}
        return html_table(("Split", ""), [*facts.items(), ("instances", len(self))])

    @checked
    def sample(self, count: int, *, seed: int) -> Split:
        """Draw instances without repetition.

        For equal seeds, a smaller draw is a prefix of a larger one.

        Parameters
        ----------
        count
            Number of instances.
        seed
            Seed of the draw.

        Raises
        ------
        ParameterError
            If the split has fewer instances.

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
                f"{count} instances are requested, but the {self.name} split of "
                f"{self.distribution} has {len(self)}"
            )
        places = self._places()
        return self._part([places[place] for place in shuffled(len(self), seed=seed)[:count]])

    def content_hashes(self) -> list[str]:
        """Return the content hash of each instance. Files without a known hash are read."""
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
    """Return a permutation of ``range(count)`` that every version of NumPy reproduces.

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
    """Existing files."""

    def __init__(self, files: Iterable[InstanceFile]) -> None:
        self._listed = list(files)

    def __len__(self) -> int:
        return len(self._listed)

    def files(self, indices: Sequence[int]) -> list[InstanceFile]:
        """Return files by position."""
        return [self._listed[index] for index in indices]


class LaterFiles:
    """Files that `get` returns on first access to a file or to an unknown count."""

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
        """Return files by position."""
        return self._all().files(indices)
