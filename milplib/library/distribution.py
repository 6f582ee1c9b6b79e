"""The distribution: a named source of instances, and what a generator family must offer."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

from milplib.instance import Instance
from milplib.library.published import Published

__all__ = ["Distribution", "InstanceGenerator", "Provenance", "generator_parameters"]

Provenance = Literal["verified", "published", "authors", "milplib"]


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
        ``"milplib"``: a distribution of milplib's own.
    published
        What is known of the published data; None for a distribution of milplib's own or of a
        third party's.

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


def generator_parameters(generator: object, *, with_defaults: bool = True) -> dict[str, Any]:
    """Read the parameters of a generator, if it is a dataclass of them.

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
        field.name: getattr(generator, field.name)
        for field in fields(generator)
        if with_defaults or getattr(generator, field.name) != field.default
    }
