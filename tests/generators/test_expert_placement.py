from __future__ import annotations

from itertools import pairwise, product
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milplib import Instance
from milplib.errors import ParameterError
from milplib.generators.expert_placement import ExpertPlacement
from milplib.generators.randomness import random_stream

from .linear_programs import relaxation_by_highs, row
from .test_optima import optimum_by_scip

SMALL: dict[str, Any] = {
    "n_layers": 2,
    "n_experts": 3,
    "n_devices": 2,
    "n_successors": 2,
    "n_tokens": 40,
}

SEEDS = st.integers(0, 2**32)


@st.composite
def placements(draw: st.DrawFn) -> ExpertPlacement:
    n_layers, n_experts = draw(st.integers(2, 4)), draw(st.integers(2, 5))
    return ExpertPlacement(
        n_layers=n_layers,
        n_experts=n_experts,
        n_devices=draw(st.integers(2, 4)),
        n_successors=draw(st.integers(1, n_experts)),
        n_tokens=draw(st.integers(1, 100)),
        memory_slack=draw(st.floats(0, 2)),
        time_cost=draw(st.floats(0, 100)),
    )


def traffic_of(routes: npt.NDArray[np.int64]) -> dict[tuple[int, ...], int]:
    """Tokens by (layer, expert, next expert), counted one by one and numbered from 1."""
    traffic: dict[Any, Any] = {}
    for route in routes.tolist():
        for layer, (expert, following) in enumerate(pairwise(route), 1):
            pair = layer, expert + 1, following + 1
            traffic[pair] = traffic.get(pair, 0) + 1
    return traffic


def cost_of(
    generator: ExpertPlacement, network: Any, devices: npt.NDArray[np.int64] | tuple[int, ...]
) -> np.float64 | None:
    """What a placement costs, token by token; None if it does not fit.

    ``devices`` holds the device of each expert, layer after layer.
    """
    n_experts = generator.n_experts
    on = np.reshape(devices, (generator.n_layers, n_experts))
    sent, work = 0, np.zeros(generator.n_devices)
    for route in network.routes.tolist():
        visited = [on[layer, expert] for layer, expert in enumerate(route)]
        sent += sum(device != following for device, following in pairwise(visited))
        for device in visited:
            work[device] += 1
    used = np.zeros(generator.n_devices)
    for device, size in zip(devices, network.sizes.tolist(), strict=True):
        used[device] += size
    if (used > network.memory).any():
        return None
    result: np.float64 | None = sent + generator.time_cost * (work / network.speeds).max()
    return result


