from __future__ import annotations

from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milplib.errors import ParameterError
from milplib.generators.abduction import Abduction
from milplib.generators.randomness import random_stream

from .linear_programs import relaxation_by_highs, row
from .test_optima import optimum_by_scip

SMALL: dict[str, Any] = {"n_models": 2, "n_classes": 3, "n_objects": 40}
SEEDS = st.integers(0, 2**32)

abductions = st.builds(
    Abduction,
    n_models=st.integers(2, 4),
    n_classes=st.integers(2, 4),
    n_objects=st.integers(1, 30),
    detection=st.floats(0.05, 1),
    lowest_accuracy=st.floats(0, 1),
    tolerance=st.floats(0, 1),
)


def predictions_of(generator: Abduction, seed: int) -> tuple[Any, ...]:
    """The weights of the objects, and for each its predictions {model: class}, from 1 on."""
    stream = random_stream(seed)
    weights, predicted = generator._drawn(stream)
    return weights.tolist(), [
        {model: label + 1 for model, label in enumerate(labels, 1) if label >= 0}
        for labels in predicted.tolist()
    ]


def contradictions_of(predictions: list[Any]) -> dict[Any, int]:
    """On how many objects each two hypotheses contradict each other."""
    count: dict[Any, Any] = {}
    for made in predictions:
        for first, second in combinations(sorted(made.items()), 2):
            if first[1] != second[1]:
                count[first, second] = count.get((first, second), 0) + 1
    return count


def pair_name(pair: Any) -> str:
    return "_".join(str(number) for hypothesis in pair for number in hypothesis)


def bound_of(generator: Abduction, predictions: list[Any]) -> np.float64 | np.int64:
    result: np.float64 | np.int64 = np.floor(
        generator.tolerance * sum(contradictions_of(predictions).values())
    )
    return result


@settings(max_examples=50)
@given(abductions, SEEDS)
def test_rows_are_covers_pairs_and_the_bound_on_contradictions(
    generator: Abduction, seed: int
) -> None:
    instance = generator.generate(seed)
    weights, predictions = predictions_of(generator, seed)
    count = contradictions_of(predictions)
    expected: dict[str, Any] = {
        f"cover_{number}": (
            {f"x_{model}_{label}": -1 for model, label in sorted(made.items())}
            | {f"y_{number}": 1},
            (-np.inf, 0),
        )
        for number, made in enumerate(predictions, 1)
    }
    for pair in sorted(count):
        entries = {f"x_{model}_{label}": 1 for model, label in pair}
        name = pair_name(pair)
        expected[f"both_{name}"] = (entries | {f"z_{name}": -1}, (-np.inf, 1))
    expected["contradictions"] = (
        {f"z_{pair_name(pair)}": count[pair] for pair in sorted(count)},
        (-np.inf, bound_of(generator, predictions)),
    )
    assert list(expected) == list(instance.row_names)
    for name, parts in expected.items():
        assert row(instance, name) == parts
    objective = dict(zip(instance.column_names, instance.objective.tolist(), strict=True))
    for number, weight in enumerate(weights, 1):
        assert objective.pop(f"y_{number}") == weight
    assert not any(objective.values())


@given(abductions, SEEDS)
def test_hypotheses_are_binary_and_the_rest_is_continuous(generator: Abduction, seed: int) -> None:
    instance = generator.generate(seed)
    hypotheses = np.array([name.startswith("x_") for name in instance.column_names])
    assert hypotheses.sum() == generator.n_models * generator.n_classes
    assert instance.sense == "maximize"
    assert (instance.integrality == hypotheses).all()
    assert ((instance.lower == 0) & (instance.upper == 1)).all()


