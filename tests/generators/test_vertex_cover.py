from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from narrowing import present
from scipy.optimize import linprog

from milplib.errors import ParameterError
from milplib.generators.graphs import barabasi_albert
from milplib.generators.randomness import random_stream
from milplib.generators.vertex_cover import MinimumVertexCover

from .test_optima import optimum_by_scip

SMALL: dict[str, Any] = {"n_nodes": 10}

SEEDS = st.integers(0, 2**32)


@st.composite
def covers(draw: st.DrawFn) -> MinimumVertexCover:
    n_nodes = draw(st.integers(2, 40))
    return MinimumVertexCover(n_nodes=n_nodes, affinity=draw(st.integers(1, n_nodes - 1)))


def graph(generator: MinimumVertexCover, seed: int) -> list[tuple[int, int]]:
    """The edges (u, v) of the graph, numbered from 1."""
    edges = barabasi_albert(random_stream(seed), generator.n_nodes, generator.affinity)
    return [tuple(edge) for edge in (edges + 1).tolist()]


@given(covers(), SEEDS)
def test_there_is_one_row_for_every_edge_and_it_asks_for_one_of_its_ends(
    generator: MinimumVertexCover, seed: int
) -> None:
    instance = generator.generate(seed)
    assert instance.column_names == tuple(f"x_{v}" for v in range(1, generator.n_nodes + 1))
    assert instance.row_names == tuple(f"edge_{u}_{v}" for u, v in graph(generator, seed))
    for name, row in zip(instance.row_names, instance.A.toarray(), strict=True):
        _, u, v = name.split("_")
        ends = dict.fromkeys(instance.column_names, 0) | {f"x_{u}": 1, f"x_{v}": 1}
        assert row.tolist() == list(ends.values())
    assert (instance.row_lower == 1).all()
    assert np.isposinf(instance.row_upper).all()


@given(covers(), SEEDS)
def test_nodes_are_binary_columns_with_weights_between_0_and_1(
    generator: MinimumVertexCover, seed: int
) -> None:
    instance = generator.generate(seed)
    assert instance.sense == "minimize"
    assert instance.integrality.all()
    assert (instance.lower == 0).all()
    assert (instance.upper == 1).all()
    assert ((instance.objective >= 1e-6) & (instance.objective <= 1)).all()
    assert [float(f"{weight:.9g}") for weight in instance.objective] == list(instance.objective)


@given(covers(), SEEDS)
def test_all_nodes_together_are_a_cover_and_the_relaxation_is_bounded(
    generator: MinimumVertexCover, seed: int
) -> None:
    instance = generator.generate(seed)
    assert (instance.A @ np.ones(instance.n_columns) >= instance.row_lower).all()
    relaxed = linprog(instance.objective, A_ub=-instance.A, b_ub=-instance.row_lower, bounds=(0, 1))
    assert relaxed.status == 0
    # Half of every node satisfies all rows.
    assert 0 < relaxed.fun <= instance.objective.sum() / 2 + 1e-6


@given(covers(), SEEDS)
def test_a_seed_gives_the_same_instance_again(generator: MinimumVertexCover, seed: int) -> None:
    assert generator.generate(seed).content_hash == generator.generate(seed).content_hash


def test_weights_are_uniform() -> None:
    weights = MinimumVertexCover(n_nodes=4000, affinity=1).generate(0).objective
    # A mean and a mean square of 4000 draws, to 4 standard deviations.
    assert abs(weights.mean() - 1 / 2) < 4 * np.sqrt(1 / 12 / 4000)
    assert abs((weights**2).mean() - 1 / 3) < 4 * np.sqrt(4 / 45 / 4000)


def test_a_weight_too_small_for_a_file_is_raised(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Low(np.random.RandomState):
        def random_sample(self, size: Any = None) -> Any:
            return np.zeros(size)

    monkeypatch.setattr(
        "milplib.generators.vertex_cover.random_stream", lambda seed: Low(np.random.MT19937(seed))
    )
    instance = MinimumVertexCover(**SMALL).generate(0)
    assert (instance.objective == 1e-6).all()
    instance.write(tmp_path / "low.lp")


def cheapest_cover(edges: list[tuple[int, int]], weights: list[float]) -> float:
    nodes = range(1, len(weights) + 1)
    return min(
        sum(weights[node - 1] for node in nodes if chosen[node - 1])
        for chosen in product((False, True), repeat=len(weights))
        if all(chosen[u - 1] or chosen[v - 1] for u, v in edges)
    )


@pytest.mark.parametrize("affinity", [2, 5])
@pytest.mark.parametrize("seed", range(3))
def test_scip_finds_the_cheapest_of_all_covers(affinity: int, seed: int) -> None:
    generator = MinimumVertexCover(n_nodes=11, affinity=affinity)
    instance = generator.generate(seed)
    cheapest = cheapest_cover(graph(generator, seed), instance.objective.tolist())
    assert optimum_by_scip(instance) == pytest.approx(cheapest, rel=1e-6)


@pytest.mark.parametrize(
    ("level", "n_rows", "n_columns"),
    [
        ("easy", 5975, 1200),
        ("medium", 9975, 2000),
        ("hard", 30_100, 500),
        ("very-hard", 65_100, 1000),
    ],
)
def test_named_distributions_have_the_published_size(
    level: str, n_rows: int, n_columns: int
) -> None:
    (entry,) = (entry for entry in MinimumVertexCover.distributions if entry.name == f"MVC-{level}")
    instance = present(entry.generator).generate(0)
    assert (instance.n_rows, instance.n_columns) == (n_rows, n_columns)
    assert instance.n_nonzeros == 2 * n_rows
    assert entry.provenance == "verified"


def test_seeds_give_different_graphs_and_weights() -> None:
    instances = [MinimumVertexCover(n_nodes=50).generate(seed) for seed in range(10)]
    assert len({instance.row_names for instance in instances}) == 10
    assert len({tuple(instance.objective) for instance in instances}) == 10


def test_seed_0_gives_the_pinned_instance() -> None:
    assert MinimumVertexCover(n_nodes=60, affinity=4).generate(0).content_hash == (
        "80719bdb08eed5dfe7bfc64f9386e911ce17d98bd284690b5a7a145e1c7d9896"
    )


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("n_nodes", 1, "at least 2"),
        ("n_nodes", 10.0, "an integer"),
        ("n_nodes", True, "an integer"),
        ("affinity", 0, "at least 1"),
        ("affinity", 10, "less than the 10 nodes"),
        ("affinity", None, "an integer"),
    ],
)
def test_a_parameter_outside_its_range_is_refused_with_name_value_and_range(
    name: str, value: float | None, expected: str
) -> None:
    with pytest.raises(ParameterError) as caught:
        MinimumVertexCover(**{**SMALL, name: value})
    assert f"{name} is {value!r}" in str(caught.value)
    assert expected in str(caught.value)


@pytest.mark.parametrize("seed", [-1, 0.5, None])
def test_a_seed_that_is_not_an_integer_from_0_on_is_refused(seed: Any) -> None:
    with pytest.raises(ParameterError, match="seed is"):
        MinimumVertexCover(**SMALL).generate(seed)
