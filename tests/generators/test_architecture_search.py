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
from milplib.generators.architecture_search import ArchitectureSearch

from .linear_programs import relaxation_by_highs, row
from .test_optima import optimum_by_scip

SMALL: dict[str, Any] = {"n_layers": 4, "n_blocks": 3}
SEEDS = st.integers(0, 2**32)

searches = st.builds(
    ArchitectureSearch,
    n_layers=st.integers(1, 8),
    n_blocks=st.integers(2, 7),
    n_devices=st.integers(1, 3),
    tightness=st.floats(0.01, 0.99),
)


def parts(generator: ArchitectureSearch, instance: Instance) -> tuple[npt.NDArray[np.float64], ...]:
    """Scores (layers, blocks), costs (resources, layers, blocks) and budgets (resources,)."""
    shape = generator.n_layers, generator.n_blocks
    n_resources = generator.n_devices + 2
    return (
        instance.objective.reshape(shape),
        instance.A[-n_resources:].toarray().reshape(n_resources, *shape),
        instance.row_upper[-n_resources:],
    )


@given(searches, SEEDS)
def test_rows_are_one_block_a_layer_and_budgets(generator: ArchitectureSearch, seed: int) -> None:
    instance = generator.generate(seed)
    layers, blocks = range(1, generator.n_layers + 1), range(1, generator.n_blocks + 1)
    assert instance.column_names == tuple(f"x_{i}_{b}" for i, b in product(layers, blocks))
    latencies = [f"latency_{device}" for device in range(1, generator.n_devices + 1)]
    resources = [*latencies, "memory", "throughput"]
    assert instance.row_names == (*(f"block_{i}" for i in layers), *resources)
    for i in layers:
        assert row(instance, f"block_{i}") == ({f"x_{i}_{b}": 1 for b in blocks}, (1, 1))
    for resource in resources:
        entries, (low, _) = row(instance, resource)
        assert low == -np.inf
        # all blocks but the identity take of every resource
        assert set(entries) == {f"x_{i}_{b}" for i, b in product(layers, blocks) if b > 1}
    assert instance.sense == "maximize"
    assert (instance.integrality == 1).all()
    assert ((instance.lower == 0) & (instance.upper == 1)).all()


@given(searches, SEEDS)
def test_numbers_lie_in_the_ranges_of_the_scheme(generator: ArchitectureSearch, seed: int) -> None:
    scores, costs, budgets = parts(generator, generator.generate(seed))
    assert (scores[:, 0] == 0).all()
    assert (costs[..., 0] == 0).all()
    assert (scores[:, 1:] >= 47).all()
    assert (scores[:, 1:] <= 105 * np.sqrt(8)).all()
    assert ((costs[..., 1:] >= 5 * 10) & (costs[..., 1:] <= 8 * 15 * 100)).all()
    for values in (scores, costs, budgets):
        assert (values == np.floor(values)).all()
    dearest = costs.max(axis=2).sum(axis=1)
    assert (budgets <= generator.tightness * dearest).all()
    assert (budgets > generator.tightness * dearest - 1).all()


def test_wider_blocks_cost_and_score_more() -> None:
    generator = ArchitectureSearch(n_layers=300, n_blocks=20)
    scores, costs, _ = parts(generator, generator.generate(0))
    for layer in range(300):
        for resource in range(3):
            related = np.corrcoef(costs[resource, layer], scores[layer])[0, 1]
            assert related > 0.5


@given(searches, SEEDS)
def test_leaving_every_layer_out_is_feasible(generator: ArchitectureSearch, seed: int) -> None:
    instance = generator.generate(seed)
    point = np.array([float(name.endswith("_1")) for name in instance.column_names])
    for block in range(generator.n_layers):
        assert point[block * generator.n_blocks : (block + 1) * generator.n_blocks].sum() == 1
    activity = instance.A @ point
    assert (activity >= instance.row_lower).all()
    assert (activity <= instance.row_upper).all()


@given(searches, SEEDS)
@settings(max_examples=30)
def test_the_relaxation_is_feasible_and_bounded(generator: ArchitectureSearch, seed: int) -> None:
    instance = generator.generate(seed)
    scores, *_ = parts(generator, instance)
    assert 0 <= relaxation_by_highs(instance) <= scores.max(axis=1).sum() + 1e-6


@pytest.mark.parametrize("seed", range(3))
def test_scip_finds_the_best_of_all_networks(seed: int) -> None:
    generator = ArchitectureSearch(n_layers=5, n_blocks=4)
    instance = generator.generate(seed)
    scores, costs, budgets = parts(generator, instance)
    totals = []
    for blocks in product(range(4), repeat=5):
        taken = [sum(cost[i, b] for i, b in enumerate(blocks)) for cost in costs]
        if all(used <= budget for used, budget in zip(taken, budgets, strict=True)):
            totals.append(sum(scores[i, b] for i, b in enumerate(blocks)))
    assert 1 < len(totals) < 4**5
    assert optimum_by_scip(instance) == pytest.approx(max(totals))


@given(searches, SEEDS)
def test_parameters_move_the_size_as_documented(generator: ArchitectureSearch, seed: int) -> None:
    instance = generator.generate(seed)
    assert instance.n_columns == generator.n_layers * generator.n_blocks
    assert instance.n_rows == generator.n_layers + generator.n_devices + 2
    assert instance.n_nonzeros == generator.n_layers * (
        generator.n_blocks + (generator.n_devices + 2) * (generator.n_blocks - 1)
    )


def test_equal_seeds_give_equal_instances_and_others_others() -> None:
    generator = ArchitectureSearch(**SMALL)
    hashes = [generator.generate(seed).content_hash for seed in (0, 1, 2, 0)]
    assert hashes[0] == hashes[3]
    assert len(set(hashes)) == 3


def test_seed_0_gives_the_pinned_instance() -> None:
    assert ArchitectureSearch(**SMALL).generate(0).content_hash == (
        "3831b5c62e6b1c9f1ef993bd0b50c03bc584b6fb89c43e193a4b49fab2ab6dd0"
    )


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("n_layers", 0, "at least 1"),
        ("n_layers", 2.0, "an integer"),
        ("n_blocks", 1, "at least 2"),
        ("n_devices", 0, "at least 1"),
        ("tightness", 0, "above 0 and below 1"),
        ("tightness", 1, "above 0 and below 1"),
        ("tightness", float("nan"), "finite"),
    ],
)
def test_a_parameter_outside_its_range_is_refused(name: str, value: float, expected: str) -> None:
    with pytest.raises(ParameterError, match=f"{name} is .*{expected}"):
        ArchitectureSearch(**{**SMALL, name: value})
