"""Transmission switching on drawn and on real grids: parameters, sizes, seeds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from narrowing import present

from milplib.errors import MissingPackageError, ParameterError
from milplib.generators.power_grids import real_grid, synthetic_grid
from milplib.generators.randomness import random_stream
from milplib.generators.transmission_switching import TransmissionSwitching, fire_risks
from milplib.solving import solve

from .grids import SMALL, activities_hold, needs_cases


@pytest.mark.parametrize(
    "name",
    [
        "OTS-milplib-easy",
        "OTS-milplib-easy-large",
        pytest.param("OTS-case118-easy", marks=needs_cases),
    ],
)
@pytest.mark.parametrize("seed", range(5))
def test_some_load_must_be_shed_in_the_named_distributions(name: str, seed: int) -> None:
    (generator,) = (d.generator for d in TransmissionSwitching.distributions if d.name == name)
    instance = present(generator).generate(seed)
    sheds = np.array([name.startswith("shed") for name in instance.column_names])
    served = replace(instance, upper=np.where(sheds, 0.0, instance.upper))
    assert solve(served).status == "infeasible"


def test_risks_are_positive_and_larger_near_a_fire() -> None:
    grid = synthetic_grid(random_stream(0), 60, 84)
    risks = fire_risks(random_stream(1), grid, 200)
    assert risks.shape == (200, 84)
    assert (risks > 0).all()
    hazards = (risks / grid.length).mean(axis=0)
    assert hazards.max() > 0.5
    assert hazards.min() < 0.3


def test_parameters_move_the_size_as_documented() -> None:
    def size(**parameters: Any) -> Any:
        return TransmissionSwitching(
            **{"n_buses": 20, "n_lines": 30, "n_days": 1, **parameters}
        ).generate(0)

    one, two = size(), size(n_days=2)
    assert one.n_rows == 20 + 12 + 5 * 18 + 1 + 1
    assert one.n_columns == 15 + 5 + 20 + 30 + 18 + 18
    assert two.n_rows == 2 * one.n_rows - 1
    assert size(switchable_share=0.1, high_risk_share=0).n_rows == 20 + 27 + 5 * 3 + 2
    assert sum(name.startswith("energized") for name in two.column_names) == 36


def test_a_seed_gives_the_pinned_instance_and_others_give_others() -> None:
    generator = TransmissionSwitching(**SMALL)
    hashes = [generator.generate(seed).content_hash for seed in (0, 1, 0)]
    assert hashes[0] == hashes[2] != hashes[1]
    assert hashes[0] == "3ac0e30df8f4faca4b908da641e77c2ea88c5ec4f81f6cbc3e680c68d76dd436"


@needs_cases
def test_a_real_grid_gives_the_pinned_instance() -> None:
    generator = TransmissionSwitching(grid="case118")
    assert (
        generator.generate(0).content_hash
        == "c7ddaa6d57af7b24a8ac423aa3280959c816972e65091902dd8a710aeb80c4a8"
    )
    assert generator.generate(1).content_hash != generator.generate(0).content_hash


@needs_cases
@pytest.mark.parametrize("grid", ["case300", "case_ACTIVSg200", "case_ACTIVSg500"])
def test_larger_real_grids_give_instances(grid: str) -> None:
    instance = TransmissionSwitching(grid=grid).generate(0)
    sheds = np.array([name.startswith("shed") for name in instance.column_names])
    assert activities_hold(instance, np.where(sheds, instance.upper, 0.0), 1e-12).all()


def test_a_named_real_grid_without_its_extra_is_an_error_that_names_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matpowercaseframes", None)
    real_grid.cache_clear()
    with pytest.raises(MissingPackageError, match=r"pip install 'milplib\[grids\]'"):
        TransmissionSwitching(grid="case118").generate(0)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("grid", "case9999", "'synthetic' or one of case14"),
        ("n_buses", 1, "at least 2"),
        ("n_lines", 4, "at least 5"),
        ("n_lines", 16, "at most 15 for 6 buses"),
        ("n_days", 0, "at least 1"),
        ("switchable_share", 0, "above 0"),
        ("switchable_share", 1.5, "at most 1"),
        ("high_risk_share", 0.6, "at most 0.5"),
        ("tolerated_risk", -0.1, "at least 0"),
        ("budget", 1.1, "at most 1"),
        ("budget", True, "finite"),
    ],
)
def test_a_parameter_outside_its_range_is_refused(
    name: str, value: float | str, expected: str
) -> None:
    with pytest.raises(ParameterError) as caught:
        TransmissionSwitching(**{**SMALL, name: value})
    assert f"{name} is {value!r}" in str(caught.value)
    assert expected in str(caught.value)


def test_a_seed_that_is_negative_is_refused() -> None:
    with pytest.raises(ParameterError, match="seed is -1"):
        TransmissionSwitching(**SMALL).generate(-1)
