"""Maritime inventory routing on a time-space network (Papageorgiou et al. 2014)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from milplib.generators.named import named
from milplib.generators.parameters import check_integer, check_real
from milplib.generators.randomness import random_stream, round_significant
from milplib.generators.shipping import (
    LARGEST_TRANSFER,
    LATEST_START,
    SMALLEST_TRANSFER,
    ShippingScenario,
    draw_scenario,
)
from milplib.instance import Instance
from milplib.library import Distribution

__all__ = ["MaritimeInventoryRouting"]

WAITING_COST = 1  # per vessel and period

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class MaritimeInventoryRouting:
    r"""Maritime inventory routing: carry one product between ports before their stores run over.

    Port i produces the product and loads vessels (:math:`\delta_i = 1`), or consumes it and
    discharges vessels (:math:`\delta_i = -1`): :math:`d_{it}` units in period (day) t. Vessel v
    starts at a port in one of the first periods and moves through the reachable nodes (i, t) along
    arcs :math:`A_v`: it waits for the next period, travels to another port, or leaves for good. A
    store holds up to :math:`S_i` units, a vessel up to :math:`C_v`. A delivered unit earns R. At
    the price P per unit, the spot market buys from producing ports and sells to consuming ports:

    .. math::
        \min \sum_{v,\, a \in A_v} c_a x_{va}
        - R \sum_{v,\, i: \delta_i = -1,\, t} q_{vit} + P \sum_{it} \alpha_{it}
        \quad \text{with}\quad
        & \sum_{a \text{ out of } (i,t)} x_{va} - \sum_{a \text{ into } (i,t)} x_{va}
        = [v \text{ starts at } (i,t)] \;\forall v, i, t, \\
        & s_{it} = s_{i,t-1} + \delta_i \Bigl(d_{it} - \sum_v q_{vit} - \alpha_{it}\Bigr)
        \;\forall i, t, \quad
        I_{vt} = I_{v,t-1} + \sum_i \delta_i q_{vit} \;\forall v, t, \\
        & q^{\min} z_{vit} \le q_{vit} \le q^{\max} z_{vit}, \quad
        z_{vit} \le \sum_{a \text{ out of } (i,t)} x_{va} \;\forall v, i, t, \quad
        \sum_v z_{vit} \le B \;\forall i, t

    with binary x (an arc is taken) and z (goods are transferred), :math:`0 \le q \le q^{\max}`,
    stores :math:`0 \le s_{it} \le S_i`, cargoes :math:`0 \le I_{vt} \le C_v` and spot amounts
    :math:`0 \le \alpha_{it} \le d_{it}`.

    The columns are ``travel_v_i_j_t`` (from port i in period t to port j), ``wait_v_i_t`` and
    ``leave_v_i_t``, ``operate_v_i_t`` (z), ``quantity_v_i_t`` (q), ``cargo_v_t`` (I), ``stock_i_t``
    (s) and ``spot_i_t`` (α), in this order, all numbered from 1, loading ports first. The rows are
    ``route_v_i_t``, ``stock_i_t``, ``cargo_v_t``, ``least_v_i_t``, ``most_v_i_t``,
    ``present_v_i_t`` and, where more vessels than berths can meet, ``berths_i_t``. The nodes and
    cargoes of a vessel begin with its start.

    Ports are uniform on the integer points of a square of 1000 nautical miles. A vessel travels
    300 miles in a period; a trip takes whole periods, at least one. A discharging port consumes
    6 … 14 units on average, within 2 of this mean in each period. The mean of a loading port is
    an equal share of all consumption times a number in 0.8 … 1.2, rounded down, but at least 3. A
    store holds 8 … 14 times the mean, and a vessel 60 … 120 units. Initial stocks and cargoes,
    start ports and start periods (1 … 3) are uniform. A transfer moves 10 … 50 units in a period.
    A trip costs 20 plus 1 for every 4 miles, rounded down; waiting costs 1 per period; leaving is
    free.

    Every instance is feasible: all vessels leave at once, and the spot market trades all goods
    (α = d). Its relaxation is bounded, as all columns are.

    Parameters
    ----------
    n_loading_ports, n_discharging_ports
        Number of producing and of consuming ports, at least 1 each.
    n_vessels
        Number of vessels, at least 1.
    n_periods
        Number of periods, at least 3, the latest start of a vessel.
    n_berths
        Maximum number of vessels that a port serves in a period (B), at least 1.
    revenue
        Revenue of a delivered unit (R), at least 0.
    spot_price
        Price of a unit on the spot market (P), more than `revenue`.

    Raises
    ------
    ParameterError
        If a parameter is outside its range.

    References
    ----------
    D. J. Papageorgiou, G. L. Nemhauser, J. Sokol, M.-S. Cheon, A. B. Keha (2014). MIRPLib – A
    library of maritime inventory routing problem instances: Survey, core model, and benchmark
    results. European Journal of Operational Research 235. (The core model; the numbers are
    milplib's own.)

    Examples
    --------
    >>> routing = MaritimeInventoryRouting(
    ...     n_loading_ports=1, n_discharging_ports=2, n_vessels=2, n_periods=10
    ... )
    >>> instance = routing.generate(seed=7)
    >>> instance.n_rows, instance.n_columns, instance.n_nonzeros
    (226, 282, 761)
    >>> instance.column_names[0], instance.column_names[-1], instance.row_names[0]
    ('travel_1_1_2_7', 'spot_3_10', 'route_1_1_7')
    """

    n_loading_ports: int
    n_discharging_ports: int
    n_vessels: int
    n_periods: int
    n_berths: int = 1
    revenue: float = 5
    spot_price: float = 8

    domain: ClassVar[str] = "MIRP"
    generator_version: ClassVar[int] = 1
    distributions: ClassVar[tuple[Distribution, ...]]

    def __post_init__(self) -> None:
        for name in ("n_loading_ports", "n_discharging_ports", "n_vessels", "n_berths"):
            check_integer(name, getattr(self, name), at_least=1)
        check_integer("n_periods", self.n_periods, at_least=LATEST_START)
        check_real("revenue", self.revenue, at_least=0)
        check_real("spot_price", self.spot_price, above=self.revenue)

    def generate(self, seed: int) -> Instance:
        """Generate the instance of a seed.

        Raises
        ------
        ParameterError
            If the seed is not a nonnegative integer.
        """
        scenario = draw_scenario(random_stream(seed), self)
        return self._instance(scenario, name=f"{self.domain}-seed-{seed}")

    def _instance(self, scenario: ShippingScenario, *, name: str) -> Instance:
        n_ports, n_vessels, n_periods = len(scenario.stores), self.n_vessels, self.n_periods
        vessels, ports, periods = np.arange(n_vessels), np.arange(n_ports), np.arange(n_periods)

        earliest = scenario.start_periods[:, np.newaxis] + scenario.days[scenario.start_ports]
        reached = periods >= earliest[:, :, np.newaxis]
        vessel, port, period = np.nonzero(reached)
        n_nodes = len(vessel)
        nodes = np.arange(n_nodes)
        node_of = np.full(reached.shape, -1)
        node_of[reached] = nodes
        starts = node_of[vessels, scenario.start_ports, scenario.start_periods]

        arrival = period[:, np.newaxis] + scenario.days[port]
        travels = (arrival < n_periods) & (port[:, np.newaxis] != ports)
        tail, to = np.nonzero(travels)
        head = node_of[vessel[tail], to, arrival[travels]]
        waiting = np.flatnonzero(period < n_periods - 1)
        next_day = node_of[vessel[waiting], port[waiting], period[waiting] + 1]
        sails = periods >= scenario.start_periods[:, np.newaxis]
        cargo_vessel, cargo_period = np.nonzero(sails)
        n_cargoes = len(cargo_vessel)
        cargo_of = np.full(sails.shape, -1)
        cargo_of[sails] = np.arange(n_cargoes)
        later = np.flatnonzero(cargo_period > scenario.start_periods[cargo_vessel])
        n_stocks = n_ports * n_periods
        stock = port * n_periods + period
        second_day_on = np.flatnonzero(np.arange(n_stocks) % n_periods)
        crowded = reached.sum(axis=0) > self.n_berths
        n_crowded = int(crowded.sum())
        berth_of = np.full(crowded.shape, -1)
        berth_of[crowded] = np.arange(n_crowded)
        at_crowded = np.flatnonzero(crowded[port, period])

        sizes = (len(tail), len(waiting), *(n_nodes,) * 3, n_cargoes, n_stocks, n_stocks)
        travel, wait, leave, operate, quantity, cargo, stored, spot = np.split(
            np.arange(sum(sizes)), np.cumsum(sizes)[:-1]
        )
        direction = scenario.direction[port]
        row_sizes = (n_nodes, n_stocks, n_cargoes, *(n_nodes,) * 3, n_crowded)
        route, balance, load, least, most, present, berths = np.split(
            np.arange(sum(row_sizes)), np.cumsum(row_sizes)[:-1]
        )
        entries: list[tuple[Integers, Integers, npt.ArrayLike]] = [
            (route[tail], travel, 1),
            (route[head], travel, -1),
            (route[waiting], wait, 1),
            (route[next_day], wait, -1),
            (route, leave, 1),
            (balance, stored, 1),
            (balance[second_day_on], stored[second_day_on - 1], -1),
            (balance[stock], quantity, direction),
            (balance, spot, np.repeat(scenario.direction, n_periods)),
            (load, cargo, 1),
            (load[later], cargo[later - 1], -1),
            (load[cargo_of[vessel, period]], quantity, -direction),
            (least, quantity, 1),
            (least, operate, -SMALLEST_TRANSFER),
            (most, quantity, 1),
            (most, operate, -LARGEST_TRANSFER),
            (present, operate, 1),
            (present[tail], travel, -1),
            (present[waiting], wait, -1),
            (present, leave, -1),
            (berths[berth_of[port, period][at_crowded]], operate[at_crowded], 1),
        ]
        data = [np.broadcast_to(values, len(rows)) for rows, _, values in entries]
        matrix = sp.csr_array(
            (
                np.concatenate(data).astype(np.float64),
                tuple(np.concatenate([entry[axis] for entry in entries]) for axis in (0, 1)),
            ),
            shape=(sum(row_sizes), sum(sizes)),
        )

        objective = np.zeros(sum(sizes))
        objective[travel] = scenario.trip_costs[port[tail], to]
        objective[wait] = WAITING_COST
        (revenue, spot_price) = round_significant((self.revenue, self.spot_price))
        objective[quantity[direction < 0]] = -revenue
        objective[spot] = spot_price
        upper = np.ones(sum(sizes))
        upper[quantity] = LARGEST_TRANSFER
        upper[cargo] = scenario.capacities[cargo_vessel]
        upper[stored] = np.repeat(scenario.stores, n_periods)
        upper[spot] = scenario.amounts.ravel()
        row_upper = np.zeros(sum(row_sizes))
        row_upper[route[starts]] = 1
        row_upper[balance] = (scenario.direction[:, np.newaxis] * scenario.amounts).ravel()
        row_upper[balance[::n_periods]] += scenario.stocks
        row_upper[load[cargo_of[vessels, scenario.start_periods]]] = scenario.cargoes
        row_upper[least] = np.inf
        row_upper[berths] = self.n_berths
        row_lower = row_upper.copy()
        row_lower[least] = 0
        row_lower[most[0] :] = -np.inf
        integrality = np.zeros(sum(sizes), np.uint8)
        integrality[: quantity[0]] = 1

        at_node = _numbered(vessel, port, period)
        of_cargo, of_stock = (
            _numbered(cargo_vessel, cargo_period),
            _numbered(*np.divmod(np.arange(n_stocks), n_periods)),
        )
        return Instance(
            objective=objective,
            A=matrix,
            row_lower=row_lower,
            row_upper=row_upper,
            lower=np.zeros(sum(sizes)),
            upper=upper,
            integrality=integrality,
            column_names=(
                *(f"travel_{v}" for v in _numbered(vessel[tail], port[tail], to, period[tail])),
                *(f"wait_{at_node[node]}" for node in waiting.tolist()),
                *(f"{kind}_{at}" for kind in ("leave", "operate", "quantity") for at in at_node),
                *(f"cargo_{at}" for at in of_cargo),
                *(f"{kind}_{at}" for kind in ("stock", "spot") for at in of_stock),
            ),
            row_names=(
                *(f"route_{at}" for at in at_node),
                *(f"stock_{at}" for at in of_stock),
                *(f"cargo_{at}" for at in of_cargo),
                *(f"{kind}_{at}" for kind in ("least", "most", "present") for at in at_node),
                *(f"berths_{at}" for at in _numbered(*np.nonzero(crowded))),
            ),
            sense="minimize",
            name=name,
        )


def _numbered(*indices: Integers) -> list[str]:
    """Join indices, numbered from 1, as in names."""
    return ["_".join(map(str, numbers)) for numbers in (np.column_stack(indices) + 1).tolist()]


MaritimeInventoryRouting.distributions = (
    named(
        "milplib-easy",
        MaritimeInventoryRouting(
            n_loading_ports=1, n_discharging_ports=2, n_vessels=2, n_periods=12
        ),
        "milplib",
    ),
    named(
        "milplib-hard",
        MaritimeInventoryRouting(
            n_loading_ports=2, n_discharging_ports=4, n_vessels=3, n_periods=30
        ),
        "milplib",
    ),
)
