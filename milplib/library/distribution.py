"""The distribution: a named source of instances, and what a generator family must offer."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

from milplib.errors import ParameterError, UnknownNameError
from milplib.instance import Instance
from milplib.library.folder import shared_out
from milplib.library.published import Published
from milplib.library.splits import Split

__all__ = ["Distribution", "InstanceGenerator", "Provenance", "generator_parameters"]

Provenance = Literal["verified", "published", "authors", "milplib", "own"]


@runtime_checkable
class InstanceGenerator(Protocol):
    """What a family of instances offers: parameters as attributes, instances by seed.

    A family is a class, usually a frozen dataclass of its parameters. To join the catalogue it
    declares an entry point in the group ``milplib.generators`` that resolves to the class.
    """

    domain: ClassVar[str]
    """Short name of the problem domain, such as ``"CA"``."""
    generator_version: ClassVar[int]
    """Raised whenever the same parameters and seed give another instance than before."""
    distributions: ClassVar[tuple[Distribution, ...]]
    """The named distributions of the family."""

    def generate(self, seed: int) -> Instance:
        """Generate one instance; equal seeds give equal instances, in any process."""
        ...


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """A named distribution of instances.

    Parameters
    ----------
    name
        Such as ``"CA-medium"``: ``{domain}-{level}`` with an optional suffix.
    domain
        Short name of the problem domain (``"CA"``).
    level
        Hardness as the data set's authors call it (by Gurobi with a limit of 3600 s:
        Huang et al. 2024, arXiv 2406.06954), or ``"milplib"`` for a distribution of ours.
    generator
        The family with the parameters of this distribution; None where only the authors' files
        have its instances.
    provenance
        ``"verified"``: instances from these parameters match the published files' mean size;
        ``"published"``: the parameters are public, the size was not compared;
        ``"authors"``: only the authors' own files, there is no generator;
        ``"milplib"``: a distribution of milplib's own; ``"own"``: a folder of the user's.
    published
        What is known of the published data; None for a distribution of milplib's own or of a
        third party's.
    splits
        Its instances, by the split's name; None in the catalogue, which has none.

    Examples
    --------
    >>> import milplib
    >>> [d.name for d in milplib.distributions() if d.domain == "SC"][:2]
    ['SC-easy', 'SC-medium']
    """

    name: str
    domain: str
    level: str
    generator: InstanceGenerator | None
    provenance: Provenance
    published: Published | None = None
    splits: Mapping[str, Split] | None = field(default=None, compare=False, repr=False)

    @property
    def train(self) -> Split:
        """Instances to learn from."""
        return self.split("train")

    @property
    def val(self) -> Split:
        """Instances to choose by."""
        return self.split("val")

    @property
    def test(self) -> Split:
        """Instances to judge on."""
        return self.split("test")

    def split(self, name: str) -> Split:
        """Give a split.

        Raises
        ------
        UnknownNameError
            If there is no split of that name.
        ParameterError
            If this is an entry of the catalogue, which has no instances.

        Examples
        --------
        >>> import milplib
        >>> milplib.load("CA-medium").split("train").name
        'train'
        """
        if self.splits is None:
            raise ParameterError(
                f"the catalogue's entry '{self.name}' has no instances: "
                f"milplib.load('{self.name}') gives the distribution with them"
            )
        if name not in self.splits:
            raise UnknownNameError("split", name, self.splits)
        return self.splits[name]

    @classmethod
    def from_folder(
        cls,
        folder: str | os.PathLike[str],
        *,
        name: str = "",
        domain: str = "",
        val: float = 0.1,
        test: float = 0.1,
        seed: int = 0,
    ) -> Distribution:
        """Make a distribution of any folder of instance files.

        Parameters
        ----------
        folder
            The folder. If it holds ``train``, ``val`` or ``test``, these are the splits; else
            its files are shared out. Files of equal bytes always share a split.
        name, domain
            What to call it; the folder's name if not given.
        val, test
            Shares of the instances, rounded; the rest is for training.
        seed
            Of the sharing out.

        Raises
        ------
        InstanceError
            If the folder is missing or has no instance files.
        ParameterError
            If a share is not in [0, 1), or nothing is left for training.

        Examples
        --------
        >>> import tempfile
        >>> from milplib.generators import SetCover
        >>> folder = tempfile.mkdtemp()
        >>> for seed in range(10):
        ...     SetCover(n_rows=20, n_columns=30, density=0.1).generate(seed=seed).write(
        ...         f"{folder}/{seed}.lp")
        >>> mine = Distribution.from_folder(folder, name="mine", val=0.2, test=0.1)
        >>> len(mine.train), len(mine.val), len(mine.test)
        (7, 2, 1)
        """
        label = name or Path(os.path.abspath(folder)).name or "folder"
        found = shared_out(Path(folder), name=label, val=val, test=test, seed=seed)
        return cls(
            name=label,
            domain=domain or label,
            level="own",
            generator=None,
            provenance="own",
            splits={
                split: Split(files, distribution=label, domain=domain or label, name=split)
                for split, files in found.items()
            },
        )


def generator_parameters(generator: object, *, with_defaults: bool = True) -> dict[str, Any]:
    """Read the parameters of a generator, if it is a dataclass of them.

    A parameter that a family was given later, a ``field`` with ``metadata={"later": True}``, is
    left out where it has its default: folders and studies from before are then those of today.

    Parameters
    ----------
    generator
        The generator.
    with_defaults
        Whether to include parameters that have their default value.

    Examples
    --------
    >>> from milplib.generators import SetCover
    >>> generator_parameters(SetCover(n_rows=5, n_columns=9, density=0.5), with_defaults=False)
    {'n_rows': 5, 'n_columns': 9, 'density': 0.5}
    """
    if not is_dataclass(generator):
        return {}
    return {
        parameter.name: getattr(generator, parameter.name)
        for parameter in fields(generator)
        if (with_defaults and not parameter.metadata.get("later"))
        or getattr(generator, parameter.name) != parameter.default
    }
