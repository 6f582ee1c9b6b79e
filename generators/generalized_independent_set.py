"""Generalized independent sets of random graphs and of graphs from DIMACS files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from milplib.errors import ParameterError
from milplib.generators.dimacs import DimacsGraph, read_dimacs
from milplib.generators.graphs import erdos_renyi
from milplib.generators.incidence import incidence_matrix
from milplib.generators.named import named
from milplib.generators.parameters import check_integer, check_real
from milplib.generators.randomness import random_stream, round_significant
from milplib.instance import Instance
from milplib.library import Distribution

__all__ = ["GeneralizedIndependentSet"]


@dataclass(frozen=True, kw_only=True)
class GeneralizedIndependentSet:
    r"""Generalized independent set: choose nodes, and pay for removing edges between them.

    The edges of a graph with nodes :math:`V` are either fixed, :math:`E_1`, or removable,
    :math:`E_2`. Every chosen node earns the revenue w. No fixed edge may join two chosen nodes,
    and a removable edge between them costs c. Node v is chosen if :math:`x_v = 1`, and edge uv is
    removed if :math:`y_{uv} = 1`:

    .. math::
        \min\; -w \sum_{v \in V} x_v + c \sum_{uv \in E_2} y_{uv} \quad \text{with}\quad
        & x_u + x_v \le 1 \;\forall uv \in E_1,\quad
        x_u + x_v - y_{uv} \le 1 \;\forall uv \in E_2, \\
        & x_v \in \{0, 1\} \;\forall v \in V,\quad y_{uv} \in \{0, 1\} \;\forall uv \in E_2

    The columns are ``x_1, x_2, …``, then ``y_u_v`` with u < v in lexicographic order of the node
    numbers. Every edge has a row, ``fixed_u_v`` or ``removable_u_v``, in the same order. A graph
    with n nodes and m edges, r of them removable, thus has n + r columns, m rows and 2 m + r
    nonzeros.

    The graph is random (Erdős–Rényi: every pair of nodes is an edge with the same probability) or
    comes from a file. Every edge is removable with the same probability, drawn from the seed, so
    that the instances of a graph from a file differ in their removable edges. Every instance is
    feasible (choose no node) and bounded (all columns are).

    Parameters
    ----------
    n_nodes
        Number of nodes of a random graph, at least 2; None for a graph from a file.
    edge_probability
        Probability of every edge of a random graph, in [0, 1]; ignored for a graph from a file.
    removable_probability
        Probability that an edge is removable, in [0, 1]. With 0 or 1, all seeds of a graph from a
        file yield the same instance.
    revenue
        Revenue of a chosen node (units of money), above 0, rounded to 9 significant digits.
    removal_cost
        Cost of removing an edge (units of money), above 0, rounded to 9 significant digits.
    graph
        Path of a DIMACS file (``.clq``, ``.col``, optionally compressed by gzip) with the edges;
        see `milplib.generators.dimacs.read_dimacs`. None for a random graph.
    graph_sha256
        SHA-256 of the file's uncompressed text. Default: computed from the file. A given hash
        must match the file, so that recorded parameters identify the graph.

    Raises
    ------
    ParameterError
        If a parameter is outside its range or does not apply to the graph, or the file does not
        match `graph_sha256`.
    InstanceError
        If the file is missing or is not a valid graph.

    References
    ----------
    D. S. Hochbaum, A. Pathria (1997). Forest harvesting and minimum cuts: a new approach to
    handling spatial constraints. Forest Science 43.

    M. Colombi, R. Mansini, M. Savelsbergh (2017). The generalized independent set problem:
    polyhedral analysis and solution approaches. European Journal of Operational Research 260.

    Examples
    --------
    >>> instance = GeneralizedIndependentSet(n_nodes=115).generate(seed=7)
    >>> 1800 < instance.n_rows < 2130, 530 < instance.n_columns < 690
    (True, True)
    >>> generator = GeneralizedIndependentSet(n_nodes=10, edge_probability=1)
    >>> generator.generate(seed=7).n_rows
    45
    """

    n_nodes: int | None = None
    edge_probability: float = 0.3
    removable_probability: float = 0.25
    revenue: float = 100
    removal_cost: float = 1
    graph: str | os.PathLike[str] | None = None
    graph_sha256: str | None = None

    domain: ClassVar[str] = "GISP"
    generator_version: ClassVar[int] = 1
    distributions: ClassVar[tuple[Distribution, ...]]

    def __post_init__(self) -> None:
        check_real("edge_probability", self.edge_probability, at_least=0, at_most=1)
        check_real("removable_probability", self.removable_probability, at_least=0, at_most=1)
        check_real("revenue", self.revenue, above=0)
        check_real("removal_cost", self.removal_cost, above=0)
        if self.graph is None:
            check_integer("n_nodes", self.n_nodes, at_least=2)
            if self.graph_sha256 is not None:
                raise ParameterError(
                    f"graph_sha256 is {self.graph_sha256!r}, expected None for a random graph"
                )
            return
        if not isinstance(self.graph, str | os.PathLike):
            raise ParameterError(f"graph is {self.graph!r}, expected the path of a file, or None")
        if self.n_nodes is not None:
            raise ParameterError(
                f"n_nodes is {self.n_nodes!r}, expected None for a graph from a file, which has "
                "its own"
            )
        object.__setattr__(self, "graph", os.fspath(self.graph))
        object.__setattr__(self, "graph_sha256", _read(self.graph, self.graph_sha256).sha256)

    def generate(self, seed: int) -> Instance:
        """Generate the instance of a seed.

        Raises
        ------
        ParameterError
            If the seed is not a nonnegative integer, or the graph's file has changed.
        InstanceError
            If the graph's file can no longer be read.
        """
        stream = random_stream(seed)
        if self.graph is not None:
            graph = _read(self.graph, self.graph_sha256)
            n_nodes, edges = graph.n_nodes, graph.edges
            name = f"{self.domain}-{Path(os.fspath(self.graph).removesuffix('.gz')).stem}"
        else:
            assert self.n_nodes is not None  # checked in __post_init__
            n_nodes, name = self.n_nodes, self.domain
            edges = erdos_renyi(stream, n_nodes, self.edge_probability)
        removable = stream.random_sample(len(edges)) < self.removable_probability
        return self._instance(n_nodes, edges, removable, name=f"{name}-seed-{seed}")

    def _instance(
        self,
        n_nodes: int,
        edges: npt.NDArray[np.int64],
        removable: npt.NDArray[np.bool_],
        *,
        name: str,
    ) -> Instance:
        n_edges, n_removable = len(edges), int(removable.sum())
        removals = sp.csr_array(
            (np.full(n_removable, -1.0), (np.flatnonzero(removable), np.arange(n_removable))),
            shape=(n_edges, n_removable),
        )
        revenue, removal_cost = round_significant((self.revenue, self.removal_cost))
        pairs = [f"{u}_{v}" for u, v in (edges + 1).tolist()]
        kinds = ["removable" if can else "fixed" for can in removable.tolist()]
        n_columns = n_nodes + n_removable
        return Instance(
            objective=np.repeat([-revenue, removal_cost], [n_nodes, n_removable]),
            A=sp.hstack(
                [incidence_matrix(edges.ravel(), np.full(n_edges, 2), n_nodes), removals],
                format="csr",
            ),
            row_lower=np.full(n_edges, -np.inf),
            row_upper=np.ones(n_edges),
            lower=np.zeros(n_columns),
            upper=np.ones(n_columns),
            integrality=np.ones(n_columns, dtype=np.uint8),
            column_names=(
                *(f"x_{node}" for node in range(1, n_nodes + 1)),
                *(f"y_{pairs[edge]}" for edge in np.flatnonzero(removable).tolist()),
            ),
            row_names=tuple(map("_".join, zip(kinds, pairs, strict=True))),
            sense="minimize",
            name=name,
        )


def _read(path: str | os.PathLike[str], sha256: str | None) -> DimacsGraph:
    """Read a graph from a file, and refuse a file with another hash."""
    graph = read_dimacs(path)
    if sha256 is not None and graph.sha256 != sha256:
        raise ParameterError(
            f"graph_sha256 is {sha256!r}, but {os.fspath(path)} has {graph.sha256}: it is not the "
            "graph with this hash; leave graph_sha256 out to accept the file"
        )
    return graph


GeneralizedIndependentSet.distributions = (
    named("easy", GeneralizedIndependentSet(n_nodes=115), "verified"),
    named("medium", GeneralizedIndependentSet(n_nodes=150), "verified"),
    named("hard", GeneralizedIndependentSet(n_nodes=175), "verified"),
    named("milplib-small", GeneralizedIndependentSet(n_nodes=50), "milplib"),
    named("milplib-easy", GeneralizedIndependentSet(n_nodes=70), "milplib"),
    named("milplib-judging", GeneralizedIndependentSet(n_nodes=75), "milplib"),
    named(
        "milplib-hard",
        GeneralizedIndependentSet(n_nodes=150, removable_probability=0.75),
        "milplib",
    ),
)
