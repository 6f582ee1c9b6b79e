"""Instance generators: one module a problem family, the published distributions by name."""

from __future__ import annotations

from milplib.generators.combinatorial_auction import CombinatorialAuction
from milplib.generators.facility_location import CapacitatedFacilityLocation
from milplib.generators.independent_set import IndependentSet
from milplib.generators.set_cover import SetCover
from milplib.library import InstanceGenerator, distribution, generator_of

__all__ = [
    "CapacitatedFacilityLocation",
    "CombinatorialAuction",
    "IndependentSet",
    "SetCover",
    "from_name",
]


def from_name(name: str) -> InstanceGenerator:
    """Give the generator of a named distribution.

    Parameters
    ----------
    name
        Such as ``"CA-easy"``; `milplib.distributions` lists them, those of third parties'
        families among them.

    Returns
    -------
    InstanceGenerator
        The family with the parameters of the distribution.

    Raises
    ------
    UnknownNameError
        If there is no distribution of that name; the message suggests the nearest names.
    NoGeneratorError
        If no installed family generates it.

    Examples
    --------
    >>> from_name("SC-easy")
    SetCover(n_rows=500, n_columns=1000, density=0.05, max_cost=100)
    """
    return generator_of(distribution(name))
