"""Selection of blocks in neural architecture search: a multiple-choice knapsack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from milplib.generators.named import named
from milplib.generators.parameters import check_integer, check_real
from milplib.generators.randomness import random_stream
from milplib.instance import Instance
from milplib.library import Distribution

__all__ = ["ArchitectureSearch"]

LARGEST_WIDTH = 8


@dataclass(frozen=True, kw_only=True)
class ArchitectureSearch:
    r"""Neural architecture search: choose a block per layer for maximum accuracy within budgets.

    Each layer of a network is filled with one of several candidate blocks (wide or narrow
    convolutions, attention, or the identity, which skips the layer). Block b in layer l adds
    the score :math:`a_{lb}` to the accuracy. It takes :math:`c^r_{lb}` of each resource r:
    latency on each target device, memory, and server time for a batch of inputs, whose budget
    follows from the required throughput. With budgets
    :math:`C^r` and :math:`x_{lb} = 1` where layer l is filled with block b:

    .. math::
        \max \sum_{lb} a_{lb} x_{lb} \quad \text{with}\quad
        \sum_b x_{lb} = 1 \;\forall l,\quad
        \sum_{lb} c^r_{lb} x_{lb} \le C^r \;\forall r,\quad
        x_{lb} \in \{0, 1\}

    The columns are ``x_l_b`` by layer; the rows are ``block_l``, the devices' ``latency_d``,
    ``memory`` and ``throughput``. Layers, blocks and devices are numbered from 1.

    Block 1 is the identity, with score 0 and costs 0. Every other block has a
    width k, an integer uniform in 1 … 8. Every layer has a size for each resource, an integer
    uniform in 10 … 100, and an importance i, an integer uniform in 50 … 100. With factors u,
    integers uniform in 5 … 15 for every block and resource, :math:`c^r = k \cdot u \cdot
    \text{size}`; with integers v, uniform in 95 … 105 for every block, the score is
    :math:`a = \lfloor i \cdot v \sqrt{k} / 100 \rfloor`: wider blocks are better, with
    diminishing returns. The budgets are :math:`C^r = \lfloor \text{tightness} \cdot
    \sum_l \max_b c^r_{lb} \rfloor`. All numbers are integers, without a unit.

    Every instance is feasible: the identity in every layer meets any budget.

    Parameters
    ----------
    n_layers
        Number of layers, at least 1.
    n_blocks
        Number of candidate blocks of each layer including the identity, at least 2.
    n_devices
        Number of devices, each with a latency budget, at least 1.
    tightness
        Ratio of a resource's budget to the cost of the most expensive blocks, above 0 and below 1.

    Raises
    ------
    ParameterError
        If a parameter is outside its range.

    References
    ----------
    P. Molchanov, J. Hall, H. Yin, J. Kautz, N. Fusi, A. Vahdat (2022). LANA: latency aware
    network acceleration. ECCV 2022 (an integer program that selects blocks within a budget; data
    and the other budgets are milplib's).

    Examples
    --------
    >>> instance = ArchitectureSearch(n_layers=20, n_blocks=6).generate(seed=7)
    >>> instance.n_rows, instance.n_columns, instance.n_nonzeros
    (23, 120, 420)
    >>> instance.column_names[0], instance.row_names[-1]
    ('x_1_1', 'throughput')
    """

    n_layers: int
    n_blocks: int
    n_devices: int = 1
    tightness: float = 0.4

    domain: ClassVar[str] = "NAS"
    generator_version: ClassVar[int] = 1
    distributions: ClassVar[tuple[Distribution, ...]]

    def __post_init__(self) -> None:
        check_integer("n_layers", self.n_layers, at_least=1)
        check_integer("n_blocks", self.n_blocks, at_least=2)
        check_integer("n_devices", self.n_devices, at_least=1)
        check_real("tightness", self.tightness, above=0, below=1)

    def generate(self, seed: int) -> Instance:
        """Generate the instance of a seed.

        Raises
        ------
        ParameterError
            If the seed is not a nonnegative integer.
        """
        stream = random_stream(seed)

        def integers(smallest: int, largest: int, *shape: int) -> npt.NDArray[np.int64]:
            return stream.randint(smallest, largest + 1, size=shape, dtype=np.int64)

        n_resources = self.n_devices + 2
        widths = integers(1, LARGEST_WIDTH, self.n_layers, self.n_blocks)
        widths[:, 0] = 0
        layer_sizes = integers(10, 100, n_resources, self.n_layers, 1)
        factors = integers(5, 15, n_resources, self.n_layers, self.n_blocks)
        importance = integers(50, 100, self.n_layers, 1)
        quality = integers(95, 105, self.n_layers, self.n_blocks)
        costs = widths * factors * layer_sizes
        # Every processor rounds square roots and products in the same way.
        scores = np.floor(importance * quality * np.sqrt(widths) / 100)
        budgets = np.floor(self.tightness * costs.max(axis=2).sum(axis=1))
        return self._instance(scores, costs, budgets, name=f"{self.domain}-seed-{seed}")

    def _instance(
        self,
        scores: npt.NDArray[np.float64],
        costs: npt.NDArray[np.int64],
        budgets: npt.NDArray[np.float64],
        *,
        name: str,
    ) -> Instance:
        n_columns = self.n_layers * self.n_blocks
        n_resources = len(budgets)
        layers = range(1, self.n_layers + 1)
        return Instance(
            objective=scores.ravel(),
            A=sp.vstack(
                [
                    sp.kron(sp.eye_array(self.n_layers), np.ones((1, self.n_blocks))),
                    sp.csr_array(costs.reshape(n_resources, n_columns)),
                ],
                format="csr",
            ),
            row_lower=np.append(np.ones(self.n_layers), np.full(n_resources, -np.inf)),
            row_upper=np.append(np.ones(self.n_layers), budgets),
            lower=np.zeros(n_columns),
            upper=np.ones(n_columns),
            integrality=np.ones(n_columns, dtype=np.uint8),
            column_names=tuple(
                f"x_{layer}_{block}" for layer in layers for block in range(1, self.n_blocks + 1)
            ),
            row_names=(
                *(f"block_{layer}" for layer in layers),
                *(f"latency_{device}" for device in range(1, self.n_devices + 1)),
                "memory",
                "throughput",
            ),
            sense="maximize",
            name=name,
        )


ArchitectureSearch.distributions = (
    named("milplib-easy", ArchitectureSearch(n_layers=30, n_blocks=8, n_devices=2), "milplib"),
    named("milplib-hard", ArchitectureSearch(n_layers=60, n_blocks=12, n_devices=6), "milplib"),
)
