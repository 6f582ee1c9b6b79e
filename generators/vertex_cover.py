"""Minimum vertex covers of weighted random graphs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from milplib.errors import ParameterError
from milplib.generators.graphs import barabasi_albert
from milplib.generators.incidence import covering, incidence_matrix
from milplib.generators.named import named
from milplib.generators.parameters import check_integer
from milplib.generators.randomness import random_stream, round_significant
from milplib.instance import Instance
from milplib.library import Distribution

__all__ = ["MinimumVertexCover"]

SMALLEST_WEIGHT = 1e-6  # solvers and file formats treat numbers near 0 as 0


@dataclass(frozen=True, kw_only=True)
class MinimumVertexCover:
    r"""Minimum vertex cover: choose nodes of least weight so that every edge has a chosen end.

    On a graph with nodes :math:`V`, edges :math:`E` and node weights :math:`w_v`, node v is in
    the cover where :math:`x_v = 1`:

    .. math::
        \min \sum_{v \in V} w_v x_v \quad \text{with } x_u + x_v \ge 1 \;\forall uv \in E,\;
        x_v \in \{0, 1\} \;\forall v \in V

    The columns are ``x_1, x_2, …``, the rows ``edge_u_v`` with u < v, in lexicographic order of
    the node numbers.

    Graphs grow by preferential attachment (Barabási–Albert). With n nodes and affinity m, there
    are exactly n columns, m (n - m) rows and twice as many nonzeros. Weights (without a unit) are
    uniform in (0, 1), rounded to 9 significant digits, and raised to 10⁻⁶ if smaller. Every
    instance is feasible (all nodes form a cover) and bounded (no weight is negative).

    Parameters
    ----------
    n_nodes
        Number of nodes (columns), at least 2.
    affinity
        Number of edges of a new node, from 1 to ``n_nodes - 1``.

    Raises
    ------
    ParameterError
        If a parameter is outside its range.

    References
    ----------
    I. Dinur, S. Safra (2005). On the hardness of approximating minimum vertex cover. Annals of
    Mathematics 162.

    A.-L. Barabási, R. Albert (1999). Emergence of scaling in random networks. Science 286.

    Examples
    --------
    >>> instance = MinimumVertexCover(n_nodes=1200).generate(seed=7)
    >>> instance.n_rows, instance.n_columns, instance.n_nonzeros
    (5975, 1200, 11950)
    >>> instance.row_names[0], instance.column_names[-1]
    ('edge_1_6', 'x_1200')
    """

    n_nodes: int
    affinity: int = 5

    domain: ClassVar[str] = "MVC"
    generator_version: ClassVar[int] = 1
    distributions: ClassVar[tuple[Distribution, ...]]

    def __post_init__(self) -> None:
        check_integer("n_nodes", self.n_nodes, at_least=2)
        check_integer("affinity", self.affinity, at_least=1)
        if self.affinity >= self.n_nodes:
            raise ParameterError(
                f"affinity is {self.affinity}, expected less than the {self.n_nodes} nodes"
            )

    def generate(self, seed: int) -> Instance:
        """Generate the instance of a seed.

        Raises
        ------
        ParameterError
            If the seed is not a nonnegative integer.
        """
        stream = random_stream(seed)
        edges = barabasi_albert(stream, self.n_nodes, self.affinity)
        weights = np.maximum(stream.random_sample(self.n_nodes), SMALLEST_WEIGHT)
        instance = covering(
            round_significant(weights),
            incidence_matrix(edges.ravel(), np.full(len(edges), 2), self.n_nodes),
            name=f"{self.domain}-seed-{seed}",
        )
        return replace(
            instance,
            column_names=tuple(f"x_{node}" for node in range(1, self.n_nodes + 1)),
            row_names=tuple(f"edge_{u}_{v}" for u, v in (edges + 1).tolist()),
        )


MinimumVertexCover.distributions = (
    named("easy", MinimumVertexCover(n_nodes=1200), "verified"),
    named("medium", MinimumVertexCover(n_nodes=2000), "verified"),
    named("hard", MinimumVertexCover(n_nodes=500, affinity=70), "verified"),
    named("very-hard", MinimumVertexCover(n_nodes=1000, affinity=70), "verified"),
    named("milplib-small", MinimumVertexCover(n_nodes=100), "milplib"),
    named("milplib-easy", MinimumVertexCover(n_nodes=150, affinity=15), "milplib"),
)
