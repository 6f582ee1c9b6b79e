"""Middle-mile consolidation network design with lead times (Greening, Dahan & Erera 2023)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from milplib.errors import ParameterError
from milplib.generators.consolidation import ConsolidationNetwork, draw_network
from milplib.generators.named import named
from milplib.generators.parameters import check_integer, check_real
from milplib.generators.randomness import random_stream, round_significant
from milplib.instance import Instance
from milplib.library import Distribution

__all__ = ["MiddleMileNetwork"]

HANDLING_COST = 1  # per pallet and centre


@dataclass(frozen=True, kw_only=True)
class MiddleMileNetwork:
    r"""Middle-mile consolidation: ship from vendors to delivery sites, in time and at least cost.

    Commodity k consists of :math:`q_k` pallets that a vendor ships to a delivery site in a
    planning horizon of T hours, within a lead time of :math:`L_k` hours. It uses one of its paths
    :math:`P_k`: direct, or through one or two fulfilment centres. On arc a, vehicles of Q pallets
    leave f times in the horizon, evenly spread, with f from 1 to :math:`F_a`. The travel takes
    :math:`t_a` hours after a wait :math:`w_a` of T/(2f) hours on average.

    .. math::
        \min \sum_a c_a y_a + \sum_p h_p x_p \quad \text{with}\quad
        & \sum_{p \in P_k} x_p = 1 \;\forall k, \quad
        \sum_k q_k \sum_{p \in P_k: a \in p} x_p \le Q y_a \;\forall a, \\
        & y_a = \sum_f f u_{af}, \quad \sum_f u_{af} \le 1, \quad
        w_a = \sum_f \tfrac{T}{2f} u_{af} \;\forall a, \\
        & \sum_{a \in p} (t_a + w_a) \le L_k + M_p (1 - x_p) \;\forall k,\, p \in P_k

    with binary x (a path is used) and u (an arc has a frequency), dispatches y in 0 … F_a, waits w
    in 0 … T/2, and :math:`M_p = \sum_{a \in p} (t_a + T/2) - L_k`; a path with
    :math:`M_p \le 0` is always in time and has no such row. The number of dispatches is integral
    in any case, so the problem has two flavours:

    - ``dispatches="integer"``: y is integer, and the sum over f replaces the columns of waits.
      Binary and integer columns (BI); SCIP may also branch on y.
    - ``dispatches="continuous"``: y and w are continuous columns. Binary and continuous (BC).

    With vendors v1, v2, …, centres c1, c2, … and sites s1, s2, … the columns are a path's ``x_``
    with its stops (``x_v3_c1_c5_s2``), by commodity, ``u_`` with the arc and the frequency
    (``u_v3_c1_2``), by arc, ``y_v3_c1`` and, in the second flavour, ``w_v3_c1``. The rows are
    ``path_v3_s2`` by commodity, ``capacity_v3_c1``, ``dispatches_v3_c1``, ``frequency_v3_c1`` and,
    in the second flavour, ``wait_v3_c1`` by arc, then ``lead_time_v3_c1_c5_s2`` by path.

    Regions are squares of 300 km whose centres are uniform in a square of 1000 km. Centres,
    vendors and sites are assigned to the regions in turn, and each is uniform in its region, in
    whole km. A path through one centre passes the vendor's region or the site's; a path through
    two centres passes first the former, then the latter. The shortest of all these paths are
    kept. An arc of m km (rounded down) takes 1 + ⌊m/50⌋ hours and costs 100 + ⌊m/2⌋ per dispatch;
    handling costs 1 per pallet and centre. Commodities are distinct pairs of vendor and site,
    drawn without replacement, with 1 … `max_pallets` pallets each.

    Every instance is feasible: a random plan assigns one path to every commodity, and to every
    arc of these paths the dispatches that its load needs and 0 … `spare_dispatches` more. A lead
    time is that of the plan, extended by a uniform share of up to `slack` and then to the next
    whole hour. The largest frequency of an arc is that of the plan plus 0 … `spare_dispatches`,
    and at least 1. Paths that are late even at the largest frequencies are removed, with arcs
    that no other path uses. The relaxation is bounded, as all columns are.

    Parameters
    ----------
    n_vendors, n_sites
        Number of vendors and of last-mile delivery sites, at least 1 each.
    n_commodities
        Number of commodities, from 1 to the number of pairs of vendor and site.
    n_centres
        Number of fulfilment centres, at least `n_regions`.
    n_regions
        Number of regions, at least 1.
    max_paths
        Maximum number of paths per commodity before late paths are removed, at least 1.
    max_pallets
        Maximum number of pallets of a commodity in the horizon, at least 1.
    vehicle_pallets
        Capacity of a vehicle in pallets (Q), at least 1.
    horizon
        Length of the planning horizon (T) in hours, an even integer of at least 2.
    spare_dispatches
        Maximum number of dispatches beyond the necessary ones, at least 0.
    slack
        Maximum extension of a lead time beyond the plan's, as a share, from 0 to 10.
    dispatches
        Flavour of the formulation: ``"integer"`` or ``"continuous"``. A seed has the same problem
        in both.

    Raises
    ------
    ParameterError
        If a parameter is outside its range.

    References
    ----------
    L. M. Greening, M. Dahan, A. L. Erera (2023). Lead-time-constrained middle-mile consolidation
    network design with fixed origins and destinations. Transportation Research Part B:
    Methodological. (The problem; the numbers are milplib's own.)

    Examples
    --------
    >>> network = MiddleMileNetwork(n_vendors=4, n_sites=3, n_commodities=8)
    >>> instance = network.generate(seed=7)
    >>> instance.n_rows, instance.n_columns, instance.n_nonzeros
    (122, 134, 415)
    >>> instance.column_names[0], instance.column_names[-1], instance.row_names[0]
    ('x_v1_s1', 'y_c7_s2', 'path_v1_s1')
    """

    n_vendors: int
    n_sites: int
    n_commodities: int
    n_centres: int = 8
    n_regions: int = 3
    max_paths: int = 6
    max_pallets: int = 10
    vehicle_pallets: int = 24
    horizon: int = 168
    spare_dispatches: int = 2
    slack: float = 0.2
    dispatches: Literal["integer", "continuous"] = "integer"

    domain: ClassVar[str] = "MMCN"
    generator_version: ClassVar[int] = 1
    distributions: ClassVar[tuple[Distribution, ...]]

    def __post_init__(self) -> None:
        for name in (
            "n_vendors",
            "n_sites",
            "n_commodities",
            "n_regions",
            "max_paths",
            "max_pallets",
            "vehicle_pallets",
        ):
            check_integer(name, getattr(self, name), at_least=1)
        check_integer("n_centres", self.n_centres, at_least=self.n_regions)
        check_integer("horizon", self.horizon, at_least=2)
        check_integer("spare_dispatches", self.spare_dispatches, at_least=0)
        check_real("slack", self.slack, at_least=0, at_most=10)
        n_pairs = self.n_vendors * self.n_sites
        if self.n_commodities > n_pairs:
            raise ParameterError(
                f"n_commodities is {self.n_commodities}, expected at most {n_pairs}, the pairs of "
                f"{self.n_vendors} vendors and {self.n_sites} sites"
            )
        if self.horizon % 2:
            raise ParameterError(f"horizon is {self.horizon}, expected an even number of hours")
        if self.dispatches not in ("integer", "continuous"):
            raise ParameterError(
                f"dispatches is {self.dispatches!r}, expected 'integer' or 'continuous'"
            )

    def generate(self, seed: int) -> Instance:
        """Generate the instance of a seed.

        Raises
        ------
        ParameterError
            If the seed is not a nonnegative integer.
        """
        network = draw_network(random_stream(seed), self)
        return self._instance(network, name=f"{self.domain}-seed-{seed}")

    def _instance(self, network: ConsolidationNetwork, *, name: str) -> Instance:
        n_paths, n_arcs = network.legs.shape
        largest = network.largest_frequencies
        has_waits = self.dispatches == "continuous"
        arc_of = np.repeat(np.arange(n_arcs), largest)
        frequencies = 1 + np.arange(len(arc_of)) - np.repeat(np.cumsum(largest) - largest, largest)
        waits = round_significant(self.horizon / (2 * frequencies))

        def by_arc(values: npt.ArrayLike) -> sp.csr_array:
            return sp.csr_array(
                (np.asarray(values, np.float64), (arc_of, np.arange(len(arc_of)))),
                shape=(n_arcs, len(arc_of)),
            )

        each_arc = sp.eye_array(n_arcs)
        one_path = sp.csr_array(
            (np.ones(n_paths), (network.commodity_of, np.arange(n_paths))),
            shape=(self.n_commodities, n_paths),
        )
        pallets = network.pallets[network.commodity_of]
        room = network.deadlines[network.commodity_of] - network.legs @ network.hours
        big = np.rint(network.legs.sum(axis=1) * self.horizon / 2 - room)
        timed = np.flatnonzero(big > 0)
        late = sp.diags_array(big, format="csr")[timed]
        wait_of_path = network.legs[timed]
        blocks = [
            [one_path, None, None],
            [
                sp.csr_array((network.legs * pallets[:, np.newaxis]).T),
                None,
                -self.vehicle_pallets * each_arc,
            ],
            [None, by_arc(-frequencies), each_arc],
            [None, by_arc(np.ones(len(arc_of))), None],
        ]
        if has_waits:
            blocks = [[*row, None] for row in blocks]
            blocks += [
                [None, by_arc(-waits), None, each_arc],
                [late, None, None, wait_of_path],
            ]
        else:
            blocks += [[late, wait_of_path @ by_arc(waits), None]]
        wait_rows = n_arcs * has_waits
        sizes = [n_paths, len(arc_of), n_arcs, wait_rows]

        def named_stop(node: int) -> str:
            if node < self.n_vendors:
                return f"v{node + 1}"
            if node < self.n_vendors + self.n_centres:
                return f"c{node - self.n_vendors + 1}"
            return f"s{node - self.n_vendors - self.n_centres + 1}"

        def joined(nodes: npt.NDArray[np.int64]) -> list[str]:
            return [
                "_".join(named_stop(node) for node in row if node >= 0) for row in nodes.tolist()
            ]

        paths, arcs, pairs = map(joined, (network.stops, network.arcs, network.commodities))
        handled = pallets * (network.legs.sum(axis=1) - 1)
        return Instance(
            objective=np.concatenate(
                (
                    HANDLING_COST * handled,
                    np.zeros(len(arc_of)),
                    network.costs,
                    np.zeros(wait_rows),
                )
            ),
            A=sp.block_array(blocks, format="csr"),
            row_lower=np.concatenate(
                (
                    np.ones(len(pairs)),
                    np.full(n_arcs, -np.inf),
                    np.zeros(n_arcs),
                    np.full(n_arcs, -np.inf),
                    np.zeros(wait_rows),
                    np.full(len(timed), -np.inf),
                )
            ),
            row_upper=np.concatenate(
                (
                    np.ones(len(pairs)),
                    np.zeros(2 * n_arcs),
                    np.ones(n_arcs),
                    np.zeros(wait_rows),
                    (room + big)[timed],
                )
            ),
            lower=np.zeros(sum(sizes)),
            upper=np.concatenate(
                (
                    np.ones(n_paths + len(arc_of)),
                    largest,
                    np.full(wait_rows, self.horizon / 2),
                )
            ),
            integrality=np.repeat([1, 1, not has_waits, 0], sizes),
            column_names=(
                *(f"x_{path}" for path in paths),
                *(
                    f"u_{arcs[arc]}_{frequency}"
                    for arc, frequency in zip(arc_of.tolist(), frequencies.tolist(), strict=True)
                ),
                *(f"y_{arc}" for arc in arcs),
                *(f"w_{arc}" for arc in arcs if has_waits),
            ),
            row_names=(
                *(f"path_{pair}" for pair in pairs),
                *(f"capacity_{arc}" for arc in arcs),
                *(f"dispatches_{arc}" for arc in arcs),
                *(f"frequency_{arc}" for arc in arcs),
                *(f"wait_{arc}" for arc in arcs if has_waits),
                *(f"lead_time_{paths[path]}" for path in timed.tolist()),
            ),
            sense="minimize",
            name=name,
        )


EASY = MiddleMileNetwork(n_vendors=12, n_sites=7, n_commodities=44)
HARD = MiddleMileNetwork(n_vendors=22, n_sites=17, n_commodities=374)
VERY_HARD = MiddleMileNetwork(n_vendors=80, n_sites=55, n_commodities=4400)
MiddleMileNetwork.distributions = (
    named("milplib-easy", EASY, "milplib"),
    named("milplib-easy-BC", replace(EASY, dispatches="continuous"), "milplib"),
    named("milplib-hard", HARD, "milplib"),
    named("milplib-hard-BC", replace(HARD, dispatches="continuous"), "milplib"),
    named("milplib-very-hard", VERY_HARD, "milplib"),
)
