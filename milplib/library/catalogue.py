"""The catalogue of published distributions and those of installed generator families."""

from __future__ import annotations

from dataclasses import replace

from milplib.errors import MilplibError, NoGeneratorError, UnknownNameError
from milplib.extensions import extensions
from milplib.library.distribution import Distribution, InstanceGenerator
from milplib.library.published import published_distributions

__all__ = ["distributions", "find_distribution", "find_generator"]

ENTRY_POINT_GROUP = "milplib.generators"


def distributions() -> tuple[Distribution, ...]:
    """List the published distributions and those of all installed families.

    The entry-point group ``milplib.generators`` declares the families of milplib and of third
    parties. A family may regenerate a published distribution.

    Returns
    -------
    tuple of Distribution
        Grouped by domain, published distributions first.

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
    own: dict[str, Distribution] = {}
    for name, family in extensions(ENTRY_POINT_GROUP).items():
        try:
            entries: tuple[Distribution, ...] = tuple(family.distributions)  # type: ignore[attr-defined]
        except AttributeError as error:
            raise MilplibError(
                f"'{name}' of {ENTRY_POINT_GROUP} is not a generator family: {error}; reinstall "
                "the package that declares it"
            ) from error
        for entry in entries:
            if entry.name in own:
                raise MilplibError(
                    f"the generator family '{name}' claims the distribution name "
                    f"'{entry.name}', which another family already has"
                )
            own[entry.name] = entry
    listed = []
    for name, facts in published_distributions().items():
        if name not in own:
            own[name] = Distribution(
                name=name,
                domain=facts.domain,
                level=facts.level,
                generator=None,
                provenance="authors",
            )
        listed.append(replace(own.pop(name), published=facts))
    listed += own.values()
    domains = list(dict.fromkeys(entry.domain for entry in listed))
    return tuple(sorted(listed, key=lambda entry: domains.index(entry.domain)))


def find_distribution(name: str) -> Distribution:
    """Find a distribution by name.

    Raises
    ------
    UnknownNameError
        If no distribution has this name. The message suggests similar names.

    Examples
    --------
    >>> find_distribution("CA-easy").provenance
    'verified'
    """
    known = {entry.name: entry for entry in distributions()}
    if name not in known:
        raise UnknownNameError("distribution", name, known)
    return known[name]


def find_generator(distribution: Distribution) -> InstanceGenerator:
    """Find the generator of a distribution.

    Raises
    ------
    NoGeneratorError
        If it has no generator. The message names distributions of the same domain that have
        one.

    Examples
    --------
    >>> find_generator(find_distribution("CA-easy")).domain
    'CA'
    """
    if distribution.generator is None:
        others = [
            entry.name
            for entry in distributions()
            if entry.domain == distribution.domain and entry.generator is not None
        ]
        raise NoGeneratorError(distribution.name, others)
    return distribution.generator
