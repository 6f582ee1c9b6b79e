"""Middle-mile networks: rows rebuilt from names, the plan, optima by enumeration, refusals."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milplib import Instance
from milplib.errors import ParameterError
from milplib.generators.consolidation import draw_network
from milplib.generators.middle_mile_network import MiddleMileNetwork
from milplib.generators.randomness import random_stream

from .linear_programs import relaxation_by_highs
from .test_optima import optimum_by_scip

SMALL: dict[str, Any] = {"n_vendors": 4, "n_sites": 3, "n_commodities": 8}
SEEDS = st.integers(0, 2**32)


@st.composite
def networks(draw: st.DrawFn) -> MiddleMileNetwork:
    n_vendors, n_sites = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    n_regions = draw(st.integers(1, 3))
    return MiddleMileNetwork(
        n_vendors=n_vendors,
        n_sites=n_sites,
        n_commodities=draw(st.integers(1, n_vendors * n_sites)),
        n_regions=n_regions,
        n_centres=draw(st.integers(n_regions, 5)),
        max_paths=draw(st.integers(1, 8)),
        max_pallets=draw(st.integers(1, 40)),
        vehicle_pallets=draw(st.integers(1, 30)),
        horizon=2 * draw(st.integers(1, 100)),
        spare_dispatches=draw(st.integers(0, 3)),
        slack=draw(st.floats(0, 1)),
        dispatches=draw(st.sampled_from(["integer", "continuous"])),
    )


def rows_of(instance: Instance) -> dict[str, tuple[Any, ...]]:
    """Every row by name, as the coefficients by column name and the two sides."""
    rows = {}
    for row, name in enumerate(instance.row_names):
        entries = slice(*instance.A.indptr[row : row + 2])
        columns = [instance.column_names[column] for column in instance.A.indices[entries]]
        coefficients = dict(zip(columns, instance.A.data[entries].tolist(), strict=True))
        rows[name] = coefficients, instance.row_lower[row], instance.row_upper[row]
    return rows


def paths_and_arcs(instance: Instance) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Arcs of every path by its column, and columns u by arc."""
    paths: dict[Any, Any] = {}
    choices: dict[Any, Any] = {}
    for name in instance.column_names:
        kind, *stops = name.split("_")
        if kind == "x":
            paths[name] = [f"{tail}_{head}" for tail, head in pairwise(stops)]
        elif kind == "u":
            choices.setdefault("_".join(stops[:2]), []).append(name)
    return paths, choices


@settings(max_examples=25)
@given(networks(), SEEDS)
def test_rows_are_paths_capacities_dispatches_frequencies_waits_and_lead_times(
    generator: MiddleMileNetwork, seed: int
) -> None:
    instance = generator.generate(seed)
    rows = rows_of(instance)
    paths, choices = paths_and_arcs(instance)
    horizon, infinity = generator.horizon, np.inf
    pairs = {f"{path.split('_')[1]}_{path.split('_')[-1]}" for path in paths}
    assert len(pairs) == generator.n_commodities
    assert set(choices) == {arc for arcs in paths.values() for arc in arcs}
    pallets: dict[Any, Any] = {}
    for pair in pairs:
        vendor, site = pair.split("_")
        alternatives = [
            path for path in paths if path.split("_")[1] == vendor and path.split("_")[-1] == site
        ]
        assert len(alternatives) <= generator.max_paths
        assert rows.pop(f"path_{pair}") == (dict.fromkeys(alternatives, 1), 1, 1)
        amounts = {rows[f"capacity_{arc}"][0][path] for path in alternatives for arc in paths[path]}
        assert len(amounts) == 1
        pallets |= dict.fromkeys(alternatives, amounts.pop())
    assert set(pallets.values()) <= set(range(1, generator.max_pallets + 1))
    for arc, columns in choices.items():
        frequencies = [int(column.split("_")[-1]) for column in columns]
        assert frequencies == list(range(1, len(columns) + 1))
        load = {path: pallets[path] for path in paths if arc in paths[path]}
        load[f"y_{arc}"] = -generator.vehicle_pallets
        assert rows.pop(f"capacity_{arc}") == (load, -infinity, 0)
        dispatches = dict(zip(columns, (-f for f in frequencies), strict=True)) | {f"y_{arc}": 1}
        assert rows.pop(f"dispatches_{arc}") == (dispatches, 0, 0)
        assert rows.pop(f"frequency_{arc}") == (dict.fromkeys(columns, 1), -infinity, 1)
        if generator.dispatches == "continuous":
            waits = dict(
                zip(columns, (-float(f"{horizon / 2 / f:.9g}") for f in frequencies), strict=True)
            )
            assert rows.pop(f"wait_{arc}") == (waits | {f"w_{arc}": 1}, 0, 0)
    for name, (coefficients, lower, _) in rows.items():
        path = name.replace("lead_time", "x")
        assert lower == -infinity
        assert coefficients.pop(path) > 0
        if generator.dispatches == "continuous":
            assert coefficients == {f"w_{arc}": 1 for arc in paths[path]}
        else:
            assert coefficients == {
                column: float(f"{horizon / 2 / f:.9g}")
                for arc in paths[path]
                for f, column in enumerate(choices[arc], 1)
            }


