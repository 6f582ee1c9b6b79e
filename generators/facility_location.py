"""Capacitated facility location (Cornuéjols, Sridharan & Thizy 1991)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from milplib.errors import ParameterError
from milplib.generators.named import named
from milplib.generators.parameters import check_integer, check_real
from milplib.generators.randomness import random_stream, round_significant
from milplib.instance import Instance
from milplib.library import Distribution

__all__ = ["CapacitatedFacilityLocation"]

SMALLEST_DEMAND, LARGEST_DEMAND = 5, 35
SMALLEST_CAPACITY, LARGEST_CAPACITY = 10, 160  # before they are scaled to the demand


@dataclass(frozen=True, kw_only=True)
class CapacitatedFacilityLocation:
    r"""Capacitated facility location: open facilities and serve all customers at least cost.

    Customer i has the demand :math:`d_i`, facility j the capacity :math:`k_j` and the fixed cost
    :math:`f_j`; :math:`x_{ij}` is the share of customer i's demand that facility j serves, at the
    cost :math:`t_{ij}` for the whole:

    .. math::
        \min \sum_{ij} t_{ij} x_{ij} + \sum_j f_j y_j \quad \text{with}\quad
        & \sum_j x_{ij} \ge 1 \;\forall i,\quad
        \sum_i d_i x_{ij} \le k_j y_j \;\forall j,\quad
        \sum_j k_j y_j \ge \sum_i d_i, \\
        & x_{ij} \le y_j,\; 0 \le x_{ij} \le 1 \;\forall i, j,\quad y_j \in \{0, 1\} \;\forall j

    The columns are ``x_1_1, x_1_2, …`` by customer, then ``y_1, y_2, …``; the rows are the
    customers' ``demand_i``, the facilities' ``capacity_j``, ``total_capacity``, and
    ``link_i_j`` by customer.

    Customers and facilities lie uniformly in the unit square, and demands are integers, uniform
    in 5 … 35 (units of goods). Unscaled capacities :math:`c_j` are integers, uniform in 10 … 160;
    fixed costs are :math:`\lfloor u \sqrt{c_j} + v \rfloor` (units of money) with integers u in
    100 … 110 and v in 0 … 90; capacities are
    :math:`k_j = \lfloor c_j \cdot \text{ratio} \cdot \sum_i d_i / \sum_j c_j \rfloor`.
    Transport costs :math:`t_{ij}` are ``transport_cost`` times demand times distance, rounded to 9
    significant digits.

    Parameters
    ----------
    n_customers
        Number of customers, at least 1.
    n_facilities
        Number of facilities, at least 1.
    ratio
        Ratio of total capacity to total demand before capacities are rounded down. It must make
        every instance feasible: at least ``1 + n_facilities / (5 n_customers)``.
    transport_cost
        Cost (units of money) of carrying a unit of goods over a unit of distance, above 0 and at
        most 10⁹; 10 in the reference. A higher cost makes it worthwhile to open more facilities.
    links
        Whether to add the rows ``link_i_j``. The capacities imply them for binary y. Without them
        the relaxation is smaller and weaker, and needs more branching.

    Raises
    ------
    ParameterError
        If a parameter is outside its range.

    References
    ----------
    G. Cornuéjols, R. Sridharan, J.-M. Thizy (1991). A comparison of heuristics and relaxations for
    the capacitated plant location problem. European Journal of Operational Research 50 (the
    random test problems).

    Examples
    --------
    >>> instance = CapacitatedFacilityLocation(n_customers=50, n_facilities=50).generate(seed=7)
    >>> instance.n_rows, instance.n_columns, instance.n_nonzeros
    (2601, 2550, 10100)
    >>> instance.column_names[0], instance.column_names[-1]
    ('x_1_1', 'y_50')
    """

    n_customers: int
    n_facilities: int
    ratio: float = 5
    transport_cost: float = field(default=10, metadata={"later": True})
    links: bool = field(default=True, metadata={"later": True})

    domain: ClassVar[str] = "CFLP"
    generator_version: ClassVar[int] = 1
    distributions: ClassVar[tuple[Distribution, ...]]

    def __post_init__(self) -> None:
        check_integer("n_customers", self.n_customers, at_least=1)
        check_integer("n_facilities", self.n_facilities, at_least=1)
        check_real("ratio", self.ratio, above=1)
        check_real("transport_cost", self.transport_cost, above=0, at_most=10**9)
        if not isinstance(self.links, bool):
            raise ParameterError(f"links is {self.links!r}, expected True or False")
        # Rounding down costs each facility less than one unit, and the total demand is at least
        # n_customers · SMALLEST_DEMAND.
        surplus = self.n_facilities / (self.n_customers * SMALLEST_DEMAND)
        if self.ratio < 1 + surplus:
            smallest = 1 + math.ceil(10**6 * surplus) / 10**6
            raise ParameterError(
                f"ratio is {self.ratio!r}, expected at least {smallest} for "
                f"{self.n_customers} customers and {self.n_facilities} facilities: capacities "
                "are rounded down and could fall short of the demand"
            )

    def generate(self, seed: int) -> Instance:
        """Generate the instance of a seed.

        Raises
        ------
        ParameterError
            If the seed is not a nonnegative integer.
        """
        stream = random_stream(seed)

        def integers(smallest: int, largest: int, size: int) -> npt.NDArray[np.int64]:
            return stream.randint(smallest, largest + 1, size=size, dtype=np.int64)

        customers = stream.random_sample((self.n_customers, 1, 2))
        facilities = stream.random_sample((1, self.n_facilities, 2))
        demands = integers(SMALLEST_DEMAND, LARGEST_DEMAND, self.n_customers)
        unscaled = integers(SMALLEST_CAPACITY, LARGEST_CAPACITY, self.n_facilities)
        cost_of_root_capacity = integers(100, 110, self.n_facilities)
        base_cost = integers(0, 90, self.n_facilities)
        fixed_costs = np.floor(cost_of_root_capacity * np.sqrt(unscaled) + base_cost)
        capacities = np.floor(unscaled * self.ratio * int(demands.sum()) / int(unscaled.sum()))
        # Every processor rounds products, sums and square roots in the same way, but not hypot.
        dx, dy = np.moveaxis(customers - facilities, -1, 0)
        distances = np.sqrt(dx * dx + dy * dy)
        transport_costs = self.transport_cost * demands[:, np.newaxis] * distances
        return self._instance(
            demands, capacities, fixed_costs, transport_costs, name=f"{self.domain}-seed-{seed}"
        )

    def _instance(
        self,
        demands: npt.NDArray[np.int64],
        capacities: npt.NDArray[np.float64],
        fixed_costs: npt.NDArray[np.float64],
        transport_costs: npt.NDArray[np.float64],
        *,
        name: str,
    ) -> Instance:
        n_pairs = self.n_customers * self.n_facilities
        n_links = n_pairs if self.links else 0
        each_customer, each_facility = (
            sp.eye_array(self.n_customers),
            sp.eye_array(self.n_facilities),
        )
        blocks = [
            [sp.kron(each_customer, np.ones((1, self.n_facilities))), None],
            [sp.kron(demands[np.newaxis], each_facility), sp.diags_array(-capacities)],
            [None, sp.csr_array(capacities[np.newaxis])],
        ]
        if self.links:
            of_facility = sp.kron(np.full((self.n_customers, 1), -1), each_facility)
            blocks.append([sp.eye_array(n_pairs), of_facility])
        customers = range(1, self.n_customers + 1)
        facilities = range(1, self.n_facilities + 1)
        pairs = [f"{customer}_{facility}" for customer in customers for facility in facilities]
        return Instance(
            objective=np.append(round_significant(transport_costs.ravel()), fixed_costs),
            A=sp.block_array(blocks, format="csr"),
            row_lower=np.concatenate(
                (
                    np.ones(self.n_customers),
                    np.full(self.n_facilities, -np.inf),
                    [demands.sum()],
                    np.full(n_links, -np.inf),
                )
            ),
            row_upper=np.concatenate(
                (
                    np.full(self.n_customers, np.inf),
                    np.zeros(self.n_facilities),
                    [np.inf],
                    np.zeros(n_links),
                )
            ),
            lower=np.zeros(n_pairs + self.n_facilities),
            upper=np.ones(n_pairs + self.n_facilities),
            integrality=np.repeat([0, 1], [n_pairs, self.n_facilities]),
            column_names=(
                *(f"x_{pair}" for pair in pairs),
                *(f"y_{facility}" for facility in facilities),
            ),
            row_names=(
                *(f"demand_{customer}" for customer in customers),
                *(f"capacity_{facility}" for facility in facilities),
                "total_capacity",
                *(f"link_{pair}" for pair in pairs[:n_links]),
            ),
            sense="minimize",
            name=name,
        )


CapacitatedFacilityLocation.distributions = (
    named("easy", CapacitatedFacilityLocation(n_customers=100, n_facilities=100), "published"),
    named("medium", CapacitatedFacilityLocation(n_customers=200, n_facilities=100), "published"),
    named(
        "milplib-small",
        CapacitatedFacilityLocation(n_customers=40, n_facilities=20, ratio=3),
        "milplib",
    ),
    named(
        "milplib-judging", CapacitatedFacilityLocation(n_customers=60, n_facilities=40), "milplib"
    ),
    named(
        "milplib-deep",
        CapacitatedFacilityLocation(
            n_customers=110, n_facilities=65, ratio=2.5, transport_cost=30, links=False
        ),
        "milplib",
    ),
)
