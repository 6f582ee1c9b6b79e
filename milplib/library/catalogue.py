"""The catalogue: the published distributions, and what the installed families bring."""

from __future__ import annotations

from dataclasses import replace

from milplib.errors import MilplibError, NoGeneratorError, UnknownNameError
from milplib.extensions import extensions
from milplib.library.distribution import Distribution, InstanceGenerator
from milplib.library.published import published_distributions

__all__ = ["distribution", "distributions", "generator_of"]

ENTRY_POINT_GROUP = "milplib.generators"


def distributions() -> tuple[Distribution, ...]:
    """List the named distributions: the published ones, and those of all installed families.

    Families are found by the entry-point group ``milplib.generators``: those of milplib and
    any third party's. A family may regenerate a published distribution.

    Returns
    -------
    tuple of Distribution
        Domain after domain, the published ones first.

    Raises
    ------
    MilplibError
        If a family cannot be loaded, or two families claim one name.

    Examples
    --------
    >>> import milplib
    >>> any(distribution.name == "CA-easy" for distribution in milplib.distributions())
    True
    """
    found: dict[str, Distribution] = {}
    for name, family in extensions(ENTRY_POINT_GROUP).items():
        try:
            entries: tuple[Distribution, ...] = tuple(family.distributions)  # type: ignore[attr-defined]
        except AttributeError as error:
            raise MilplibError(
                f"'{name}' of {ENTRY_POINT_GROUP} is no generator family: {error}; reinstall the "
                "package that declares it"
            ) from error
        for entry in entries:
            if entry.name in found:
                raise MilplibError(
                    f"the generator family '{name}' claims the distribution name "
                    f"'{entry.name}', which another family already has"
                )
            found[entry.name] = entry
    listed = []
    for name, facts in published_distributions().items():
        entry = Distribution(
            name=name,
            domain=facts.domain,
            level=facts.level,
            generator=None,
            provenance="authors",
        )
        entry = found.pop(name, entry)
        listed.append(replace(entry, published=facts))
    listed += found.values()
    domains = list(dict.fromkeys(entry.domain for entry in listed))
    return tuple(sorted(listed, key=lambda entry: domains.index(entry.domain)))


def distribution(name: str) -> Distribution:
    """Look a distribution up by its name.

    Raises
    ------
    UnknownNameError
        If there is none of that name; the message suggests the nearest names.

    Examples
    --------
    >>> distribution("CA-easy").provenance
    'verified'
    """
    known = {entry.name: entry for entry in distributions()}
    if name not in known:
        raise UnknownNameError("distribution", name, known)
    return known[name]


def generator_of(found: Distribution) -> InstanceGenerator:
    """Give the generator of a distribution.

    Raises
    ------
    NoGeneratorError
        If it has none; the message names distributions of the domain that have one.

    Examples
    --------
    >>> generator_of(distribution("CA-easy")).domain
    'CA'
    """
    if found.generator is None:
        others = [
            entry.name
            for entry in distributions()
            if entry.domain == found.domain and entry.generator is not None
        ]
        raise NoGeneratorError(found.name, others)
    return found.generator