def point_of(
    generator: ExpertPlacement, instance: Instance, network: Any, devices: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """The columns' values for a placement."""
    values = dict.fromkeys(instance.column_names, 0.0)
    on = np.reshape(devices, (generator.n_layers, generator.n_experts))
    for layer, expert in product(range(generator.n_layers), range(generator.n_experts)):
        values[f"x_{layer + 1}_{expert + 1}_{on[layer, expert] + 1}"] = 1
    for layer, expert, following in traffic_of(network.routes):
        crosses = on[layer - 1, expert - 1] != on[layer, following - 1]
        values[f"y_{layer}_{expert}_{following}"] = float(crosses)
    work = np.zeros(generator.n_devices)
    for route in network.routes.tolist():
        for layer, expert in enumerate(route):
            work[on[layer, expert]] += 1
    values["time"] = (work / network.speeds).max()
    return np.array(list(values.values()))


@given(placements(), SEEDS)
@settings(max_examples=50)
def test_rows_are_places_memory_time_and_crossings(generator: ExpertPlacement, seed: int) -> None:
    instance, network = generator.generate(seed), generator._network(random_stream(seed))
    layers, experts, devices = (
        range(1, n + 1) for n in (generator.n_layers, generator.n_experts, generator.n_devices)
    )
    traffic = traffic_of(network.routes)
    pairs = sorted(traffic)
    expected: dict[str, Any] = {
        f"place_{layer}_{expert}": ({f"x_{layer}_{expert}_{d}": 1 for d in devices}, (1, 1))
        for layer, expert in product(layers, experts)
    }
    sizes = dict(zip(product(layers, experts), network.sizes.tolist(), strict=True))
    for d in devices:
        entries = {f"x_{layer}_{expert}_{d}": size for (layer, expert), size in sizes.items()}
        expected[f"memory_{d}"] = (entries, (-np.inf, network.memory[d - 1]))
    for d in devices:
        entries = {
            f"x_{layer}_{expert}_{d}": load
            for layer, expert in product(layers, experts)
            if (load := int((network.routes[:, layer - 1] == expert - 1).sum()))
        }
        expected[f"time_{d}"] = (entries | {"time": -network.speeds[d - 1]}, (-np.inf, 0))
    for (layer, expert, following), d in product(pairs, devices):
        entries = {f"x_{layer}_{expert}_{d}": 1, f"x_{layer + 1}_{following}_{d}": -1}
        name = f"{layer}_{expert}_{following}"
        expected[f"cross_{name}_{d}"] = (entries | {f"y_{name}": -1}, (-np.inf, 0))
    assert list(expected) == list(instance.row_names)
    for name, parts in expected.items():
        assert row(instance, name) == parts
    objective = dict(zip(instance.column_names, instance.objective.tolist(), strict=True))
    for (layer, expert, following), tokens in traffic.items():
        assert objective.pop(f"y_{layer}_{expert}_{following}") == tokens
    assert objective.pop("time") == pytest.approx(generator.time_cost, rel=1e-8)
    assert all(name.startswith("x_") and cost == 0 for name, cost in objective.items())


@given(placements(), SEEDS)
def test_places_are_binary_and_the_rest_is_continuous(
    generator: ExpertPlacement, seed: int
) -> None:
    instance = generator.generate(seed)
    placed = np.array([name.startswith("x_") for name in instance.column_names])
    assert instance.sense == "minimize"
    assert (instance.integrality == placed).all()
    assert (instance.lower == 0).all()
    assert (instance.upper[:-1] == 1).all()
    assert instance.upper[-1] == np.inf


@given(placements(), SEEDS)
def test_numbers_lie_in_the_ranges_of_the_scheme(generator: ExpertPlacement, seed: int) -> None:
    network = generator._network(random_stream(seed))
    assert network.routes.shape == (generator.n_tokens, generator.n_layers)
    assert ((network.routes >= 0) & (network.routes < generator.n_experts)).all()
    assert np.isin(network.sizes, np.arange(2, 9)).all()
    assert np.isin(network.speeds, np.arange(10, 21)).all()
    goes_to: dict[Any, Any] = {}
    for layer, expert, following in traffic_of(network.routes):
        goes_to.setdefault((layer, expert), set()).add(following)
    assert max(map(len, goes_to.values())) <= generator.n_successors


@given(placements(), SEEDS)
def test_the_placement_that_the_memory_was_made_for_is_feasible(
    generator: ExpertPlacement, seed: int
) -> None:
    instance, network = generator.generate(seed), generator._network(random_stream(seed))
    point = point_of(generator, instance, network, network.devices)
    activity = instance.A @ point
    # a sum of at most a few hundred products of numbers below 1000
    assert (activity >= instance.row_lower - 1e-9).all()
    assert (activity <= instance.row_upper + 1e-9).all()
    cost = cost_of(generator, network, network.devices)
    assert instance.objective @ point == pytest.approx(cost, rel=1e-7)


@given(placements(), SEEDS)
@settings(max_examples=30)
def test_the_relaxation_is_feasible_and_bounded(generator: ExpertPlacement, seed: int) -> None:
    assert relaxation_by_highs(generator.generate(seed)) >= -1e-6


def test_popular_experts_get_more_tokens() -> None:
    generator = ExpertPlacement(
        n_layers=3, n_experts=8, n_devices=2, n_successors=8, n_tokens=20000
    )
    network = generator._network(random_stream(0))
    for layer in range(3):
        visits = np.sort(np.bincount(network.routes[:, layer], minlength=8))[::-1]
        expected = 1 / np.arange(1, 9)
        # five standard deviations of the largest count
        assert np.abs(visits - 20000 * expected / expected.sum()).max() < 5 * 70


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("n_experts", "n_devices"), [(3, 2), (2, 3)])
def test_scip_finds_the_cheapest_of_all_placements(
    n_experts: int, n_devices: int, seed: int
) -> None:
    generator = ExpertPlacement(
        n_layers=2,
        n_experts=n_experts,
        n_devices=n_devices,
        n_successors=2,
        n_tokens=60,
        memory_slack=0.3,
    )
    network = generator._network(random_stream(seed))
    costs = [
        cost
        for devices in product(range(n_devices), repeat=2 * n_experts)
        if (cost := cost_of(generator, network, devices)) is not None
    ]
    assert 1 < len(costs) < n_devices ** (2 * n_experts)
    assert optimum_by_scip(generator.generate(seed)) == pytest.approx(min(costs), rel=1e-6)


def test_parameters_move_the_size_as_documented() -> None:
    generator = ExpertPlacement(n_layers=4, n_experts=5, n_devices=3, n_successors=5, n_tokens=5000)
    instance = generator.generate(0)
    n_pairs = 3 * 5 * 5  # with this many tokens, all
    assert instance.n_columns == 4 * 5 * 3 + n_pairs + 1
    assert instance.n_rows == 4 * 5 + 2 * 3 + 3 * n_pairs


def test_equal_seeds_give_equal_instances_and_others_others() -> None:
    generator = ExpertPlacement(**SMALL)
    hashes = [generator.generate(seed).content_hash for seed in (0, 1, 2, 0)]
    assert hashes[0] == hashes[3]
    assert len(set(hashes)) == 3


def test_seed_0_gives_the_pinned_instance() -> None:
    assert ExpertPlacement(**SMALL).generate(0).content_hash == (
        "257ce11485b1960157fe67327d7d3b39a536170856a5ee024d9d71fb640dc6c4"
    )


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("n_layers", 1, "at least 2"),
        ("n_experts", 1, "at least 2"),
        ("n_devices", 1, "at least 2"),
        ("n_devices", 7, "at most the 6 experts"),
        ("n_successors", 0, "at least 1"),
        ("n_successors", 4, "at most the 3 experts"),
        ("n_tokens", 0, "at least 1"),
        ("memory_slack", -0.1, "at least 0"),
        ("time_cost", float("inf"), "finite"),
    ],
)
def test_a_parameter_outside_its_range_is_refused(name: str, value: float, expected: str) -> None:
    with pytest.raises(ParameterError, match=f"{name} is .*{expected}"):
        ExpertPlacement(**{**SMALL, name: value})
