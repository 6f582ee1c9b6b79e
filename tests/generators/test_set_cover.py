from __future__ import annotations

from fractions import Fraction
from math import ceil

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from milplib.generators import SetCover


@st.composite
def set_covers(draw: st.DrawFn) -> SetCover:
    n_rows, n_columns = draw(st.integers(2, 40)), draw(st.integers(1, 60))
    fewest = max(n_rows, 2 * n_columns)
    smallest = ceil(1000 * fewest / (n_rows * n_columns))
    density = draw(st.integers(smallest, 1000)) / 1000 if smallest <= 1000 else 1.0
    return SetCover(n_rows=n_rows, n_columns=n_columns, density=density)


@given(set_covers(), st.integers(0, 2**64))
def test_rows_are_covered_columns_used_twice_and_nonzeros_exact(
    generator: SetCover, seed: int
) -> None:
    instance = generator.generate(seed)
    pattern = instance.A.toarray()
    assert pattern.shape == (generator.n_rows, generator.n_columns)
    assert set(np.unique(pattern)) <= {0.0, 1.0}
    assert pattern.sum(axis=1).min() >= 1
    assert pattern.sum(axis=0).min() >= 2
    cells = generator.n_rows * generator.n_columns
    assert instance.n_nonzeros == int(Fraction(str(generator.density)) * cells)


@given(set_covers(), st.integers(0, 100), st.integers(1, 10))
def test_the_formulation_is_a_binary_covering_with_integer_costs(
    generator: SetCover, seed: int, max_cost: int
) -> None:
    generator = SetCover(
        n_rows=generator.n_rows,
        n_columns=generator.n_columns,
        density=generator.density,
        max_cost=max_cost,
    )
    instance = generator.generate(seed)
    assert instance.sense == "minimize"
    assert np.isin(instance.objective, np.arange(1, max_cost + 1)).all()
    assert (instance.row_lower == 1).all()
    assert np.isposinf(instance.row_upper).all()
    assert (instance.lower == 0).all()
    assert (instance.upper == 1).all()
    assert (instance.integrality == 1).all()


def test_the_smallest_set_cover_is_two_rows_under_one_column() -> None:
    instance = SetCover(n_rows=2, n_columns=1, density=1).generate(0)
    assert instance.A.toarray().tolist() == [[1.0], [1.0]]


def test_a_density_is_taken_as_the_decimal_number_it_is_written_as() -> None:
    # in floating point, 100 · 0.29 is 28.999999999999996
    assert SetCover(n_rows=10, n_columns=10, density=0.29).generate(0).n_nonzeros == 29


def test_costs_reach_from_1_to_the_largest_evenly() -> None:
    generator = SetCover(n_rows=10, n_columns=10_000, density=0.2, max_cost=10)
    counts = np.bincount(generator.generate(0).objective.astype(int), minlength=11)
    assert counts[0] == 0
    assert (np.abs(counts[1:] - 1000) < 5 * np.sqrt(900)).all()  # 5 standard deviations


def test_columns_beyond_the_row_permutation_draw_every_row_alike() -> None:
    generator = SetCover(n_rows=20, n_columns=4000, density=0.2)
    row_sizes = np.diff(generator.generate(0).A.indptr)
    assert (np.abs(row_sizes - 800) < 5 * np.sqrt(800)).all()


def test_columns_share_the_nonzeros_as_a_multinomial_does() -> None:
    generator = SetCover(n_rows=500, n_columns=1000, density=0.05)
    column_sizes = np.bincount(generator.generate(0).A.indices)
    # 2 fixed and 23 000 thrown into 1000 columns: mean 25, variance 23
    assert column_sizes.mean() == 25
    assert 18 < column_sizes.var() < 28
