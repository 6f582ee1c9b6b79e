from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milplib.errors import ParameterError
from milplib.generators.code_test_selection import CodeTestSelection
from milplib.generators.randomness import random_stream

from .linear_programs import relaxation_by_highs, row
from .test_optima import optimum_by_scip

SMALL: dict[str, Any] = {"n_solutions": 4, "n_tests": 5, "max_solutions": 2, "max_tests": 3}
SEEDS = st.integers(0, 2**32)


@st.composite
def selections(draw: st.DrawFn) -> CodeTestSelection:
    n_solutions, n_tests = draw(st.integers(1, 8)), draw(st.integers(1, 8))
    rates = st.floats(0, 1)
    return CodeTestSelection(
        n_solutions=n_solutions,
        n_tests=n_tests,
        max_solutions=draw(st.integers(1, n_solutions)),
        max_tests=draw(st.integers(1, n_tests)),
        penalty=draw(st.floats(0.01, 10)),
        n_bugs=draw(st.integers(1, 8)),
        bug_rate=draw(rates),
        exposure_rate=draw(rates),
        wrong_tests=draw(rates),
    )


def agreement_of(generator: CodeTestSelection, seed: int) -> tuple[Any, ...]:
    """Rewards (solutions, tests) of pairs that pass, and minus the penalty of those that fail."""
    groups, weights, passes = generator._drawn(random_stream(seed))
    signed = np.where(passes, 1, -generator.penalty)
    return passes, signed * groups[:, np.newaxis] * weights


@settings(max_examples=50)
@given(selections(), SEEDS)
def test_rows_are_limits_and_products(generator: CodeTestSelection, seed: int) -> None:
    instance = generator.generate(seed)
    passes, agreement = agreement_of(generator, seed)
    solutions, tests = range(1, generator.n_solutions + 1), range(1, generator.n_tests + 1)
    expected = {
        "max_solutions": (
            {f"x_{s}": 1 for s in solutions},
            (-np.inf, generator.max_solutions),
        ),
        "max_tests": ({f"y_{t}": 1 for t in tests}, (-np.inf, generator.max_tests)),
    }
    objective = dict.fromkeys((*(f"x_{s}" for s in solutions), *(f"y_{t}" for t in tests)), 0.0)
    for s, t in product(solutions, tests):
        z = f"z_{s}_{t}"
        if passes[s - 1, t - 1]:
            expected[f"solution_{s}_{t}"] = ({f"x_{s}": -1, z: 1}, (-np.inf, 0))
            expected[f"test_{s}_{t}"] = ({f"y_{t}": -1, z: 1}, (-np.inf, 0))
        else:
            expected[f"both_{s}_{t}"] = ({f"x_{s}": 1, f"y_{t}": 1, z: -1}, (-np.inf, 1))
        objective[z] = agreement[s - 1, t - 1]
    assert list(expected) == list(instance.row_names)
    for name, parts in expected.items():
        assert row(instance, name) == parts
    assert list(objective) == list(instance.column_names)
    # written with 9 digits
    assert instance.objective == pytest.approx(list(objective.values()), rel=1e-8)


@given(selections(), SEEDS)
def test_choices_are_binary_and_products_continuous(
    generator: CodeTestSelection, seed: int
) -> None:
    instance = generator.generate(seed)
    chosen = np.array([not name.startswith("z_") for name in instance.column_names])
    assert instance.sense == "maximize"
    assert (instance.integrality == chosen).all()
    assert ((instance.lower == 0) & (instance.upper == 1)).all()


@given(selections(), SEEDS)
def test_numbers_lie_in_the_ranges_of_the_scheme(generator: CodeTestSelection, seed: int) -> None:
    groups, weights, _ = generator._drawn(random_stream(seed))
    assert np.isin(groups, np.arange(1, 6)).all()
    assert np.isin(weights, np.arange(1, 4)).all()


