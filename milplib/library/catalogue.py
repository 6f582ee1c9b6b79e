"""The catalogue: every named distribution that the installed generator families bring."""

from __future__ import annotations

from importlib.metadata import entry_points

from milplib.errors import MilplibError, UnknownNameError
from milplib.library.distribution import Distribution

__all__ = ["distribution", "distributions"]

ENTRY_POINT_GROUP = "milplib.generators"


def distributions() -> tuple[Distribution, ...]:
    """List the named distributions of all installed families.

    Families are found by the entry-point group ``milplib.generators``: those of milplib and
    any third party's.

    Returns
    -------
    tuple of Distribution
        In the order of the families' names, then as each family lists its own.

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
    for point in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda point: point.name):
        try:
            family = point.load()
            entries = tuple(family.distributions)
        except (ImportError, AttributeError) as error:
            raise MilplibError(
                f"the generator family '{point.name}' ({point.value}) cannot be loaded: {error}; "
                "reinstall the package that declares it"
            ) from error
        for entry in entries:
            if entry.name in found:
                raise MilplibError(
                    f"the generator family '{point.name}' claims the distribution name "
                    f"'{entry.name}', which another family already has"
                )
            found[entry.name] = entry
    return tuple(found.values())


def distribution(name: str) -> Distribution:
    """Look a distribution up by its name.

    Raises
    ------
    UnknownNameError
        If there is none of that name; the message suggests the nearest names.

    Examples
    --------
    >>> distribution("CA-easy").generator.n_items
    200
    """
    known = {entry.name: entry for entry in distributions()}
    if name not in known:
        raise UnknownNameError("distribution", name, known)
    return known[name]
