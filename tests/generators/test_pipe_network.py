from __future__ import annotations

from importlib.util import find_spec
from itertools import combinations, pairwise
from typing import Any

import networkx as nx
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import milplib.generators.water_networks as water_networks
from milplib import Instance
from milplib.errors import MissingPackageError, ParameterError
from milplib.generators.pipe_network import SeismicResilientPipeNetwork

from .linear_programs import relaxation_by_highs
from .test_optima import optimum_by_scip

SMALL: dict[str, Any] = {"n_customers": 3, "n_streets": 3, "n_avenues": 4, "loop_share": 0.5}

# Its files are read, it is not imported.
needs_wntr = pytest.mark.skipif(find_spec("wntr") is None, reason="wntr is not installed")


@st.composite
def networks(draw: st.DrawFn) -> SeismicResilientPipeNetwork:
    n_streets, n_avenues = draw(st.integers(1, 5)), draw(st.integers(2, 5))
    n_reservoirs = draw(st.integers(1, min(3, n_streets * n_avenues - 1)))
    return SeismicResilientPipeNetwork(
        n_streets=n_streets,
        n_avenues=n_avenues,
        loop_share=draw(st.floats(0, 1)),
        n_reservoirs=n_reservoirs,
        n_customers=draw(st.integers(1, n_streets * n_avenues - n_reservoirs)),
    )


def numbered(names: tuple[str, ...], kind: str) -> list[int]:
    return [position for position, name in enumerate(names) if name.startswith(f"{kind}_")]


def network_of(instance: Instance) -> tuple[list[tuple[int, int]], list[int], list[int]]:
    """Ends of the links, reservoirs and customers, as the balance rows say."""
    balance = instance.A[numbered(instance.row_names, "balance")].toarray()
    forward = balance[:, numbered(instance.column_names, "forward")]
    supply = balance[:, numbered(instance.column_names, "supply")]
    ends = [(int(column.argmin()), int(column.argmax())) for column in forward.T]
    customers = np.flatnonzero(instance.row_lower[: len(balance)] == 1)
    return ends, supply.argmax(axis=0).tolist(), customers.tolist()


def all_resilient(instance: Instance) -> npt.NDArray[np.float64]:
    """Build the solution with every pipe resilient and one path for each customer."""
    ends, reservoirs, customers = network_of(instance)
    column = {name: position for position, name in enumerate(instance.column_names)}
    graph = nx.Graph([*ends, *(("source", reservoir) for reservoir in reservoirs)])
    link_of = {pair: link for link, pair in enumerate(ends)}
    solution = np.zeros(instance.n_columns)
    solution[numbered(instance.column_names, "x")] = 1
    for customer in customers:
        _, *path = nx.shortest_path(graph, "source", customer)
        solution[column[f"supply_{reservoirs.index(path[0]) + 1}"]] += 1
        for start, end in pairwise(path):
            if (start, end) in link_of:
                solution[column[f"forward_{link_of[start, end] + 1}"]] += 1
            else:
                solution[column[f"backward_{link_of[end, start] + 1}"]] += 1
    return solution


@settings(max_examples=30, deadline=None)
@given(networks(), st.integers(0, 2**32))
def test_rows_are_balances_of_the_nodes_and_capacities_of_the_pipes(
    generator: SeismicResilientPipeNetwork, seed: int
) -> None:
    instance = generator.generate(seed)
    ends, reservoirs, customers = network_of(instance)
    n_nodes, n_pipes = generator.n_streets * generator.n_avenues, len(ends)
    assert (instance.n_rows, instance.n_columns) == (
        n_nodes + n_pipes,
        3 * n_pipes + generator.n_reservoirs,
    )
    for position, name in enumerate(instance.row_names):
        kind, number = name.split("_")
        expected = dict.fromkeys(instance.column_names, 0.0)
        if kind == "balance":
            node = int(number) - 1
            for link, (start, end) in enumerate(ends, start=1):
                sign = (end == node) - (start == node)
                expected |= {f"forward_{link}": sign, f"backward_{link}": -sign}
            if node in reservoirs:
                expected[f"supply_{reservoirs.index(node) + 1}"] = 1
            sides = (float(node in customers),) * 2
        else:
            expected |= {f"forward_{number}": 1, f"backward_{number}": 1}
            expected[f"x_{number}"] = -generator.n_customers
            sides = (-np.inf, 0)
        assert instance.A[[position]].toarray().ravel().tolist() == list(expected.values())
        assert (instance.row_lower[position], instance.row_upper[position]) == sides


@settings(max_examples=30, deadline=None)
@given(networks(), st.integers(0, 2**32))
def test_making_every_pipe_resilient_is_feasible(
    generator: SeismicResilientPipeNetwork, seed: int
) -> None:
    instance = generator.generate(seed)
    solution = all_resilient(instance)
    assert (solution >= instance.lower).all()
    assert (solution <= instance.upper).all()
    assert (instance.A @ solution >= instance.row_lower).all()
    assert (instance.A @ solution <= instance.row_upper).all()


@settings(max_examples=30, deadline=None)
@given(networks(), st.integers(0, 2**32))
def test_parameters_say_how_many_pipes_customers_and_reservoirs_there_are(
    generator: SeismicResilientPipeNetwork, seed: int
) -> None:
    instance = generator.generate(seed)
    ends, reservoirs, customers = network_of(instance)
    n_nodes = generator.n_streets * generator.n_avenues
    n_stretches = 2 * n_nodes - generator.n_streets - generator.n_avenues
    n_loops = round(generator.loop_share * (n_stretches - n_nodes + 1))
    assert len(set(ends)) == len(ends) == n_nodes - 1 + n_loops
    assert len(set(reservoirs)) == generator.n_reservoirs
    assert len(customers) == generator.n_customers
    assert set(reservoirs).isdisjoint(customers)


