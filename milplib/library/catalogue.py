"""The catalogue of published distributions and those of installed generator families."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from milplib.arguments import checked, given
from milplib.errors import MilplibError, NoGeneratorError, ParameterError, UnknownNameError
from milplib.extensions import extensions, register_extension
from milplib.library.distribution import Distribution, InstanceGenerator
from milplib.library.own_families import family_name, instance_generator
from milplib.library.published import published_distributions

__all__ = ["distributions", "find_distribution", "find_generator", "register"]

ENTRY_POINT_GROUP = "milplib.generators"


def distributions() -> tuple[Distribution, ...]:
    """List the published distributions and those of all installed families.

    The entry-point group ``milplib.generators`` declares the families of milplib and of third
    parties; `milplib.generators.register` adds one of a script. A family may regenerate a
    published distribution.

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


F = TypeVar("F")


class _Registered:
    """Family of a script, as the catalogue takes it."""

    def __init__(self, *distributions: Distribution) -> None:
        self.distributions = distributions


@checked
def register(family: F, *, name: str = "") -> F:
    """Add a family of a script or a notebook to the catalogue of this process.

    The name of the distribution then works wherever names of distributions do, such as in
    `milplib.load`. Registering a name again replaces it. Other processes do not see it;
    `milplib.evaluate` and the like send them the instances.

    Parameters
    ----------
    family
        Object with a method ``generate(seed)`` that returns a `milplib.Instance` or a PySCIPOpt
        model; its class, if that needs no arguments; or a function of a seed. A class that names
        its own `distributions`, see `milplib.library.InstanceGenerator`, brings those along.
    name
        Name of the distribution. Default: the name of the class or function.

    Returns
    -------
    object
        The family, so that this function also serves as a decorator.

    Raises
    ------
    ParameterError
        If the family cannot generate; the message names what is missing.
    MilplibError
        If an installed family or a published distribution has the name.

    Examples
    --------
    >>> import milplib
    >>> from milplib.generators import SetCover
    >>> @register
    ... class TinyCovers:
    ...     def generate(self, seed):
    ...         return SetCover(n_rows=20, n_columns=30, density=0.1).generate(seed)
    >>> milplib.load("TinyCovers").test
    <TinyCovers test: 100 instances>
    """
    named = getattr(family, "distributions", None)
    if named and not name:
        entries = tuple(named)
        label = family_name(family)
    else:
        generator = instance_generator(family)
        label = name or family_name(generator)
        entries = (Distribution(label, generator=generator),)
    registered = extensions(ENTRY_POINT_GROUP).get(label)
    replaced = registered.distributions if isinstance(registered, _Registered) else ()
    own = {entry.name for entry in distributions()} - {entry.name for entry in replaced}
    for entry in entries:
        if entry.name in own:
            raise MilplibError(
                f"the catalogue has a distribution '{entry.name}' already: register the family "
                "under another name"
            )
    register_extension(ENTRY_POINT_GROUP, label, _Registered(*entries))
    return family


@checked
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


@checked
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
    if not isinstance(distribution, Distribution):
        raise ParameterError(
            f"the distribution is {given(distribution)}; give a Distribution, such as "
            "milplib.library.distribution('CA-easy')"
        )
    if distribution.generator is None:
        others = [
            entry.name
            for entry in distributions()
            if entry.domain == distribution.domain and entry.generator is not None
        ]
        raise NoGeneratorError(distribution.name, others)
    return distribution.generator
