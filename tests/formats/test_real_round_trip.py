"""Real and generated instances come back from files as they were, with the same optimum."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from slow_parameters import slow_where

import milplib
from milplib import Instance
from milplib.errors import InstanceError
from milplib.formats import SUFFIXES

REAL = (
    *("MANN_a9.clq.lp", "bell5.mps.gz", "blend2.mps.gz", "cap41.lp.gz", "cap42.lp.gz"),
    *("dcmulti.mps.gz", "egout.mps.gz", "enigma.mps.gz", "flugpl.mps.gz", "lseu.mps.gz"),
    *("misc03.mps.gz", "p0548.mps.gz", "rgn.mps.gz", "stein27_inf.lp"),
)
# These are solved in half a second to three seconds, all others in less.
EXPENSIVE = (
    *("bell5.mps.gz", "blend2.mps.gz", "cap41.lp.gz", "cap42.lp.gz", "dcmulti.mps.gz"),
    *("enigma.mps.gz", "lseu.mps.gz", "misc03.mps.gz", "rgn.mps.gz"),
)
LARGE = ("cap41.lp.gz", "cap42.lp.gz")
PLAIN = (".mps", ".lp")

# Makes a family's smallest distribution one that is solved at once; others stay as they are.
SMALLER: dict[str, dict[str, Any]] = {
    "CombinatorialAuction": {"n_items": 25, "n_bids": 60},
    "CapacitatedFacilityLocation": {"n_customers": 8, "n_facilities": 6},
    "IndependentSet": {"n_nodes": 60},
    "SetCover": {"n_rows": 100, "n_columns": 150},
    "ItemPlacement": {"n_items": 7, "n_bins": 3, "n_resources": 2},
    "LoadBalancing": {"n_workers": 6, "n_loads": 3, "n_allowed": 4},
    "MiddleMileNetwork": {"n_vendors": 4, "n_sites": 3, "n_commodities": 8},
    "MaritimeInventoryRouting": {
        "n_loading_ports": 1,
        "n_discharging_ports": 1,
        "n_vessels": 1,
        "n_periods": 5,
    },
    "MinimumVertexCover": {"n_nodes": 30},
    "GeneralizedIndependentSet": {"n_nodes": 20},
    "TransmissionSwitching": {"grid": "synthetic", "n_buses": 6, "n_lines": 8},
    "WildlifeCorridor": {"order": 3},
    "SeismicResilientPipeNetwork": {
        "network": None,
        "n_streets": 4,
        "n_avenues": 4,
        "n_customers": 3,
    },
    "NetworkVerification": {"min_epsilon": 0.5, "max_epsilon": 0.5},
    "ExpertPlacement": {"n_layers": 2, "n_experts": 4, "n_devices": 2, "n_successors": 2},
    "ArchitectureSearch": {"n_layers": 8, "n_blocks": 5},
    "Abduction": {"n_models": 3, "n_classes": 4, "n_objects": 40},
    "CodeTestSelection": {"n_solutions": 8, "n_tests": 10, "max_solutions": 4, "max_tests": 5},
}
FAMILIES = {
    type(entry.generator).__name__: type(entry.generator)
    for entry in milplib.distributions()
    if entry.generator is not None
}

# SCIP's optima are exact to its feasibility tolerance of 1e-6, those of the list to the digits
# that MIPLIB gives.
TOLERANCE = 1e-6


@pytest.fixture(scope="module")
def real(test_data: Path) -> Any:
    return lambda name: milplib.read(test_data / "miplib" / name)


@pytest.fixture(scope="module")
def optima(test_data: Path) -> dict[str, dict[str, str]]:
    with open(test_data / "miplib" / "optima.csv", newline="") as stream:
        return {row["instance"]: row for row in csv.DictReader(stream)}


def small_instance(family: Any) -> Instance:
    """Generate an instance with the parameters of a distribution of ours, or with smaller ones."""
    ours = [entry for entry in family.distributions if entry.provenance == "milplib"]
    changes = SMALLER.get(family.__name__, {})
    generators = [replace(entry.generator, **changes) for entry in ours or family.distributions]
    instances = [generator.generate(0) for generator in generators]
    given: Instance = min(instances, key=lambda instance: instance.n_nonzeros)
    return given


def reordered(instance: Instance, rows: Any, columns: Any) -> Instance:
    return replace(
        instance,
        A=instance.A[rows][:, columns],
        row_lower=instance.row_lower[rows],
        row_upper=instance.row_upper[rows],
        objective=instance.objective[columns],
        lower=instance.lower[columns],
        upper=instance.upper[columns],
        integrality=instance.integrality[columns],
        row_names=tuple(instance.row_names[row] for row in rows),
        column_names=tuple(instance.column_names[column] for column in columns),
    )


def in_the_order_of(other: Any, instance: Instance) -> Instance:
    """Put rows and columns where another instance has those of the same names."""
    return reordered(
        instance,
        [instance.row_names.index(name) for name in other.row_names],
        [instance.column_names.index(name) for name in other.column_names],
    )


def two_sided_rows(instance: Instance) -> Any:
    sides = np.isfinite(instance.row_lower) & np.isfinite(instance.row_upper)
    return np.flatnonzero(sides & (instance.row_lower != instance.row_upper))


def for_a_file(instance: Instance, suffix: Any) -> Instance:
    """Make two rows of each row with two sides for an LP file, which cannot hold them."""
    rows = two_sided_rows(instance)
    if suffix == ".mps" or not rows.size:
        return instance
    upper = instance.row_upper.copy()
    upper[rows] = np.inf
    return replace(
        instance,
        A=sp.vstack([instance.A, instance.A[rows]]),
        row_lower=np.append(instance.row_lower, np.full(rows.size, -np.inf)),
        row_upper=np.append(upper, instance.row_upper[rows]),
        row_names=(*instance.row_names, *(f"{instance.row_names[row]}_upper" for row in rows)),
    )


def written_and_read(instance: Instance, path: Path) -> Instance:
    instance.write(path)
    return milplib.read(path)


def assert_equal(instance: Instance, other: Any) -> None:
    assert other.content_hash == instance.content_hash
    assert other.column_names == instance.column_names
    assert other.row_names == instance.row_names


def assert_optimum(instance: Instance, known: Any) -> None:
    result = milplib.solve(instance)
    assert result.status == known["status"]
    if known["status"] == "infeasible":
        assert (result.objective, result.solution) == (None, None)
        return
    assert result.objective == pytest.approx(
        float(known["objective"]), rel=TOLERANCE, abs=TOLERANCE
    )


def test_the_real_instances_are_those_whose_optima_are_known(
    test_data: Path, optima: dict[str, dict[str, str]]
) -> None:
    files = {path.name for path in (test_data / "miplib").iterdir()}
    assert files == {*REAL, "optima.csv"}
    assert {milplib.read(test_data / "miplib" / name).name for name in REAL} == set(optima)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", slow_where(LARGE, REAL))
def test_a_real_instance_survives_every_format(
    tmp_path: Path, real: Any, name: str, suffix: Any
) -> None:
    instance = real(name)
    assert_equal(instance, written_and_read(instance, tmp_path / f"copy{suffix}"))


@pytest.mark.parametrize("suffix", PLAIN)
@pytest.mark.parametrize("name", slow_where(LARGE, REAL))
def test_a_real_instance_survives_in_any_order_of_rows_and_columns(
    tmp_path: Path, real: Any, name: str, suffix: str
) -> None:
    instance = real(name)
    random = np.random.RandomState(0)
    shuffled = reordered(
        instance, random.permutation(instance.n_rows), random.permutation(instance.n_columns)
    )
    found = written_and_read(shuffled, tmp_path / f"shuffled{suffix}")
    assert found.content_hash != instance.content_hash
    assert_equal(instance, in_the_order_of(instance, found))


@pytest.mark.parametrize("suffix", PLAIN)
@pytest.mark.parametrize("name", slow_where(EXPENSIVE, REAL))
def test_a_real_instance_keeps_its_optimum_or_stays_infeasible(
    tmp_path: Path, real: Any, optima: dict[str, dict[str, str]], name: str, suffix: str
) -> None:
    instance = real(name)
    found = written_and_read(instance, tmp_path / f"copy{suffix}")
    assert_optimum(found, optima[instance.name])


@pytest.mark.parametrize("name", ["p0548.mps.gz", "MANN_a9.clq.lp"])
def test_a_real_instance_with_two_sided_rows_is_refused_in_lp_and_mended_by_the_advice(
    tmp_path: Path, real: Any, optima: dict[str, dict[str, str]], name: str
) -> None:
    instance = real(name)
    # The sides that are missing, below all that binary columns can reach.
    smallest = instance.A.minimum(0).sum(axis=1) - 1
    missing = np.isneginf(instance.row_lower)
    ranged = replace(instance, row_lower=np.where(missing, smallest, instance.row_lower))
    assert two_sided_rows(ranged).size == missing.sum() > 0
    with pytest.raises(InstanceError, match=r"two sides.*write \.mps, or make two rows of it"):
        ranged.write(tmp_path / "ranged.lp")
    assert list(tmp_path.iterdir()) == []
    for suffix in PLAIN:
        mended = for_a_file(ranged, suffix)
        found = written_and_read(mended, tmp_path / f"ranged{suffix}")
        assert_equal(mended, found)
        assert_optimum(found, optima[instance.name])


@pytest.mark.parametrize(
    "family", slow_where(("SeismicResilientPipeNetwork", "NetworkVerification"), FAMILIES)
)
def test_an_instance_of_every_family_survives_every_format_with_its_optimum(
    tmp_path: Path, family: Any
) -> None:
    instance = small_instance(FAMILIES[family])
    result = milplib.solve(instance)
    assert result.status == "optimal"
    known = {"status": result.status, "objective": result.objective}
    for suffix in SUFFIXES:
        mended = for_a_file(instance, suffix.removesuffix(".gz"))
        found = written_and_read(mended, tmp_path / f"copy{suffix}")
        assert_equal(mended, found)
        if suffix in PLAIN:
            assert_optimum(found, known)
