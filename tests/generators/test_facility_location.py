from __future__ import annotations

from math import ceil, sqrt

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

from milplib import Instance
from milplib.generators import CapacitatedFacilityLocation


@st.composite
def locations(draw: st.DrawFn) -> CapacitatedFacilityLocation:
    n_customers, n_facilities = draw(st.integers(1, 20)), draw(st.integers(1, 20))
    smallest = 1 + ceil(1000 * n_facilities / (5 * n_customers)) / 1000
    return CapacitatedFacilityLocation(
        n_customers=n_customers,
        n_facilities=n_facilities,
        ratio=draw(st.floats(smallest, smallest + 9)),
        transport_cost=draw(st.floats(0.1, 100)),
        links=draw(st.booleans()),
    )


def parts(
    generator: CapacitatedFacilityLocation, instance: Instance
) -> tuple[npt.NDArray[np.float64], ...]:
    """Demands (customers,), capacities (facilities,), transport costs and fixed costs."""
    n, m = generator.n_customers, generator.n_facilities
    first_capacity, total_capacity = instance.A[[n, n + m]].toarray()
    transport_costs, fixed_costs = np.split(instance.objective, [n * m])
    return (
        first_capacity[: n * m : m],
        total_capacity[n * m :],
        transport_costs.reshape(n, m),
        fixed_costs,
    )


@given(locations(), st.integers(0, 2**32))
def test_rows_are_demands_capacities_total_capacity_and_links(
    generator: CapacitatedFacilityLocation, seed: int
) -> None:
    instance = generator.generate(seed)
    n, m = generator.n_customers, generator.n_facilities
    demands, capacities, *_ = parts(generator, instance)
    n_links = n * m if generator.links else 0
    assert (instance.n_rows, instance.n_columns) == (n + m + 1 + n_links, n * m + m)
    for position, name in enumerate(instance.row_names):
        kind, *where = name.split("_")
        expected = dict.fromkeys(instance.column_names, 0.0)
        if kind == "demand":
            expected |= {f"x_{where[0]}_{j}": 1 for j in range(1, m + 1)}
            sides = (1.0, np.inf)
        elif kind == "capacity":
            expected |= {f"x_{i}_{where[0]}": demands[i - 1] for i in range(1, n + 1)}
            expected[f"y_{where[0]}"] = -capacities[int(where[0]) - 1]
            sides = (-np.inf, 0.0)
        elif kind == "total":
            expected |= {f"y_{j}": capacities[j - 1] for j in range(1, m + 1)}
            sides = (demands.sum(), np.inf)
        else:
            expected |= {f"x_{where[0]}_{where[1]}": 1, f"y_{where[1]}": -1}
            sides = (-np.inf, 0.0)
        assert instance.A[[position]].toarray().ravel().tolist() == list(expected.values())
        assert (instance.row_lower[position], instance.row_upper[position]) == sides


@given(locations(), st.integers(0, 2**32))
def test_shares_are_continuous_and_openings_binary(
    generator: CapacitatedFacilityLocation, seed: int
) -> None:
    instance = generator.generate(seed)
    opens = np.array([name.startswith("y_") for name in instance.column_names])
    assert instance.sense == "minimize"
    assert (instance.integrality == opens).all()
    assert (instance.lower == 0).all()
    assert (instance.upper == 1).all()


@given(locations(), st.integers(0, 2**32))
def test_numbers_lie_in_the_ranges_of_the_scheme(
    generator: CapacitatedFacilityLocation, seed: int
) -> None:
    demands, capacities, transport, fixed = parts(generator, generator.generate(seed))
    assert np.isin(demands, np.arange(5, 36)).all()
    assert (capacities == np.floor(capacities)).all()
    assert (fixed == np.floor(fixed)).all()
    assert ((fixed >= int(100 * sqrt(10))) & (fixed <= int(110 * sqrt(160) + 90))).all()
    assert (transport >= 0).all()
    cost = generator.transport_cost
    assert (transport <= cost * sqrt(2) * demands[:, np.newaxis] * (1 + 1e-8)).all()
    # open everything and split every customer by capacity: feasible if the total suffices
    total = demands.sum()
    assert total <= capacities.sum() <= generator.ratio * total * (1 + 1e-12)
    assert capacities.sum() > generator.ratio * total - generator.n_facilities - 1e-6


@given(locations(), st.integers(0, 2**32))
def test_transport_costs_obey_the_triangle_inequality(
    generator: CapacitatedFacilityLocation, seed: int
) -> None:
    demands, _, transport, _ = parts(generator, generator.generate(seed))
    distances = transport / (generator.transport_cost * demands[:, np.newaxis])
    between = np.abs(distances[:, np.newaxis] - distances[np.newaxis]).max(axis=2)
    reach = (distances[:, np.newaxis] + distances[np.newaxis]).min(axis=2)
    assert (between <= reach + 1e-7).all()


def test_fixed_costs_grow_with_the_root_of_the_unscaled_capacity() -> None:
    generator = CapacitatedFacilityLocation(n_customers=20, n_facilities=400, ratio=500)
    _, capacities, _, fixed = parts(generator, generator.generate(0))
    unscaled = capacities * 85 / capacities.mean()  # proportional, and 85 on average
    ratio = fixed / (105 * np.sqrt(unscaled) + 45)
    assert 0.98 < ratio.mean() < 1.02
    assert 0.8 < ratio.min() < ratio.max() < 1.2
