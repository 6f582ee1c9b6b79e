from __future__ import annotations

from itertools import product
from typing import Any

import networkx as nx
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milplib.errors import ParameterError
from milplib.generators.randomness import random_stream
from milplib.generators.wildlife_corridor import WildlifeCorridor, connecting_parcels

from .linear_programs import relaxation_by_highs
from .test_optima import optimum_by_scip


@st.composite
def corridors(draw: st.DrawFn) -> WildlifeCorridor:
    order = draw(st.integers(2, 6))
    return WildlifeCorridor(
        order=order,
        n_reserves=draw(st.integers(2, order**2)),
        budget_share=draw(st.floats(0, 1)),
        max_cost=draw(st.integers(1, 100)),
        max_utility=draw(st.integers(1, 100)),
    )


def lattice(order: int) -> Any:
    grid = nx.grid_2d_graph(order, order)
    return nx.relabel_nodes(grid, {(row, column): row * order + column for row, column in grid})


def drawn(
    generator: WildlifeCorridor, seed: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], list[int]]:
    """Costs, utilities and reserves of a seed."""
    stream = random_stream(seed)
    n_parcels = generator.order**2
    costs = stream.randint(1, generator.max_cost + 1, n_parcels, dtype=np.int64)
    utilities = stream.randint(1, generator.max_utility + 1, n_parcels, dtype=np.int64)
    others = 1 + stream.permutation(n_parcels - 2)[: generator.n_reserves - 2]
    reserves = [0, *sorted(others.tolist()), n_parcels - 1]
    costs[reserves] = 0
    return costs, utilities, reserves


def flows_to(bought: list[int], order: int) -> dict[str, float]:
    """Flows that bring one unit from the first parcel to every bought one, along a tree."""
    tree = nx.bfs_tree(lattice(order).subgraph(bought), 0)
    return {
        f"flow_{parent + 1}_{child + 1}": float(len(nx.descendants(tree, child)) + 1)
        for parent, child in tree.edges
    }


@settings(max_examples=30)
@given(corridors(), st.integers(0, 2**32))
def test_rows_are_the_budget_reserves_the_source_links_balances_and_the_purchases(
    generator: WildlifeCorridor, seed: int
) -> None:
    instance = generator.generate(seed)
    costs, _, reserves = drawn(generator, seed)
    graph, n = lattice(generator.order), generator.order**2
    budget = instance.row_upper[0]
    rows = {
        "budget": ({f"purchase_{i + 1}": c for i, c in enumerate(costs) if c}, -np.inf, budget),
        "source": ({"x_0": 1, "y_0": 1}, n, n),
        "purchased": ({f"purchase_{i + 1}": 1 for i in graph} | {"y_0": -1}, 0, 0),
    }
    for t in reserves:
        rows[f"reserve_{t + 1}"] = ({f"purchase_{t + 1}": 1}, 1, 1)
    for j in graph:
        balance = {f"purchase_{j + 1}": -1}
        for i in graph[j]:
            flow = f"flow_{i + 1}_{j + 1}"
            rows[f"link_{i + 1}_{j + 1}"] = ({flow: 1, f"purchase_{j + 1}": -n}, -np.inf, 0)
            balance |= {flow: 1, f"flow_{j + 1}_{i + 1}": -1}
        if j == reserves[0]:
            balance["y_0"] = 1
        rows[f"balance_{j + 1}"] = (balance, 0, 0)
    assert sorted(instance.row_names) == sorted(rows)
    for position, name in enumerate(instance.row_names):
        entries, low, high = rows[name]
        own = slice(*instance.A.indptr[position : position + 2])
        columns = [instance.column_names[column] for column in instance.A.indices[own]]
        assert dict(zip(columns, instance.A.data[own], strict=True)) == entries
        assert (instance.row_lower[position], instance.row_upper[position]) == (low, high)


@settings(max_examples=30)
@given(corridors(), st.integers(0, 2**32))
def test_purchases_are_binary_and_give_the_utility(generator: WildlifeCorridor, seed: int) -> None:
    instance = generator.generate(seed)
    costs, utilities, _ = drawn(generator, seed)
    n = len(costs)
    assert instance.sense == "minimize"
    assert (instance.objective[:n] == -utilities).all()
    assert not instance.objective[n:].any()
    assert 1 <= utilities.min() <= utilities.max() <= generator.max_utility
    assert 0 <= costs.min() <= costs.max() <= generator.max_cost
    purchases = np.array([name.startswith("purchase") for name in instance.column_names])
    assert (instance.integrality == purchases).all()
    assert (instance.lower == 0).all()
    assert (instance.upper == np.where(purchases, 1, np.inf)).all()


