"""Balanced item placement (a benchmark of the ML4CO competition, Gasse et al. 2022)."""

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

__all__ = ["ItemPlacement"]

LARGEST_MAX_SIZE = 10**6
IMBALANCE_WEIGHT = 10  # of a resource's largest deficit relative to the sum of all deficits


@dataclass(frozen=True, kw_only=True)
class ItemPlacement:
    r"""Balanced item placement: put every item into a bin and use all bins as evenly as possible.

    Item i needs :math:`s_{ir}` of resource r, and bin b has :math:`k_{br}` of it.
    :math:`x_{ib} = 1` if item i is in bin b. The fair share of a bin is the mean load of the B
    bins. The deficit :math:`d_{br}` is the missing fraction of bin b's fair share of resource r,
    and :math:`m_r` is the largest deficit of resource r over the bins:

    .. math::
        \min 10 B R \sum_r m_r + \sum_{br} d_{br} \quad \text{with}\quad
        & \sum_b x_{ib} = 1 \;\forall i,\quad
        \sum_i s_{ir} x_{ib} \le k_{br} \;\forall b, r, \\
        & \frac{B}{\sum_i s_{ir}} \sum_i s_{ir} x_{ib} + d_{br} \ge 1 \;\forall b, r,\quad
        d_{br} \le m_r \;\forall b, r, \\
        & x_{ib} \in \{0, 1\},\; 0 \le d_{br} \le 1,\; 0 \le m_r \le 1

    The competition's text has equations in place of the rows with :math:`\ge 1`. The shares of
    all bins have mean 1, so equations with nonnegative deficits would only allow a perfect
    balance.

    The columns are ``place_1_1, place_1_2, …`` by item, ``deficit_1_1, …`` by bin and
    ``max_deficit_1, …``; the rows are the items' ``placed_i``, then, each by bin,
    ``capacity_b_r``, ``share_b_r`` and ``max_deficit_b_r``. Hence there are
    :math:`IB + BR + R` columns, :math:`I + 3BR` rows and :math:`IB(1 + 2R) + 3BR` nonzeros.

    Sizes are integers, uniform in 1 … ``max_size`` (units of the resource). A hidden placement
    deals the items in a random order to the bins in turn, and
    :math:`k_{br} = \lfloor (1 + \text{slack}) \ell_{br} \rfloor`, where :math:`\ell_{br}` is the
    load of bin b in the hidden placement. Hence every instance is feasible, with an objective of
    at least 0. The random sizes and capacities are milplib's own: the competition published only
    its instances and the formulation. The coefficients of the shares are rounded to 9 significant
    digits.

    Parameters
    ----------
    n_items
        Number of items I, at least ``n_bins``.
    n_bins
        Number of bins B, at least 1.
    n_resources
        Number of resources R, at least 1.
    max_size
        Largest size of an item in any resource, from 1 to 1000000.
    slack
        Spare capacity of a bin as a fraction of its load in the hidden placement, from 0 to 1000.
        With a small slack, a bin with less than its fair share in the hidden placement cannot
        hold its fair share, which lifts the bound of the LP relaxation above 0.

    Raises
    ------
    ParameterError
        If a parameter is outside its range.

    References
    ----------
    M. Gasse et al. (2022). The Machine Learning for Combinatorial Optimization Competition
    (ML4CO): results and insights. Proceedings of Machine Learning Research 176 (benchmark
    "balanced item placement").

    Examples
    --------
    >>> instance = ItemPlacement().generate(seed=7)
    >>> instance.n_rows, instance.n_columns, instance.n_nonzeros
    (195, 1083, 7440)
    >>> instance.column_names[0], instance.column_names[-1]
    ('place_1_1', 'max_deficit_3')
    """

    n_items: int = 105
    n_bins: int = 10
    n_resources: int = 3
    max_size: int = 100
    slack: float = 0.3

    domain: ClassVar[str] = "IP"
    generator_version: ClassVar[int] = 1
    distributions: ClassVar[tuple[Distribution, ...]]

    def __post_init__(self) -> None:
        check_integer("n_items", self.n_items, at_least=1)
        check_integer("n_bins", self.n_bins, at_least=1)
        check_integer("n_resources", self.n_resources, at_least=1)
        check_integer("max_size", self.max_size, at_least=1)
        check_real("slack", self.slack, at_least=0, at_most=1000)
        if self.n_items < self.n_bins:
            raise ParameterError(
                f"n_items is {self.n_items}, expected at least the {self.n_bins} bins: the hidden "
                "placement leaves none empty"
            )
        if self.max_size > LARGEST_MAX_SIZE:
            raise ParameterError(
                f"max_size is {self.max_size}, expected an integer from 1 to {LARGEST_MAX_SIZE}"
            )

    def generate(self, seed: int) -> Instance:
        """Generate the instance of a seed.

        Raises
        ------
        ParameterError
            If the seed is not a nonnegative integer.
        """
        sizes, hidden_bins = self._sizes_and_hidden_bins(random_stream(seed))
        loads = np.zeros((self.n_bins, self.n_resources), dtype=np.int64)
        np.add.at(loads, hidden_bins, sizes)
        # Rounding is monotone, so the product is never below the load.
        capacities = np.floor(loads * (1 + self.slack))
        return self._instance(sizes, capacities, name=f"{self.domain}-seed-{seed}")

    def _sizes_and_hidden_bins(
        self, stream: np.random.RandomState
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Draw the sizes, shape (items, resources), and the bin of every item, numbered from 0."""
        sizes = stream.randint(
            1, self.max_size + 1, size=(self.n_items, self.n_resources), dtype=np.int64
        )
        return sizes, stream.permutation(self.n_items).astype(np.int64) % self.n_bins

    def _instance(
        self, sizes: npt.NDArray[np.int64], capacities: npt.NDArray[np.float64], *, name: str
    ) -> Instance:
        n_places = self.n_items * self.n_bins
        n_deficits = self.n_bins * self.n_resources
        n_columns = n_places + n_deficits + self.n_resources
        item, bin_, resource = np.indices((self.n_items, self.n_bins, self.n_resources)).reshape(
            3, -1
        )
        where = (bin_ * self.n_resources + resource, item * self.n_bins + bin_)

        def content(weights: npt.NDArray[np.float64]) -> sp.coo_array:
            """Weigh the content of each bin: rows by bin and resource, columns by item and bin."""
            return sp.coo_array((weights[item, resource], where), shape=(n_deficits, n_places))

        shares = round_significant((self.n_bins * sizes / sizes.sum(axis=0)).ravel())
        each_deficit = sp.eye_array(n_deficits)
        largest = sp.kron(np.full((self.n_bins, 1), -1), sp.eye_array(self.n_resources))
        matrix = sp.block_array(
            [
                [sp.kron(sp.eye_array(self.n_items), np.ones((1, self.n_bins))), None, None],
                [content(sizes.astype(np.float64)), None, None],
                [content(shares.reshape(sizes.shape)), each_deficit, None],
                [None, each_deficit, largest],
            ],
            format="csr",
        )
        items = range(1, self.n_items + 1)
        bins = range(1, self.n_bins + 1)
        resources = range(1, self.n_resources + 1)
        pairs = [f"{b}_{resource}" for b in bins for resource in resources]
        return Instance(
            objective=np.repeat(
                [0, 1, IMBALANCE_WEIGHT * n_deficits], [n_places, n_deficits, self.n_resources]
            ),
            A=matrix,
            row_lower=np.repeat(
                [1, -np.inf, 1, -np.inf], [self.n_items, n_deficits, n_deficits, n_deficits]
            ),
            row_upper=np.concatenate(
                (
                    np.ones(self.n_items),
                    capacities.ravel(),
                    np.full(n_deficits, np.inf),
                    np.zeros(n_deficits),
                )
            ),
            lower=np.zeros(n_columns),
            upper=np.ones(n_columns),
            integrality=np.repeat([1, 0], [n_places, n_deficits + self.n_resources]),
            column_names=(
                *(f"place_{i}_{b}" for i in items for b in bins),
                *(f"deficit_{pair}" for pair in pairs),
                *(f"max_deficit_{r}" for r in resources),
            ),
            row_names=(
                *(f"placed_{i}" for i in items),
                *(f"capacity_{pair}" for pair in pairs),
                *(f"share_{pair}" for pair in pairs),
                *(f"max_deficit_{pair}" for pair in pairs),
            ),
            sense="minimize",
            name=name,
        )


ItemPlacement.distributions = (
    named("milplib-easy", ItemPlacement(n_items=15, n_bins=3, slack=0.1), "milplib"),
    named("milplib-very-hard", ItemPlacement(), "milplib"),
)
