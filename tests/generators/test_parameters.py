from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from milplib.errors import ParameterError
from milplib.generators import (
    Abduction,
    ArchitectureSearch,
    CapacitatedFacilityLocation,
    CodeTestSelection,
    CombinatorialAuction,
    ExpertPlacement,
    GeneralizedIndependentSet,
    IndependentSet,
    ItemPlacement,
    LoadBalancing,
    MaritimeInventoryRouting,
    MiddleMileNetwork,
    MinimumVertexCover,
    NetworkVerification,
    SeismicResilientPipeNetwork,
    SetCover,
    TransmissionSwitching,
    WildlifeCorridor,
)

SMALL: dict[Any, dict[str, Any]] = {
    SetCover: {"n_rows": 10, "n_columns": 10, "density": 0.5},
    CombinatorialAuction: {"n_items": 10, "n_bids": 10},
    IndependentSet: {"n_nodes": 10},
    CapacitatedFacilityLocation: {"n_customers": 10, "n_facilities": 10},
    ItemPlacement: {"n_items": 12, "n_bins": 4, "n_resources": 2},
    LoadBalancing: {"n_workers": 10, "n_loads": 5, "n_allowed": 4},
    MiddleMileNetwork: {"n_vendors": 4, "n_sites": 3, "n_commodities": 8},
    MaritimeInventoryRouting: {
        "n_loading_ports": 1,
        "n_discharging_ports": 2,
        "n_vessels": 2,
        "n_periods": 8,
    },
    MinimumVertexCover: {"n_nodes": 10},
    GeneralizedIndependentSet: {"n_nodes": 10},
    TransmissionSwitching: {"n_buses": 6, "n_lines": 8},
    WildlifeCorridor: {"order": 3},
    SeismicResilientPipeNetwork: {
        "n_customers": 3,
        "n_streets": 3,
        "n_avenues": 4,
        "loop_share": 0.5,
    },
    NetworkVerification: {"min_epsilon": 2, "max_epsilon": 3},
    ExpertPlacement: {"n_layers": 2, "n_experts": 3, "n_devices": 2, "n_successors": 2},
    ArchitectureSearch: {"n_layers": 4, "n_blocks": 3},
    Abduction: {"n_models": 2, "n_classes": 3, "n_objects": 40},
    CodeTestSelection: {"n_solutions": 4, "n_tests": 5, "max_solutions": 2, "max_tests": 3},
}

REFUSED = [
    (SetCover, "n_rows", 1, "at least 2"),
    (SetCover, "n_rows", 10.0, "an integer"),
    (SetCover, "n_rows", True, "an integer"),
    (SetCover, "n_rows", "10", "an integer"),
    (SetCover, "n_columns", 0, "at least 1"),
    (SetCover, "density", 0, "above 0 and at most 1"),
    (SetCover, "density", 1.01, "above 0 and at most 1"),
    (SetCover, "density", float("nan"), "above 0 and at most 1"),
    (SetCover, "max_cost", 0, "at least 1"),
    (CombinatorialAuction, "n_items", 0, "at least 1"),
    (CombinatorialAuction, "n_bids", 0, "at least 1"),
    (CombinatorialAuction, "min_value", -1, "at least 0"),
    (CombinatorialAuction, "max_value", 0.5, "at least 1"),
    (CombinatorialAuction, "max_value", float("inf"), "finite"),
    (CombinatorialAuction, "value_deviation", -0.1, "at least 0"),
    (CombinatorialAuction, "add_item_probability", 1, "at least 0 and below 1"),
    (CombinatorialAuction, "max_n_sub_bids", -1, "at least 0"),
    (CombinatorialAuction, "additivity", 1.5, "at least -1 and at most 1"),
    (CombinatorialAuction, "budget_factor", -1, "at least 0"),
    (CombinatorialAuction, "resale_factor", None, "at least 0"),
    (CombinatorialAuction, "compatibility", "none", "'bundle' or 'first_items'"),
    (IndependentSet, "n_nodes", 1, "at least 2"),
    (IndependentSet, "affinity", 0, "at least 1"),
    (IndependentSet, "affinity", 10, "less than the 10 nodes"),
    (IndependentSet, "edge_probability", 0.5, "None"),
    (IndependentSet, "graph", "grid", "'barabasi_albert' or 'erdos_renyi'"),
    (CapacitatedFacilityLocation, "n_customers", 0, "at least 1"),
    (CapacitatedFacilityLocation, "n_facilities", 0, "at least 1"),
    (CapacitatedFacilityLocation, "ratio", 1, "above 1"),
    (CapacitatedFacilityLocation, "transport_cost", 0, "above 0 and at most"),
    (CapacitatedFacilityLocation, "transport_cost", 1e10, "above 0 and at most"),
    (CapacitatedFacilityLocation, "links", 1, "True or False"),
]


@pytest.mark.parametrize(("family", "name", "value", "expected"), REFUSED)
def test_a_parameter_outside_its_range_is_refused_with_name_value_and_range(
    family: type, name: str, value: float | str | None, expected: str
) -> None:
    with pytest.raises(ParameterError) as caught:
        family(**{**SMALL[family], name: value})
    message = str(caught.value)
    assert f"{name} is {value!r}" in message
    assert expected in message


def test_a_density_too_small_to_cover_every_row_is_refused_with_the_smallest_one() -> None:
    with pytest.raises(ParameterError, match=r"at least 0\.05\b"):
        SetCover(n_rows=100, n_columns=20, density=0.049)
    assert SetCover(n_rows=100, n_columns=20, density=0.05).generate(0).n_nonzeros == 100


def test_a_density_too_small_to_use_every_column_twice_is_refused_with_the_smallest_one() -> None:
    with pytest.raises(ParameterError, match=r"at least 0\.2\b"):
        SetCover(n_rows=10, n_columns=20, density=0.19)
    assert SetCover(n_rows=10, n_columns=20, density=0.2).generate(0).n_nonzeros == 40


def test_capacities_that_could_fall_short_are_refused_with_the_smallest_ratio() -> None:
    with pytest.raises(ParameterError, match=r"ratio is 5, expected at least 9\.0\b"):
        CapacitatedFacilityLocation(n_customers=1, n_facilities=40)
    CapacitatedFacilityLocation(n_customers=1, n_facilities=40, ratio=9)


def test_an_edge_probability_that_is_missing_or_outside_0_to_1_is_refused() -> None:
    with pytest.raises(ParameterError, match="edge_probability is None"):
        IndependentSet(n_nodes=10, graph="erdos_renyi")
    with pytest.raises(ParameterError, match=r"edge_probability is 1\.5"):
        IndependentSet(n_nodes=10, graph="erdos_renyi", edge_probability=1.5)


@pytest.mark.parametrize("family", SMALL)
@pytest.mark.parametrize("seed", [-1, 0.5, "0", None, True])
def test_a_seed_that_is_not_an_integer_from_0_on_is_refused(
    family: type, seed: float | str | None
) -> None:
    with pytest.raises(ParameterError, match="seed is"):
        family(**SMALL[family]).generate(seed)


def test_integers_and_floats_of_numpy_are_taken() -> None:
    plain = SetCover(n_rows=10, n_columns=10, density=0.3)
    numbers: dict[str, Any] = {"n_rows": np.int64(10), "n_columns": np.int32(10)}
    numpy_s = SetCover(**numbers, density=np.float64(0.3))
    seed: Any = np.int64(3)
    assert numpy_s.generate(seed).content_hash == plain.generate(3).content_hash


def test_positional_parameters_are_refused() -> None:
    family: Any = SetCover
    with pytest.raises(TypeError):
        family(10, 10, 0.5)