@settings(max_examples=30)
@given(corridors(), st.integers(0, 2**32))
def test_buying_the_connecting_parcels_is_feasible(generator: WildlifeCorridor, seed: int) -> None:
    instance = generator.generate(seed)
    costs, _, reserves = drawn(generator, seed)
    bought = connecting_parcels(costs, generator.order, np.array(reserves))
    assert set(reserves) <= set(bought)
    assert nx.is_connected(lattice(generator.order).subgraph(bought))
    values = dict.fromkeys(instance.column_names, 0.0)
    values |= {f"purchase_{parcel + 1}": 1.0 for parcel in bought}
    values |= flows_to(bought, generator.order)
    values |= {"y_0": float(len(bought)), "x_0": float(generator.order**2 - len(bought))}
    activity = instance.A @ np.array(list(values.values()))
    assert (instance.row_lower <= activity).all()
    assert (activity <= instance.row_upper).all()


@settings(max_examples=30)
@given(corridors(), st.integers(0, 2**32))
def test_the_budget_is_its_share_of_all_costs_or_what_the_connecting_parcels_cost(
    generator: WildlifeCorridor, seed: int
) -> None:
    costs, _, reserves = drawn(generator, seed)
    needed = costs[connecting_parcels(costs, generator.order, np.array(reserves))].sum()
    share = np.floor(generator.budget_share * costs.sum())
    assert generator.generate(seed).row_upper[0] == max(needed, share)


@settings(max_examples=30)
@given(st.integers(2, 7), st.integers(0, 2**32))
def test_two_reserves_are_joined_by_a_cheapest_path(order: int, seed: int) -> None:
    costs = random_stream(seed).randint(0, 20, order**2, dtype=np.int64)
    bought = connecting_parcels(costs, order, np.array([0, order**2 - 1]))
    cheapest = nx.shortest_path_length(
        lattice(order), 0, order**2 - 1, weight=lambda _, head, __: int(costs[head])
    )
    assert costs[bought].sum() == cheapest + costs[0]


@pytest.mark.parametrize("budget_share", [0, 0.4, 0.7])
@pytest.mark.parametrize("seed", range(3))
def test_the_optimum_is_the_most_useful_of_all_connected_purchases(
    budget_share: float, seed: int
) -> None:
    generator = WildlifeCorridor(order=3, n_reserves=3, budget_share=budget_share)
    instance = generator.generate(seed)
    costs, utilities, reserves = drawn(generator, seed)
    graph = lattice(3)
    budget = max(
        int(budget_share * costs.sum()),
        costs[connecting_parcels(costs, 3, np.array(reserves))].sum(),
    )
    useful = max(
        utilities[bought].sum()
        for bought in (np.flatnonzero(chosen) for chosen in product((0, 1), repeat=9))
        if set(reserves) <= set(bought.tolist())
        and costs[bought].sum() <= budget
        and nx.is_connected(graph.subgraph(bought.tolist()))
    )
    assert optimum_by_scip(instance) == pytest.approx(-useful)


@pytest.mark.parametrize("seed", range(3))
def test_the_relaxation_is_feasible_and_bounded(seed: int) -> None:
    instance = WildlifeCorridor(order=5).generate(seed)
    assert instance.objective.sum() <= relaxation_by_highs(instance) < 0


@settings(max_examples=30)
@given(corridors(), st.integers(0, 2**32))
def test_the_size_follows_from_the_order_and_the_reserves(
    generator: WildlifeCorridor, seed: int
) -> None:
    instance = generator.generate(seed)
    n, n_arcs = generator.order**2, 4 * generator.order * (generator.order - 1)
    assert instance.n_columns == n + n_arcs + 2
    assert instance.n_rows == 1 + generator.n_reserves + 1 + n_arcs + n + 1


def test_a_seed_gives_the_pinned_instance_and_others_give_others() -> None:
    generator = WildlifeCorridor(order=4)
    hashes = [generator.generate(seed).content_hash for seed in (0, 1, 0)]
    assert hashes[0] == hashes[2] != hashes[1]
    assert hashes[0] == "aee2282a9d603d8b47286d6402ed44537d413719fc50bdcc5b14277b422f54a5"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("order", 1, "at least 2"),
        ("order", 4.0, "an integer"),
        ("n_reserves", 1, "at least 2"),
        ("n_reserves", 17, "at most the 16 parcels"),
        ("budget_share", -0.1, "at least 0"),
        ("budget_share", 1.1, "at most 1"),
        ("max_cost", 0, "at least 1"),
        ("max_utility", 0, "at least 1"),
    ],
)
def test_a_parameter_outside_its_range_is_refused(name: str, value: float, expected: str) -> None:
    with pytest.raises(ParameterError) as caught:
        WildlifeCorridor(**dict[str, Any](order=4) | {name: value})
    assert f"{name} is {value!r}" in str(caught.value)
    assert expected in str(caught.value)


def test_a_seed_that_is_negative_is_refused() -> None:
    with pytest.raises(ParameterError, match="seed is -1"):
        WildlifeCorridor(order=4).generate(-1)
