from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from milplib.generators.power_grids import PowerGrid, undisturbed
from milplib.generators.transmission_switching import TransmissionSwitching

from .grids import SMALL, activities_hold, drawn, risky_lines, switchings
from .linear_programs import relaxation_by_highs
from .test_optima import optimum_by_scip


def least_shed(grid: PowerGrid, load: npt.NDArray[np.float64], energized: set[int]) -> float:
    """The least load shed on a day with only these lines: flows and angles, no switches."""
    lines = sorted(energized)
    n_buses, n_generators, n_lines = grid.n_buses, len(grid.capacity), len(lines)
    connects = np.zeros((n_lines, n_buses))
    connects[np.arange(n_lines), grid.ends[lines, 0]] = 1
    connects[np.arange(n_lines), grid.ends[lines, 1]] = -1
    stands_at = np.zeros((n_buses, n_generators))
    stands_at[grid.generator_bus, np.arange(n_generators)] = 1
    nothing = np.zeros((n_lines, n_buses + n_generators))
    laws = np.hstack((nothing, np.eye(n_lines), -grid.susceptance[lines, np.newaxis] * connects))
    angles = [(-math.pi, math.pi)] * n_buses
    angles[grid.reference] = (0, 0)
    balance = np.hstack((np.eye(n_buses), stands_at, -connects.T, np.zeros((n_buses, n_buses))))
    result = linprog(
        np.repeat([1, 0], [n_buses, n_generators + n_lines + n_buses]),
        A_eq=np.vstack((balance, laws)),
        b_eq=np.append(load, np.zeros(n_lines)),
        bounds=[
            *((0, most) for most in (*load, *grid.capacity)),
            *((-most, most) for most in grid.limit[lines]),
            *angles,
        ],
    )
    assert result.status == 0
    return float(result.fun)


@settings(max_examples=25)
@given(switchings(), st.integers(0, 2**32))
def test_rows_are_balances_flow_laws_switches_risks_and_the_budget(
    generator: Any, seed: int
) -> None:
    instance = generator.generate(seed)
    grid, risks, loads = drawn(generator, seed)
    risky = risky_lines(generator, risks)
    buried = set().union(*(switchable for switchable, _ in risky))
    rows = {}
    for d, (switchable, high) in enumerate(risky):
        for i in range(grid.n_buses):
            entries = {}
            for line, (first, second) in enumerate(grid.ends):
                if i in (first, second):
                    entries[f"flow_{d + 1}_{line + 1}"] = 1 if i == first else -1
            for k in np.flatnonzero(grid.generator_bus == i):
                entries[f"generation_{d + 1}_{k + 1}"] = -1
            if grid.load[i] > 0:
                entries[f"shed_{d + 1}_{i + 1}"] = -1
            rows[f"balance_{d + 1}_{i + 1}"] = (entries, -loads[d, i], -loads[d, i])
        for line, (first, second) in enumerate(grid.ends):
            label = f"{d + 1}_{line + 1}"
            b, limit = grid.susceptance[line], grid.limit[line]
            law = {
                f"flow_{label}": 1,
                f"angle_{d + 1}_{first + 1}": -b,
                f"angle_{d + 1}_{second + 1}": b,
            }
            if line not in switchable:
                rows[f"flow_law_{label}"] = (law, 0, 0)
                continue
            z, slack = f"energized_{label}", 2 * math.pi * abs(b)
            against = {name: -value for name, value in law.items()}
            rows[f"forward_{label}"] = ({f"flow_{label}": 1, z: -limit}, -np.inf, 0)
            rows[f"backward_{label}"] = ({f"flow_{label}": -1, z: -limit}, -np.inf, 0)
            rows[f"law_above_{label}"] = ({**law, z: slack}, -np.inf, slack)
            rows[f"law_below_{label}"] = ({**against, z: slack}, -np.inf, slack)
            link = {f"underground_{line + 1}": 1, z: -1}
            rows[f"link_{label}"] = (link, 0 if line in high else -np.inf, 0)
        rows[f"risk_{d + 1}"] = (
            {f"energized_{d + 1}_{line + 1}": risks[d, line] for line in switchable}
            | {f"underground_{line + 1}": -risks[d, line] for line in buried},
            -np.inf,
            generator.tolerated_risk * sum(risks[d, line] for line in switchable),
        )
    costs = {f"underground_{line + 1}": grid.length[line] for line in buried}
    rows["budget"] = (costs, -np.inf, generator.budget * sum(costs.values()))
    assert sorted(instance.row_names) == sorted(rows)
    for position, name in enumerate(instance.row_names):
        entries, low, high = rows[name]
        own = slice(*instance.A.indptr[position : position + 2])
        columns = [instance.column_names[column] for column in instance.A.indices[own]]
        # numbers carry 9 digits
        assert dict(zip(columns, instance.A.data[own], strict=True)) == pytest.approx(
            entries, rel=1e-8
        )
        sides = [instance.row_lower[position], instance.row_upper[position]]
        assert sides == pytest.approx([low, high], rel=1e-8, abs=1e-12)


