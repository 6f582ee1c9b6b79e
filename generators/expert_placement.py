"""Placement of the experts of a mixture-of-experts network on devices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from milplib.errors import ParameterError
from milplib.generators.named import named
from milplib.generators.parameters import check_integer, check_real
from milplib.generators.randomness import random_stream, round_significant
from milplib.instance import Instance
from milplib.library import Distribution

__all__ = ["ExpertPlacement"]

SMALLEST_SIZE, LARGEST_SIZE = 2, 8
SLOWEST_SPEED, FASTEST_SPEED = 10, 20
MOST_POPULAR = 1000  # weight of a layer's most popular expert; the r-th has 1/r of it


class _Network(NamedTuple):
    routes: npt.NDArray[np.int64]
    """Expert of each token (row) in each layer (column), numbered within the layer from 0."""
    sizes: npt.NDArray[np.int64]
    """Size of each expert, layer by layer."""
    speeds: npt.NDArray[np.int64]
    memory: npt.NDArray[np.float64]
    devices: npt.NDArray[np.int64]
    """Device of each expert in the hidden placement, which fits into the memory."""


@dataclass(frozen=True, kw_only=True)
class ExpertPlacement:
    r"""Expert placement: put a network's experts on devices, with few tokens between devices.

    Each layer of a mixture-of-experts network has several experts, and each token visits one
    expert per layer. The experts lie on devices. A token is sent between devices if its next
    expert lies on another device, and all devices wait for the one that takes longest. Expert e
    of layer l has the size :math:`m_{le}` and processes :math:`n_{le}` tokens; :math:`t_{lef}` of
    them continue to expert f of layer l + 1. Device d has the memory :math:`M_d` and the speed
    :math:`v_d`. With :math:`x_{led} = 1` where expert e of layer l lies on device d,
    :math:`y_{lef} = 1` where two experts that exchange tokens lie on different devices, and the
    time s of the busiest device:

    .. math::
        \min \sum_{lef} t_{lef} y_{lef} + c\, s \quad \text{with}\quad
        & \sum_d x_{led} = 1 \;\forall l, e,\quad
        \sum_{le} m_{le} x_{led} \le M_d \;\forall d,\quad
        \sum_{le} n_{le} x_{led} \le v_d s \;\forall d, \\
        & x_{led} - x_{l+1,f,d} \le y_{lef} \;\forall l, e, f, d \text{ with } t_{lef} > 0, \\
        & x_{led} \in \{0, 1\},\; 0 \le y_{lef} \le 1,\; s \ge 0

    The columns are ``x_l_e_d`` by layer, expert and device, ``y_l_e_f`` for the pairs with
    :math:`t_{lef} > 0` in the same order, and ``time``; the rows are ``place_l_e``, ``memory_d``,
    ``time_d`` and, by pair, ``cross_l_e_f_d``. Layers, experts and devices are numbered from 1.

    Tokens are routed at random. The popularity of a layer's experts is, in a random order,
    1000, 500, 333, … (:math:`\lfloor 1000 / r \rfloor`). Every expert has `n_successors` random
    successors in the next layer. A token starts at an expert of the first layer and continues to
    a successor of its current expert, each time with probability proportional to popularity.
    Sizes are integers, uniform in 2 … 8 (units of memory: experts are stored at different
    precisions); speeds are integers, uniform in 10 … 20 (tokens per unit of time).

    Every instance is feasible: the experts, in a random order, are dealt to the devices in turn,
    and a device with experts of total size u has the memory
    :math:`\lfloor u (1 + 2 w \cdot \text{memory_slack}) \rfloor`, with w uniform in [0, 1).
    Sizes, memory and speeds vary, so that devices are hardly ever interchangeable.

    Parameters
    ----------
    n_layers
        Number of layers with experts, at least 2.
    n_experts
        Number of experts of each layer, at least 2.
    n_devices
        Number of devices, from 2 to the number of all experts.
    n_successors
        Number of successors of an expert in the next layer, from 1 to ``n_experts``.
    n_tokens
        Number of routed tokens, at least 1.
    memory_slack
        Expected surplus memory of a device as a share of its load in the hidden placement; at
        least 0.
    time_cost
        Cost of a unit of time of the busiest device, in tokens sent between devices; at least 0.

    Raises
    ------
    ParameterError
        If a parameter is outside its range.

    References
    ----------
    S. Go, D. Mahajan (2025). MoETuner: optimized mixture of expert serving with balanced expert
    placement and token routing. arXiv 2502.06643 (the problem, with a different integer program;
    data and formulation are milplib's).

    Examples
    --------
    >>> generator = ExpertPlacement(n_layers=2, n_experts=4, n_devices=2, n_successors=2)
    >>> instance = generator.generate(seed=7)
    >>> instance.n_rows, instance.n_columns, instance.n_nonzeros
    (28, 25, 98)
    >>> instance.column_names[0], instance.column_names[-1]
    ('x_1_1_1', 'time')
    """

    n_layers: int
    n_experts: int
    n_devices: int
    n_successors: int
    n_tokens: int = 2000
    memory_slack: float = 0.2
    time_cost: float = 10

    domain: ClassVar[str] = "MOE"
    generator_version: ClassVar[int] = 1
    distributions: ClassVar[tuple[Distribution, ...]]

    def __post_init__(self) -> None:
        check_integer("n_layers", self.n_layers, at_least=2)
        check_integer("n_experts", self.n_experts, at_least=2)
        check_integer("n_devices", self.n_devices, at_least=2)
        check_integer("n_successors", self.n_successors, at_least=1)
        check_integer("n_tokens", self.n_tokens, at_least=1)
        check_real("memory_slack", self.memory_slack, at_least=0)
        check_real("time_cost", self.time_cost, at_least=0)
        if self.n_devices > self.n_layers * self.n_experts:
            raise ParameterError(
                f"n_devices is {self.n_devices!r}, expected at most the "
                f"{self.n_layers * self.n_experts} experts of all layers"
            )
        if self.n_successors > self.n_experts:
            raise ParameterError(
                f"n_successors is {self.n_successors!r}, expected at most the "
                f"{self.n_experts} experts of a layer"
            )

    def generate(self, seed: int) -> Instance:
        """Generate the instance of a seed.

        Raises
        ------
        ParameterError
            If the seed is not a nonnegative integer.
        """
        return self._instance(self._network(random_stream(seed)), name=f"{self.domain}-seed-{seed}")

    def _network(self, stream: np.random.RandomState) -> _Network:
        n_all = self.n_layers * self.n_experts
        routes = self._routes(stream)
        sizes = stream.randint(SMALLEST_SIZE, LARGEST_SIZE + 1, size=n_all, dtype=np.int64)
        speeds = stream.randint(
            SLOWEST_SPEED, FASTEST_SPEED + 1, size=self.n_devices, dtype=np.int64
        )
        devices = np.empty(n_all, dtype=np.int64)
        devices[stream.permutation(n_all)] = np.arange(n_all) % self.n_devices
        used = np.zeros(self.n_devices, dtype=np.int64)
        np.add.at(used, devices, sizes)
        spare = 2 * self.memory_slack * stream.random_sample(self.n_devices)
        return _Network(
            routes=routes,
            sizes=sizes,
            speeds=speeds,
            memory=np.floor(used * (1 + spare)),
            devices=devices,
        )

    def _routes(self, stream: np.random.RandomState) -> npt.NDArray[np.int64]:
        """Draw the expert, numbered within its layer, of each token (row) in each layer."""
        shape = self.n_layers, self.n_experts
        ranks = 1 + np.argsort(stream.random_sample(shape), axis=1, kind="stable")
        popularity = MOST_POPULAR // ranks
        # Integer sums are exact, so every processor draws the same experts.
        routes = np.empty((self.n_tokens, self.n_layers), dtype=np.int64)
        weights = np.broadcast_to(popularity[0], (self.n_experts, self.n_experts))
        present = np.zeros(self.n_tokens, dtype=np.int64)
        for layer in range(self.n_layers):
            if layer > 0:
                order = np.argsort(
                    stream.random_sample((self.n_experts, self.n_experts)), axis=1, kind="stable"
                )
                weights = np.where(order < self.n_successors, popularity[layer], 0)
            ends = np.cumsum(weights, axis=1)[present]
            drawn = np.floor(stream.random_sample(self.n_tokens) * ends[:, -1])
            present = (ends <= drawn[:, np.newaxis]).sum(axis=1)
            routes[:, layer] = present
        return routes

    def _instance(self, network: _Network, *, name: str) -> Instance:
        n_all = len(network.sizes)
        visits = network.routes + self.n_experts * np.arange(self.n_layers)
        loads = np.bincount(visits.ravel(), minlength=n_all)
        steps, traffic = np.unique(visits[:, :-1] * n_all + visits[:, 1:], return_counts=True)
        pairs = np.column_stack(np.divmod(steps, n_all))
        n_pairs = len(pairs)
        n_placed = n_all * self.n_devices
        each_device = sp.eye_array(self.n_devices)
        numbers = np.arange(n_pairs)
        ones = np.ones(n_pairs)
        difference = sp.csr_array(
            (np.append(ones, -ones), (np.append(numbers, numbers), pairs.T.ravel())),
            shape=(n_pairs, n_all),
        )
        matrix = sp.block_array(
            [
                [sp.kron(sp.eye_array(n_all), np.ones((1, self.n_devices))), None, None],
                [sp.kron(network.sizes[np.newaxis], each_device), None, None],
                [sp.kron(loads[np.newaxis], each_device), None, -network.speeds[:, np.newaxis]],
                [
                    sp.kron(difference, each_device),
                    sp.kron(sp.eye_array(n_pairs), np.full((self.n_devices, 1), -1)),
                    None,
                ],
            ],
            format="csr",
        )
        n_zero = self.n_devices * (1 + n_pairs)  # the rows of time and of crossing
        experts = [
            f"{layer}_{expert}"
            for layer in range(1, self.n_layers + 1)
            for expert in range(1, self.n_experts + 1)
        ]
        devices = range(1, self.n_devices + 1)
        crossings = [
            f"{experts[sender]}_{receiver % self.n_experts + 1}"
            for sender, receiver in pairs.tolist()
        ]
        return Instance(
            objective=np.concatenate(
                (np.zeros(n_placed), traffic, round_significant([self.time_cost]))
            ),
            A=matrix,
            row_lower=np.concatenate((np.ones(n_all), np.full(self.n_devices + n_zero, -np.inf))),
            row_upper=np.concatenate((np.ones(n_all), network.memory, np.zeros(n_zero))),
            lower=np.zeros(n_placed + n_pairs + 1),
            upper=np.concatenate((np.ones(n_placed + n_pairs), [np.inf])),
            integrality=np.repeat([1, 0], [n_placed, n_pairs + 1]),
            column_names=(
                *(f"x_{expert}_{device}" for expert in experts for device in devices),
                *(f"y_{crossing}" for crossing in crossings),
                "time",
            ),
            row_names=(
                *(f"place_{expert}" for expert in experts),
                *(f"memory_{device}" for device in devices),
                *(f"time_{device}" for device in devices),
                *(f"cross_{crossing}_{device}" for crossing in crossings for device in devices),
            ),
            sense="minimize",
            name=name,
        )


ExpertPlacement.distributions = (
    named(
        "milplib-easy",
        ExpertPlacement(n_layers=3, n_experts=7, n_devices=3, n_successors=3),
        "milplib",
    ),
    named(
        "milplib-hard",
        ExpertPlacement(n_layers=6, n_experts=8, n_devices=4, n_successors=4),
        "milplib",
    ),
)
