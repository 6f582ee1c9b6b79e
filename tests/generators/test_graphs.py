from __future__ import annotations

from collections import Counter
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

from milplib.generators.graphs import barabasi_albert, erdos_renyi, greedy_clique_partition
from milplib.generators.randomness import random_stream


@st.composite
def barabasi_albert_parameters(draw: st.DrawFn) -> tuple[Any, ...]:
    n_nodes = draw(st.integers(2, 60))
    return n_nodes, draw(st.integers(1, n_nodes - 1))


def edge_set(edges: npt.NDArray[np.int64]) -> set[tuple[int, int]]:
    return {tuple(edge) for edge in edges.tolist()}


@given(barabasi_albert_parameters(), st.integers(0, 2**32))
def test_a_grown_graph_starts_as_a_star_and_gains_affinity_edges_a_node(
    parameters: tuple[Any, ...], seed: int
) -> None:
    n_nodes, affinity = parameters
    edges = barabasi_albert(random_stream(seed), n_nodes, affinity)
    assert len(edges) == len(edge_set(edges))
    assert edges.tolist() == sorted(edges.tolist())
    assert all(0 <= u < v < n_nodes for u, v in edges.tolist())
    brought = Counter(edges[:, 1].tolist())
    assert brought == dict.fromkeys(range(affinity, n_nodes), affinity)
    assert {(node, affinity) for node in range(affinity)} <= edge_set(edges)


def test_new_nodes_join_by_degree_without_replacement() -> None:
    # The fourth node meets degrees (1, 1, 2): it leaves out one of the three nodes, the node of
    # degree 2 with probability 2 · 1/4 · 1/3 = 1/6.
    stream, n_graphs = random_stream(0), 6000
    left_out = sum(
        (2, 3) not in edge_set(barabasi_albert(stream, n_nodes=4, affinity=2))
        for _ in range(n_graphs)
    )
    deviation = np.sqrt(n_graphs * 1 / 6 * 5 / 6)
    assert abs(left_out - n_graphs / 6) < 4 * deviation


@given(st.integers(1, 50), st.floats(0, 1), st.integers(0, 2**32))
def test_edges_of_a_random_graph_are_distinct_pairs_in_order(
    n_nodes: int, probability: float, seed: int
) -> None:
    edges = erdos_renyi(random_stream(seed), n_nodes, probability)
    assert edges.shape == (len(edge_set(edges)), 2)
    assert edges.tolist() == sorted(edges.tolist())
    assert all(0 <= u < v < n_nodes for u, v in edges.tolist())


def test_probabilities_0_and_1_give_the_empty_and_the_complete_graph() -> None:
    assert erdos_renyi(random_stream(0), 10, 0.0).shape == (0, 2)
    assert edge_set(erdos_renyi(random_stream(0), 10, 1.0)) == set(combinations(range(10), 2))


def test_every_pair_is_an_edge_equally_often() -> None:
    stream, n_graphs, probability = random_stream(0), 4000, 0.3
    counts = Counter(
        edge for _ in range(n_graphs) for edge in edge_set(erdos_renyi(stream, 5, probability))
    )
    deviation = np.sqrt(n_graphs * probability * (1 - probability))
    assert len(counts) == 10
    assert all(abs(count - n_graphs * probability) < 4.5 * deviation for count in counts.values())


@given(st.integers(1, 30), st.floats(0, 1), st.integers(0, 2**32))
def test_a_partition_holds_every_node_once_and_cliques_only(
    n_nodes: int, probability: float, seed: int
) -> None:
    edges = erdos_renyi(random_stream(seed), n_nodes, probability)
    cliques = greedy_clique_partition(n_nodes, edges)
    assert sorted(node for clique in cliques for node in clique) == list(range(n_nodes))
    known = edge_set(edges)
    assert all(pair in known for clique in cliques for pair in combinations(clique, 2))


@given(st.integers(1, 30), st.floats(0, 1), st.integers(0, 2**32))
def test_cliques_are_grown_from_the_largest_degree_until_no_free_node_fits(
    n_nodes: int, probability: float, seed: int
) -> None:
    edges = erdos_renyi(random_stream(seed), n_nodes, probability)
    degrees = np.bincount(edges.ravel(), minlength=n_nodes)
    known = edge_set(edges)
    free = set(range(n_nodes))
    for clique in greedy_clique_partition(n_nodes, edges):
        assert max(degrees[clique]) == max(degrees[list(free)])
        free -= set(clique)
        for node in free:
            assert not all(tuple(sorted((node, member))) in known for member in clique)


def test_a_complete_graph_is_one_clique() -> None:
    edges = erdos_renyi(random_stream(0), 12, 1.0)
    assert greedy_clique_partition(12, edges) == [list(range(12))]
