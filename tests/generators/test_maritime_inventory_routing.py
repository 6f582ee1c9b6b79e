"""Maritime inventory routing: rows rebuilt from names, the idle fleet, optima by enumeration."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, combinations, product
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from milplib import Instance
from milplib.errors import ParameterError
from milplib.generators.maritime_inventory_routing import MaritimeInventoryRouting
from milplib.generators.randomness import random_stream
from milplib.generators.shipping import ShippingScenario, draw_scenario

from .linear_programs import relaxation_by_highs
from .test_optima import optimum_by_scip

SMALL: dict[str, Any] = {
    "n_loading_ports": 1,
    "n_discharging_ports": 2,
    "n_vessels": 2,
    "n_periods": 8,
}
SEEDS = st.integers(0, 2**32)


@st.composite
def routings(draw: st.DrawFn) -> MaritimeInventoryRouting:
    revenue = draw(st.floats(0, 9))
    return MaritimeInventoryRouting(
        n_loading_ports=draw(st.integers(1, 3)),
        n_discharging_ports=draw(st.integers(1, 3)),
        n_vessels=draw(st.integers(1, 3)),
        n_periods=draw(st.integers(3, 9)),
        n_berths=draw(st.integers(1, 3)),
        revenue=revenue,
        spot_price=revenue + draw(st.floats(0.5, 9)),
    )


def rows_of(instance: Instance) -> dict[str, tuple[dict[str, float], np.float64, np.float64]]:
    """Every row by name, as the coefficients by column name and the two sides."""
    rows = {}
    for row, name in enumerate(instance.row_names):
        entries = slice(*instance.A.indptr[row : row + 2])
        columns = [instance.column_names[column] for column in instance.A.indices[entries]]
        coefficients = dict(zip(columns, instance.A.data[entries].tolist(), strict=True))
        rows[name] = coefficients, instance.row_lower[row], instance.row_upper[row]
    return rows


def by_name(instance: Instance, values: npt.NDArray[np.float64]) -> dict[str, float]:
    return dict(zip(instance.column_names, values.tolist(), strict=True))


def where(names: tuple[str, ...], kind: str) -> list[Any]:
    """The numbers in the names of a kind."""
    return [tuple(map(int, name.split("_")[1:])) for name in names if name.split("_")[0] == kind]


@settings(max_examples=25)
@given(routings(), SEEDS)
def test_rows_are_routes_stocks_cargoes_transfers_presence_and_berths(
    generator: MaritimeInventoryRouting, seed: int
) -> None:
    instance = generator.generate(seed)
    scenario = draw_scenario(random_stream(seed), generator)
    n_ports = generator.n_loading_ports + generator.n_discharging_ports
    vessels, ports, periods = (
        range(1, n + 1) for n in (generator.n_vessels, n_ports, generator.n_periods)
    )

    def days(i: Any, j: Any) -> Any:
        return scenario.days[i - 1, j - 1]

    def sign(i: Any) -> Any:
        return 1 if i <= generator.n_loading_ports else -1

    start = {
        v: (scenario.start_ports[v - 1] + 1, scenario.start_periods[v - 1] + 1) for v in vessels
    }
    nodes = {
        (v, i, t)
        for v, i, t in product(vessels, ports, periods)
        if t >= start[v][1] + days(start[v][0], i)
    }
    expected = {f"route_{v}_{i}_{t}": {f"leave_{v}_{i}_{t}": 1} for v, i, t in nodes}
    for v, i, t in nodes:
        if t < generator.n_periods:
            expected[f"route_{v}_{i}_{t}"][f"wait_{v}_{i}_{t}"] = 1
            expected[f"route_{v}_{i}_{t + 1}"][f"wait_{v}_{i}_{t}"] = -1
        for j in ports:
            if i != j and t + days(i, j) <= generator.n_periods:
                trip = f"travel_{v}_{i}_{j}_{t}"
                expected[f"route_{v}_{i}_{t}"][trip] = 1
                expected[f"route_{v}_{j}_{t + days(i, j)}"][trip] = -1
    sides = {f"route_{v}_{i}_{t}": (float((i, t) == start[v]),) * 2 for v, i, t in nodes}
    for v, i, t in nodes:
        at = f"{v}_{i}_{t}"
        expected[f"present_{at}"] = {f"operate_{at}": 1} | {
            column: -1 for column, value in expected[f"route_{at}"].items() if value == 1
        }
        expected[f"least_{at}"] = {f"quantity_{at}": 1, f"operate_{at}": -10}
        expected[f"most_{at}"] = {f"quantity_{at}": 1, f"operate_{at}": -50}
        sides[f"present_{at}"] = sides[f"most_{at}"] = (-np.inf, 0)
        sides[f"least_{at}"] = (0, np.inf)
    for i, t in product(ports, periods):
        row = {f"stock_{i}_{t}": 1, f"spot_{i}_{t}": sign(i)}
        row |= {f"quantity_{v}_{i}_{t}": sign(i) for v in vessels if (v, i, t) in nodes}
        row |= {f"stock_{i}_{t - 1}": -1} if t > 1 else {}
        right = sign(i) * scenario.amounts[i - 1, t - 1] + (scenario.stocks[i - 1] if t == 1 else 0)
        expected[f"stock_{i}_{t}"], sides[f"stock_{i}_{t}"] = row, (right, right)
        there = [f"operate_{v}_{i}_{t}" for v in vessels if (v, i, t) in nodes]
        if len(there) > generator.n_berths:
            expected[f"berths_{i}_{t}"] = dict.fromkeys(there, 1)
            sides[f"berths_{i}_{t}"] = (-np.inf, generator.n_berths)
    for v, t in product(vessels, periods):
        if t >= start[v][1]:
            row = {f"cargo_{v}_{t}": 1}
            row |= {f"quantity_{v}_{i}_{t}": -sign(i) for i in ports if (v, i, t) in nodes}
            row |= {f"cargo_{v}_{t - 1}": -1} if t > start[v][1] else {}
            right = scenario.cargoes[v - 1] if t == start[v][1] else 0
            expected[f"cargo_{v}_{t}"], sides[f"cargo_{v}_{t}"] = row, (right, right)
    assert rows_of(instance) == {name: (row, *sides[name]) for name, row in expected.items()}


@settings(max_examples=25)
@given(routings(), SEEDS)
def test_arcs_and_transfers_are_binary_and_amounts_are_bounded_and_continuous(
    generator: MaritimeInventoryRouting, seed: int
) -> None:
    instance = generator.generate(seed)
    scenario = draw_scenario(random_stream(seed), generator)
    kinds = np.array([name.split("_")[0] for name in instance.column_names])
    binary = np.isin(kinds, ["travel", "wait", "leave", "operate"])
    assert (instance.integrality == binary).all()
    assert (instance.lower == 0).all()
    upper, objective = by_name(instance, instance.upper), by_name(instance, instance.objective)
    assert (instance.upper[binary] == 1).all()
    assert (instance.upper[kinds == "quantity"] == 50).all()
    for i, t in where(instance.column_names, "spot"):
        assert upper[f"spot_{i}_{t}"] == scenario.amounts[i - 1, t - 1]
        assert upper[f"stock_{i}_{t}"] == scenario.stores[i - 1]
        assert objective[f"spot_{i}_{t}"] == float(f"{generator.spot_price:.9g}")
        assert objective[f"stock_{i}_{t}"] == 0
    for v, t in where(instance.column_names, "cargo"):
        assert upper[f"cargo_{v}_{t}"] == scenario.capacities[v - 1]
    for v, i, t in where(instance.column_names, "quantity"):
        earns = 0 if i <= generator.n_loading_ports else float(f"{generator.revenue:.9g}")
        assert objective[f"quantity_{v}_{i}_{t}"] == -earns
    for v, i, j, t in where(instance.column_names, "travel"):
        assert objective[f"travel_{v}_{i}_{j}_{t}"] == scenario.trip_costs[i - 1, j - 1]
    assert (instance.objective[kinds == "wait"] == 1).all()
    assert not instance.objective[np.isin(kinds, ["leave", "operate", "cargo"])].any()


@given(routings(), SEEDS)
def test_numbers_lie_in_the_ranges_of_the_scheme(
    generator: MaritimeInventoryRouting, seed: int
) -> None:
    scenario = draw_scenario(random_stream(seed), generator)
    elsewhere = ~np.eye(len(scenario.days), dtype=bool)
    assert (scenario.days[elsewhere] >= 1).all()
    assert (scenario.days.diagonal() == 0).all()
    assert scenario.days.max() <= np.ceil(1000 * sqrt(2) / 300)
    assert (scenario.days == scenario.days.T).all()
    # Costs are 20 and a quarter of the miles, so the miles are known within 4.
    miles = 4 * (scenario.trip_costs[elsewhere] - 20)
    assert (miles <= 300 * scenario.days[elsewhere]).all()
    assert (miles + 4 > 300 * (scenario.days[elsewhere] - 1)).all()
    detour = (scenario.days[:, :, np.newaxis] + scenario.days[np.newaxis]).min(axis=1)
    assert (scenario.days <= detour).all()
    consumed = scenario.amounts[generator.n_loading_ports :]
    assert ((consumed >= 4) & (consumed <= 16)).all()
    assert (scenario.amounts >= 1).all()
    assert (np.ptp(scenario.amounts, axis=1) <= 4).all()
    means = scenario.stores / scenario.amounts.mean(axis=1)
    assert ((means >= 8 * 0.3) & (means <= 14 * 3)).all()
    assert ((scenario.stocks >= 0) & (scenario.stocks <= scenario.stores)).all()
    assert ((scenario.capacities >= 60) & (scenario.capacities <= 120)).all()
    assert ((scenario.cargoes >= 0) & (scenario.cargoes <= scenario.capacities)).all()
    assert ((scenario.start_periods >= 0) & (scenario.start_periods <= 2)).all()
    assert ((scenario.start_ports >= 0) & (scenario.start_ports < len(scenario.stores))).all()


@settings(max_examples=25)
@given(routings(), SEEDS)
def test_a_fleet_that_leaves_at_once_and_buys_all_on_the_spot_market_is_feasible(
    generator: MaritimeInventoryRouting, seed: int
) -> None:
    instance = generator.generate(seed)
    rows = rows_of(instance)
    solution = dict.fromkeys(instance.column_names, 0.0)
    for v, i, t in where(instance.row_names, "route"):
        solution[f"leave_{v}_{i}_{t}"] = rows[f"route_{v}_{i}_{t}"][1]  # 1 at the start
    cargo: dict[Any, Any] = {}
    for v, t in where(instance.row_names, "cargo"):
        cargo[v] = solution[f"cargo_{v}_{t}"] = cargo.get(v, rows[f"cargo_{v}_{t}"][1])
    upper = by_name(instance, instance.upper)
    for i, t in where(instance.column_names, "spot"):
        amount = solution[f"spot_{i}_{t}"] = upper[f"spot_{i}_{t}"]
        sign = 1 if i <= generator.n_loading_ports else -1
        if t == 1:
            stock = rows[f"stock_{i}_1"][1] - sign * amount
        solution[f"stock_{i}_{t}"] = stock
    values = np.array([*solution.values()])
    assert (values >= instance.lower).all()
    assert (values <= instance.upper).all()
    activity = instance.A @ values  # whole numbers: exact
    assert (activity >= instance.row_lower).all()
    assert (activity <= instance.row_upper).all()


@pytest.mark.parametrize("seed", range(5))
def test_the_relaxation_is_feasible_and_bounded(seed: int) -> None:
    instance = MaritimeInventoryRouting(**SMALL).generate(seed)
    assert np.isfinite(relaxation_by_highs(instance))


def voyages(
    generator: MaritimeInventoryRouting, scenario: ShippingScenario, vessel: int
) -> Iterator[Any]:
    """Cost of the trips and the (port, period) stops of every voyage of a vessel."""

    def onward(port: Any, period: Any) -> Iterator[Any]:
        yield 0, ((port, period),)  # leaves
        for to in range(len(scenario.days)):
            trip = max(scenario.days[port, to], 1)
            if period + trip < generator.n_periods:
                cost = 1 if to == port else scenario.trip_costs[port, to]
                for more, stops in onward(to, period + trip):
                    yield cost + more, ((port, period), *stops)

    return onward(scenario.start_ports[vessel], scenario.start_periods[vessel])


def cheapest_schedule(generator: MaritimeInventoryRouting, seed: int) -> float | np.float64:
    """Enumerate voyages and the stops with a transfer; the best amounts are a linear program.

    Its variables are the transfers and what is bought or sold on the spot market; stocks and
    cargoes are sums of them.
    """
    scenario = draw_scenario(random_stream(seed), generator)
    n_ports, n_periods = scenario.amounts.shape
    n_spot = n_ports * n_periods
    options = [
        [
            (cost, chosen)
            for cost, stops in voyages(generator, scenario, vessel)
            for chosen in chain.from_iterable(combinations(stops, n) for n in range(len(stops) + 1))
        ]
        for vessel in range(generator.n_vessels)
    ]
    costs: dict[Any, Any] = {}  # of the cheapest voyages that have these transfers
    for schedule in product(*options):
        transfers = tuple(
            (vessel, *stop) for vessel, (_, chosen) in enumerate(schedule) for stop in chosen
        )
        at_port = [stop[1:] for stop in transfers]
        if all(at_port.count(stop) <= generator.n_berths for stop in at_port):
            cost = sum(cost for cost, _ in schedule)
            costs[transfers] = min(cost, costs.get(transfers, np.inf))
    best = np.inf
    for transfers, cost in costs.items():
        price = [generator.spot_price] * n_spot
        price += [0 if scenario.direction[i] > 0 else -generator.revenue for _, i, _ in transfers]
        rows, sides = [], []
        for i, t in product(range(n_ports), range(n_periods)):
            moved = np.zeros(len(price))
            moved[i * n_periods : i * n_periods + t + 1] = 1
            moved[n_spot:] = [i == port and period <= t for _, port, period in transfers]
            free = scenario.stocks[i] + scenario.direction[i] * scenario.amounts[i, : t + 1].sum()
            rows += [scenario.direction[i] * moved, -scenario.direction[i] * moved]
            sides += [free, scenario.stores[i] - free]
        for v, t in product(range(generator.n_vessels), range(n_periods)):
            aboard = np.zeros(len(price))
            aboard[n_spot:] = [
                scenario.direction[port] * (v == vessel and period <= t)
                for vessel, port, period in transfers
            ]
            rows += [aboard, -aboard]
            sides += [scenario.capacities[v] - scenario.cargoes[v], scenario.cargoes[v]]
        bounds = [(0, amount) for amount in scenario.amounts.ravel()] + [(10, 50)] * len(transfers)
        amounts = linprog(price, A_ub=np.array(rows), b_ub=sides, bounds=bounds)
        if amounts.status == 0:
            best = min(best, cost + amounts.fun)
    return best


@pytest.mark.parametrize(
    ("n_vessels", "n_periods", "seed"), [(1, 6, 0), (1, 6, 1), (1, 5, 2), (2, 3, 3), (2, 4, 4)]
)
def test_scip_finds_the_cheapest_of_all_voyages_and_transfers(
    n_vessels: int, n_periods: int, seed: int
) -> None:
    generator = MaritimeInventoryRouting(
        n_loading_ports=1, n_discharging_ports=1, n_vessels=n_vessels, n_periods=n_periods
    )
    optimum = optimum_by_scip(generator.generate(seed))
    assert optimum == pytest.approx(cheapest_schedule(generator, seed), rel=1e-6, abs=1e-6)


def test_a_seed_gives_the_same_bytes_and_another_one_another_instance() -> None:
    generator = MaritimeInventoryRouting(**SMALL)
    hashes = [generator.generate(seed).content_hash for seed in (0, 1, 2, 0)]
    assert hashes[0] == hashes[3]
    assert len(set(hashes)) == 3


def test_seed_0_gives_the_pinned_instance() -> None:
    assert MaritimeInventoryRouting(**SMALL).generate(0).content_hash == (
        "a8c52de3dbb67ac29562e84d445d488ec7ae70f158ac82fa9367ef9d3fb2c253"
    )


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("n_loading_ports", 0, "at least 1"),
        ("n_discharging_ports", 1.0, "an integer"),
        ("n_vessels", 0, "at least 1"),
        ("n_vessels", True, "an integer"),
        ("n_periods", 2, "at least 3"),
        ("n_berths", 0, "at least 1"),
        ("revenue", -1, "at least 0"),
        ("revenue", None, "at least 0"),
        ("spot_price", 5, "above 5"),
        ("spot_price", float("inf"), "finite"),
    ],
)
def test_a_parameter_outside_its_range_is_refused_with_name_value_and_range(
    name: str, value: float | None, expected: str
) -> None:
    with pytest.raises(ParameterError) as caught:
        MaritimeInventoryRouting(**{**SMALL, name: value})
    assert f"{name} is {value!r}" in str(caught.value)
    assert expected in str(caught.value)
