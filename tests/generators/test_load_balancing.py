from __future__ import annotations

from math import ceil, sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from milplib import Instance
from milplib.errors import ParameterError
from milplib.generators.load_balancing import LoadBalancing

from .linear_programs import relaxation_by_highs
from .test_optima import choices, optimum_by_scip

SMALL = LoadBalancing(n_workers=10, n_loads=5, n_allowed=4)


@st.composite
def balances(draw: st.DrawFn) -> LoadBalancing:
    n_workers = draw(st.integers(2, 15))
    return LoadBalancing(
        n_workers=n_workers,
        n_loads=draw(st.integers(1, 10)),
        n_allowed=draw(st.integers(2, n_workers)),
        ratio=draw(st.floats(1e-3, 20)),
    )


def data(generator: LoadBalancing, instance: Instance) -> tuple[Any, ...]:
    """Pairs (worker, load) from 1 in their order, loads, capacities and costs by number."""
    n_workers, n_pairs = generator.n_workers, generator.n_loads * generator.n_allowed
    pairs = [tuple(map(int, name.split("_")[1:])) for name in instance.column_names[:n_pairs]]
    loads = {j: instance.row_lower[n_workers + n_pairs + k] for k, (_, j) in enumerate(pairs)}
    capacities = dict(enumerate(instance.row_upper[:n_workers].tolist(), start=1))
    costs = dict(enumerate(instance.objective[n_pairs:].tolist(), start=1))
    return pairs, loads, capacities, costs


@settings(max_examples=50)
@given(balances(), st.integers(0, 2**32))
def test_rows_are_capacities_links_and_failures(generator: LoadBalancing, seed: int) -> None:
    instance = generator.generate(seed)
    pairs, loads, capacities, _ = data(generator, instance)
    expected = {}
    for i, capacity in capacities.items():
        row = {f"reserved_{i}_{j}": 1 for worker, j in pairs if worker == i}
        expected[f"capacity_{i}"] = row, -np.inf, capacity
    for i, j in pairs:
        row = {f"reserved_{i}_{j}": 1, f"used_{i}": -max(capacities[i], loads[j])}
        expected[f"link_{i}_{j}"] = row, -np.inf, 0
    for i, j in pairs:
        row = {f"reserved_{k}_{j}": 1 for k, other in pairs if other == j and k != i}
        expected[f"failure_{i}_{j}"] = row, loads[j], np.inf
    assert instance.row_names == tuple(expected)
    dense = instance.A.toarray()
    for position, (row, low, high) in enumerate(expected.values()):
        values = [row.get(name, 0) for name in instance.column_names]
        assert dense[position].tolist() == values
        assert (instance.row_lower[position], instance.row_upper[position]) == (low, high)


@settings(max_examples=50)
@given(balances(), st.integers(0, 2**32))
def test_columns_are_reservations_for_allowed_pairs_and_binary_uses_at_a_cost(
    generator: LoadBalancing, seed: int
) -> None:
    instance = generator.generate(seed)
    n, m, a = generator.n_workers, generator.n_loads, generator.n_allowed
    pairs, *_ = data(generator, instance)
    assert [j for _, j in pairs] == np.repeat(np.arange(1, m + 1), a).tolist()
    for j in range(m):
        workers = [i for i, _ in pairs[j * a : (j + 1) * a]]
        assert workers == sorted(set(workers) & set(range(1, n + 1)))
    assert instance.column_names[m * a :] == tuple(f"used_{i}" for i in range(1, n + 1))
    assert instance.sense == "minimize"
    assert instance.integrality.tolist() == [0] * (m * a) + [1] * n
    assert (instance.lower == 0).all()
    assert instance.upper.tolist() == [np.inf] * (m * a) + [1] * n
    assert (instance.objective[: m * a] == 0).all()


@settings(max_examples=50)
@given(balances(), st.integers(0, 2**32))
def test_numbers_lie_in_the_ranges_of_the_scheme_and_survive_9_digits(
    generator: LoadBalancing, seed: int
) -> None:
    instance = generator.generate(seed)
    pairs, loads, capacities, costs = data(generator, instance)
    assert all(load in range(10, 101) for load in loads.values())
    lowest, highest = int(100 * sqrt(10)), int(110 * sqrt(100) + 90)
    assert all(cost in range(lowest, highest + 1) for cost in costs.values())
    total, n = sum(loads.values()), generator.n_workers
    for i, capacity in capacities.items():
        needed = ceil(sum(loads[j] for k, j in pairs if k == i) / (generator.n_allowed - 1))
        assert capacity == int(capacity) >= needed
        # an unscaled capacity is between 10 and 100, so one of n is at most 10 times the mean
        assert capacity <= max(needed, 10 * generator.ratio * total / n)
    assert [float(f"{value:.9g}") for value in instance.A.data] == instance.A.data.tolist()


@settings(max_examples=50)
@given(balances(), st.integers(0, 2**32))
def test_using_all_workers_evenly_survives_every_failure(
    generator: LoadBalancing, seed: int
) -> None:
    instance = generator.generate(seed)
    pairs, loads, *_ = data(generator, instance)
    evenly = [loads[j] / (generator.n_allowed - 1) for _, j in pairs]
    activity = instance.A @ np.append(evenly, np.ones(generator.n_workers))
    # Sums of at most 15 numbers of at most 100, in double precision.
    assert (activity >= instance.row_lower - 1e-9).all()
    assert (activity <= instance.row_upper + 1e-9).all()


