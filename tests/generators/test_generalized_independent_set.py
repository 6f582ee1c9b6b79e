from __future__ import annotations

import gzip
import pickle
from dataclasses import fields, replace
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from narrowing import present
from scipy.optimize import linprog

from milplib import Instance
from milplib.errors import InstanceError, ParameterError
from milplib.generators.dimacs import read_dimacs
from milplib.generators.generalized_independent_set import GeneralizedIndependentSet
from milplib.generators.graphs import erdos_renyi
from milplib.generators.randomness import random_stream

from .test_optima import optimum_by_scip

SMALL: dict[str, Any] = {"n_nodes": 10}
SQUARE = "p edge 5 4\ne 2 1\ne 3 2\ne 4 3\ne 4 1\n"

SEEDS = st.integers(0, 2**32)
random_sets = st.builds(
    GeneralizedIndependentSet,
    n_nodes=st.integers(2, 25),
    edge_probability=st.floats(0, 1),
    removable_probability=st.floats(0, 1),
    revenue=st.floats(0.01, 1000),
    removal_cost=st.floats(0.01, 1000),
)


@pytest.fixture
def square(tmp_path: Path) -> Path:
    path = tmp_path / "square.clq"
    path.write_text(SQUARE)
    return path


def edges_of(instance: Instance) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """The fixed and the removable edges by the rows' names, numbered from 1."""
    split = [name.split("_") for name in instance.row_names]
    fixed, removable = (
        [(int(u), int(v)) for kind, u, v in split if kind == wanted]
        for wanted in ("fixed", "removable")
    )
    return fixed, removable


@given(random_sets, SEEDS)
def test_rows_forbid_fixed_edges_and_make_removable_ones_cost(
    generator: GeneralizedIndependentSet, seed: int
) -> None:
    instance = generator.generate(seed)
    nodes = range(1, present(generator.n_nodes) + 1)
    fixed, removable = edges_of(instance)
    assert instance.column_names == (
        *(f"x_{node}" for node in nodes),
        *(f"y_{u}_{v}" for u, v in removable),
    )
    assert sorted(fixed + removable) == [
        (u + 1, v + 1)
        for u, v in erdos_renyi(
            random_stream(seed), present(generator.n_nodes), generator.edge_probability
        ).tolist()
    ]
    for name, row in zip(instance.row_names, instance.A.toarray(), strict=True):
        kind, u, v = name.split("_")
        expected = dict.fromkeys(instance.column_names, 0) | {f"x_{u}": 1, f"x_{v}": 1}
        if kind == "removable":
            expected[f"y_{u}_{v}"] = -1
        assert row.tolist() == list(expected.values())
    assert np.isneginf(instance.row_lower).all()
    assert (instance.row_upper == 1).all()


@given(random_sets, SEEDS)
def test_nodes_earn_the_revenue_and_removals_cost_all_binary(
    generator: GeneralizedIndependentSet, seed: int
) -> None:
    instance = generator.generate(seed)
    revenue, removal_cost = (
        float(f"{value:.9g}") for value in (generator.revenue, generator.removal_cost)
    )
    nodes, removals = np.split(instance.objective, [present(generator.n_nodes)])
    assert (nodes == -revenue).all()
    assert (removals == removal_cost).all()
    assert instance.sense == "minimize"
    assert instance.integrality.all()
    assert (instance.lower == 0).all()
    assert (instance.upper == 1).all()


@given(random_sets, SEEDS)
def test_choosing_no_node_is_feasible_and_the_relaxation_is_bounded(
    generator: GeneralizedIndependentSet, seed: int
) -> None:
    instance = generator.generate(seed)
    assert (instance.A @ np.zeros(instance.n_columns) <= instance.row_upper).all()
    relaxed = linprog(
        instance.objective,
        A_ub=instance.A if instance.n_rows else None,
        b_ub=instance.row_upper if instance.n_rows else None,
        bounds=(0, 1),
    )
    assert relaxed.status == 0
    # At least a single node, at most all of them without any removal.
    assert relaxed.fun <= instance.objective[0] * (1 - 1e-6)
    assert relaxed.fun >= instance.objective[0] * generator.n_nodes * (1 + 1e-6)


def best_choice(
    n_nodes: int,
    fixed: list[tuple[int, int]],
    removable: list[tuple[int, int]],
    revenue: int,
    removal_cost: float,
) -> float:
    def value(chosen: Any) -> Any:
        pairs = set(combinations([node + 1 for node in range(n_nodes) if chosen[node]], 2))
        if pairs.intersection(fixed):
            return 0
        return removal_cost * len(pairs.intersection(removable)) - revenue * sum(chosen)

    return float(min(map(value, product((False, True), repeat=n_nodes))))


