from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from milplib import Instance
from milplib.errors import ParameterError
from milplib.generators import network_verification
from milplib.generators.network_verification import NetworkVerification, digits_network
from milplib.generators.randomness import random_stream

from .linear_programs import relaxation_by_highs
from .test_optima import optimum_by_scip

SIZES = (32, 32, 10)


@st.composite
def verifications(draw: st.DrawFn) -> NetworkVerification:
    low = draw(st.floats(0.01, 8))
    return NetworkVerification(min_epsilon=low, max_epsilon=draw(st.floats(low, 16)))


def read(
    image: npt.NDArray[np.float64],
    layers: tuple[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]], ...],
) -> list[npt.NDArray[np.float64]]:
    """Send an image through the network: every layer's inputs, before the rectifier."""
    values, inputs = image, []
    for weight, bias in layers:
        inputs.append(weight @ values + bias)
        values = np.maximum(inputs[-1], 0)
    return inputs


def solution_of(
    instance: Instance,
    image: npt.NDArray[np.float64],
    layers: tuple[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]], ...],
) -> npt.NDArray[np.float64]:
    """Build the solution of an image that is sent through the network."""
    inputs = read(image, layers)
    values = np.empty(instance.n_columns)
    for position, name in enumerate(instance.column_names):
        kind, layer, number = name.split("_")
        neuron = int(number) - 1
        if layer == "0":
            values[position] = image[neuron]
        else:
            value = inputs[int(layer) - 1][neuron]
            values[position] = {"a": value, "y": max(value, 0), "z": value > 0}[kind]
    return values


def violation(instance: Instance, solution: npt.NDArray[np.float64]) -> np.float64:
    activities = instance.A @ solution
    result: np.float64 = max(
        (instance.row_lower - activities).max(),
        (activities - instance.row_upper).max(),
        (instance.lower - solution).max(),
        (solution - instance.upper).max(),
    )
    return result


def pixels_of(instance: Instance) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    return instance.lower[:64], instance.upper[:64]


def column_of(instance: Instance) -> dict[str, int]:
    return {name: position for position, name in enumerate(instance.column_names)}


@settings(max_examples=15, deadline=None)
@given(verifications(), st.integers(0, 2**32))
def test_any_image_within_the_bounds_is_a_solution_when_sent_through_the_network(
    generator: NetworkVerification, seed: int
) -> None:
    instance = generator.generate(seed)
    low, high = pixels_of(instance)
    shares = random_stream(seed).random_sample((5, 64))
    corners = shares.round()
    for share in (*shares, *corners):
        solution = solution_of(instance, low + share * (high - low), digits_network().layers)
        # Rounding errors of sums of 64 numbers below 1000.
        assert violation(instance, solution) < 1e-9


@settings(max_examples=15, deadline=None)
@given(verifications(), st.integers(0, 2**32))
def test_pixels_lie_within_epsilon_of_an_image_that_is_read_rightly(
    generator: NetworkVerification, seed: int
) -> None:
    instance = generator.generate(seed)
    low, high = pixels_of(instance)
    network = digits_network()
    rounding = 1 / 128  # outward
    near = np.maximum(network.images - low, high - network.images).max(axis=1)
    (image,) = np.flatnonzero(near <= generator.max_epsilon + rounding)[:1]
    assert (low >= 0).all()
    assert (high <= 16).all()
    assert near[image] >= min(generator.min_epsilon, 16 - network.images[image].min())
    true = {
        name
        for name, cost in zip(instance.column_names, instance.objective, strict=True)
        if cost == 1
    }
    if (near <= generator.max_epsilon + rounding).sum() == 1:
        assert true == {f"a_3_{network.digits[image] + 1}"}
    assert sorted(instance.objective[instance.objective != 0]) == [-1, 1]


def test_all_shipped_images_are_read_rightly() -> None:
    network = digits_network()
    said = [int(read(image, network.layers)[-1].argmax()) for image in network.images]
    assert said == network.digits.tolist()
    assert len(network.images) == 500
    assert set(network.digits.tolist()) == set(range(10))


@settings(max_examples=10, deadline=None)
@given(verifications(), st.integers(0, 2**32))
def test_rows_are_the_inputs_of_neurons_and_the_rectifier(
    generator: NetworkVerification, seed: int
) -> None:
    instance = generator.generate(seed)
    column, layers = column_of(instance), digits_network().layers
    rows = instance.A.toarray()
    for position, name in enumerate(instance.row_names):
        kind, layer, number = name.split("_")
        neuron = f"{layer}_{number}"
        a, y, z = (column.get(f"{letter}_{neuron}", -1) for letter in "ayz")
        expected = np.zeros(instance.n_columns)
        if kind == "input":
            weight, bias = layers[int(layer) - 1]
            expected[
                [column[f"y_{int(layer) - 1}_{i + 1}"] for i in range(weight.shape[1])]
            ] = -weight[int(number) - 1]
            expected[a] = 1
            sides = (bias[int(number) - 1],) * 2
        elif kind == "active":
            expected[[y, a]] = 1, -1
            sides = (0, 0)
        elif kind == "above":
            expected[[y, a]] = 1, -1
            sides = (0, np.inf)
        elif kind == "off":
            expected[[y, a, z]] = 1, -1, -instance.lower[a]
            sides = (-np.inf, -instance.lower[a])
        else:
            expected[[y, z]] = 1, -instance.upper[a]
            sides = (-np.inf, 0)
        assert rows[position].tolist() == expected.tolist()
        assert (instance.row_lower[position], instance.row_upper[position]) == sides


