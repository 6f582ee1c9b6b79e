"""Random ports and vessels for maritime inventory routing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

__all__ = [
    "LARGEST_TRANSFER",
    "LATEST_START",
    "SMALLEST_TRANSFER",
    "ShippingScenario",
    "draw_scenario",
]

SQUARE, SPEED = 1000, 300  # nautical miles; nautical miles per day
SMALLEST_RATE, LARGEST_RATE = 6, 14  # mean daily consumption of a port, in units of the product
SMALLEST_STORE, LARGEST_STORE = 8, 14  # in mean daily productions or consumptions of the port
SMALLEST_VESSEL, LARGEST_VESSEL = 60, 120  # units of the product
SMALLEST_TRANSFER, LARGEST_TRANSFER = 10, 50  # units between a vessel and a port in a day
DEVIATION = 2  # maximum deviation of a period's production or consumption from its mean
LATEST_START = 3  # period
PORT_FEE, MILES_OF_UNIT_COST = 20, 4  # of a trip

Integers = npt.NDArray[np.int64]


class ShippingSizes(Protocol):
    """Parameters of `MaritimeInventoryRouting` that determine the scenario."""

    @property
    def n_loading_ports(self) -> int: ...
    @property
    def n_discharging_ports(self) -> int: ...
    @property
    def n_vessels(self) -> int: ...
    @property
    def n_periods(self) -> int: ...


@dataclass(frozen=True, eq=False)
class ShippingScenario:
    """Ports and vessels, numbered from 0, with loading ports first.

    Goods are in units of the product. All arrays except `trip_costs` are int64.

    Parameters
    ----------
    direction
        1 for a loading port and -1 for a discharging port, shape (ports,).
    days
        Duration of a trip in periods, 0 from a port to itself, shape (ports, ports).
    trip_costs
        Cost of a trip, shape (ports, ports), float64.
    amounts
        Production or consumption of a port in each period, shape (ports, periods).
    stores, stocks
        Capacity and initial stock of a port's store, shape (ports,).
    capacities, cargoes
        Capacity and initial cargo of a vessel, shape (vessels,).
    start_ports, start_periods
        Start port and start period of a vessel, numbered from 0, shape (vessels,).
    """

    direction: Integers
    days: Integers
    trip_costs: npt.NDArray[np.float64]
    amounts: Integers
    stores: Integers
    stocks: Integers
    capacities: Integers
    cargoes: Integers
    start_ports: Integers
    start_periods: Integers


def draw_scenario(stream: np.random.RandomState, sizes: ShippingSizes) -> ShippingScenario:
    """Draw the ports and vessels of an instance.

    Examples
    --------
    >>> from milplib.generators.maritime_inventory_routing import MaritimeInventoryRouting
    >>> family = MaritimeInventoryRouting(
    ...     n_loading_ports=1, n_discharging_ports=1, n_vessels=2, n_periods=3
    ... )
    >>> scenario = draw_scenario(np.random.RandomState(0), family)
    >>> scenario.days.tolist(), scenario.capacities.tolist()
    ([[0, 2], [2, 0]], [81, 110])
    """

    def integers(smallest: int, largest: int, *size: int) -> Integers:
        return stream.randint(smallest, largest + 1, size=size, dtype=np.int64)

    def up_to(largest: Integers) -> Integers:
        return np.floor(stream.random_sample(len(largest)) * (largest + 1)).astype(np.int64)

    n_ports = sizes.n_loading_ports + sizes.n_discharging_ports
    places = integers(0, SQUARE, n_ports, 2)
    apart = places[:, np.newaxis] - places
    # Coordinates are integers: days and costs are those of exact arithmetic.
    miles = np.sqrt((apart * apart).sum(axis=2))
    days = np.maximum(np.ceil(miles / SPEED).astype(np.int64), 1 - np.eye(n_ports, dtype=int))
    consumed = integers(SMALLEST_RATE, LARGEST_RATE, sizes.n_discharging_ports)
    share = int(consumed.sum()) / sizes.n_loading_ports
    produced = np.floor(share * (0.8 + 0.4 * stream.random_sample(sizes.n_loading_ports)))
    means = np.append(np.maximum(produced.astype(np.int64), DEVIATION + 1), consumed)
    stores = means * integers(SMALLEST_STORE, LARGEST_STORE, n_ports)
    capacities = integers(SMALLEST_VESSEL, LARGEST_VESSEL, sizes.n_vessels)
    return ShippingScenario(
        direction=np.repeat([1, -1], [sizes.n_loading_ports, sizes.n_discharging_ports]),
        days=days,
        trip_costs=PORT_FEE + np.floor(miles / MILES_OF_UNIT_COST),
        amounts=means[:, np.newaxis] + integers(-DEVIATION, DEVIATION, n_ports, sizes.n_periods),
        stores=stores,
        stocks=up_to(stores),
        capacities=capacities,
        cargoes=up_to(capacities),
        start_ports=integers(0, n_ports - 1, sizes.n_vessels),
        start_periods=integers(0, LATEST_START - 1, sizes.n_vessels),
    )