@pytest.mark.parametrize(("revenue", "removal_cost"), [(100, 1), (1, 0.75)])
@pytest.mark.parametrize("seed", range(3))
def test_scip_finds_the_best_of_all_choices_of_nodes(
    revenue: int, removal_cost: float, seed: int
) -> None:
    instance = GeneralizedIndependentSet(
        n_nodes=11,
        edge_probability=0.6,
        removable_probability=0.5,
        revenue=revenue,
        removal_cost=removal_cost,
    ).generate(seed)
    best = best_choice(11, *edges_of(instance), revenue, removal_cost)
    assert optimum_by_scip(instance) == pytest.approx(best, rel=1e-6)


@pytest.mark.parametrize("seed", range(2))
def test_scip_finds_the_best_of_all_choices_on_a_graph_from_a_file(square: Path, seed: int) -> None:
    generator = GeneralizedIndependentSet(
        graph=square, revenue=3, removal_cost=2, removable_probability=0.5
    )
    instance = generator.generate(seed)
    best = best_choice(5, *edges_of(instance), 3, 2)
    assert optimum_by_scip(instance) == pytest.approx(best, rel=1e-6)


@pytest.mark.parametrize(
    ("level", "n_nodes", "n_columns", "n_rows"),
    [("easy", 115, 607, 1967), ("medium", 150, 988, 3352), ("hard", 175, 1317, 4567)],
)
def test_named_distributions_have_the_published_size(
    level: str, n_nodes: int, n_columns: int, n_rows: int
) -> None:
    (entry,) = (
        entry for entry in GeneralizedIndependentSet.distributions if entry.name == f"GISP-{level}"
    )
    assert entry.provenance == "verified"
    instances = [present(entry.generator).generate(seed) for seed in range(40)]
    sizes = np.array([(i.n_columns, i.n_rows, i.n_nonzeros) for i in instances])
    # Columns and rows are sums of as many draws as there are pairs of nodes; the published means
    # are rounded. To 4 standard deviations of a mean of 40.
    n_pairs = n_nodes * (n_nodes - 1) / 2
    spread = 4 * np.sqrt(n_pairs / 40)
    assert abs(sizes[:, 0].mean() - n_columns) < 1 + spread * np.sqrt(0.075 * 0.925)
    assert abs(sizes[:, 1].mean() - n_rows) < 1 + spread * np.sqrt(0.3 * 0.7)
    assert (sizes[:, 2] == 2 * sizes[:, 1] + sizes[:, 0] - n_nodes).all()


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_every_edge_is_removable_equally_often(share: float) -> None:
    generator = GeneralizedIndependentSet(n_nodes=60, removable_probability=share)
    fixed, removable = (sum(counts) for counts in zip(*counts_of(generator, 10), strict=True))
    deviation = np.sqrt(share * (1 - share) * (fixed + removable))
    assert abs(removable - share * (fixed + removable)) <= 4 * deviation


def counts_of(generator: GeneralizedIndependentSet, n_seeds: int) -> list[tuple[int, int]]:
    sets = [edges_of(generator.generate(seed)) for seed in range(n_seeds)]
    return [(len(fixed), len(removable)) for fixed, removable in sets]


@pytest.mark.parametrize(
    "name",
    [
        "C125.9",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("brock200_2", "hamming8-4", "keller4", "p_hat300-1")
        ),
    ],
)
def test_20_seeds_of_a_real_graph_are_20_instances_of_its_edges(test_data: Path, name: str) -> None:
    path = test_data / "dimacs" / f"{name}.clq.gz"
    edges = [(u + 1, v + 1) for u, v in read_dimacs(path).edges.tolist()]
    generator = GeneralizedIndependentSet(graph=path, removable_probability=0.75)
    instances = [generator.generate(seed) for seed in range(20)]
    assert len({instance.content_hash for instance in instances}) == 20
    assert {instance.n_rows for instance in instances} == {len(edges)}
    fixed, removable = edges_of(instances[7])
    assert sorted(fixed + removable) == edges
    # A sum of independent draws, to 5 standard deviations.
    assert abs(len(removable) / len(edges) - 0.75) < 5 * np.sqrt(0.1875 / len(edges))
    assert instances[7].name == f"GISP-{name}-seed-7"


def test_nodes_without_an_edge_are_columns_without_a_row(square: Path) -> None:
    instance = GeneralizedIndependentSet(graph=square).generate(0)
    assert instance.column_names[4] == "x_5"
    assert instance.A[:, [4]].nnz == 0
    lonely = GeneralizedIndependentSet(n_nodes=5, edge_probability=0).generate(0)
    assert (lonely.n_rows, lonely.n_columns) == (0, 5)


