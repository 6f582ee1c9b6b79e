"""Sizes of instances against those of the generator behind the published sets.

Published figures are mean and standard deviation over 60 to 100 instances.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import f as f_distribution
from slow_parameters import slow

from milplib.generators import (
    CapacitatedFacilityLocation,
    CombinatorialAuction,
    IndependentSet,
    SetCover,
    from_name,
)

N_PUBLISHED_INSTANCES = 60  # the least it may have been

AUCTIONS = [  # items, bids, rows, nonzeros
    (100, 500, (192.5, 2.9), (2795, 155)),
    (200, 1000, (384.6, 4.8), (5604, 227)),
    (300, 1500, (579.4, 6.5), (8344, 260)),
]


def named(name: str) -> Any:
    return from_name(name)


@functools.cache
def sizes(generator: Any, n_instances: int) -> Any:
    """Rows and nonzeros of the first instances, shape (n_instances, 2)."""
    instances = (generator.generate(seed) for seed in range(n_instances))
    return np.array([(instance.n_rows, instance.n_nonzeros) for instance in instances], float)


def check_mean_and_spread(values: npt.NDArray[np.float64], mean: float, deviation: float) -> None:
    standard_error = deviation / np.sqrt(N_PUBLISHED_INSTANCES)
    assert abs(values.mean() - mean) <= 0.01 * mean + 2 * standard_error
    low, high = f_distribution.ppf([0.0005, 0.9995], len(values) - 1, N_PUBLISHED_INSTANCES - 1)
    assert low <= values.var(ddof=1) / deviation**2 <= high


@pytest.mark.slow
@pytest.mark.parametrize("compatibility", ["bundle", "first_items"])
@pytest.mark.parametrize(("n_items", "n_bids", "rows", "nonzeros"), AUCTIONS)
def test_auctions_have_the_published_rows_and_nonzeros(
    n_items: int,
    n_bids: int,
    rows: tuple[float, float],
    nonzeros: tuple[int, int],
    compatibility: Any,
) -> None:
    generator = CombinatorialAuction(n_items=n_items, n_bids=n_bids, compatibility=compatibility)
    found_rows, found_nonzeros = sizes(generator, 100).T
    check_mean_and_spread(found_rows, *rows)
    check_mean_and_spread(found_nonzeros, *nonzeros)


@pytest.mark.slow
def test_independent_sets_of_500_nodes_have_the_published_rows_and_nonzeros() -> None:
    rows, nonzeros = sizes(IndependentSet(n_nodes=500), 100).T
    check_mean_and_spread(rows, 1953.7, 5.3)
    check_mean_and_spread(nonzeros, 3922, 8)


@pytest.mark.slow
def test_independent_sets_of_1000_nodes_have_the_published_rows() -> None:
    check_mean_and_spread(sizes(named("MIS-easy"), 100)[:, 0], 3945.3, 6.2)


@pytest.mark.parametrize(
    ("name", "n_instances", "n_rows"),
    [
        slow("CA-very-easy", 100, 192.5),
        slow("CA-easy", 100, 385),
        slow("CA-medium", 100, 578),
        slow("CA-very-hard", 3, 2680),
        slow("CA-very-hard2", 3, 5350),
        ("MIS-medium", 10, 5946),
        slow("MIS-very-hard", 5, 24_000),
    ],
)
def test_named_distributions_have_the_published_number_of_rows(
    name: str, n_instances: int, n_rows: float
) -> None:
    rows = sizes(named(name), n_instances)[:, 0]
    assert rows.mean() == pytest.approx(n_rows, rel=0.01)


@pytest.mark.slow
def test_large_auctions_tell_the_published_compatibility_from_the_scheme() -> None:
    by_bundle = CombinatorialAuction(n_items=2000, n_bids=4000)
    assert sizes(by_bundle, 3)[:, 0].mean() == pytest.approx(2746, rel=0.01)


@pytest.mark.parametrize("n_rows", [500, 1000, 2000])
def test_set_covers_have_exactly_rows_times_columns_times_density_nonzeros(n_rows: int) -> None:
    instance = SetCover(n_rows=n_rows, n_columns=1000, density=0.05).generate(0)
    assert (instance.n_rows, instance.n_columns) == (n_rows, 1000)
    assert instance.n_nonzeros == n_rows * 50


@pytest.mark.parametrize(
    ("n_customers", "n_facilities", "size"),
    [(50, 50, (2601, 2550, 10_100)), (100, 100, (10_201, 10_100, 40_200))],
)
def test_facility_locations_have_the_published_size(
    n_customers: int, n_facilities: int, size: tuple[int, int, int]
) -> None:
    instance = CapacitatedFacilityLocation(
        n_customers=n_customers, n_facilities=n_facilities
    ).generate(0)
    assert (instance.n_rows, instance.n_columns, instance.n_nonzeros) == size
