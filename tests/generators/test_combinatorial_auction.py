from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milplib import Instance
from milplib.generators import CombinatorialAuction
from milplib.generators.randomness import random_stream

auctions = st.builds(
    CombinatorialAuction,
    n_items=st.integers(1, 30),
    n_bids=st.integers(1, 80),
    add_item_probability=st.floats(0, 0.95),
    value_deviation=st.floats(0, 2),
    max_n_sub_bids=st.integers(0, 8),
    additivity=st.floats(-1, 1),
    budget_factor=st.floats(0, 3),
    resale_factor=st.floats(0, 1),
    compatibility=st.sampled_from(["bundle", "first_items"]),
)


def exclusion_rows(generator: CombinatorialAuction, instance: Instance) -> npt.NDArray[np.bool]:
    """Rows that must be dummy items, since there are no more items than these come after."""
    result: npt.NDArray[np.bool] = instance.A[generator.n_items :].toarray().astype(bool)
    return result


@settings(deadline=None)
@given(auctions, st.integers(0, 2**64))
def test_the_formulation_is_a_binary_packing_of_all_bids_without_empty_rows(
    generator: CombinatorialAuction, seed: int
) -> None:
    instance = generator.generate(seed)
    assert instance.sense == "maximize"
    assert instance.n_columns == generator.n_bids
    assert (instance.A.data == 1).all()
    assert (np.diff(instance.A.indptr) >= 1).all()
    assert np.isneginf(instance.row_lower).all()
    assert (instance.row_upper == 1).all()
    assert (instance.lower == 0).all()
    assert (instance.upper == 1).all()
    assert (instance.integrality == 1).all()
    assert (instance.objective > 0).all()


@settings(deadline=None)
@given(auctions, st.integers(0, 2**64))
def test_a_dummy_item_joins_the_distinct_equally_large_bids_of_one_bidder(
    generator: CombinatorialAuction, seed: int
) -> None:
    instance = generator.generate(seed)
    columns = instance.A.toarray()[: generator.n_items].T
    dummies = exclusion_rows(generator, instance)
    assert (dummies.sum(axis=0) <= 1).all()
    for bids in map(np.flatnonzero, dummies):
        first, *others = instance.objective[bids]
        assert 3 <= len(bids) <= generator.max_n_sub_bids + 1
        assert (np.diff(bids) == 1).all()
        assert len({tuple(column) for column in columns[bids]}) == len(bids)
        assert max(others) <= generator.budget_factor * first * (1 + 1e-8)
        assert others == sorted(others, reverse=True)


@pytest.mark.parametrize("compatibility", ["bundle", "first_items"])
def test_bids_of_one_bidder_have_equally_large_bundles_that_meet_the_first(
    compatibility: Any,
) -> None:
    # enough bids that every item occurs, so the first rows are those of the items
    generator = CombinatorialAuction(n_items=20, n_bids=400, compatibility=compatibility)
    instance = generator.generate(0)
    bundles = instance.A[:20].toarray().astype(bool).T
    dummies = exclusion_rows(generator, instance)
    assert len(dummies) > 50
    for bids in map(np.flatnonzero, dummies):
        assert len(set(bundles[bids].sum(axis=1))) == 1
        assert (bundles[bids] & bundles[bids[0]]).any(axis=1).all()


def test_items_join_a_bundle_by_interest_and_mean_compatibility_with_it() -> None:
    generator = CombinatorialAuction(n_items=5, n_bids=1)
    interests = np.array([0.9, 0.5, 0.2, 0.8, 0.4])
    compatibilities = np.array(
        [
            [0.0, 0.1, 0.2, 0.3, 0.4],
            [0.3, 0.0, 0.4, 0.2, 0.1],
            [0.1, 0.8, 0.0, 0.05, 0.05],
            [0.2, 0.0, 0.1, 0.0, 0.7],
            [0.5, 0.1, 0.1, 0.3, 0.0],
        ]
    )

    def joins(item: Any, bundle: Any) -> Any:
        weights = interests * compatibilities[bundle].mean(axis=0)
        weights[bundle] = 0
        return weights[item] / weights.sum()

    bundles = generator._grow_bundles(
        random_stream(0), np.full(60_000, 3), 3, interests, compatibilities
    )
    for one, other in combinations((0, 1, 2, 4), 2):
        expected = joins(one, [3]) * joins(other, [3, one])
        expected += joins(other, [3]) * joins(one, [3, other])
        found = (bundles == sorted((3, one, other))).all(axis=1).mean()
        assert abs(found - expected) <= 4.5 * np.sqrt(expected * (1 - expected) / 60_000)


def test_a_bidder_with_two_bids_needs_no_dummy_item() -> None:
    instance = CombinatorialAuction(n_items=30, n_bids=200, max_n_sub_bids=1).generate(0)
    assert instance.n_rows <= 30


@pytest.mark.slow
@pytest.mark.parametrize("compatibility", ["bundle", "first_items"])
def test_bundle_sizes_are_geometric(compatibility: Any) -> None:
    # single bids only, from far more items than a bundle can hold
    generator = CombinatorialAuction(
        n_items=500, n_bids=5000, max_n_sub_bids=0, compatibility=compatibility
    )
    bundle_sizes = np.bincount(generator.generate(0).A.indices)
    # bundles of negative price are dropped, and those are small: slightly above 1 / 0.3
    assert 1 / 0.3 - 0.15 < bundle_sizes.mean() < 1 / 0.3 + 0.25


def test_prices_of_single_items_lie_in_the_bidders_value_range() -> None:
    generator = CombinatorialAuction(n_items=50, n_bids=2000, add_item_probability=0)
    prices = generator.generate(0).objective
    # 1 … 100 for the item, ±50 for the bidder, 1 for the surplus
    assert prices.min() >= 0
    assert 140 < prices.max() <= 151


def test_items_of_large_interest_are_bid_on_first() -> None:
    # with interests alone deciding, the mean private deviation is E[r²]/E[r] = 2/3 of the range
    generator = CombinatorialAuction(
        n_items=100, n_bids=5000, min_value=50, max_value=50, add_item_probability=0
    )
    prices = generator.generate(0).objective
    assert prices.mean() == pytest.approx(50 + 25 * (2 * 2 / 3 - 1) + 1, abs=1)


@pytest.mark.parametrize("n_items", [1, 2, 3])
@pytest.mark.parametrize("compatibility", ["bundle", "first_items"])
def test_many_bids_on_few_items_come_to_an_end(n_items: int, compatibility: Any) -> None:
    generator = CombinatorialAuction(n_items=n_items, n_bids=500, compatibility=compatibility)
    assert generator.generate(0).n_columns == 500


def test_worthless_items_are_bid_on_for_the_surplus_alone() -> None:
    instance = CombinatorialAuction(n_items=5, n_bids=50, min_value=0, max_value=0).generate(0)
    sizes = np.bincount(instance.A[:5].indices, minlength=50)
    assert instance.objective == pytest.approx(sizes**1.2, rel=1e-8)
