"""Combinatorial auctions, the "arbitrary" scheme of CATS (Leyton-Brown et al. 2000)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from milplib.errors import ParameterError
from milplib.generators.incidence import incidence_matrix, packing
from milplib.generators.named import named
from milplib.generators.parameters import check_integer, check_real
from milplib.generators.randomness import random_stream, round_significant
from milplib.instance import Instance
from milplib.library import Distribution

__all__ = ["CombinatorialAuction"]

Floats = npt.NDArray[np.float64]
Compatibility = Literal["bundle", "first_items"]


class _Bid(NamedTuple):
    items: tuple[int, ...]
    price: float


@dataclass(frozen=True, kw_only=True)
class CombinatorialAuction:
    r"""Winner determination in a combinatorial auction: accept bids of the largest total price.

    With the price :math:`p_b` of bid b and the set :math:`B_i` of the bids that contain item i:

    .. math::
        \max \sum_b p_b x_b \quad \text{with } \sum_{b \in B_i} x_b \le 1 \;\forall i,\;
        x_b \in \{0, 1\} \;\forall b

    Items have values, uniform in `min_value` … `max_value`, and pairs of items a random
    compatibility. A bidder has an interest :math:`r_i`, uniform in (0, 1], in every item and
    values it at :math:`v_i + \text{max\_value} \cdot \text{value\_deviation} \cdot (2 r_i - 1)`.
    The bidder bids on a bundle: a first item drawn by interest, and further items drawn by
    interest and mean compatibility with the bundle, each added with the probability
    `add_item_probability`. The price is the sum of the bidder's values plus
    :math:`|B|^{1 + \text{additivity}}`; a bidder with a negative price is dropped. For every item
    of the bundle, the bidder also considers a bundle of equal size that contains the item. The
    bidder bids on the most expensive of these bundles whose price is between 0 and
    `budget_factor` times the first price, and whose item values sum to at least `resale_factor`
    times those of the first bundle. If a bidder has more than two bids, they exclude each other
    by a shared dummy item.

    Rows are the items that occur in a bid, then the dummy items. Prices have 9 significant digits.

    Parameters
    ----------
    n_items
        Number of items, at least 1.
    n_bids
        Number of bids (columns), at least 1. There is no upper limit, as bidders may bid on equal
        bundles.
    min_value, max_value
        Range of the items' values, in units of money: 0 ≤ `min_value` ≤ `max_value`.
    value_deviation
        Maximum deviation of a bidder's values from the items', as a share of `max_value`; at
        least 0.
    add_item_probability
        Probability of adding another item to a bundle, in [0, 1).
    max_n_sub_bids
        Largest number of bids of a bidder beside the first, at least 0.
    additivity
        Superadditivity of bundles, in [-1, 1]; 0 makes the surplus the number of items.
    budget_factor
        Largest price of a further bid as a multiple of the first's, at least 0.
    resale_factor
        Smallest sum of item values of a further bid as a share of the first's, at least 0.
    compatibility
        Second weight of an item that joins a bundle, besides the interest. ``"bundle"``: its
        mean compatibility with the bundle, as in the paper. ``"first_items"``: its compatibility
        with items 1 and 2, weighted n - \|B\| to \|B\| (see Notes).

    Raises
    ------
    ParameterError
        If a parameter is outside its range.

    Notes
    -----
    The generator of the published instances uses the bundle's 0/1 mask as positions, and so reads
    the compatibilities with items 1 and 2 instead of those with the bundle. The difference shows
    in large auctions: with 2000 items and 4000 bids, it produces 2680 rows on average, and the
    scheme of the paper 2746. The published distributions therefore have
    ``compatibility="first_items"``.

    References
    ----------
    K. Leyton-Brown, M. Pearson, Y. Shoham (2000). Towards a universal test suite for combinatorial
    auction algorithms. ACM Conference on Electronic Commerce, section 4.3 ("arbitrary").

    Examples
    --------
    >>> instance = CombinatorialAuction(n_items=100, n_bids=500).generate(seed=7)
    >>> instance.sense, instance.n_columns, 185 < instance.n_rows < 200
    ('maximize', 500, True)
    """

    n_items: int
    n_bids: int
    min_value: float = 1
    max_value: float = 100
    value_deviation: float = 0.5
    add_item_probability: float = 0.7
    max_n_sub_bids: int = 5
    additivity: float = 0.2
    budget_factor: float = 1.5
    resale_factor: float = 0.5
    compatibility: Compatibility = "bundle"

    domain: ClassVar[str] = "CA"
    generator_version: ClassVar[int] = 1
    distributions: ClassVar[tuple[Distribution, ...]]

    def __post_init__(self) -> None:
        check_integer("n_items", self.n_items, at_least=1)
        check_integer("n_bids", self.n_bids, at_least=1)
        check_real("min_value", self.min_value, at_least=0)
        check_real("max_value", self.max_value, at_least=self.min_value)
        check_real("value_deviation", self.value_deviation, at_least=0)
        check_real("add_item_probability", self.add_item_probability, at_least=0, below=1)
        check_integer("max_n_sub_bids", self.max_n_sub_bids, at_least=0)
        check_real("additivity", self.additivity, at_least=-1, at_most=1)
        check_real("budget_factor", self.budget_factor, at_least=0)
        check_real("resale_factor", self.resale_factor, at_least=0)
        if self.compatibility not in get_args(Compatibility):
            raise ParameterError(
                f"compatibility is {self.compatibility!r}, expected 'bundle' or 'first_items'"
            )

    def generate(self, seed: int) -> Instance:
        """Generate the instance of a seed.

        Raises
        ------
        ParameterError
            If the seed is not a nonnegative integer.
        """
        stream = random_stream(seed)
        item_values = self.min_value + (self.max_value - self.min_value) * stream.random_sample(
            self.n_items
        )
        compatibilities = _compatibilities(stream, self.n_items)
        bids: list[_Bid] = []
        n_rows = self.n_items
        # The loop ends: a bidder's first price is positive with probability about one half or
        # more, as the first item is drawn by interest.
        while len(bids) < self.n_bids:
            bidder_bids = self._bidder_bids(stream, item_values, compatibilities)
            bidder_bids = bidder_bids[: self.n_bids - len(bids)]
            if len(bidder_bids) > 2:
                bidder_bids = [_Bid((*bid.items, n_rows), bid.price) for bid in bidder_bids]
                n_rows += 1
            bids += bidder_bids
        items = np.array([item for bid in bids for item in bid.items])
        matrix = incidence_matrix(items, [len(bid.items) for bid in bids], n_rows).T.tocsr()
        matrix = matrix[np.flatnonzero(np.bincount(items, minlength=n_rows))]
        prices = round_significant(bid.price for bid in bids)
        return packing(prices, matrix, name=f"{self.domain}-seed-{seed}")

    def _bidder_bids(
        self, stream: np.random.RandomState, item_values: Floats, compatibilities: Floats
    ) -> list[_Bid]:
        """Draw the first bid of a bidder and its substitutes; none if the price is negative."""
        interests = 1.0 - stream.random_sample(self.n_items)  # in (0, 1], as weights must not be 0
        private_values = item_values + self.max_value * self.value_deviation * (2 * interests - 1)

        def bid(items: npt.NDArray[np.int64]) -> _Bid:
            surplus = math.pow(len(items), 1 + self.additivity)
            return _Bid(tuple(items.tolist()), math.fsum(private_values[items]) + surplus)

        def resale_value(items: tuple[int, ...]) -> float:
            return math.fsum(item_values[list(items)])

        first_item = _draw_positions(stream, interests[np.newaxis])
        n_bundle_items = 1
        while n_bundle_items < self.n_items and stream.random_sample() < self.add_item_probability:
            n_bundle_items += 1
        bundle = self._grow_bundles(stream, first_item, n_bundle_items, interests, compatibilities)[
            0
        ]
        first = bid(bundle)
        if first.price < 0:
            return []
        others = self._grow_bundles(stream, bundle, n_bundle_items, interests, compatibilities)
        substitutes = {
            other.items: other
            for other in map(bid, others)
            if other.items != first.items
            and 0 <= other.price <= self.budget_factor * first.price
            and resale_value(other.items) >= self.resale_factor * resale_value(first.items)
        }
        dearest_first = sorted(substitutes.values(), key=lambda other: -other.price)
        return [first, *dearest_first[: self.max_n_sub_bids]]

    def _grow_bundles(
        self,
        stream: np.random.RandomState,
        first_items: npt.NDArray[np.int64],
        n_bundle_items: int,
        interests: Floats,
        compatibilities: Floats,
    ) -> npt.NDArray[np.int64]:
        """Grow one bundle from each first item, item by item.

        Returns
        -------
        ndarray of shape (len(first_items), n_bundle_items), int64
            The items of each bundle, ascending.
        """
        bundles = np.empty((len(first_items), n_bundle_items), dtype=np.int64)
        bundles[:, 0] = first_items
        every_bundle = np.arange(len(first_items))[:, np.newaxis]
        # Sums replace means, as a draw does not depend on the scale of its weights.
        attraction = np.zeros((len(first_items), self.n_items))
        for size in range(1, n_bundle_items):
            if self.compatibility == "bundle":
                attraction += compatibilities[bundles[:, size - 1]]
            else:
                with_first, with_second = compatibilities[:, 0], compatibilities[:, 1]
                attraction[:] = (self.n_items - size) * with_first + size * with_second
            weights = interests * attraction
            weights[every_bundle, bundles[:, :size]] = 0
            bundles[:, size] = _draw_positions(stream, weights)
        bundles.sort(axis=1)
        return bundles


def _compatibilities(stream: np.random.RandomState, n_items: int) -> Floats:
    """Draw a symmetric matrix, uniform in (0, 1] with a zero diagonal, and normalise its rows."""
    compatibilities = np.zeros((n_items, n_items))
    for item in range(n_items - 1):
        drawn = 1.0 - stream.random_sample(n_items - item - 1)
        compatibilities[item, item + 1 :] = drawn
        compatibilities[item + 1 :, item] = drawn
    if n_items > 1:
        # Column sums equal row sums, as the matrix is symmetric. NumPy adds whole rows in a fixed
        # order, but the order of addition within a row depends on its version.
        compatibilities /= compatibilities.sum(axis=0)[:, np.newaxis]
    return compatibilities


def _draw_positions(stream: np.random.RandomState, weights: Floats) -> npt.NDArray[np.int64]:
    """Draw a position from each row of weights, with probability proportional to the weight."""
    cumulative = np.cumsum(weights, axis=1)
    # Even rounded, u · total is below the total for every u < 1, so the position is in the row.
    targets = stream.random_sample(len(weights)) * cumulative[:, -1]
    positions: npt.NDArray[np.int64] = (cumulative <= targets[:, np.newaxis]).sum(axis=1)
    return positions


def _published(n_items: int, n_bids: int) -> CombinatorialAuction:
    return CombinatorialAuction(n_items=n_items, n_bids=n_bids, compatibility="first_items")


CombinatorialAuction.distributions = (
    named("very-easy", _published(n_items=100, n_bids=500), "published"),
    named("easy", _published(n_items=200, n_bids=1000), "verified"),
    named("medium", _published(n_items=300, n_bids=1500), "verified"),
    named("very-hard", _published(n_items=2000, n_bids=4000), "verified"),
    named("very-hard2", _published(n_items=4000, n_bids=8000), "published"),
    named("milplib-small", CombinatorialAuction(n_items=60, n_bids=300), "milplib"),
    named("milplib-judging", _published(n_items=150, n_bids=750), "milplib"),
    named("milplib-deep", _published(n_items=160, n_bids=850), "milplib"),
    named("milplib-half", _published(n_items=75, n_bids=375), "milplib"),
)