@pytest.mark.parametrize(
    ("rates", "share"),
    [
        # no mistakes, so right tests pass and wrong ones fail
        ({"bug_rate": 0, "wrong_tests": 0}, 1),
        ({"bug_rate": 0, "wrong_tests": 1}, 0),
        # all mistakes, exposed by every right test, expected by every wrong one
        ({"bug_rate": 1, "exposure_rate": 1, "wrong_tests": 0}, 0),
        ({"bug_rate": 1, "wrong_tests": 1}, 1),
        # no test exposes anything
        ({"exposure_rate": 0, "wrong_tests": 0}, 1),
        # a pair passes if none of 12 mistakes is both made and exposed
        ({"bug_rate": 0.2, "exposure_rate": 0.3, "wrong_tests": 0}, 0.94**12),
        # a pair passes if the expected mistake is made
        ({"bug_rate": 0.2, "wrong_tests": 1}, 0.2),
    ],
)
def test_passes_are_as_frequent_as_mistakes_and_tests_imply(
    rates: dict[str, Any], share: float
) -> None:
    generator = CodeTestSelection(
        n_solutions=400, n_tests=400, max_solutions=1, max_tests=1, n_bugs=12, **rates
    )
    *_, passes = generator._drawn(random_stream(0))
    assert passes.mean() == pytest.approx(share, abs=0.05)


@given(selections(), SEEDS)
def test_choosing_nothing_is_feasible(generator: CodeTestSelection, seed: int) -> None:
    instance = generator.generate(seed)
    assert (instance.row_upper >= 0).all()
    assert (instance.row_lower == -np.inf).all()


@settings(max_examples=30)
@given(selections(), SEEDS)
def test_the_relaxation_is_feasible_and_bounded(generator: CodeTestSelection, seed: int) -> None:
    instance = generator.generate(seed)
    most = instance.objective.clip(min=0).sum()
    assert -1e-6 <= relaxation_by_highs(instance) <= most + 1e-6


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("limits", [(5, 6), (2, 3)])
def test_scip_finds_the_choice_of_most_agreement(limits: tuple[int, int], seed: int) -> None:
    generator = CodeTestSelection(
        n_solutions=5, n_tests=6, max_solutions=limits[0], max_tests=limits[1], n_bugs=4
    )
    _, agreement = agreement_of(generator, seed)
    best = max(
        agreement[np.ix_(np.flatnonzero(solutions), np.flatnonzero(tests))].sum()
        for solutions in product((0, 1), repeat=5)
        for tests in product((0, 1), repeat=6)
        if sum(solutions) <= limits[0] and sum(tests) <= limits[1]
    )
    assert best > 0
    assert optimum_by_scip(generator.generate(seed)) == pytest.approx(best)


@given(selections(), SEEDS)
def test_parameters_move_the_size_as_documented(generator: CodeTestSelection, seed: int) -> None:
    instance = generator.generate(seed)
    n_pairs = generator.n_solutions * generator.n_tests
    n_passing = int((instance.objective > 0).sum())
    assert instance.n_columns == generator.n_solutions + generator.n_tests + n_pairs
    assert instance.n_rows == 2 + n_pairs + n_passing


def test_equal_seeds_give_equal_instances_and_others_others() -> None:
    generator = CodeTestSelection(**SMALL)
    hashes = [generator.generate(seed).content_hash for seed in (0, 1, 2, 0)]
    assert hashes[0] == hashes[3]
    assert len(set(hashes)) == 3


def test_seed_0_gives_the_pinned_instance() -> None:
    assert CodeTestSelection(**SMALL).generate(0).content_hash == (
        "18c7c974e50c35d1e56e9764f8ebf141821e1b90b27732ca04ad2fee69bf4259"
    )


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("n_solutions", 0, "at least 1"),
        ("n_tests", 0, "at least 1"),
        ("max_solutions", 0, "at least 1"),
        ("max_solutions", 5, "at most the 4 solutions"),
        ("max_tests", 0, "at least 1"),
        ("max_tests", 6, "at most the 5 tests"),
        ("penalty", 0, "above 0"),
        ("n_bugs", 0, "at least 1"),
        ("bug_rate", 1.5, "at least 0 and at most 1"),
        ("exposure_rate", -0.5, "at least 0 and at most 1"),
        ("wrong_tests", float("nan"), "at least 0 and at most 1"),
    ],
)
def test_a_parameter_outside_its_range_is_refused(name: str, value: float, expected: str) -> None:
    with pytest.raises(ParameterError, match=f"{name} is .*{expected}"):
        CodeTestSelection(**{**SMALL, name: value})
