"""Optima of tiny instances: SCIP on the generated instance against enumeration of the problem."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, product
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from pyscipopt import Model, quicksum
from scipy.optimize import linprog

from milplib import Instance
from milplib.generators import (
    CapacitatedFacilityLocation,
    CombinatorialAuction,
    IndependentSet,
    SetCover,
)
from milplib.generators.graphs import barabasi_albert, erdos_renyi
from milplib.generators.randomness import random_stream

SEEDS = range(3)


def optimum_by_scip(instance: Instance) -> float:
    model = Model()
    model.hideOutput()
    columns = [
        model.addVar(name, vtype="I" if integer else "C", lb=low, ub=high)
        for name, integer, low, high in zip(
            instance.column_names, instance.integrality, instance.lower, instance.upper, strict=True
        )
    ]
    for row in range(instance.n_rows):
        entries = slice(*instance.A.indptr[row : row + 2])
        activity = quicksum(
            value * columns[column]
            for column, value in zip(
                instance.A.indices[entries], instance.A.data[entries], strict=True
            )
        )
        if np.isfinite(instance.row_lower[row]):
            model.addCons(activity >= instance.row_lower[row])
        if np.isfinite(instance.row_upper[row]):
            model.addCons(activity <= instance.row_upper[row])
    total = quicksum(
        cost * column for cost, column in zip(instance.objective, columns, strict=True)
    )
    model.setObjective(total, instance.sense)
    model.optimize()
    assert model.getStatus() == "optimal"
    return model.getObjVal()


def choices(n: int) -> npt.NDArray[np.int64]:
    return np.array(list(product((0, 1), repeat=n)))


@pytest.mark.parametrize("seed", SEEDS)
def test_scip_finds_the_cheapest_of_all_covers(seed: int) -> None:
    instance = SetCover(n_rows=8, n_columns=12, density=0.3).generate(seed)
    chosen = choices(12)
    covers = chosen[(chosen @ instance.A.toarray().T >= 1).all(axis=1)]
    assert optimum_by_scip(instance) == pytest.approx((covers @ instance.objective).min())


@pytest.mark.parametrize("seed", SEEDS)
def test_scip_finds_the_dearest_of_all_compatible_bids(seed: int) -> None:
    instance = CombinatorialAuction(n_items=6, n_bids=12).generate(seed)
    chosen = choices(12)
    compatible = chosen[(chosen @ instance.A.toarray().T <= 1).all(axis=1)]
    assert optimum_by_scip(instance) == pytest.approx((compatible @ instance.objective).max())


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("generator", "sample"),
    [
        (
            IndependentSet(n_nodes=12, affinity=3),
            lambda stream: barabasi_albert(stream, 12, 3),
        ),
        (
            IndependentSet(n_nodes=12, graph="erdos_renyi", edge_probability=0.4),
            lambda stream: erdos_renyi(stream, 12, 0.4),
        ),
    ],
    ids=["Barabási-Albert", "Erdős-Rényi"],
)
def test_scip_finds_the_largest_independent_set_of_the_graph(
    generator: IndependentSet, sample: Callable[..., Any], seed: int
) -> None:
    edges = {tuple(edge) for edge in sample(random_stream(seed)).tolist()}
    largest = max(
        size
        for size in range(13)
        for nodes in combinations(range(12), size)
        if not edges.intersection(combinations(nodes, 2))
    )
    assert optimum_by_scip(generator.generate(seed)) == pytest.approx(largest)


@pytest.mark.parametrize("seed", SEEDS)
def test_scip_finds_the_cheapest_of_all_sets_of_open_facilities(seed: int) -> None:
    n_customers, n_facilities = 6, 5
    generator = CapacitatedFacilityLocation(
        n_customers=n_customers, n_facilities=n_facilities, ratio=2
    )
    instance = generator.generate(seed)
    n_pairs = n_customers * n_facilities
    transport, fixed = np.split(instance.objective, [n_pairs])
    capacity_rows = instance.A[n_customers : n_customers + n_facilities].toarray()
    use, capacities = capacity_rows[:, :n_pairs], -capacity_rows[:, n_pairs:].diagonal()
    serve = np.kron(np.eye(n_customers), np.ones(n_facilities))
    costs = []
    for opened in choices(n_facilities):
        flow = linprog(
            transport,
            A_ub=use,
            b_ub=capacities * opened,
            A_eq=serve,
            b_eq=np.ones(n_customers),
            bounds=(0, 1),
        )
        if flow.status == 0:
            costs.append(flow.fun + fixed @ opened)
    assert 1 < len(costs) < 2**n_facilities
    assert optimum_by_scip(instance) == pytest.approx(min(costs), rel=1e-6)
