"""Maximum independent sets of random graphs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from milplib.arguments import checked
from milplib.errors import ParameterError
from milplib.generators.graphs import barabasi_albert, erdos_renyi, greedy_clique_partition
from milplib.generators.incidence import incidence_matrix, packing
from milplib.generators.named import named
from milplib.generators.parameters import check_integer, check_real
from milplib.generators.randomness import random_stream
from milplib.instance import Instance
from milplib.library import Distribution

__all__ = ["IndependentSet", "independent_set"]


@dataclass(frozen=True, kw_only=True)
class IndependentSet:
    r"""Maximum independent set: choose as many nodes as possible, no two of them adjacent.

    With a family :math:`\mathcal{C}` of cliques that covers every edge of the graph:

    .. math::
        \max \sum_v x_v \quad \text{with } \sum_{v \in C} x_v \le 1 \;\forall C \in \mathcal{C},\;
        x_v \in \{0, 1\} \;\forall v

    Barabási–Albert graphs have clique rows: a greedy partition of the nodes into cliques, by
    descending degree, yields a row for each clique of at least two nodes, which replaces the rows
    of all edges inside the clique. The rows of all other edges follow. Erdős–Rényi graphs have a
    row for every edge. A node without an edge is in no row.

    Parameters
    ----------
    n_nodes
        Number of nodes (columns), at least 2.
    graph
        ``"barabasi_albert"`` or ``"erdos_renyi"``.
    affinity
        Number of edges of a new node in a Barabási–Albert graph, from 1 to ``n_nodes - 1``;
        ignored for Erdős–Rényi graphs.
    edge_probability
        Probability of every edge of an Erdős–Rényi graph, in [0, 1]; ``None`` for
        Barabási–Albert graphs.

    Raises
    ------
    ParameterError
        If a parameter is outside its range or does not apply to the graph.

    References
    ----------
    D. Bergman, A. A. Cire, W.-J. van Hoeve, J. Hooker (2016). Decision diagrams for optimization.
    Springer, section 4.6.4 (Barabási–Albert graphs and clique rows).

    Examples
    --------
    >>> instance = IndependentSet(n_nodes=500).generate(seed=7)
    >>> instance.n_columns, 1930 < instance.n_rows < 1980
    (500, True)
    >>> graph = IndependentSet(n_nodes=20, graph="erdos_renyi", edge_probability=1.0)
    >>> graph.generate(seed=7).n_rows
    190
    """

    n_nodes: int
    graph: Literal["barabasi_albert", "erdos_renyi"] = "barabasi_albert"
    affinity: int = 4
    edge_probability: float | None = None

    domain: ClassVar[str] = "MIS"
    generator_version: ClassVar[int] = 1
    distributions: ClassVar[tuple[Distribution, ...]]

    def __post_init__(self) -> None:
        check_integer("n_nodes", self.n_nodes, at_least=2)
        check_integer("affinity", self.affinity, at_least=1)
        if self.graph == "barabasi_albert":
            if self.affinity >= self.n_nodes:
                raise ParameterError(
                    f"affinity is {self.affinity}, expected less than the {self.n_nodes} nodes"
                )
            if self.edge_probability is not None:
                raise ParameterError(
                    f"edge_probability is {self.edge_probability!r}, expected None for a "
                    "barabasi_albert graph, which has an affinity"
                )
        elif self.graph == "erdos_renyi":
            check_real("edge_probability", self.edge_probability, at_least=0, at_most=1)
        else:
            raise ParameterError(
                f"graph is {self.graph!r}, expected 'barabasi_albert' or 'erdos_renyi'"
            )

    def generate(self, seed: int) -> Instance:
        """Generate the instance of a seed.

        Raises
        ------
        ParameterError
            If the seed is not a nonnegative integer.
        """
        stream = random_stream(seed)
        if self.edge_probability is not None:
            edges = erdos_renyi(stream, self.n_nodes, self.edge_probability)
        else:
            edges = barabasi_albert(stream, self.n_nodes, self.affinity)
        return independent_set(
            self.n_nodes,
            edges,
            clique_rows=self.edge_probability is None,
            name=f"{self.domain}-seed-{seed}",
        )


@checked
def independent_set(
    n_nodes: int, edges: npt.NDArray[np.int64], *, clique_rows: bool = True, name: str = ""
) -> Instance:
    """Build the instance of a graph, such as one from a DIMACS file.

    Parameters
    ----------
    n_nodes
        Number of nodes (columns).
    edges
        Distinct edges (u, v) with u < v; nodes are numbered from 0. Shape (number of edges, 2).
    clique_rows
        Whether to replace edges by clique rows from a greedy clique partition, as for
        Barabási–Albert graphs. Otherwise every edge has a row.
    name
        Name for reports.

    Examples
    --------
    >>> independent_set(3, np.array([[0, 1], [0, 2], [1, 2]])).A.toarray().tolist()
    [[1.0, 1.0, 1.0]]
    """
    cliques: list[list[int]] = []
    if clique_rows:
        partition = greedy_clique_partition(n_nodes, edges)
        cliques = [clique for clique in partition if len(clique) > 1]
        edges = edges[~_inside_a_clique(n_nodes, edges, cliques)]
    matrix = incidence_matrix(
        np.append([node for clique in cliques for node in clique], edges.ravel()),
        [*map(len, cliques), *(2 for _ in edges)],
        n_nodes,
    )
    return packing(np.ones(n_nodes), matrix, name=name)


def _inside_a_clique(
    n_nodes: int, edges: npt.NDArray[np.int64], cliques: list[list[int]]
) -> npt.NDArray[np.bool_]:
    clique_of = np.arange(n_nodes)
    for clique in cliques:
        clique_of[clique] = clique[0]
    inside: npt.NDArray[np.bool_] = clique_of[edges[:, 0]] == clique_of[edges[:, 1]]
    return inside


IndependentSet.distributions = (
    named("easy", IndependentSet(n_nodes=1000), "verified"),
    named("medium", IndependentSet(n_nodes=1500), "verified"),
    named(
        "very-hard",
        IndependentSet(n_nodes=6000, graph="erdos_renyi", edge_probability=8 / 5999),
        "verified",
    ),
    named(
        "milplib-small",
        IndependentSet(n_nodes=100, graph="erdos_renyi", edge_probability=0.08),
        "milplib",
    ),
    named("milplib-judging", IndependentSet(n_nodes=250, affinity=6), "milplib"),
    named("milplib-half", IndependentSet(n_nodes=125, affinity=6), "milplib"),
)