@settings(max_examples=25)
@given(switchings(), st.integers(0, 2**32))
def test_columns_have_the_documented_bounds_and_only_shed_load_costs(
    generator: Any, seed: int
) -> None:
    instance = generator.generate(seed)
    grid, _, loads = drawn(generator, seed)
    assert instance.sense == "minimize"
    for name, cost, low, high, integral in zip(
        instance.column_names,
        instance.objective,
        instance.lower,
        instance.upper,
        instance.integrality,
        strict=True,
    ):
        kind, *numbers = name.split("_")
        position = int(numbers[-1]) - 1
        expected: tuple[float, float] = (0, 1)
        if kind == "shed":
            expected = (0, loads[int(numbers[0]) - 1, position])
        elif kind == "generation":
            expected = (0, grid.capacity[position])
        elif kind == "angle":
            expected = (0, 0) if position == grid.reference else (-math.pi, math.pi)
        elif kind == "flow":
            expected = (-grid.limit[position], grid.limit[position])
        assert (low, high) == pytest.approx(expected, rel=1e-8)
        assert cost == (kind == "shed")
        assert integral == (kind in ("energized", "underground"))


@settings(max_examples=25)
@given(switchings(), st.integers(0, 2**32))
def test_shedding_all_load_with_all_risky_lines_off_is_feasible(generator: Any, seed: int) -> None:
    instance = generator.generate(seed)
    sheds = np.array([name.startswith("shed") for name in instance.column_names])
    values = np.where(sheds, instance.upper, 0.0)
    assert ((instance.lower <= values) & (values <= instance.upper)).all()
    assert activities_hold(instance, values, 1e-12).all()
    assert instance.objective.min() >= 0  # with bounded columns: so is the relaxation


@pytest.mark.parametrize("seed", range(3))
def test_undisturbed_flows_keep_all_rows_but_those_about_risk(seed: int) -> None:
    generator = TransmissionSwitching(n_buses=20, n_lines=30, n_days=2)
    instance = generator.generate(seed)
    grid, _, loads = drawn(generator, seed)
    values = dict.fromkeys(instance.column_names, 0.0)
    for d, load in enumerate(loads):
        angles, flows = undisturbed(
            load, grid.generator_bus, grid.capacity, grid.ends, grid.susceptance
        )
        share = load.sum() / grid.capacity.sum()
        values |= {f"angle_{d + 1}_{i + 1}": angle for i, angle in enumerate(angles)}
        values |= {f"flow_{d + 1}_{line + 1}": flow for line, flow in enumerate(flows)}
        values |= {
            f"generation_{d + 1}_{k + 1}": share * most for k, most in enumerate(grid.capacity)
        }
    values |= {name: 1.0 for name in values if name.startswith("energized")}
    holds = activities_hold(instance, np.array(list(values.values())), 1e-6)
    broken = {
        name.split("_")[0] for name, kept in zip(instance.row_names, holds, strict=True) if not kept
    }
    assert broken <= {"risk", "link"}
    assert "risk" in broken


@pytest.mark.parametrize("seed", range(4))
def test_the_optimum_is_the_least_shed_over_all_switchings_and_burials(seed: int) -> None:
    generator = TransmissionSwitching(**SMALL, tolerated_risk=0.3, budget=0.3)
    grid, risks, loads = drawn(generator, seed)
    risky = risky_lines(generator, risks)
    buried = sorted(set().union(*(switchable for switchable, _ in risky)))
    everything = set(range(grid.n_lines))
    subsets = {
        d: [
            {line for line, chosen in zip(sorted(switchable), on, strict=True) if chosen}
            for on in product((0, 1), repeat=len(switchable))
        ]
        for d, (switchable, _) in enumerate(risky)
    }
    sheds = {
        d: [least_shed(grid, loads[d], everything - risky[d][0] | on) for on in subsets[d]]
        for d in subsets
    }
    best = math.inf
    for chosen in product((0, 1), repeat=len(buried)):
        underground = {line for line, put in zip(buried, chosen, strict=True) if put}
        if grid.length[list(underground)].sum() > generator.budget * grid.length[buried].sum():
            continue
        total = 0.0
        for d, (switchable, high) in enumerate(risky):
            total_risk = risks[d].sum()
            limit = total_risk - (1 - generator.tolerated_risk) * risks[d, list(switchable)].sum()
            total += min(
                (
                    shed
                    for on, shed in zip(subsets[d], sheds[d], strict=True)
                    if underground & switchable <= on
                    and underground & high == on & high
                    and total_risk
                    - risks[d, list(underground)].sum()
                    - risks[d, list(switchable - on)].sum()
                    <= limit
                ),
                default=math.inf,
            )
        best = min(best, total)
    assert 0 <= best < loads.sum()
    # SCIP's feasibility tolerance is 1e-6 a row
    assert optimum_by_scip(generator.generate(seed)) == pytest.approx(best, abs=1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_the_relaxation_is_feasible_and_bounded(seed: int) -> None:
    instance = TransmissionSwitching(n_buses=12, n_lines=16).generate(seed)
    assert 0 <= relaxation_by_highs(instance) <= instance.upper @ instance.objective
