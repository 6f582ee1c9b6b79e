from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milplib import Instance
from milplib.errors import ParameterError
from milplib.generators.item_placement import ItemPlacement
from milplib.generators.randomness import random_stream

from .linear_programs import relaxation_by_highs
from .test_optima import optimum_by_scip

SMALL = ItemPlacement(n_items=12, n_bins=4, n_resources=2, slack=0.1)
# Sizes and shares are written with 9 digits, and a bin's share is a sum of few of them.
TOLERANCE = 1e-7


@st.composite
def placements(draw: st.DrawFn) -> ItemPlacement:
    n_bins = draw(st.integers(1, 5))
    return ItemPlacement(
        n_items=draw(st.integers(n_bins, 15)),
        n_bins=n_bins,
        n_resources=draw(st.integers(1, 4)),
        max_size=draw(st.integers(1, 10**6)),
        slack=draw(st.floats(0, 3)),
    )


def parts(
    generator: ItemPlacement, instance: Instance
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Sizes, shape (items, resources), and capacities, shape (bins, resources)."""
    n_items, n_bins, n_resources = generator.n_items, generator.n_bins, generator.n_resources
    of_first_bin = instance.A[n_items : n_items + n_resources].toarray()
    upper = instance.row_upper[n_items : n_items + n_bins * n_resources]
    return of_first_bin[:, : n_items * n_bins : n_bins].T, upper.reshape(n_bins, n_resources)


def numbers(*sizes: int) -> product[Any]:
    return product(*(range(1, size + 1) for size in sizes))


def deficits_of(
    sizes: npt.NDArray[Any], bins: npt.NDArray[np.int64], n_bins: int
) -> npt.NDArray[np.float64]:
    """What each bin lacks of its fair share, shape (bins, resources); bins from 0."""
    content = np.array([sizes[bins == b].sum(axis=0) for b in range(n_bins)])
    result: npt.NDArray[np.float64] = np.maximum(0, 1 - content / (sizes.sum(axis=0) / n_bins))
    return result


@settings(max_examples=50)
@given(placements(), st.integers(0, 2**32))
def test_rows_are_placements_capacities_shares_and_largest_deficits(
    generator: ItemPlacement, seed: int
) -> None:
    instance = generator.generate(seed)
    n_items, n_bins, n_resources = generator.n_items, generator.n_bins, generator.n_resources
    sizes, capacities = parts(generator, instance)
    shares = n_bins * sizes / sizes.sum(axis=0)
    expected: dict[str, Any] = {}
    for (i,) in numbers(n_items):
        expected[f"placed_{i}"] = {f"place_{i}_{b}": 1 for b in range(1, n_bins + 1)}, 1, 1
    for b, r in numbers(n_bins, n_resources):
        row = {f"place_{i}_{b}": sizes[i - 1, r - 1] for i in range(1, n_items + 1)}
        expected[f"capacity_{b}_{r}"] = row, -np.inf, capacities[b - 1, r - 1]
    for b, r in numbers(n_bins, n_resources):
        row = {f"place_{i}_{b}": shares[i - 1, r - 1] for i in range(1, n_items + 1)}
        expected[f"share_{b}_{r}"] = row | {f"deficit_{b}_{r}": 1}, 1, np.inf
    for b, r in numbers(n_bins, n_resources):
        row = {f"deficit_{b}_{r}": 1, f"max_deficit_{r}": -1}
        expected[f"max_deficit_{b}_{r}"] = row, -np.inf, 0
    assert instance.row_names == tuple(expected)
    dense = instance.A.toarray()
    for position, (row, low, high) in enumerate(expected.values()):
        values = [row.get(name, 0) for name in instance.column_names]
        assert dense[position] == pytest.approx(values, rel=1e-8, abs=0)
        assert (instance.row_lower[position], instance.row_upper[position]) == (low, high)


@settings(max_examples=50)
@given(placements(), st.integers(0, 2**32))
def test_columns_are_binary_places_deficits_and_weighted_largest_deficits(
    generator: ItemPlacement, seed: int
) -> None:
    instance = generator.generate(seed)
    n_items, n_bins, n_resources = generator.n_items, generator.n_bins, generator.n_resources
    assert instance.column_names == (
        *(f"place_{i}_{b}" for i, b in numbers(n_items, n_bins)),
        *(f"deficit_{b}_{r}" for b, r in numbers(n_bins, n_resources)),
        *(f"max_deficit_{r}" for (r,) in numbers(n_resources)),
    )
    cost = {"place": 0, "deficit": 1, "max": 10 * n_bins * n_resources}
    kinds = [name.split("_")[0] for name in instance.column_names]
    assert instance.objective.tolist() == [cost[kind] for kind in kinds]
    assert instance.integrality.tolist() == [kind == "place" for kind in kinds]
    assert instance.sense == "minimize"
    assert (instance.lower == 0).all()
    assert (instance.upper == 1).all()


@settings(max_examples=50)
@given(placements(), st.integers(0, 2**32))
def test_sizes_are_integers_in_their_range_and_survive_9_digits(
    generator: ItemPlacement, seed: int
) -> None:
    instance = generator.generate(seed)
    sizes, capacities = parts(generator, instance)
    assert (sizes == np.floor(sizes)).all()
    assert 1 <= sizes.min() <= sizes.max() <= generator.max_size
    assert (capacities == np.floor(capacities)).all()
    total = sizes.sum(axis=0)
    assert (capacities.sum(axis=0) >= total).all()
    assert (capacities.sum(axis=0) <= total * (1 + generator.slack) * (1 + 1e-12)).all()
    assert [float(f"{value:.9g}") for value in instance.A.data] == instance.A.data.tolist()


@settings(max_examples=50)
@given(placements(), st.integers(0, 2**32))
def test_the_hidden_placement_is_feasible_and_leaves_no_bin_empty(
    generator: ItemPlacement, seed: int
) -> None:
    instance = generator.generate(seed)
    sizes, bins = generator._sizes_and_hidden_bins(random_stream(seed))
    assert np.ptp(np.bincount(bins, minlength=generator.n_bins)) <= 1
    deficits = deficits_of(sizes, bins, generator.n_bins)
    places = bins[:, np.newaxis] == np.arange(generator.n_bins)
    solution = np.concatenate((places.ravel(), deficits.ravel(), deficits.max(axis=0)))
    activity = instance.A @ solution
    assert (activity >= instance.row_lower - TOLERANCE).all()
    assert (activity <= instance.row_upper + TOLERANCE).all()


@pytest.mark.parametrize("seed", range(3))
def test_scip_finds_the_most_even_of_all_placements_that_fit(seed: int) -> None:
    generator = ItemPlacement(n_items=7, n_bins=3, n_resources=2, slack=0.15)
    instance = generator.generate(seed)
    sizes, capacities = parts(generator, instance)
    costs = []
    for placed in product(range(3), repeat=7):
        bins = np.array(placed)
        content = np.array([sizes[bins == b].sum(axis=0) for b in range(3)])
        if (content <= capacities).all():
            deficits = deficits_of(sizes, bins, 3)
            costs.append(60 * deficits.max(axis=0).sum() + deficits.sum())
    assert 0 < len(costs) < 3**7
    assert min(costs) < max(costs)
    # SCIP may leave each of the rows violated by 1e-6, at a cost of 60 each.
    assert optimum_by_scip(instance) == pytest.approx(min(costs), rel=1e-6, abs=1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_the_relaxation_is_bounded_by_0_and_above_it_where_bins_cannot_hold_their_share(
    seed: int,
) -> None:
    bounds = {}
    for slack in (0.0, 100.0):
        instance = ItemPlacement(n_items=12, n_bins=4, n_resources=2, slack=slack).generate(seed)
        bounds[slack] = relaxation_by_highs(instance)
    assert bounds[0.0] > 1
    assert bounds[100.0] == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize(
    ("sizes", "rows", "columns", "nonzeros"),
    [((105, 10, 3), 195, 1083, 7440), ((15, 3, 3), 42, 57, 342), ((4, 2, 1), 10, 11, 30)],
)
def test_sizes_follow_from_items_bins_and_resources(
    sizes: tuple[int, int, int], rows: int, columns: int, nonzeros: int
) -> None:
    n_items, n_bins, n_resources = sizes
    generator = ItemPlacement(n_items=n_items, n_bins=n_bins, n_resources=n_resources)
    instance = generator.generate(0)
    found = instance.n_rows, instance.n_columns, instance.n_nonzeros
    assert found == (rows, columns, nonzeros)


def test_the_same_seed_gives_the_pinned_instance_and_other_seeds_give_others() -> None:
    hashes = [SMALL.generate(seed).content_hash for seed in (0, 1, 2, 0)]
    assert hashes[0] == "8d3c76e5bc5e54fc025e3a138e1069aaa600497ad5d379198730f3de2c2c3ba9"
    assert hashes[3] == hashes[0]
    assert len(set(hashes)) == 3


def test_a_larger_slack_changes_the_capacities_alone() -> None:
    tight, loose = (
        ItemPlacement(n_items=12, n_bins=4, n_resources=2, slack=slack).generate(5)
        for slack in (0.0, 0.5)
    )
    assert (tight.A != loose.A).nnz == 0
    changed = tight.row_upper != loose.row_upper
    assert [name.split("_")[0] for name in np.array(tight.row_names)[changed]] == ["capacity"] * 8


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("n_items", 0, "at least 1"),
        ("n_items", 3, "at least the 4 bins"),
        ("n_items", 12.0, "an integer"),
        ("n_bins", 0, "at least 1"),
        ("n_bins", True, "an integer"),
        ("n_resources", 0, "at least 1"),
        ("max_size", 0, "at least 1"),
        ("max_size", 10**6 + 1, "from 1 to 1000000"),
        ("slack", -0.01, "at least 0 and at most 1000"),
        ("slack", 1001, "at least 0 and at most 1000"),
        ("slack", float("nan"), "at least 0 and at most 1000"),
    ],
)
def test_a_parameter_outside_its_range_is_refused_with_name_value_and_range(
    name: str, value: float, expected: str
) -> None:
    with pytest.raises(ParameterError) as caught:
        ItemPlacement(**dict[str, Any](n_items=12, n_bins=4, n_resources=2) | {name: value})
    assert f"{name} is {value!r}" in str(caught.value)
    assert expected in str(caught.value)


def test_the_distributions_are_milplibs_own() -> None:
    assert {entry.name: entry.provenance for entry in ItemPlacement.distributions} == {
        "IP-milplib-easy": "milplib",
        "IP-milplib-very-hard": "milplib",
    }