def survives_every_failure(
    used: list[int],
    pairs: list[tuple[int, int]],
    loads: dict[int, np.float64],
    capacities: dict[int, float],
) -> bool:
    """Solve the reservations of the used workers as a linear program of its own."""
    of_used = [(i, j) for i, j in pairs if i in used]
    rows: list[list[int]] = []
    sides = []
    for i in used:
        rows.append([worker == i for worker, _ in of_used])
        sides.append(capacities[i])
    for j, load in loads.items():
        for failed in [None, *used]:
            rows.append([-int(other == j and worker != failed) for worker, other in of_used])
            sides.append(-load)
    if not of_used:
        return False
    flow = linprog(np.zeros(len(of_used)), A_ub=np.array(rows, float), b_ub=sides)
    assert flow.status in (0, 2)
    return bool(flow.status == 0)


@pytest.mark.parametrize("ratio", [1, 3])
@pytest.mark.parametrize("seed", range(2))
def test_scip_finds_the_cheapest_of_all_sets_of_workers_that_survive(seed: int, ratio: int) -> None:
    generator = LoadBalancing(n_workers=6, n_loads=3, n_allowed=4, ratio=ratio)
    instance = generator.generate(seed)
    pairs, loads, capacities, costs = data(generator, instance)
    surviving = [
        sum(costs[i] for i in used)
        for used in (set((1 + np.flatnonzero(choice)).tolist()) for choice in choices(6))
        if survives_every_failure(sorted(used), pairs, loads, capacities)
    ]
    assert 1 <= len(surviving) < 2**6 - 1
    assert optimum_by_scip(instance) == pytest.approx(min(surviving), rel=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_the_relaxation_is_bounded_and_above_0(seed: int) -> None:
    instance = SMALL.generate(seed)
    assert 0 < relaxation_by_highs(instance) < instance.objective.sum()


@pytest.mark.parametrize(
    ("sizes", "rows", "columns", "nonzeros"),
    [((40, 15, 6), 220, 130, 720), ((2, 1, 2), 6, 4, 8), ((10, 5, 4), 50, 30, 120)],
)
def test_sizes_follow_from_workers_loads_and_allowed_workers(
    sizes: tuple[int, int, int], rows: int, columns: int, nonzeros: int
) -> None:
    n_workers, n_loads, n_allowed = sizes
    generator = LoadBalancing(n_workers=n_workers, n_loads=n_loads, n_allowed=n_allowed)
    instance = generator.generate(0)
    found = instance.n_rows, instance.n_columns, instance.n_nonzeros
    assert found == (rows, columns, nonzeros)


def test_capacities_grow_with_the_ratio_and_nothing_else_changes() -> None:
    small, large = (
        LoadBalancing(n_workers=10, n_loads=5, n_allowed=4, ratio=ratio).generate(3)
        for ratio in (4, 8)
    )
    assert small.column_names == large.column_names
    assert small.objective.tolist() == large.objective.tolist()
    assert small.row_lower.tolist() == large.row_lower.tolist()
    assert (small.row_upper[:10] < large.row_upper[:10]).any()
    assert (small.row_upper[:10] <= large.row_upper[:10]).all()


def test_every_worker_is_allowed_about_as_often_as_any_other() -> None:
    generator = LoadBalancing(n_workers=20, n_loads=2000, n_allowed=5)
    names = generator.generate(0).column_names[:10_000]
    counts = np.bincount([int(name.split("_")[1]) - 1 for name in names], minlength=20)
    # 500 are expected with a deviation of 19; five deviations are beyond any chance.
    assert np.abs(counts - 500).max() < 100


def test_the_same_seed_gives_the_pinned_instance_and_other_seeds_give_others() -> None:
    hashes = [SMALL.generate(seed).content_hash for seed in (0, 1, 2, 0)]
    assert hashes[0] == "563bc5985eb27e579e692ba102f5645ce8b7edaacd0f319698018cd6a8cabfc0"
    assert hashes[3] == hashes[0]
    assert len(set(hashes)) == 3


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("n_workers", 1, "at least 2"),
        ("n_workers", 10.0, "an integer"),
        ("n_loads", 0, "at least 1"),
        ("n_loads", True, "an integer"),
        ("n_allowed", 1, "at least 2"),
        ("n_allowed", 11, "from 2 to the 10 workers"),
        ("ratio", 0, "above 0 and at most 1000"),
        ("ratio", 1001, "above 0 and at most 1000"),
        ("ratio", float("inf"), "above 0 and at most 1000"),
    ],
)
def test_a_parameter_outside_its_range_is_refused_with_name_value_and_range(
    name: str, value: float, expected: str
) -> None:
    with pytest.raises(ParameterError) as caught:
        LoadBalancing(**dict[str, Any](n_workers=10, n_loads=5, n_allowed=4) | {name: value})
    assert f"{name} is {value!r}" in str(caught.value)
    assert expected in str(caught.value)


def test_the_distributions_are_milplibs_own() -> None:
    assert {entry.name: entry.provenance for entry in LoadBalancing.distributions} == {
        "LB-milplib-easy": "milplib",
        "LB-milplib-hard": "milplib",
    }
