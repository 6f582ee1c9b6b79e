"""MIPLIB's classes of rows, each by rows made by hand, and the counts of an instance."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from narrowing import instance_from

from milplib.formats.reader import read
from milplib.instance import Instance
from milplib.structure.row_kinds import ROW_KINDS, row_kinds
from milplib.structure.statistics import instance_statistics

INF = np.inf
# Columns by letter: x binary, z general integer and not negative, w integer of both signs, s
# continuous; the number only tells them apart.
COLUMNS = ["x1", "x2", "x3", "x4", "z1", "z2", "z3", "w1", "s1", "s2", "s3"]
BOUNDS = {"x": (0, 1), "z": (0, 9), "w": (-9, 9), "s": (0, INF)}


def instance_of(*rows: tuple[Any, ...]) -> Instance:
    """An instance whose rows are (coefficients by column, lower side, upper side)."""
    matrix = np.zeros((len(rows), len(COLUMNS)))
    for line, (coefficients, _, _) in enumerate(rows):
        for name, value in coefficients.items():
            matrix[line, COLUMNS.index(name)] = value
    lower, upper = zip(*(BOUNDS[name[0]] for name in COLUMNS), strict=True)
    return instance_from(
        objective=np.zeros(len(COLUMNS)),
        A=matrix,
        row_lower=[row[1] for row in rows],
        row_upper=[row[2] for row in rows],
        lower=lower,
        upper=upper,
        integrality=[name[0] != "s" for name in COLUMNS],
    )


def kinds_of(*rows: tuple[Any, ...]) -> list[str]:
    return [ROW_KINDS[kind] for kind in row_kinds(instance_of(*rows))]


def row(lower: float, upper: float, **coefficients: Any) -> tuple[dict[str, Any], float, float]:
    return coefficients, lower, upper


@pytest.mark.parametrize(
    ("kind", "rows"),
    [
        ("empty", [row(0, 0), row(-INF, INF)]),
        ("free", [row(-INF, INF, x1=1), row(-INF, INF, x1=1, s1=2, z1=3)]),
        ("singleton", [row(-INF, 3, x1=2), row(1, 1, s1=2), row(1, 3, z1=-1)]),
        ("aggregation", [row(2, 2, x1=1, x2=1), row(0, 0, s1=3, z1=-2)]),
        (
            "precedence",
            [
                row(-INF, 0, x1=1, x2=-1),
                row(-1, INF, s1=2.5, s2=-2.5),
                row(-INF, 4, z1=1, w1=-1),
                row(-1, 4, z1=1, z2=-1),
            ],
        ),
        (
            "variable_bound",
            [
                row(-INF, 0, s1=1, x1=-20),
                row(-INF, 0, z1=1, x1=-1),  # binary and general integer are not one type
                row(-INF, 1, x1=1, x2=1),
                row(-1, INF, x1=-1, x2=-1),
                row(1, INF, x1=1, x2=1),
                row(1, 7, x1=2, s1=1),
            ],
        ),
        (
            "set_partitioning",
            [
                row(1, 1, x1=1, x2=1, x3=1),
                row(-1, -1, x1=-1, x2=-1, x3=-1),
                row(2.5, 2.5, x1=2.5, x2=2.5, x3=2.5),
                row(0, 0, x1=1, x2=1, x3=-1),  # x3 complemented
                row(0, 0, x1=-1, x2=-1, x3=1),
                row(-1, -1, x1=1, x2=1, x3=-1, x4=-1),
                row(1, 1, x1=1, x2=1, x3=-1, x4=-1),  # the negation of the last one
            ],
        ),
        (
            "set_packing",
            [
                row(-INF, 1, x1=1, x2=1, x3=1),
                row(-1, INF, x1=-1, x2=-1, x3=-1),
                row(-INF, 0.3, x1=0.3, x2=0.3, x3=0.3),
                row(-INF, 0, x1=1, x2=1, x3=-1),
                row(0, INF, x1=-1, x2=-1, x3=1),
                row(2, INF, x1=1, x2=1, x3=1),  # at most one complement
            ],
        ),
        (
            "set_covering",
            [
                row(1, INF, x1=1, x2=1, x3=1),
                row(-INF, -1, x1=-1, x2=-1, x3=-1),
                row(7, INF, x1=7, x2=7, x3=7),
                row(0, INF, x1=1, x2=1, x3=-1),
                row(-INF, 0, x1=-1, x2=-1, x3=1),
                row(-INF, 1, x1=1, x2=1, x3=-1, x4=-1),
            ],
        ),
        (
            "cardinality",
            [
                row(2, 2, x1=1, x2=1, x3=1),
                row(-2, -2, x1=-1, x2=-1, x3=-1),
                row(0, 0, x1=1, x2=1, x3=-1, x4=-1),  # MIPLIB's own example
                row(6, 6, x1=3, x2=3, x3=3),
            ],
        ),
        (
            "invariant_knapsack",
            [
                row(-INF, 2, x1=1, x2=1, x3=1),
                row(-2, INF, x1=-1, x2=-1, x3=-1),
                row(-INF, 2, x1=1, x2=1, x3=1, x4=-1),
                row(2, INF, x1=1, x2=1, x3=1, x4=1),  # at most two complements
            ],
        ),
        (
            "equation_knapsack",
            [
                row(4, 4, x1=3, x2=2, x3=1),
                row(-4, -4, x1=-3, x2=-2, x3=-1),
                row(0, 0, x1=3, x2=2, x3=-1),
            ],
        ),
        (
            "bin_packing",
            [
                row(-INF, 5, x1=5, x2=2, x3=3),
                row(-5, INF, x1=-5, x2=-2, x3=-3),
                row(-INF, 0, x1=2, x2=3, x3=-5),
            ],
        ),
        (
            "knapsack",
            [
                row(-INF, 6, x1=5, x2=2, x3=3),
                row(-6, INF, x1=-5, x2=-2, x3=-3),
                row(-INF, 3, x1=5, x2=2, x3=-1),
                row(4, INF, x1=5, x2=2, x3=3),  # at most 6 of the complements
            ],
        ),
        (
            "integer_knapsack",
            [
                row(-INF, 6, z1=5, z2=2, x1=3),
                row(-6, INF, z1=-5, z2=-2, x1=-3),
                row(-INF, 6, z1=5, z2=2),
            ],
        ),
        (
            "mixed_binary",
            [
                row(-INF, 6, x1=5, s1=2, s2=-3),
                row(1, 1, s1=1, s2=1, s3=1),
                row(-INF, 1, x1=0.5, x2=0.3, x3=0.1),  # not whole
                row(1, 2, x1=1, x2=1, x3=1),  # two different sides
                row(2.5, 2.5, x1=1, x2=1, x3=1),
            ],
        ),
        (
            "general_linear",
            [
                row(-INF, 6, z1=5, s1=2, x1=3),
                row(-INF, 6, z1=5, z2=-2, x1=3),
                row(6, INF, z1=5, z2=2, z3=3),
                row(-INF, 6, w1=5, z2=2, x1=3),
                row(1, 1, z1=1, z2=1, z3=1),
                row(-INF, 6, s1=1, z1=2),
            ],
        ),
    ],
)
def test_a_row_is_of_the_first_class_that_it_belongs_to(kind: str, rows: list[Any]) -> None:
    assert kinds_of(*rows) == [kind] * len(rows)


@given(
    coefficients=st.dictionaries(
        st.sampled_from(COLUMNS), st.sampled_from([-3, -2, -1, 1, 2, 3]), max_size=6
    ),
    sides=st.sampled_from([(-INF, 1), (1, INF), (-INF, 2), (2, 2), (1, 1), (0, 0), (0, 2)]),
)
def test_a_negated_row_is_the_same_row(coefficients: Any, sides: Any) -> None:
    negated = {name: -value for name, value in coefficients.items()}
    one, other = kinds_of((coefficients, *sides), (negated, -sides[1], -sides[0]))
    assert one == other


@given(
    signs=st.lists(st.sampled_from([-1, 1]), min_size=3, max_size=4),
    literals=st.integers(0, 4),
    kind=st.sampled_from(["at most", "at least", "equal"]),
)
def test_a_row_of_literals_has_the_class_of_its_solutions(
    signs: list[int], literals: int, kind: str
) -> None:
    n = len(signs)
    side = literals - signs.count(-1)
    names = [f"x{number + 1}" for number in range(n)]
    low = -INF if kind == "at most" else side
    high = INF if kind == "at least" else side
    (found,) = kinds_of((dict(zip(names, signs, strict=True)), low, high))
    compared = {
        "at most": lambda count: count <= literals,
        "at least": lambda count: count >= literals,
        "equal": lambda count: count == literals,
    }
    # Numbers of true literals that the row allows; of their complements n less each.
    allowed = set(filter(compared[kind], range(n + 1)))
    readings = [allowed, {n - count for count in allowed}]
    if found == "set_packing":
        assert {0, 1} in readings
    if found == "set_covering":
        assert set(range(1, n + 1)) in readings
    if found == "set_partitioning":
        assert {1} in readings
    if found == "cardinality":
        assert len(allowed) <= 1


def test_an_instance_without_rows_or_columns_has_no_density() -> None:
    empty = instance_from(
        objective=[], A=np.zeros((0, 0)), row_lower=[], row_upper=[], lower=[], upper=[],
        integrality=[],
    )  # fmt: skip
    found = instance_statistics(empty)
    assert (found.rows, found.columns, found.density) == (0, 0, 0.0)
    assert not any(found.row_kinds.values())


def test_columns_are_counted_by_what_they_can_be() -> None:
    found = instance_statistics(instance_of(row(-INF, 1, x1=1)))
    assert (found.binary, found.integer, found.continuous) == (4, 4, 3)
    fixed = instance_from(
        objective=[0, 0], A=np.zeros((0, 2)), row_lower=[], row_upper=[], lower=[1, 0],
        upper=[1, 1.5], integrality=[1, 1],
    )  # fmt: skip
    assert instance_statistics(fixed).binary == 2


@pytest.mark.parametrize(
    ("name", "columns", "kinds"),
    [
        # By MIPLIB 3's catalogue: 100 binaries; 89 binaries; 11 integers among 18 columns.
        ("enigma.mps.gz", (100, 0, 0), {"set_partitioning": 20, "equation_knapsack": 1}),
        ("lseu.mps.gz", (89, 0, 0), {"variable_bound": 2, "set_packing": 15, "knapsack": 11}),
        ("flugpl.mps.gz", (0, 11, 7), None),
        ("stein27_inf.lp", (27, 0, 0), {"set_covering": 117, "invariant_knapsack": 2}),
    ],
)
def test_real_instances_have_their_known_kinds(
    name: str, columns: tuple[int, int, int], kinds: dict[str, Any] | None, test_data: Path
) -> None:
    found = instance_statistics(read(test_data / "miplib" / name))
    assert (found.binary, found.integer, found.continuous) == columns
    assert sum(found.row_kinds.values()) == found.rows
    if kinds is not None:
        assert {kind: count for kind, count in found.row_kinds.items() if count} == kinds
