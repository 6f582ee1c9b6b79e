"""Random networks of vendors, fulfilment centres and delivery sites, with a feasible plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

__all__ = ["ConsolidationNetwork", "draw_network"]

SQUARE, REGION = 1000, 150  # km: side of the square, half the side of a region
SPEED = 50  # km/h
DISPATCH_COST, KILOMETRES_OF_UNIT_COST = 100, 2  # of one vehicle

Integers = npt.NDArray[np.int64]


class NetworkSizes(Protocol):
    """Parameters of `MiddleMileNetwork` that determine the network."""

    @property
    def n_vendors(self) -> int: ...
    @property
    def n_sites(self) -> int: ...
    @property
    def n_commodities(self) -> int: ...
    @property
    def n_centres(self) -> int: ...
    @property
    def n_regions(self) -> int: ...
    @property
    def max_paths(self) -> int: ...
    @property
    def max_pallets(self) -> int: ...
    @property
    def vehicle_pallets(self) -> int: ...
    @property
    def horizon(self) -> int: ...
    @property
    def spare_dispatches(self) -> int: ...
    @property
    def slack(self) -> float: ...


@dataclass(frozen=True, eq=False)
class ConsolidationNetwork:
    """Commodities, their paths, the arcs of the paths, and a feasible plan.

    Nodes are numbered from 0: vendors, then centres, then sites. All arrays except `legs` are
    int64.

    Parameters
    ----------
    commodities
        Vendor and site of each commodity, shape (commodities, 2).
    pallets
        Amounts in the horizon, shape (commodities,).
    deadlines
        Lead times in hours, shape (commodities,).
    commodity_of
        Commodity of each path, ascending, shape (paths,).
    stops
        Nodes of each path from vendor to site, padded in front with -1 to four nodes, shape
        (paths, 4).
    legs
        Ones where a path uses an arc, shape (paths, arcs), float64.
    arcs
        Tail and head of each arc, shape (arcs, 2).
    hours, costs
        Hours of travel and cost of a dispatch on each arc, shape (arcs,).
    largest_frequencies
        Maximum number of dispatches on each arc, at least 1, shape (arcs,).
    plan
        Path of each commodity in the plan, shape (commodities,).
    plan_frequencies
        Number of dispatches on each arc in the plan, 0 for unused arcs, shape (arcs,).
    """

    commodities: Integers
    pallets: Integers
    deadlines: Integers
    commodity_of: Integers
    stops: Integers
    legs: sp.csr_array
    arcs: Integers
    hours: Integers
    costs: Integers
    largest_frequencies: Integers
    plan: Integers
    plan_frequencies: Integers


def draw_network(stream: np.random.RandomState, sizes: NetworkSizes) -> ConsolidationNetwork:
    """Draw a network with a feasible plan.

    Examples
    --------
    >>> from milplib.generators.middle_mile_network import MiddleMileNetwork
    >>> family = MiddleMileNetwork(n_vendors=2, n_sites=1, n_commodities=2)
    >>> network = draw_network(np.random.RandomState(0), family)
    >>> network.commodities.tolist(), network.stops[network.plan].tolist()
    ([[0, 10], [1, 10]], [[-1, 0, 8, 10], [-1, 1, 8, 10]])
    """

    def integers(smallest: int, largest: int, *size: int) -> Integers:
        return stream.randint(smallest, largest + 1, size=size, dtype=np.int64)

    regions = np.concatenate(
        [np.arange(n) % sizes.n_regions for n in (sizes.n_vendors, sizes.n_centres, sizes.n_sites)]
    )
    places = integers(0, SQUARE, sizes.n_regions, 2)[regions]
    places = places + integers(-REGION, REGION, len(regions), 2)
    pairs = np.sort(stream.permutation(sizes.n_vendors * sizes.n_sites)[: sizes.n_commodities])
    vendor, site = np.divmod(pairs.astype(np.int64), sizes.n_sites)
    commodities = np.column_stack((vendor, sizes.n_vendors + sizes.n_centres + site))
    pallets = integers(1, sizes.max_pallets, sizes.n_commodities)

    commodity_of, stops = _shortest_paths(sizes, regions, places, commodities)
    arcs, legs = _arcs_of(stops)
    # Coordinates are integers: distances are exact except for the correctly rounded root.
    kilometres = np.floor(_distances(places, arcs)).astype(np.int64)
    hours = kilometres // SPEED + 1

    # The paths of a commodity are contiguous, and the plan uses one of them.
    n_paths = np.bincount(commodity_of, minlength=sizes.n_commodities)
    first = np.cumsum(n_paths) - n_paths
    drawn = np.floor(stream.random_sample(sizes.n_commodities) * n_paths).astype(np.int64)
    plan = first + drawn
    load = np.rint(pallets @ legs[plan]).astype(np.int64)
    spare = integers(0, sizes.spare_dispatches, 2, len(arcs))
    used = load > 0
    plan_frequencies = used * (-(-load // sizes.vehicle_pallets) + spare[0])
    largest = np.maximum(plan_frequencies + spare[1], 1)

    lead_times = legs[plan] @ (hours + sizes.horizon / (2 * np.maximum(plan_frequencies, 1)))
    stretch = 1 + sizes.slack * stream.random_sample(sizes.n_commodities)
    # The next whole hour, so that rounded waits do not make the plan late.
    deadlines = np.floor(lead_times * stretch).astype(np.int64) + 1

    quickest = legs @ (hours + sizes.horizon / (2 * largest))
    kept = np.round(quickest, 6) < deadlines[commodity_of]
    plan = (np.cumsum(kept) - 1)[plan]
    legs = legs[kept]
    on_path = np.asarray(legs.sum(axis=0)).ravel() > 0
    return ConsolidationNetwork(
        commodities=commodities,
        pallets=pallets,
        deadlines=deadlines,
        commodity_of=commodity_of[kept],
        stops=stops[kept],
        legs=sp.csr_array(legs[:, np.flatnonzero(on_path)]),
        arcs=arcs[on_path],
        hours=hours[on_path],
        costs=(DISPATCH_COST + kilometres // KILOMETRES_OF_UNIT_COST)[on_path],
        largest_frequencies=largest[on_path],
        plan=plan,
        plan_frequencies=plan_frequencies[on_path],
    )


def _shortest_paths(
    sizes: NetworkSizes, regions: Integers, places: Integers, commodities: Integers
) -> tuple[Integers, Integers]:
    """Return the commodity and the stops of every path, by commodity and length."""
    none_or_centre = np.append(-1, sizes.n_vendors + np.arange(sizes.n_centres))
    first, second = (
        grid.ravel() for grid in np.meshgrid(none_or_centre, none_or_centre, indexing="ij")
    )
    vendors, sites = commodities[:, :1], commodities[:, 1:]
    near_site = regions[second] == regions[sites]
    through_one = (regions[second] == regions[vendors]) | near_site
    through_two = (regions[first] == regions[vendors]) & near_site & (first != second)
    allowed = np.where(first < 0, (second < 0) | through_one, (second >= 0) & through_two)
    commodity_of, choice = np.nonzero(allowed)
    vendor, site = commodities[commodity_of].T
    stops = np.column_stack((vendor, first[choice], second[choice], site))
    to_the_right = np.argsort(stops >= 0, axis=1, kind="stable")
    stops = np.take_along_axis(stops, to_the_right, axis=1)
    length = np.sum(
        [
            np.where(stops[:, leg] < 0, 0, _distances(places, stops[:, leg : leg + 2]))
            for leg in range(3)
        ],
        axis=0,
    )
    order = np.lexsort((choice, length, commodity_of))
    n_choices = np.bincount(commodity_of)
    rank = np.arange(len(order)) - np.repeat(np.cumsum(n_choices) - n_choices, n_choices)
    order = order[rank < sizes.max_paths]
    return commodity_of[order], stops[order]


def _distances(places: Integers, pairs: Integers) -> npt.NDArray[np.float64]:
    apart = places[pairs[:, 0]] - places[pairs[:, 1]]
    distances: npt.NDArray[np.float64] = np.sqrt((apart * apart).sum(axis=1))
    return distances


def _arcs_of(stops: Integers) -> tuple[Integers, sp.csr_array]:
    """Return the arcs (tail, head) of paths, and the incidence matrix of paths and arcs."""
    path, leg = np.nonzero(stops[:, :-1] >= 0)
    arcs, arc_of = np.unique(
        np.column_stack((stops[path, leg], stops[path, leg + 1])), axis=0, return_inverse=True
    )
    legs = sp.csr_array((np.ones(len(path)), (path, arc_of.ravel())), (len(stops), len(arcs)))
    return arcs, legs
