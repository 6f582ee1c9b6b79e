from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from narrowing import present

from milplib import Instance
from milplib.generators import IndependentSet
from milplib.generators.graphs import barabasi_albert, erdos_renyi
from milplib.generators.randomness import random_stream


@st.composite
def grown_sets(draw: st.DrawFn) -> IndependentSet:
    n_nodes = draw(st.integers(2, 60))
    return IndependentSet(n_nodes=n_nodes, affinity=draw(st.integers(1, n_nodes - 1)))


random_sets = st.builds(
    IndependentSet,
    n_nodes=st.integers(2, 50),
    graph=st.just("erdos_renyi"),
    edge_probability=st.floats(0, 1),
)


def members(instance: Instance) -> list[Any]:
    return [tuple(row.tolist()) for row in np.split(instance.A.indices, instance.A.indptr[1:-1])]


@given(grown_sets(), st.integers(0, 2**32))
def test_clique_rows_cover_exactly_the_edges_of_the_graph(
    generator: IndependentSet, seed: int
) -> None:
    rows = members(generator.generate(seed))
    edges = barabasi_albert(random_stream(seed), generator.n_nodes, generator.affinity)
    pairs = [pair for row in rows for pair in combinations(row, 2)]
    assert all(len(row) >= 2 for row in rows)
    assert sorted(pairs) == sorted(tuple(edge) for edge in edges.tolist())  # each exactly once


@given(random_sets, st.integers(0, 2**32))
def test_edge_rows_are_exactly_the_edges_of_the_graph(generator: IndependentSet, seed: int) -> None:
    instance = generator.generate(seed)
    edges = erdos_renyi(random_stream(seed), generator.n_nodes, present(generator.edge_probability))
    assert instance.n_rows == len(edges)
    assert instance.A.indices.reshape(-1, 2).tolist() == edges.tolist()


@given(st.one_of(grown_sets(), random_sets), st.integers(0, 2**32))
def test_the_formulation_is_a_binary_packing_of_unit_weights(generator: Any, seed: int) -> None:
    instance = generator.generate(seed)
    assert instance.sense == "maximize"
    assert instance.n_columns == generator.n_nodes
    assert (instance.objective == 1).all()
    assert (instance.A.data == 1).all()
    assert np.isneginf(instance.row_lower).all()
    assert (instance.row_upper == 1).all()
    assert (instance.lower == 0).all()
    assert (instance.upper == 1).all()
    assert (instance.integrality == 1).all()


def test_a_tree_has_one_row_an_edge() -> None:
    rows = members(IndependentSet(n_nodes=30, affinity=1).generate(0))
    assert len(rows) == 29
    assert all(len(row) == 2 for row in rows)


def test_a_graph_without_edges_gives_columns_without_rows() -> None:
    instance = IndependentSet(n_nodes=5, graph="erdos_renyi", edge_probability=0.0).generate(0)
    assert (instance.n_rows, instance.n_columns) == (0, 5)
