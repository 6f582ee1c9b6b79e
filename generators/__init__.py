"""Instance generators: a module per problem family, and the published distributions by name."""

from __future__ import annotations

from milplib.arguments import checked
from milplib.generators.abduction import Abduction
from milplib.generators.architecture_search import ArchitectureSearch
from milplib.generators.code_test_selection import CodeTestSelection
from milplib.generators.combinatorial_auction import CombinatorialAuction
from milplib.generators.dimacs import read_dimacs
from milplib.generators.expert_placement import ExpertPlacement
from milplib.generators.facility_location import CapacitatedFacilityLocation
from milplib.generators.generalized_independent_set import GeneralizedIndependentSet
from milplib.generators.independent_set import IndependentSet, independent_set
from milplib.generators.item_placement import ItemPlacement
from milplib.generators.load_balancing import LoadBalancing
from milplib.generators.maritime_inventory_routing import MaritimeInventoryRouting
from milplib.generators.middle_mile_network import MiddleMileNetwork
from milplib.generators.network_verification import NetworkVerification
from milplib.generators.pipe_network import SeismicResilientPipeNetwork
from milplib.generators.set_cover import SetCover
from milplib.generators.transmission_switching import TransmissionSwitching
from milplib.generators.vertex_cover import MinimumVertexCover
from milplib.generators.wildlife_corridor import WildlifeCorridor
from milplib.library import InstanceGenerator, find_distribution, find_generator, register

__all__ = [
    "Abduction",
    "ArchitectureSearch",
    "CapacitatedFacilityLocation",
    "CodeTestSelection",
    "CombinatorialAuction",
    "ExpertPlacement",
    "GeneralizedIndependentSet",
    "IndependentSet",
    "ItemPlacement",
    "LoadBalancing",
    "MaritimeInventoryRouting",
    "MiddleMileNetwork",
    "MinimumVertexCover",
    "NetworkVerification",
    "SeismicResilientPipeNetwork",
    "SetCover",
    "TransmissionSwitching",
    "WildlifeCorridor",
    "from_name",
    "independent_set",
    "read_dimacs",
    "register",
]


@checked
def from_name(name: str) -> InstanceGenerator:
    """Return the generator of a named distribution.

    Parameters
    ----------
    name
        Name of a distribution, such as ``"CA-easy"``. `milplib.distributions` lists all of
        them, including those of third parties.

    Returns
    -------
    InstanceGenerator
        The family with the parameters of the distribution.

    Raises
    ------
    UnknownNameError
        If no distribution has this name. The message suggests similar names.
    NoGeneratorError
        If no installed family generates the distribution.

    Examples
    --------
    >>> from_name("SC-easy")
    SetCover(n_rows=500, n_columns=1000, density=0.05, max_cost=100)
    """
    return find_generator(find_distribution(name))