@settings(max_examples=30, deadline=None)
@given(networks(), st.integers(0, 2**32))
def test_pipes_are_binary_and_cost_by_their_length_and_flows_are_free(
    generator: SeismicResilientPipeNetwork, seed: int
) -> None:
    instance = generator.generate(seed)
    pipes = np.array([name.startswith("x_") for name in instance.column_names])
    assert instance.sense == "minimize"
    assert (instance.integrality == pipes).all()
    assert (instance.lower == 0).all()
    assert (instance.upper == np.where(pipes, 1, generator.n_customers)).all()
    assert (instance.objective[~pipes] == 0).all()
    # A stretch is 40 to 160 m along its street and up to 60 m across.
    assert (instance.objective[pipes] >= 0.8 * 40).all()
    assert (instance.objective[pipes] <= 1.2 * 171).all()


@pytest.mark.parametrize("seed", range(3))
def test_scip_finds_the_cheapest_of_all_sets_of_pipes_that_serve_the_customers(seed: int) -> None:
    town = SeismicResilientPipeNetwork(n_customers=3, n_streets=3, n_avenues=3, loop_share=0.5)
    instance = town.generate(seed)
    costs = instance.objective[numbered(instance.column_names, "x")]
    ends, reservoirs, customers = network_of(instance)

    def serves(resilient: Any) -> Any:
        graph = nx.Graph(ends[pipe] for pipe in resilient)
        graph.add_edges_from(("source", reservoir) for reservoir in reservoirs)
        return nx.node_connected_component(graph, "source").issuperset(customers)

    assert len(costs) == 10
    cheapest = min(
        costs[list(resilient)].sum()
        for size in range(len(costs) + 1)
        for resilient in combinations(range(len(costs)), size)
        if serves(resilient)
    )
    assert optimum_by_scip(instance) == pytest.approx(cheapest)


def test_the_relaxation_is_feasible_and_its_bound_positive() -> None:
    instance = SeismicResilientPipeNetwork(n_customers=8).generate(0)
    assert 0 < relaxation_by_highs(instance) < instance.objective.sum()


def test_a_seed_gives_the_pinned_instance_and_another_seed_another_one() -> None:
    generator = SeismicResilientPipeNetwork(**SMALL)
    hashes = [generator.generate(seed).content_hash for seed in (0, 0, 1)]
    assert hashes[0] == hashes[1] != hashes[2]
    assert hashes[0] == "5e8e5a627b8c227114acad25fa8e16e1e441ca18f2edd01ca35abf3f998cd95f"


def test_other_seeds_lay_other_networks() -> None:
    generator = SeismicResilientPipeNetwork(**SMALL)
    assert len({tuple(network_of(generator.generate(seed))[0]) for seed in range(5)}) > 1


@needs_wntr
@pytest.mark.parametrize("name", ["Net1", "Net3"])
def test_a_real_network_with_every_pipe_resilient_serves_customers_with_a_demand(name: str) -> None:
    instance = SeismicResilientPipeNetwork(n_customers=5, network=name).generate(3)
    network = water_networks.real_network(name)
    ends, reservoirs, customers = network_of(instance)
    assert ends == [tuple(pair) for pair in network.links.tolist()]
    assert reservoirs == network.reservoirs.tolist()
    assert np.isin(customers, network.consumers).all()
    solution = all_resilient(instance)
    assert (instance.A @ solution >= instance.row_lower).all()
    assert (instance.A @ solution <= instance.row_upper).all()


@needs_wntr
def test_pumps_and_valves_of_a_real_network_are_free() -> None:
    instance = SeismicResilientPipeNetwork(n_customers=5, network="Net3").generate(3)
    column_names = instance.column_names
    assert len(numbered(column_names, "x")) == len(numbered(instance.row_names, "capacity")) == 117
    assert len(numbered(column_names, "forward")) == 119


def test_without_the_package_of_real_networks_the_error_names_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(water_networks, "find_spec", lambda name: None)
    generator = SeismicResilientPipeNetwork(n_customers=5, network="Net3")
    with pytest.raises(MissingPackageError, match=r"pip install 'milplib\[water\]'"):
        generator.generate(0)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("n_customers", 0, "at least 1"),
        ("n_customers", 11, "at most the 10 crossings without a reservoir"),
        ("n_streets", 0, "at least 1"),
        ("n_avenues", 1.0, "an integer"),
        ("loop_share", 1.1, "at least 0 and at most 1"),
        ("loop_share", -0.1, "at least 0 and at most 1"),
        ("n_reservoirs", 0, "at least 1"),
        ("n_reservoirs", 12, "less than the 12 crossings"),
        ("network", "Net2", "None or one of 'Net1', 'Net3'"),
    ],
)
def test_a_parameter_outside_its_range_is_refused_with_name_value_and_range(
    name: str, value: float | str, expected: str
) -> None:
    with pytest.raises(ParameterError) as caught:
        SeismicResilientPipeNetwork(**{**SMALL, name: value})
    assert f"{name} is {value!r}" in str(caught.value)
    assert expected in str(caught.value)


def test_more_customers_than_a_real_network_has_are_refused() -> None:
    with pytest.raises(ParameterError, match="n_customers is 60, expected at most the 59 consum"):
        SeismicResilientPipeNetwork(n_customers=60, network="Net3")
    SeismicResilientPipeNetwork(n_customers=59, network="Net3")