@settings(max_examples=10, deadline=None)
@given(verifications(), st.integers(0, 2**32))
def test_exactly_the_neurons_of_either_sign_are_binary_choices(
    generator: NetworkVerification, seed: int
) -> None:
    instance = generator.generate(seed)
    column = column_of(instance)
    for layer, size in enumerate(SIZES[:-1], start=1):
        for number in range(1, size + 1):
            a, y = (column[f"{letter}_{layer}_{number}"] for letter in "ay")
            low, high = instance.lower[a], instance.upper[a]
            assert (f"z_{layer}_{number}" in column) == (low < 0 < high)
            assert (instance.lower[y], instance.upper[y]) == (max(low, 0), max(high, 0))
            assert (f"active_{layer}_{number}" in instance.row_names) == (low >= 0)
    choices = [name.startswith("z_") for name in instance.column_names]
    assert (instance.integrality == choices).all()


def test_a_larger_epsilon_makes_more_neurons_unstable() -> None:
    unstable = [
        int(NetworkVerification(min_epsilon=e, max_epsilon=e).generate(0).integrality.sum())
        for e in (0.25, 1, 2.5, 5)
    ]
    assert unstable == sorted(unstable)
    assert unstable[0] < 30 <= unstable[2]


@pytest.mark.parametrize("seed", range(3))
def test_scip_finds_the_least_margin_over_all_patterns_of_a_tiny_network(
    monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    random = np.random.RandomState(seed)
    layers = tuple(
        (random.randint(-256, 257, size) / 256, random.randint(-256, 257, size[0]) / 256)
        for size in ((3, 2), (3, 3), (10, 3))
    )
    images = random.randint(17, size=(4, 2)).astype(float)
    digits = np.array([read(image, layers)[-1].argmax() for image in images], np.uint8)
    network = network_verification.DigitsNetwork(images=images, digits=digits, layers=layers)
    monkeypatch.setattr(network_verification, "digits_network", lambda: network)
    instance = NetworkVerification(min_epsilon=4, max_epsilon=4).generate(seed)
    low, high = instance.lower[:2], instance.upper[:2]
    margin = instance.objective[[column_of(instance)[f"a_3_{i}"] for i in range(1, 11)]]
    least = np.inf
    # Within a pattern of neurons that are on, the network is affine in the pixels.
    for on in product((0, 1), repeat=6):
        slope, value, rows, sides = np.eye(2), np.zeros(2), [], []
        for (weight, bias), pattern in zip(layers, (on[:3], on[3:]), strict=False):
            slope, value = weight @ slope, weight @ value + bias
            sign = 2 * np.array(pattern) - 1
            rows.append(-sign[:, np.newaxis] * slope)
            sides.append(sign * value)
            slope, value = np.array(pattern)[:, np.newaxis] * slope, np.array(pattern) * value
        weight, bias = layers[-1]
        found = linprog(
            margin @ weight @ slope,
            A_ub=np.concatenate(rows),
            b_ub=np.concatenate(sides),
            bounds=np.column_stack((low, high)),
        )
        if found.status == 0:
            least = min(least, found.fun + margin @ (weight @ value + bias))
    # SCIP's feasibility tolerance, times coefficients of up to some tens.
    assert optimum_by_scip(instance) == pytest.approx(least, rel=1e-5, abs=1e-4)


def test_the_relaxation_is_feasible_and_bounded() -> None:
    instance = NetworkVerification(min_epsilon=2, max_epsilon=3).generate(0)
    assert np.isfinite(relaxation_by_highs(instance))
    assert np.isfinite(instance.lower).all()
    assert np.isfinite(instance.upper).all()


def test_a_seed_gives_the_pinned_instance_and_another_seed_another_one() -> None:
    generator = NetworkVerification(min_epsilon=2, max_epsilon=3)
    hashes = [generator.generate(seed).content_hash for seed in (0, 0, 1)]
    assert hashes[0] == hashes[1] != hashes[2]
    assert hashes[0] == "db480c2307536b910cb91597ab3a0195ac8047a4c79f1b918ea7f344a8d3d7d0"


@settings(max_examples=10, deadline=None)
@given(verifications(), st.integers(0, 2**32))
def test_nine_digits_write_every_number_in_full(generator: NetworkVerification, seed: int) -> None:
    instance = generator.generate(seed)
    for values in (
        *(instance.objective, instance.A.data, instance.row_lower, instance.row_upper),
        *(instance.lower, instance.upper),
    ):
        assert [float(f"{value:.9g}") for value in values] == values.tolist()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("min_epsilon", 0, "above 0 and at most 16"),
        ("min_epsilon", float("nan"), "above 0 and at most 16"),
        ("max_epsilon", 16.5, "above 0 and at most 16"),
        ("max_epsilon", "3", "above 0 and at most 16"),
        ("max_epsilon", 1.5, "at least the min_epsilon of 2"),
    ],
)
def test_a_parameter_outside_its_range_is_refused_with_name_value_and_range(
    name: str, value: float | str, expected: str
) -> None:
    with pytest.raises(ParameterError) as caught:
        NetworkVerification(**dict[str, Any](min_epsilon=2, max_epsilon=3) | {name: value})
    assert f"{name} is {value!r}" in str(caught.value)
    assert expected in str(caught.value)
