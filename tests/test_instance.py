"""The instance: what it refuses, and what its content hash depends on."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from milplib import Instance
from milplib.errors import InstanceError

CONTENT: dict[str, Any] = {
    "objective": [5.0, 4.0, 0.0],
    "A": np.array([[2.0, 3.0, 0.0], [0.0, 1.0, -1.0]]),
    "row_lower": [-np.inf, 0.0],
    "row_upper": [4.0, np.inf],
    "lower": [0, 0, -np.inf],
    "upper": [1, 9, np.inf],
    "integrality": [1, 1, 0],
}


def hash_with(**changes: Any) -> Any:
    return Instance(**(CONTENT | changes)).content_hash


def test_the_content_hash_does_not_depend_on_how_the_matrix_is_stored() -> None:
    dense = CONTENT["A"]
    wide = sp.csr_array(dense)
    wide.indices, wide.indptr = wide.indices.astype(np.int64), wide.indptr.astype(np.int64)
    halves = sp.coo_array(
        (
            [1.0, 1.0, 3.0, 1.0, -1.0, 0.0],
            ([0, 0, 0, 1, 1, 1], [0, 0, 1, 1, 2, 0]),  # one entry in two halves, one zero
        ),
        shape=dense.shape,
    )
    unsorted = sp.csr_array(
        (np.array([3.0, 2.0, -1.0, 1.0]), np.array([1, 0, 2, 1]), np.array([0, 2, 4])),
        shape=dense.shape,
    )
    for matrix in (wide, halves, unsorted, sp.csc_matrix(dense), dense.tolist()):
        assert hash_with(A=matrix) == hash_with()


def test_the_content_hash_takes_both_zeros_for_one() -> None:
    assert (
        hash_with(
            objective=[5.0, 4.0, -0.0],
            lower=[-0.0, 0, -np.inf],
            row_lower=[-np.inf, -0.0],
            offset=-0.0,
        )
        == hash_with()
    )


def test_the_content_hash_does_not_depend_on_names() -> None:
    renamed = hash_with(column_names=("a", "b", "c"), row_names=("r", "s"), name="other")
    assert renamed == hash_with()


@pytest.mark.parametrize(
    "changes",
    [
        {"objective": [5.0, 4.0, 1e-300]},
        {"A": [[2.0, 3.0, 0.0], [0.0, np.nextafter(1.0, 2), -1.0]]},
        {"A": [[2.0, 3.0, 0.0], [1.0, 0.0, -1.0]]},
        {"row_lower": [0.0, 0.0]},
        {"row_upper": [4.0, 1e20]},
        {"lower": [0, 0, 0]},
        {"upper": [1, 8, np.inf]},
        {"integrality": [1, 0, 0]},
        {"sense": "maximize"},
        {"offset": 1.0},
    ],
)
def test_the_content_hash_changes_with_everything_mathematical(changes: dict[str, Any]) -> None:
    assert hash_with(**changes) != hash_with()


def test_the_content_hash_is_the_same_on_every_machine_and_in_every_version() -> None:
    assert hash_with() == "a84c055fc5ccc99b22747d2e8c53ec85d2a385b25a49397b446d49ff58528840"


def test_the_content_hash_tells_empty_rows_from_empty_columns() -> None:
    def empty(n_rows: Any, n_columns: Any) -> Any:
        return Instance(
            objective=np.zeros(n_columns),
            A=np.zeros((n_rows, n_columns)),
            row_lower=np.zeros(n_rows),
            row_upper=np.zeros(n_rows),
            lower=np.zeros(n_columns),
            upper=np.zeros(n_columns),
            integrality=np.zeros(n_columns),
        ).content_hash

    assert len({empty(0, 0), empty(1, 0), empty(0, 1), empty(2, 0)}) == 4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"objective": [5.0, np.nan, 0.0]}, "objective coefficient of column 'x2' is nan"),
        ({"A": [[2.0, 3.0, 0.0], [0.0, np.inf, -1.0]]}, "column 'x2' in row 'C2' is inf"),
        ({"offset": np.inf}, "the constant of the objective is inf"),
        ({"lower": [0, np.inf, 0]}, r"column 'x2' has bounds \[inf, 9.0\]"),
        ({"row_upper": [np.nan, 0]}, r"row 'C1' has bounds \[-inf, nan\]"),
        ({"lower": [0, 0]}, r"lower has shape \(2,\), expected \(3,\)"),
        ({"integrality": [0, 1, 2]}, "integrality must hold 3 values"),
        ({"sense": "maximise"}, "sense is 'maximise'"),
        ({"column_names": ("a", "b", "a")}, "the column name 'a' occurs twice"),
        ({"row_names": ("a",)}, "1 row names for 2 rows"),
    ],
)
def test_what_is_no_instance_is_refused_by_name(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InstanceError, match=message):
        Instance(**(CONTENT | changes))


def test_nobody_can_write_to_the_arrays_of_an_instance() -> None:
    objective = np.array(CONTENT["objective"])
    instance = Instance(**(CONTENT | {"objective": objective}))
    objective[0] = 99.0
    assert instance.objective[0] == 5.0
    for array in (instance.objective, instance.A.data, instance.upper, instance.integrality):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_a_copy_is_as_read_only_as_the_original_and_computes_its_own_hash() -> None:
    original = Instance(**CONTENT)
    hash_of_original = original.content_hash
    for twin in (
        copy.copy(original),
        copy.deepcopy(original),
        pickle.loads(pickle.dumps(original)),
    ):
        assert twin.content_hash == hash_of_original
        assert twin.column_names == original.column_names
        arrays = (twin.objective, twin.lower, twin.A.data, twin.A.indices, twin.A.indptr)
        assert not any(array.flags.writeable for array in arrays)


@pytest.mark.parametrize("matrix", [[1.0, 2.0], [[1j, 2.0]], [["a", "b"]], 3.0])
def test_a_matrix_that_is_none_is_refused(matrix: float | list[Any]) -> None:
    with pytest.raises(InstanceError, match="A must be a real matrix"):
        Instance(**(CONTENT | {"A": matrix}))