@settings(max_examples=25)
@given(networks(), SEEDS)
def test_lead_times_count_travel_at_50_km_an_hour_and_bind_only_where_a_path_is_taken(
    generator: MiddleMileNetwork, seed: int
) -> None:
    instance = generator.generate(seed)
    rows, (paths, _) = rows_of(instance), paths_and_arcs(instance)
    cost = dict(zip(instance.column_names, instance.objective, strict=True))
    room: dict[Any, Any] = {}
    deadlines: dict[Any, Any] = {}
    for path, arcs in paths.items():
        if (row := rows.get(path.replace("x", "lead_time", 1))) is not None:
            big = row[0][path]
            room[path] = row[2] - big  # hours for the waits
            assert row[2] == len(arcs) * generator.horizon / 2
            # Every 2 km cost 1, rounded down, so the hours are known within one a leg.
            hours = [2 * (cost[f"y_{arc}"] - 100) // 50 + 1 for arc in arcs]
            pair = path.split("_")[1], path.split("_")[-1]
            earliest, latest = deadlines.get(pair, (-np.inf, np.inf))
            total = room[path] + sum(hours)
            deadlines[pair] = max(earliest, total), min(latest, total + len(arcs))
    assert all(earliest <= latest for earliest, latest in deadlines.values())


@settings(max_examples=25)
@given(networks(), SEEDS)
def test_the_plan_that_was_drawn_is_feasible(generator: MiddleMileNetwork, seed: int) -> None:
    instance = generator.generate(seed)
    network = draw_network(random_stream(seed), generator)
    n_paths, n_arcs = network.legs.shape
    largest, chosen = network.largest_frequencies, network.plan_frequencies
    paths = np.zeros(n_paths)
    paths[network.plan] = 1
    frequencies = [
        np.arange(1, most + 1) == taken for most, taken in zip(largest, chosen, strict=True)
    ]
    waits = np.where(chosen > 0, generator.horizon / 2 / np.maximum(chosen, 1), 0)
    solution = np.concatenate(
        (paths, *frequencies, chosen, waits if generator.dispatches == "continuous" else [])
    )
    assert n_arcs == len(chosen)
    assert (instance.lower <= solution).all()
    assert (solution <= instance.upper).all()
    activity = instance.A @ solution
    # Waits are written with 9 digits.
    assert (activity >= instance.row_lower - 1e-6).all()
    assert (activity <= instance.row_upper + 1e-6).all()


@settings(max_examples=25)
@given(networks(), SEEDS)
def test_the_integer_flavour_has_only_integer_columns_and_the_other_binary_and_continuous_ones(
    generator: MiddleMileNetwork, seed: int
) -> None:
    integer = replace(generator, dispatches="integer").generate(seed)
    assert integer.integrality.all()
    both = replace(generator, dispatches="continuous").generate(seed)
    kinds = np.array([name[0] for name in both.column_names])
    assert (both.integrality == np.isin(kinds, ["x", "u"])).all()
    assert (both.upper[both.integrality == 1] == 1).all()
    shared = len(integer.column_names)
    assert both.column_names[:shared] == integer.column_names
    assert (both.upper[:shared] == integer.upper).all()
    assert (both.objective == np.append(integer.objective, np.zeros((kinds == "w").sum()))).all()


def test_paths_pass_centres_of_the_vendors_region_and_then_of_the_sites() -> None:
    generator = MiddleMileNetwork(n_vendors=6, n_sites=4, n_commodities=24, max_paths=99, slack=10)
    seen = set()
    for seed in range(5):
        for name in paths_and_arcs(generator.generate(seed))[0]:
            _, *stops = name.split("_")
            vendor, *centres, site = [(int(stop[1:]) - 1) % 3 for stop in stops]
            seen.add(len(centres))
            assert centres in ([], [vendor], [site], [vendor, site])
            assert len(set(stops)) == len(stops)
    assert seen == {0, 1, 2}


def cheapest_plan(generator: MiddleMileNetwork, instance: Instance) -> float:
    """Enumerate the paths of all commodities, and for each choice the dispatches of its arcs."""
    rows, (paths, choices) = rows_of(instance), paths_and_arcs(instance)
    cost = dict(zip(instance.column_names, instance.objective, strict=True))
    alternatives: dict[Any, Any] = {}
    for path in paths:
        alternatives.setdefault((path.split("_")[1], path.split("_")[-1]), []).append(path)
    best = np.inf
    for taken in product(*alternatives.values()):
        arcs = sorted({arc for path in taken for arc in paths[path]})
        options = np.array(list(product(*(range(1, len(choices[arc]) + 1) for arc in arcs))))
        feasible = np.ones(len(options), bool)
        for position, arc in enumerate(arcs):
            load = sum(rows[f"capacity_{arc}"][0].get(path, 0) for path in taken)
            feasible &= generator.vehicle_pallets * options[:, position] >= load
        for path in taken:
            if (row := rows.get(path.replace("x", "lead_time", 1))) is not None:
                used = options[:, [arcs.index(arc) for arc in paths[path]]]
                waits = (generator.horizon / 2 / used).sum(axis=1)
                feasible &= waits <= row[2] - row[0][path] + 1e-6
        dispatched = options[feasible] @ np.array([cost[f"y_{arc}"] for arc in arcs])
        if len(dispatched):
            best = min(best, dispatched.min() + sum(cost[path] for path in taken))
    return best


@pytest.mark.parametrize("seed", range(4))
def test_scip_finds_the_cheapest_of_all_plans_in_both_flavours(seed: int) -> None:
    generator = MiddleMileNetwork(
        n_vendors=2,
        n_sites=2,
        n_commodities=3,
        n_centres=2,
        n_regions=2,
        max_paths=4,
        max_pallets=12,
        vehicle_pallets=14,
        spare_dispatches=1,
        slack=0.5,
    )
    instance = generator.generate(seed)
    best = cheapest_plan(generator, instance)
    assert optimum_by_scip(instance) == pytest.approx(best, rel=1e-6)
    both = replace(generator, dispatches="continuous").generate(seed)
    assert optimum_by_scip(both) == pytest.approx(best, rel=1e-6)


@pytest.mark.parametrize("dispatches", ["integer", "continuous"])
def test_the_relaxation_is_feasible_and_bounded(dispatches: Any) -> None:
    for seed in range(5):
        instance = MiddleMileNetwork(**SMALL, dispatches=dispatches).generate(seed)
        assert relaxation_by_highs(instance) > 0


def test_smaller_vehicles_leave_more_often() -> None:
    def total_dispatches(vehicle_pallets: Any) -> Any:
        instance = MiddleMileNetwork(**SMALL, vehicle_pallets=vehicle_pallets).generate(0)
        return instance.upper.sum()

    assert total_dispatches(1) > total_dispatches(24) > SMALL["n_commodities"]


def test_a_seed_gives_the_same_bytes_and_another_one_another_instance() -> None:
    generator = MiddleMileNetwork(**SMALL)
    hashes = [generator.generate(seed).content_hash for seed in (0, 1, 2, 0)]
    assert hashes[0] == hashes[3]
    assert len(set(hashes)) == 3


def test_seed_0_gives_the_pinned_instance() -> None:
    assert MiddleMileNetwork(**SMALL).generate(0).content_hash == (
        "7a0b14ae79d0d39663012437746a393c51cc845eae00d66d26064f2f625cd3c0"
    )


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("n_vendors", 0, "at least 1"),
        ("n_sites", 2.0, "an integer"),
        ("n_commodities", 0, "at least 1"),
        ("n_commodities", 13, "at most 12"),
        ("n_centres", 2, "at least 3"),
        ("n_regions", 0, "at least 1"),
        ("max_paths", True, "an integer"),
        ("max_pallets", 0, "at least 1"),
        ("vehicle_pallets", -5, "at least 1"),
        ("horizon", 0, "at least 2"),
        ("horizon", 7, "even"),
        ("spare_dispatches", -1, "at least 0"),
        ("slack", -0.1, "at least 0 and at most 10"),
        ("slack", float("nan"), "finite"),
        ("dispatches", "binary", "'integer' or 'continuous'"),
    ],
)
def test_a_parameter_outside_its_range_is_refused_with_name_value_and_range(
    name: str, value: float | str, expected: str
) -> None:
    with pytest.raises(ParameterError) as caught:
        MiddleMileNetwork(**{**SMALL, name: value})
    assert f"{name} is {value!r}" in str(caught.value)
    assert expected in str(caught.value)
