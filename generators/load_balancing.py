"""Workload apportionment that survives a failure (an ML4CO benchmark, Gasse et al. 2022)."""

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
from milplib.instance import Instance
from milplib.library import Distribution

__all__ = ["LoadBalancing"]

SMALLEST_LOAD, LARGEST_LOAD = 10, 100
SMALLEST_CAPACITY, LARGEST_CAPACITY = 10, 100  # before they are scaled to the loads


@dataclass(frozen=True, kw_only=True)
class LoadBalancing:
    r"""Load balancing: activate workers at least cost so that any one of them may fail.

    Load j is the amount of work :math:`w_j`, and only the workers of the set :math:`A_j` may
    process it. Worker i has the capacity :math:`k_i` and the activation cost :math:`c_i`;
    :math:`r_{ij}` is the work reserved on worker i for load j, and :math:`y_i = 1` if worker i is
    used:

    .. math::
        \min \sum_i c_i y_i \quad \text{with}\quad
        & \sum_{j : i \in A_j} r_{ij} \le k_i \;\forall i,\quad
        r_{ij} \le \max(k_i, w_j)\, y_i \;\forall j, i \in A_j, \\
        & \sum_{i' \in A_j \setminus \{i\}} r_{i'j} \ge w_j \;\forall j, i \in A_j,\quad
        r_{ij} \ge 0,\; y_i \in \{0, 1\}

    The columns are ``reserved_i_j`` of the allowed pairs, by load and then by worker, and
    ``used_1, used_2, …``. The rows are the workers' ``capacity_i``, then ``link_i_j`` and
    ``failure_i_j`` (load j without worker i), both in the order of the pairs. With n workers, m
    loads and a allowed workers per load there are :math:`ma + n` columns, :math:`n + 2ma` rows
    (the row of a worker without a load is empty) and :math:`3ma + ma(a - 1)` nonzeros.

    Loads are integers, uniform in 10 … 100. The allowed workers of a load are a uniform subset.
    Unscaled capacities :math:`u_i` are integers, uniform in 10 … 100; capacities are
    :math:`k_i = \max(\lceil \sum_{j : i \in A_j} w_j / (a - 1) \rceil,
    \lfloor u_i \cdot \text{ratio} \cdot \sum_j w_j / \sum_i u_i \rfloor)` (units of work). Hence
    every instance is feasible: use all workers, and reserve :math:`w_j / (a - 1)` on each of
    them for each of its loads. Costs are :math:`\lfloor p \sqrt{u_i} + q \rfloor` with integers p
    in 100 … 110 and q in 0 … 90, the fixed costs of `CapacitatedFacilityLocation`. The random
    loads, capacities and costs are milplib's own: the competition published only its instances
    and the formulation.

    Parameters
    ----------
    n_workers
        Number of workers n, at least 2.
    n_loads
        Number of loads m, at least 1.
    n_allowed
        Number of workers a that may process a load, from 2 to ``n_workers``.
    ratio
        Ratio of total capacity to total load before capacities are rounded down or raised for
        feasibility, above 0 and at most 1000. A larger ratio requires fewer workers.

    Raises
    ------
    ParameterError
        If a parameter is outside its range.

    References
    ----------
    M. Gasse et al. (2022). The Machine Learning for Combinatorial Optimization Competition
    (ML4CO): results and insights. Proceedings of Machine Learning Research 176 (benchmark
    "workload apportionment").

    Examples
    --------
    >>> instance = LoadBalancing(n_workers=40, n_loads=15, n_allowed=6).generate(seed=7)
    >>> instance.n_rows, instance.n_columns, instance.n_nonzeros
    (220, 130, 720)
    >>> instance.row_names[0], instance.column_names[-1]
    ('capacity_1', 'used_40')
    """

    n_workers: int
    n_loads: int
    n_allowed: int
    ratio: float = 5

    domain: ClassVar[str] = "LB"
    generator_version: ClassVar[int] = 1
    distributions: ClassVar[tuple[Distribution, ...]]

    def __post_init__(self) -> None:
        check_integer("n_workers", self.n_workers, at_least=2)
        check_integer("n_loads", self.n_loads, at_least=1)
        check_integer("n_allowed", self.n_allowed, at_least=2)
        check_real("ratio", self.ratio, above=0, at_most=1000)
        if self.n_allowed > self.n_workers:
            raise ParameterError(
                f"n_allowed is {self.n_allowed}, expected an integer from 2 to the "
                f"{self.n_workers} workers"
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

        loads = integers(SMALLEST_LOAD, LARGEST_LOAD, self.n_loads)
        unscaled = integers(SMALLEST_CAPACITY, LARGEST_CAPACITY, self.n_workers)
        order = stream.random_sample((self.n_loads, self.n_workers)).argsort(axis=1, kind="stable")
        allowed = np.sort(order[:, : self.n_allowed], axis=1)
        cost_of_root_capacity = integers(100, 110, self.n_workers)
        base_cost = integers(0, 90, self.n_workers)
        costs = np.floor(cost_of_root_capacity * np.sqrt(unscaled) + base_cost)
        all_loads = np.zeros(self.n_workers, dtype=np.int64)
        np.add.at(all_loads, allowed, loads[:, np.newaxis])
        needed = -(-all_loads // (self.n_allowed - 1))
        scaled = np.floor(unscaled * self.ratio * int(loads.sum()) / int(unscaled.sum()))
        capacities = np.maximum(needed, round_significant(scaled))
        return self._instance(loads, allowed, capacities, costs, name=f"{self.domain}-seed-{seed}")

    def _instance(
        self,
        loads: npt.NDArray[np.int64],
        allowed: npt.NDArray[np.int64],
        capacities: npt.NDArray[np.float64],
        costs: npt.NDArray[np.float64],
        *,
        name: str,
    ) -> Instance:
        n_pairs, n_workers = allowed.size, self.n_workers
        worker = allowed.ravel()
        load = np.repeat(np.arange(self.n_loads), self.n_allowed)
        each_pair = np.arange(n_pairs)
        most = np.maximum(capacities[worker], loads[load])
        others = np.ones((self.n_allowed, self.n_allowed)) - np.eye(self.n_allowed)
        matrix = sp.block_array(
            [
                [
                    sp.coo_array((np.ones(n_pairs), (worker, each_pair)), (n_workers, n_pairs)),
                    sp.coo_array((n_workers, n_workers)),
                ],
                [
                    sp.eye_array(n_pairs),
                    sp.coo_array((-most, (each_pair, worker)), (n_pairs, n_workers)),
                ],
                [sp.kron(sp.eye_array(self.n_loads), others), None],
            ],
            format="csr",
        )
        pairs = [
            f"{i}_{j}" for i, j in zip((worker + 1).tolist(), (load + 1).tolist(), strict=True)
        ]
        workers = range(1, n_workers + 1)
        return Instance(
            objective=np.append(np.zeros(n_pairs), costs),
            A=matrix,
            row_lower=np.concatenate((np.full(n_workers + n_pairs, -np.inf), loads[load])),
            row_upper=np.concatenate((capacities, np.zeros(n_pairs), np.full(n_pairs, np.inf))),
            lower=np.zeros(n_pairs + n_workers),
            upper=np.repeat([np.inf, 1], [n_pairs, n_workers]),
            integrality=np.repeat([0, 1], [n_pairs, n_workers]),
            column_names=(
                *(f"reserved_{pair}" for pair in pairs),
                *(f"used_{i}" for i in workers),
            ),
            row_names=(
                *(f"capacity_{i}" for i in workers),
                *(f"link_{pair}" for pair in pairs),
                *(f"failure_{pair}" for pair in pairs),
            ),
            sense="minimize",
            name=name,
        )


LoadBalancing.distributions = (
    named("milplib-easy", LoadBalancing(n_workers=40, n_loads=15, n_allowed=6), "milplib"),
    named("milplib-hard", LoadBalancing(n_workers=100, n_loads=40, n_allowed=10), "milplib"),
)
