from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milplib.errors import MissingPackageError
from milplib.generators.randomness import random_stream
from milplib.generators.water_networks import (
    CONSUMERS_OF_NETWORK,
    WaterNetwork,
    parse_epanet,
    real_network,
    street_network,
)

# Its files are read, it is not imported.
needs_wntr = pytest.mark.skipif(find_spec("wntr") is None, reason="wntr is not installed")

# Junctions + reservoirs + tanks, pipes, pumps + valves: counted in EPANET's own files.
SIZES = {
    "Net1": (9 + 1 + 1, 12, 1),
    "Net3": (92 + 2 + 3, 117, 2),
    "Net6": (3323 + 1 + 32, 3829, 61 + 2),
    "ky4": (959 + 1 + 4, 1156, 2),
    "ky10": (920 + 2 + 13, 1043, 13 + 5),
}

FILE = """[TITLE]
A main, a pump and a tank

[junctions]
;ID  Elev  Demand
 A   10    0        ;
 B   12    3.5  PAT ; a comment
 C   15

[RESERVOIRS]
 R   100
[TANKS]
 T   120 5 0 10 50 0
[PIPES]
;ID  Node1  Node2  Length  Diameter
 1   R      A      100     12  100 0 Open
 2   B      T      250.5   12  100 0 Closed
[PUMPS]
 P   A      B      HEAD 1
[VALVES]
 V   B      C      12 PRV 120 0
[OPTIONS]
 Units      {units}
 Unbalanced Continue 10
[END]
"""


def graph_of(network: WaterNetwork) -> Any:
    graph = nx.Graph()
    graph.add_nodes_from(range(network.n_nodes))
    graph.add_edges_from(network.links.tolist())
    return graph


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**32), st.integers(1, 6), st.integers(1, 6), st.floats(0, 1), st.integers(1, 36)
)
def test_streets_are_a_connected_part_of_the_lattice(
    seed: int, n_streets: int, n_avenues: int, loop_share: float, n_reservoirs: int
) -> None:
    n_nodes = n_streets * n_avenues
    network = street_network(
        random_stream(seed),
        n_streets=n_streets,
        n_avenues=n_avenues,
        loop_share=loop_share,
        n_reservoirs=min(n_reservoirs, n_nodes),
    )
    graph = graph_of(network)
    lattice = nx.convert_node_labels_to_integers(nx.grid_2d_graph(n_streets, n_avenues))
    assert network.n_nodes == n_nodes
    assert nx.is_connected(graph)
    assert {tuple(sorted(edge)) for edge in graph.edges} <= {
        tuple(sorted(edge)) for edge in lattice.edges
    }
    if loop_share == 1:
        assert graph.number_of_edges() == lattice.number_of_edges()
    if loop_share == 0:
        assert nx.is_tree(graph)
    both = np.concatenate((network.reservoirs, network.consumers))
    assert sorted(both.tolist()) == list(range(n_nodes))


def test_pipes_below_streets_are_about_as_long_as_streets_are_apart() -> None:
    network = street_network(
        random_stream(0), n_streets=30, n_avenues=30, loop_share=1, n_reservoirs=1
    )
    assert 40 <= network.lengths.min() < 60
    assert 100 < network.lengths.mean() < 107
    assert 140 < network.lengths.max() <= 171


@pytest.mark.parametrize(("units", "metres"), [("GPM", 0.3048), ("LPS", 1)])
def test_an_input_file_of_epanet_is_read_with_its_units(units: str, metres: float) -> None:
    network = parse_epanet(FILE.format(units=units))
    assert network.n_nodes == 5
    # R–A and B–T are pipes, then come the pump A–B and the valve B–C.
    assert network.links.tolist() == [[3, 0], [1, 4], [0, 1], [1, 2]]
    assert network.lengths.tolist() == [metres * 100, metres * 250.5]
    assert network.reservoirs.tolist() == [3]
    assert network.consumers.tolist() == [1]


@needs_wntr
@pytest.mark.parametrize("name", CONSUMERS_OF_NETWORK)
def test_a_real_network_is_connected_and_has_the_known_size(name: str) -> None:
    network = real_network(name)
    n_nodes, n_pipes, n_others = SIZES[name]
    assert (network.n_nodes, len(network.lengths)) == (n_nodes, n_pipes)
    assert len(network.links) == n_pipes + n_others
    assert (network.lengths > 0).all()
    assert len(network.consumers) == CONSUMERS_OF_NETWORK[name]
    assert len(network.reservoirs) >= 1
    assert nx.is_connected(graph_of(network))


@needs_wntr
def test_the_longest_pipe_of_net3_is_45500_feet_long() -> None:
    network = real_network("Net3")
    assert network.lengths.max() == pytest.approx(0.3048 * 45500)


def test_a_network_that_the_package_does_not_ship_is_refused_with_the_extra() -> None:
    with pytest.raises(MissingPackageError, match=r"milplib\[water\]"):
        real_network("Net0")
