"""Wildlife corridors: connected subgraphs of a lattice within a budget (Dilkina & Gomes 2010)."""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from milplib.errors import ParameterError
from milplib.generators.named import named
from milplib.generators.parameters import check_integer, check_real
from milplib.generators.randomness import random_stream
from milplib.instance import Instance
from milplib.library import Distribution

__all__ = ["WildlifeCorridor", "connecting_parcels"]

Integers = npt.NDArray[np.int64]


def connecting_parcels(costs: Integers, order: int, reserves: Integers) -> list[int]:
    """Find parcels that connect all reserves at a low cost.

    Uses the shortest-path heuristic for Steiner trees: start with the first reserve, and
    repeatedly connect the reserve that is cheapest to reach. Ties are broken by smaller parcel
    numbers.

    Parameters
    ----------
    costs
        Cost of each parcel of the lattice, row by row. Shape (order²,), int64.
    order
        Number of parcels on each side of the lattice.
    reserves
        Parcels to connect, numbered from 0.

    Returns
    -------
    list of int
        Ascending parcel numbers, including the reserves.

    References
    ----------
    H. Takahashi, A. Matsuyama (1980). An approximate solution for the Steiner problem in graphs.
    Mathematica Japonica 24.

    Examples
    --------
    >>> connecting_parcels(np.array([0, 9, 0, 1, 1, 1, 9, 9, 9]), 3, np.array([0, 2]))
    [0, 2, 3, 4, 5]
    """
    joined = {int(reserves[0])}
    missing = {int(reserve) for reserve in reserves} - joined
    while missing:
        best = dict.fromkeys(joined, 0)
        before: dict[int, int] = {}
        queue = [(0, parcel) for parcel in sorted(joined)]
        while queue[0][1] not in missing:
            cost, parcel = heapq.heappop(queue)
            if cost > best[parcel]:
                continue
            row, column = divmod(parcel, order)
            for neighbor, inside in (
                (parcel - order, row > 0),
                (parcel - 1, column > 0),
                (parcel + 1, column < order - 1),
                (parcel + order, row < order - 1),
            ):
                if not inside:
                    continue
                through = cost + int(costs[neighbor])
                if through < best.get(neighbor, math.inf):
                    best[neighbor] = through
                    before[neighbor] = parcel
                    heapq.heappush(queue, (through, neighbor))
        parcel = queue[0][1]
        missing.remove(parcel)
        while parcel not in joined:
            joined.add(parcel)
            parcel = before[parcel]
    return sorted(joined)