def test_an_instance_depends_on_the_graph_and_not_on_where_or_how_it_is_stored(
    square: Path, tmp_path: Path
) -> None:
    compressed = tmp_path / "other.clq.gz"
    compressed.write_bytes(gzip.compress(square.read_bytes()))
    one, other = (GeneralizedIndependentSet(graph=path) for path in (square, compressed))
    assert one.graph_sha256 == other.graph_sha256
    assert one.generate(3).content_hash == other.generate(3).content_hash


def test_a_graph_that_has_changed_is_refused(square: Path) -> None:
    generator = GeneralizedIndependentSet(graph=square)
    parameters = {field.name: getattr(generator, field.name) for field in fields(generator)}
    square.write_text(SQUARE.replace("e 4 1", "e 4 2"))
    with pytest.raises(ParameterError, match=r"graph_sha256 is .* square\.clq has|not the graph"):
        generator.generate(0)
    with pytest.raises(ParameterError, match="leave graph_sha256 out"):
        GeneralizedIndependentSet(**parameters)
    assert replace(generator, graph_sha256=None).graph_sha256 != generator.graph_sha256
    square.unlink()
    with pytest.raises(InstanceError, match="No such file"):
        generator.generate(0)


def test_a_generator_of_a_file_survives_pickling_and_its_own_repr(square: Path) -> None:
    generator = GeneralizedIndependentSet(graph=square)
    assert isinstance(generator.graph, str)
    for copy in (pickle.loads(pickle.dumps(generator)), eval(repr(generator))):
        assert copy == generator
        assert copy.generate(1).content_hash == generator.generate(1).content_hash


@given(random_sets, SEEDS)
def test_a_seed_gives_the_same_instance_again(
    generator: GeneralizedIndependentSet, seed: int
) -> None:
    assert generator.generate(seed).content_hash == generator.generate(seed).content_hash


def test_seeds_give_different_graphs_and_removable_edges() -> None:
    instances = [GeneralizedIndependentSet(n_nodes=30).generate(seed) for seed in range(10)]
    assert len({instance.content_hash for instance in instances}) == 10
    complete = GeneralizedIndependentSet(n_nodes=12, edge_probability=1)
    assert len({complete.generate(seed).row_names for seed in range(10)}) == 10


def test_seed_0_gives_the_pinned_instances(square: Path) -> None:
    hashes = [
        generator.generate(0).content_hash
        for generator in (
            GeneralizedIndependentSet(n_nodes=40),
            GeneralizedIndependentSet(graph=square),
        )
    ]
    assert hashes == [
        "0a020d85c5d256d643ee9be510100fe18e5bd0e72ffeee2d524021ffea4ea322",
        "f4cfd8cf160fff242606a7446fb1b0537f1d7aba0e4ab57d602c5529b9656af0",
    ]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("n_nodes", 1, "at least 2"),
        ("n_nodes", None, "at least 2"),
        ("n_nodes", 10.0, "an integer"),
        ("edge_probability", -0.1, "at least 0 and at most 1"),
        ("edge_probability", 1.1, "at least 0 and at most 1"),
        ("removable_probability", 1.5, "at least 0 and at most 1"),
        ("removable_probability", float("nan"), "at least 0 and at most 1"),
        ("revenue", 0, "above 0"),
        ("revenue", float("inf"), "above 0"),
        ("removal_cost", -1, "above 0"),
        ("graph", 7, "the path of a file"),
        ("graph_sha256", "00", "None for a random graph"),
    ],
)
def test_a_parameter_outside_its_range_is_refused_with_name_value_and_range(
    name: str, value: float | str | None, expected: str
) -> None:
    with pytest.raises(ParameterError) as caught:
        GeneralizedIndependentSet(**{**SMALL, name: value})
    assert f"{name} is {value!r}" in str(caught.value)
    assert expected in str(caught.value)


def test_a_graph_from_a_file_has_its_own_number_of_nodes(square: Path, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="n_nodes is 5, expected None"):
        GeneralizedIndependentSet(graph=square, n_nodes=5)
    with pytest.raises(InstanceError, match=r"absent\.clq"):
        GeneralizedIndependentSet(graph=tmp_path / "absent.clq")


@pytest.mark.parametrize("seed", [-1, 0.5, None])
def test_a_seed_that_is_not_an_integer_from_0_on_is_refused(seed: Any) -> None:
    with pytest.raises(ParameterError, match="seed is"):
        GeneralizedIndependentSet(**SMALL).generate(seed)