def test_models_predict_as_often_and_as_rightly_as_asked() -> None:
    generator = Abduction(
        n_models=20, n_classes=10, n_objects=2000, detection=0.6, lowest_accuracy=0.5
    )
    _, predictions = predictions_of(generator, 0)
    n_made = sum(map(len, predictions))
    assert n_made / 40_000 == pytest.approx(0.6, abs=0.015)
    # Accuracy is 0.75 on average: of twenty predictions the commonest class is the true one.
    agree = sum(max(map(list(made.values()).count, made.values())) for made in predictions)
    assert agree / n_made == pytest.approx(0.75, abs=0.03)


def test_perfect_models_never_contradict_each_other() -> None:
    instance = Abduction(
        n_models=3, n_classes=4, n_objects=30, detection=1, lowest_accuracy=1
    ).generate(0)
    assert instance.n_rows == 31
    assert optimum_by_scip(instance) == pytest.approx(instance.objective.sum())


@given(abductions, SEEDS)
def test_accepting_nothing_is_feasible(generator: Abduction, seed: int) -> None:
    instance = generator.generate(seed)
    assert (instance.row_upper >= 0).all()
    assert (instance.row_lower == -np.inf).all()


@settings(max_examples=30)
@given(abductions, SEEDS)
def test_the_relaxation_is_feasible_and_bounded(generator: Abduction, seed: int) -> None:
    instance = generator.generate(seed)
    assert -1e-6 <= relaxation_by_highs(instance) <= instance.objective.sum() + 1e-6


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("tolerance", [0, 0.15])
def test_scip_finds_the_heaviest_of_all_covers(tolerance: float, seed: int) -> None:
    generator = Abduction(n_models=3, n_classes=3, n_objects=20, tolerance=tolerance)
    weights, predictions = predictions_of(generator, seed)
    bound = bound_of(generator, predictions)
    hypotheses = list(product(range(1, 4), repeat=2))
    best, n_feasible = 0, 0
    for chosen in product((False, True), repeat=9):
        accepted = {h for h, taken in zip(hypotheses, chosen, strict=True) if taken}
        covered, contradictions = 0, 0
        for weight, made in zip(weights, predictions, strict=True):
            believed = [label for model, label in made.items() if (model, label) in accepted]
            covered += weight * bool(believed)
            contradictions += sum(a != b for a, b in combinations(believed, 2))
        if contradictions <= bound:
            n_feasible += 1
            best = max(best, covered)
    assert 1 < n_feasible < 2**9
    assert optimum_by_scip(generator.generate(seed)) == pytest.approx(best)


def test_parameters_move_the_size_as_documented() -> None:
    generator = Abduction(n_models=4, n_classes=3, n_objects=2000)
    instance = generator.generate(0)
    n_pairs = 6 * 3 * 2  # with this many objects, all pairs of models and different classes
    assert instance.n_columns == 12 + 2000 + n_pairs
    assert instance.n_rows == 2000 + n_pairs + 1


def test_equal_seeds_give_equal_instances_and_others_others() -> None:
    generator = Abduction(**SMALL)
    hashes = [generator.generate(seed).content_hash for seed in (0, 1, 2, 0)]
    assert hashes[0] == hashes[3]
    assert len(set(hashes)) == 3


def test_seed_0_gives_the_pinned_instance() -> None:
    assert Abduction(**SMALL).generate(0).content_hash == (
        "c1b971b99b9f989fdff5f813426e19f39c85676076f3d9d7848eaf0c69ac4792"
    )


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("n_models", 1, "at least 2"),
        ("n_classes", 1, "at least 2"),
        ("n_objects", 0, "at least 1"),
        ("n_objects", True, "an integer"),
        ("detection", 0, "above 0 and at most 1"),
        ("detection", 1.1, "above 0 and at most 1"),
        ("lowest_accuracy", -0.1, "at least 0 and at most 1"),
        ("tolerance", -0.1, "at least 0 and at most 1"),
        ("tolerance", 1.1, "at least 0 and at most 1"),
    ],
)
def test_a_parameter_outside_its_range_is_refused(name: str, value: float, expected: str) -> None:
    with pytest.raises(ParameterError, match=f"{name} is .*{expected}"):
        Abduction(**{**SMALL, name: value})
