"""Seismic-resilient pipe networks (Huang & Dilkina 2020)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from milplib.errors import ParameterError
from milplib.generators.named import named
from milplib.generators.parameters import check_integer, check_real
from milplib.generators.randomness import random_stream, round_significant
from milplib.generators.water_networks import (
    CONSUMERS_OF_NETWORK,
    WaterNetwork,
    real_network,
    street_network,
)
from milplib.instance import Instance
from milplib.library import Distribution

__all__ = ["SeismicResilientPipeNetwork"]

SMALLEST_COST, LARGEST_COST = 800, 1200  # per metre of resilient pipe


@dataclass(frozen=True, kw_only=True)
class SeismicResilientPipeNetwork:
    r"""Seismic-resilient pipe network: critical customers keep their water after an earthquake.

    Pipes of a water network are replaced by earthquake-resistant ones at least cost, so that
    resilient pipes connect every critical customer (a hospital, a shelter) to a reservoir. Let V
    be the nodes, R the reservoirs among them, T the critical customers and E the pipes. Making
    pipe e resilient costs :math:`c_e` and is the decision :math:`x_e`. Each customer receives one
    unit of water: :math:`s_r` units leave reservoir r, and :math:`f_l` and :math:`g_l` units pass
    link l (a pipe, pump or valve) in the two directions:

    .. math::
        \min \sum_{e \in E} c_e x_e \quad \text{with}\quad
        & \sum_{l \text{ to } v} (f_l - g_l) - \sum_{l \text{ from } v} (f_l - g_l)
          + [v \in R]\, s_v = [v \in T] \;\forall v \in V, \\
        & f_e + g_e \le |T|\, x_e,\; x_e \in \{0, 1\} \;\forall e \in E, \\
        & 0 \le f_l, g_l, s_r \le |T| \;\forall l, r

    Water passes pumps and valves in both directions at no cost. The columns are
    ``x_1, x_2, …`` by pipe, ``forward_1, …`` and ``backward_1, …`` by link, and ``supply_1, …`` by
    reservoir; the rows are ``balance_1, …`` by node and ``capacity_1, …`` by pipe.

    Synthetic networks are pipes below a town's streets (about 100 m each) with reservoirs at
    random crossings. Real networks are EPANET input files of the package wntr, an optional extra
    (``pip install 'milplib[water]'``). Customers are drawn uniformly without replacement from the
    crossings without a reservoir, or from the junctions of a real network with a demand. The cost
    per metre is an integer, uniform in 800 … 1200 and drawn for each pipe; :math:`c_e`, in
    thousands, is that cost times the length in metres, rounded to 9 significant digits.

    Every instance is feasible: make all pipes resilient and send each unit along a path, as every
    customer is connected to a reservoir.

    Parameters
    ----------
    n_customers
        Number of critical customers, at least 1 and at most the number of crossings without a
        reservoir, or of a real network's junctions with a demand.
    network
        ``None`` for a synthetic network, or the name of a real one: ``"Net1"``, ``"Net3"``,
        ``"Net6"``, ``"ky4"`` or ``"ky10"`` (12, 117, 3829, 1156 and 1043 pipes). Real networks
        ignore the parameters below.
    n_streets, n_avenues
        Numbers of streets and of avenues of a synthetic network, at least 1 each; every street
        crosses every avenue.
    loop_share
        Share, in [0, 1], of the street segments outside a spanning tree that have a pipe: 0
        yields a tree, 1 the whole lattice.
    n_reservoirs
        Number of reservoirs of a synthetic network, at least 1.

    Raises
    ------
    ParameterError
        If a parameter is outside its range.

    References
    ----------
    T. Huang, B. Dilkina (2020). Enhancing seismic resilience of water pipe networks. AI for Social
    Good Workshop. (The problem, without its coverage of residential areas.)

    Examples
    --------
    >>> town = SeismicResilientPipeNetwork(n_customers=8, n_streets=8, n_avenues=8)
    >>> instance = town.generate(seed=7)
    >>> instance.n_rows, instance.n_columns, instance.n_nonzeros
    (142, 236, 548)
    >>> instance.column_names[0], instance.column_names[-1]
    ('x_1', 'supply_2')
    """

    n_customers: int
    network: str | None = None
    n_streets: int = 8
    n_avenues: int = 8
    loop_share: float = 0.3
    n_reservoirs: int = 2

    domain: ClassVar[str] = "SRPN"
    generator_version: ClassVar[int] = 1
    distributions: ClassVar[tuple[Distribution, ...]]

    def __post_init__(self) -> None:
        check_integer("n_customers", self.n_customers, at_least=1)
        check_integer("n_streets", self.n_streets, at_least=1)
        check_integer("n_avenues", self.n_avenues, at_least=1)
        check_real("loop_share", self.loop_share, at_least=0, at_most=1)
        check_integer("n_reservoirs", self.n_reservoirs, at_least=1)
        if self.network is None:
            n_crossings = self.n_streets * self.n_avenues
            if self.n_reservoirs >= n_crossings:
                raise ParameterError(
                    f"n_reservoirs is {self.n_reservoirs}, expected less than the {n_crossings} "
                    f"crossings of {self.n_streets} streets and {self.n_avenues} avenues"
                )
            most, of_what = n_crossings - self.n_reservoirs, "crossings without a reservoir"
        elif self.network in CONSUMERS_OF_NETWORK:
            most, of_what = CONSUMERS_OF_NETWORK[self.network], f"consumers of {self.network}"
        else:
            known = ", ".join(map(repr, CONSUMERS_OF_NETWORK))
            raise ParameterError(f"network is {self.network!r}, expected None or one of {known}")
        if self.n_customers > most:
            raise ParameterError(
                f"n_customers is {self.n_customers}, expected at most the {most} {of_what}"
            )

    def generate(self, seed: int) -> Instance:
        """Generate the instance of a seed.

        Raises
        ------
        ParameterError
            If the seed is not a nonnegative integer.
        MissingPackageError
            If the network is a real one and the extra ``water`` is not installed.
        """
        stream = random_stream(seed)
        if self.network is None:
            network = street_network(
                stream,
                n_streets=self.n_streets,
                n_avenues=self.n_avenues,
                loop_share=self.loop_share,
                n_reservoirs=self.n_reservoirs,
            )
        else:
            network = real_network(self.network)
        customers = np.sort(stream.permutation(network.consumers)[: self.n_customers])
        costs_of_metre = stream.randint(
            SMALLEST_COST, LARGEST_COST + 1, size=len(network.lengths), dtype=np.int64
        )
        costs = round_significant(costs_of_metre * network.lengths / 1000)
        return _instance(network, customers, costs, name=f"{self.domain}-seed-{seed}")


def _instance(
    network: WaterNetwork,
    customers: npt.NDArray[np.int64],
    costs: npt.NDArray[np.float64],
    *,
    name: str,
) -> Instance:
    n_nodes, n_links, n_pipes = network.n_nodes, len(network.links), len(costs)
    n_reservoirs, n_customers = len(network.reservoirs), len(customers)
    n_flows = 2 * n_links + n_reservoirs
    links = np.arange(n_links)
    ends = np.concatenate((network.links[:, 1], network.links[:, 0]))
    forward = sp.csr_array(
        (np.repeat([1.0, -1.0], n_links), (ends, np.tile(links, 2))), shape=(n_nodes, n_links)
    )
    supply = sp.csr_array(
        (np.ones(n_reservoirs), (network.reservoirs, np.arange(n_reservoirs))),
        shape=(n_nodes, n_reservoirs),
    )
    pipes = sp.eye_array(n_pipes, n_links)
    matrix = sp.block_array(
        [
            [None, forward, -forward, supply],
            [sp.diags_array(np.full(n_pipes, -float(n_customers))), pipes, pipes, None],
        ],
        format="csr",
    )
    demands = np.zeros(n_nodes)
    demands[customers] = 1
    return Instance(
        objective=np.append(costs, np.zeros(n_flows)),
        A=matrix,
        row_lower=np.append(demands, np.full(n_pipes, -np.inf)),
        row_upper=np.append(demands, np.zeros(n_pipes)),
        lower=np.zeros(n_pipes + n_flows),
        upper=np.repeat([1.0, n_customers], [n_pipes, n_flows]),
        integrality=np.repeat([1, 0], [n_pipes, n_flows]),
        column_names=(
            *(f"x_{pipe}" for pipe in range(1, n_pipes + 1)),
            *(f"forward_{link}" for link in range(1, n_links + 1)),
            *(f"backward_{link}" for link in range(1, n_links + 1)),
            *(f"supply_{reservoir}" for reservoir in range(1, n_reservoirs + 1)),
        ),
        row_names=(
            *(f"balance_{node}" for node in range(1, n_nodes + 1)),
            *(f"capacity_{pipe}" for pipe in range(1, n_pipes + 1)),
        ),
        sense="minimize",
        name=name,
    )


SeismicResilientPipeNetwork.distributions = (
    named("milplib-easy", SeismicResilientPipeNetwork(n_customers=8), "milplib"),
    named(
        "milplib-hard",
        SeismicResilientPipeNetwork(n_customers=12, n_streets=10, n_avenues=10, loop_share=0.5),
        "milplib",
    ),
    named("net3-easy", SeismicResilientPipeNetwork(n_customers=7, network="Net3"), "milplib"),
    named("ky4-hard", SeismicResilientPipeNetwork(n_customers=8, network="ky4"), "milplib"),
)
