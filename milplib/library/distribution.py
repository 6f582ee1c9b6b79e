"""Distributions, and the protocol of generator families."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

from milplib.arguments import checked, given
from milplib.display import Shown
from milplib.errors import ParameterError, UnknownNameError
from milplib.instance import Instance
from milplib.library.folder import shared_out
from milplib.library.own_families import generated_splits, instance_generator
from milplib.library.published import Published
from milplib.library.splits import Split

__all__ = ["Distribution", "InstanceGenerator", "Provenance", "generator_parameters"]

Provenance = Literal["verified", "published", "authors", "milplib", "own"]


@runtime_checkable
class InstanceGenerator(Protocol):
    """Protocol of a generator family: parameters as attributes, one instance per seed.

    A family is a class, usually a frozen dataclass of its parameters. To add a family to the
    catalogue, declare an entry point for the class in the group ``milplib.generators``, or call
    `milplib.generators.register`, which needs nothing but ``generate``.
    """

    domain: ClassVar[str]
    """Short name of the problem domain, such as ``"CA"``."""
    generator_version: ClassVar[int]
    """Increased whenever the same parameters and seed yield another instance than before."""
    distributions: ClassVar[tuple[Distribution, ...]]
    """Named distributions of the family."""

    def generate(self, seed: int) -> Instance:
        """Generate one instance. Equal seeds yield equal instances in any process."""
        ...


@dataclass(frozen=True, repr=False)
class Distribution(Shown):
    """A named distribution of instances.

    Without `splits`, a distribution of your own generator has the splits ``train``, ``val`` and
    ``test``, whose instances are generated in memory on first access.

    Parameters
    ----------
    name
        Name, such as ``"CA-medium"``: ``{domain}-{level}`` with an optional suffix.
    domain
        Short name of the problem domain, such as ``"CA"``. Default: the generator's, or `name`.
    level
        Published hardness (for Gurobi with a limit of 3600 s: Huang et al. 2024, arXiv
        2406.06954), ``"milplib"`` for a distribution of milplib, or ``"own"``.
    generator
        Family with the parameters of this distribution: an object with a method ``generate(seed)``,
        its class, or a function of a seed. None if only the authors' files have its instances.
    provenance
        ``"verified"``: instances from these parameters match the mean size of the published
        files. ``"published"``: the parameters are public, the size was not compared.
        ``"authors"``: only the authors' files exist. ``"milplib"``: a distribution of milplib.
        ``"own"``: a user's folder.
    published
        Facts about the published data. None for a distribution of milplib or of a third party.
    splits
        Instances by split name. None for an entry of the catalogue.

    Examples
    --------
    >>> import milplib
    >>> [d.name for d in milplib.distributions() if d.domain == "SC"][:2]
    ['SC-easy', 'SC-medium']
    >>> from milplib.generators import SetCover
    >>> mine = Distribution("mine", generator=SetCover(n_rows=20, n_columns=30, density=0.1))
    >>> mine.train[0].read().n_columns
    30
    """

    name: str
    _: KW_ONLY
    domain: str = ""
    level: str = "own"
    generator: InstanceGenerator | None = None
    provenance: Provenance = "own"
    published: Published | None = None
    splits: Mapping[str, Split] | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name or {"/", "\0"} & set(self.name):
            raise ParameterError(f"the name is {given(self.name)}; it must be a plain text")
        generator: Any = self.generator
        if generator is not None and (
            isinstance(generator, type) or not callable(getattr(generator, "generate", None))
        ):
            generator = instance_generator(generator)
            object.__setattr__(self, "generator", generator)
        for name in ("domain", "level", "provenance"):
            if not isinstance(getattr(self, name), str):
                raise ParameterError(f"{name} is {given(getattr(self, name))}; it must be a text")
        if not self.domain:
            domain = getattr(generator, "domain", None)
            object.__setattr__(self, "domain", domain if isinstance(domain, str) else self.name)
        if generator is not None and self.splits is None and self.provenance == "own":
            splits = generated_splits(self.name, domain=self.domain, generator=generator)
            object.__setattr__(self, "splits", splits)

    def _facts(self) -> dict[str, object]:
        facts: dict[str, object] = {
            name: getattr(self, name)
            for name in ("name", "domain", "level", "provenance", "generator")
        }
        return facts | ({"splits": list(self.splits)} if self.splits is not None else {})

    @property
    def train(self) -> Split:
        """Training split."""
        return self.split("train")

    @property
    def val(self) -> Split:
        """Validation split."""
        return self.split("val")

    @property
    def test(self) -> Split:
        """Test split."""
        return self.split("test")

    def split(self, name: str) -> Split:
        """Return a split.

        Raises
        ------
        UnknownNameError
            If no split has this name.
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
                f"call milplib.load('{self.name}') to get them"
            )
        if name not in self.splits:
            raise UnknownNameError("split", name, self.splits)
        return self.splits[name]

    @classmethod
    @checked
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
        """Make a distribution from a folder of instance files.

        Parameters
        ----------
        folder
            Folder of instance files. Its subfolders ``train``, ``val`` and ``test``, if any,
            become the splits. Otherwise its files are divided at random; files with equal
            bytes share a split.
        name, domain
            Name and domain of the distribution. Default: the folder's name.
        val, test
            Fractions of the instances, rounded to whole instances. The rest is for training.
        seed
            Seed of the random division.

        Raises
        ------
        InstanceError
            If the folder is missing or has no instance files.
        ParameterError
            If a fraction is not in [0, 1), or no instance is left for training.

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
        files_by_split = shared_out(Path(folder), name=label, val=val, test=test, seed=seed)
        return cls(
            name=label,
            domain=domain or label,
            level="own",
            generator=None,
            provenance="own",
            splits={
                split: Split(files, distribution=label, domain=domain or label, name=split)
                for split, files in files_by_split.items()
            },
        )


@checked
def generator_parameters(generator: object, *, with_defaults: bool = True) -> dict[str, object]:
    """Return the parameters of a generator by name; empty if it is not a dataclass.

    A parameter added to a family later, a ``field`` with ``metadata={"later": True}``, is left
    out at its default value, so that older folders and studies still match.

    Parameters
    ----------
    generator
        The generator.
    with_defaults
        Whether to include parameters at their default value.

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