@dataclass(frozen=True, kw_only=True)
class WildlifeCorridor:
    r"""Wildlife corridor: buy connected land of maximum utility that joins all reserves.

    The parcels of a square lattice are adjacent if they share a side. Parcel i has the cost
    :math:`c_i` and the utility :math:`u_i`. T is the set of reserves, the first of which is the
    root; B is the budget and n the number of parcels. :math:`x_i = 1` if parcel i is bought. For
    every bought parcel, one unit flows from a source (:math:`y_0` in total) through the root and
    bought parcels only; :math:`x_0` of the n units stay at the source:

    .. math::
        \min -\sum_i u_i x_i \quad \text{with}\quad
        & \sum_i c_i x_i \le B,\quad x_t = 1 \;\forall t \in T,\quad x_0 + y_0 = n, \\
        & f_{ij} \le n x_j \;\forall \text{ adjacent } i, j,\quad
          \sum_i f_{ij} + [j = \text{root}]\, y_0 = x_j + \sum_i f_{ji} \;\forall j, \\
        & \sum_i x_i = y_0,\quad x_i \in \{0, 1\},\; f, x_0, y_0 \ge 0

    The columns are ``purchase_i`` by parcel, ``flow_i_j`` by parcel and neighbour, ``x_0`` and
    ``y_0``; the rows ``budget``, ``reserve_t``, ``source``, ``link_i_j``, ``balance_j`` and
    ``purchased``. Parcels are numbered from 1, row by row of the lattice.

    Costs are integers, uniform in 1 … `max_cost`, and 0 for reserves; utilities are integers,
    uniform in 1 … `max_utility`. Two reserves are the first and the last parcel, in opposite
    corners of the lattice; the others are random. The budget is `budget_share` of the cost of all
    parcels, rounded down, but at least the cost of the parcels from `connecting_parcels`. Every
    instance is feasible: buy these parcels.

    Parameters
    ----------
    order
        Number of parcels on each side of the lattice, at least 2.
    n_reserves
        Number of reserves, from 2 to the number of parcels.
    budget_share
        Budget as a share of the cost of all parcels, from 0 to 1.
    max_cost
        Largest cost of a parcel, at least 1.
    max_utility
        Largest utility of a parcel, at least 1.

    Raises
    ------
    ParameterError
        If a parameter is outside its range.

    References
    ----------
    B. Dilkina, C. P. Gomes (2010). Solving connected subgraph problems in wildlife conservation.
    CPAIOR 2010 (the single-commodity flow formulation).

    J. M. Conrad, C. P. Gomes, W.-J. van Hoeve, A. Sabharwal, J. F. Suter (2012). Wildlife
    corridors as a connected subgraph problem. Journal of Environmental Economics and
    Management 63.

    Examples
    --------
    >>> instance = WildlifeCorridor(order=7).generate(seed=7)
    >>> instance.n_rows, instance.n_columns, instance.n_nonzeros
    (223, 219, 823)
    >>> instance.column_names[0], instance.column_names[-1]
    ('purchase_1', 'y_0')
    """

    order: int
    n_reserves: int = 3
    budget_share: float = 0.25
    max_cost: int = 100
    max_utility: int = 100

    domain: ClassVar[str] = "Corridor"
    generator_version: ClassVar[int] = 1
    distributions: ClassVar[tuple[Distribution, ...]]

    def __post_init__(self) -> None:
        check_integer("order", self.order, at_least=2)
        check_integer("n_reserves", self.n_reserves, at_least=2)
        if self.n_reserves > self.order**2:
            raise ParameterError(
                f"n_reserves is {self.n_reserves}, expected at most the {self.order**2} parcels"
            )
        check_real("budget_share", self.budget_share, at_least=0, at_most=1)
        check_integer("max_cost", self.max_cost, at_least=1)
        check_integer("max_utility", self.max_utility, at_least=1)

    def generate(self, seed: int) -> Instance:
        """Generate the instance of a seed.

        Raises
        ------
        ParameterError
            If the seed is not a nonnegative integer.
        """
        stream = random_stream(seed)
        n_parcels = self.order**2
        costs = stream.randint(1, self.max_cost + 1, n_parcels, dtype=np.int64)
        utilities = stream.randint(1, self.max_utility + 1, n_parcels, dtype=np.int64)
        drawn = 1 + stream.permutation(n_parcels - 2)[: self.n_reserves - 2]
        reserves = np.concatenate(([0], np.sort(drawn), [n_parcels - 1])).astype(np.int64)
        costs[reserves] = 0
        budget = max(
            math.floor(self.budget_share * int(costs.sum())),
            int(costs[connecting_parcels(costs, self.order, reserves)].sum()),
        )
        return self._instance(costs, utilities, reserves, budget, name=f"{self.domain}-seed-{seed}")

    def _instance(
        self, costs: Integers, utilities: Integers, reserves: Integers, budget: int, *, name: str
    ) -> Instance:
        n_parcels = len(costs)
        parcels = np.arange(n_parcels).reshape(self.order, self.order)
        sides = [
            np.column_stack((one.ravel(), other.ravel()))
            for one, other in ((parcels[:, :-1], parcels[:, 1:]), (parcels[:-1], parcels[1:]))
        ]
        arcs = np.concatenate((*sides, *(side[:, ::-1] for side in sides)))
        tails, heads = arcs[np.lexsort((arcs[:, 1], arcs[:, 0]))].T
        n_arcs = len(tails)

        def at(columns: Integers) -> sp.csr_array:
            n = len(columns)
            return sp.csr_array((np.ones(n), (np.arange(n), columns)), shape=(n, n_parcels))

        one = sp.csr_array([[1.0]])
        root = at(reserves[:1]).T
        matrix = sp.block_array(
            [
                [sp.csr_array(costs[np.newaxis]), None, None, None],
                [at(reserves), None, None, None],
                [None, None, one, one],
                [-n_parcels * at(heads), sp.eye_array(n_arcs), None, None],
                [-sp.eye_array(n_parcels), (at(heads) - at(tails)).T, None, root],
                [sp.csr_array(np.ones((1, n_parcels))), None, None, -one],
            ],
            format="csr",
        )
        pairs = [f"{i + 1}_{j + 1}" for i, j in zip(tails, heads, strict=True)]
        numbers = range(1, n_parcels + 1)
        equal = np.zeros(n_parcels + 1)
        n_reserves = len(reserves)
        return Instance(
            objective=np.append(-utilities, np.zeros(n_arcs + 2)),
            A=matrix,
            row_lower=np.concatenate(
                ([-np.inf], np.ones(n_reserves), [n_parcels], np.full(n_arcs, -np.inf), equal)
            ),
            row_upper=np.concatenate(
                ([budget], np.ones(n_reserves), [n_parcels], np.zeros(n_arcs), equal)
            ),
            lower=np.zeros(matrix.shape[1]),
            upper=np.repeat([1.0, np.inf], [n_parcels, n_arcs + 2]),
            integrality=np.repeat([1, 0], [n_parcels, n_arcs + 2]),
            column_names=(
                *(f"purchase_{parcel}" for parcel in numbers),
                *(f"flow_{pair}" for pair in pairs),
                "x_0",
                "y_0",
            ),
            row_names=(
                "budget",
                *(f"reserve_{reserve + 1}" for reserve in reserves),
                "source",
                *(f"link_{pair}" for pair in pairs),
                *(f"balance_{parcel}" for parcel in numbers),
                "purchased",
            ),
            sense="minimize",
            name=name,
        )


WildlifeCorridor.distributions = (
    named("milplib-easy", WildlifeCorridor(order=7), "milplib"),
    named("milplib-easy-large", WildlifeCorridor(order=9), "milplib"),
)
