"""Random small instances with every kind of row, column, bound and number."""

import numpy as np
from hypothesis import strategies as st

from milplib import Instance

# What an LP or MPS file holds: SCIP reads less as 0, more as infinite.
numbers = st.one_of(
    st.integers(-9, 9).map(float),
    st.sampled_from([0.1, -1 / 3, 2e-9, 1e-5, 123456789.0123, 2.0**53, -1e16, 9.9e19]),
    st.floats(-9e19, 9e19).filter(lambda number: number == 0 or abs(number) > 1.1e-9),
)
whole_numbers = st.one_of(st.integers(-3, 3), st.integers(-(2**53), 2**53)).map(float)


@st.composite
def _bounds(draw, integer):
    numbers_drawn = whole_numbers if integer else numbers
    return (
        draw(st.one_of(st.sampled_from([0.0, 0.0, -np.inf]), numbers_drawn)),
        draw(st.one_of(st.sampled_from([1.0, np.inf, np.inf]), numbers_drawn)),
    )


@st.composite
def _sides(draw, ranged):
    kinds = ["<=", ">=", "=", "free"] + ["two-sided"] * ranged
    kind, number = draw(st.sampled_from(kinds)), draw(numbers)
    if kind == "two-sided":
        low, high = sorted((number, draw(numbers)))
        return (low, high) if high - low > 1e-8 else (low, low)
    return {
        "<=": (-np.inf, number),
        ">=": (number, np.inf),
        "=": (number, number),
        "free": (-np.inf, np.inf),
    }[kind]


@st.composite
def instances(draw, *, ranged=True):
    n_rows, n_columns = draw(st.integers(0, 4)), draw(st.integers(0, 6))
    integrality = draw(st.lists(st.booleans(), min_size=n_columns, max_size=n_columns))
    bounds = [draw(_bounds(integer)) for integer in integrality]
    sides = [draw(_sides(ranged)) for _ in range(n_rows)]
    entry = st.one_of(st.just(0.0), numbers)
    return Instance(
        objective=[draw(entry) for _ in range(n_columns)],
        A=np.array([[draw(entry) for _ in range(n_columns)] for _ in range(n_rows)]).reshape(
            n_rows, n_columns
        ),
        row_lower=[low for low, _ in sides],
        row_upper=[high for _, high in sides],
        lower=[low for low, _ in bounds],
        upper=[high for _, high in bounds],
        integrality=integrality,
        sense=draw(st.sampled_from(["minimize", "maximize"])),
        offset=draw(entry),
    )
