"""Validated, read-only arrays of an instance and their content hash."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from milplib.arguments import given
from milplib.display import Shown
from milplib.errors import InstanceError

__all__ = ["InstanceArrays", "Sense"]

Sense = Literal["minimize", "maximize"]


def _frozen(values: npt.ArrayLike, dtype: npt.DTypeLike, *, name: str) -> npt.NDArray[Any]:
    try:
        array = np.array(values, dtype=dtype)  # a copy, so that the caller cannot write to it
    except (TypeError, ValueError, OverflowError) as error:
        raise InstanceError(f"{name} must be numbers: {given(values)} is not: {error}") from error
    array.flags.writeable = False
    return array


def _csr(matrix: Any) -> sp.csr_array:
    try:
        if np.iscomplexobj(matrix):
            raise TypeError("complex numbers")
        csr = sp.csr_array(matrix, dtype=np.float64, copy=True)
        if csr.ndim != 2:
            raise ValueError(f"{csr.ndim} dimension(s)")
    except (TypeError, ValueError) as error:
        raise InstanceError(f"A must be a real matrix of two dimensions: {error}") from error
    return csr


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class InstanceArrays(Shown):
    """The data of an `milplib.Instance`, which documents the fields.

    Writers and converters take this class, so that `milplib.Instance` can offer them as methods.

    Raises
    ------
    InstanceError
        If the data are inconsistent.
    """

    objective: npt.NDArray[np.float64]
    A: sp.csr_array
    row_lower: npt.NDArray[np.float64]
    row_upper: npt.NDArray[np.float64]
    lower: npt.NDArray[np.float64]
    upper: npt.NDArray[np.float64]
    integrality: npt.NDArray[np.uint8]
    column_names: tuple[str, ...] = None  # type: ignore[assignment]  # filled in __post_init__
    row_names: tuple[str, ...] = None  # type: ignore[assignment]
    sense: Sense = "minimize"
    offset: float = 0.0
    name: str = ""

    def __post_init__(self) -> None:
        def put(name: str, value: object) -> None:
            object.__setattr__(self, name, value)

        matrix = _csr(self.A)
        matrix.sum_duplicates()
        matrix.eliminate_zeros()
        matrix.sort_indices()
        # Use one index width, so that the content hash does not depend on the caller's.
        matrix.indices = matrix.indices.astype(np.int32)
        matrix.indptr = matrix.indptr.astype(np.int32 if matrix.nnz < 2**31 else np.int64)
        for array in (matrix.data, matrix.indices, matrix.indptr):
            array.flags.writeable = False
        put("A", matrix)
        m, n = matrix.shape
        for key, size in (
            ("objective", n),
            ("lower", n),
            ("upper", n),
            ("row_lower", m),
            ("row_upper", m),
        ):
            put(key, _frozen(getattr(self, key), np.float64, name=key))
            if getattr(self, key).shape != (size,):
                raise InstanceError(
                    f"{key} has shape {getattr(self, key).shape}, expected ({size},)"
                )
        if not isinstance(self.sense, str) or self.sense not in ("minimize", "maximize"):
            raise InstanceError(f"sense is {given(self.sense)}, expected 'minimize' or 'maximize'")
        integrality = np.asarray(self.integrality)
        if integrality.shape != (n,) or not np.isin(integrality, (0, 1)).all():
            raise InstanceError(
                f"integrality must hold {n} values, each 0 (continuous) or 1 (integer)"
            )
        put("integrality", _frozen(integrality, np.uint8, name="integrality"))
        offset: object = self.offset
        if isinstance(offset, bool) or not isinstance(offset, Real):
            raise InstanceError(
                f"the constant of the objective is {given(offset)}; it must be a number"
            )
        put("offset", float(self.offset))
        put("column_names", self._checked_names(self.column_names, "x", n, "column"))
        put("row_names", self._checked_names(self.row_names, "C", m, "row"))
        self._check_numbers()

    @staticmethod
    def _checked_names(
        names: tuple[str, ...] | None, prefix: str, count: int, kind: str
    ) -> tuple[str, ...]:
        if names is None:
            return tuple(f"{prefix}{position}" for position in range(1, count + 1))
        texts: object = names
        if isinstance(texts, str | bytes) or not isinstance(texts, Iterable):
            raise InstanceError(f"the {kind} names are {given(texts)}; give a list of texts")
        names = tuple(texts)
        if len(names) != count:
            raise InstanceError(f"{len(names)} {kind} names for {count} {kind}s")
        if not all(isinstance(name, str) for name in names):
            raise InstanceError(f"every {kind} name must be a string")
        if len(set(names)) != count:
            seen: set[str] = set()
            repeated = next(name for name in names if name in seen or seen.add(name))  # type: ignore[func-returns-value]
            raise InstanceError(f"the {kind} name '{repeated}' occurs twice")
        return names

    def _check_numbers(self) -> None:
        if not np.isfinite(self.offset):
            raise InstanceError(f"the constant of the objective is {self.offset}")
        wrong = ~np.isfinite(self.objective)
        if wrong.any():
            position = int(wrong.argmax())
            raise InstanceError(
                f"the objective coefficient of column '{self.column_names[position]}' is "
                f"{self.objective[position]}; it must be finite"
            )
        wrong = ~np.isfinite(self.A.data)
        if wrong.any():
            entry = int(wrong.argmax())
            row = int(np.searchsorted(self.A.indptr, entry, side="right")) - 1
            raise InstanceError(
                f"the coefficient of column '{self.column_names[self.A.indices[entry]]}' in row "
                f"'{self.row_names[row]}' is {self.A.data[entry]}; it must be finite"
            )
        for kind, names, low, high in (
            ("column", self.column_names, self.lower, self.upper),
            ("row", self.row_names, self.row_lower, self.row_upper),
        ):
            wrong = np.isnan(low) | np.isnan(high) | np.isposinf(low) | np.isneginf(high)
            if wrong.any():
                position = int(wrong.argmax())
                raise InstanceError(
                    f"{kind} '{names[position]}' has bounds [{low[position]}, {high[position]}]; "
                    "a lower one is finite or -inf, an upper one finite or inf"
                )

    @property
    def n_rows(self) -> int:
        """Number of rows m."""
        return int(self.A.shape[0])

    @property
    def n_columns(self) -> int:
        """Number of columns n."""
        return int(self.A.shape[1])

    @property
    def n_nonzeros(self) -> int:
        """Number of nonzeros of the matrix."""
        return int(self.A.nnz)

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of the mathematical content, that is, of everything but the names.

        The hash is the same on every platform. Permuting rows or columns changes it.
        """
        digest = hashlib.sha256(b"milplib-instance-1")
        digest.update(f"|{self.sense}|{self.n_rows}|{self.n_columns}|{self.n_nonzeros}|".encode())
        arrays = (
            (self.objective, "<f8"),
            (self.offset, "<f8"),
            (self.A.indptr, "<i8"),
            (self.A.indices, "<i8"),
            (self.A.data, "<f8"),
            (self.row_lower, "<f8"),
            (self.row_upper, "<f8"),
            (self.lower, "<f8"),
            (self.upper, "<f8"),
            (self.integrality, "u1"),
        )
        for array, dtype in arrays:
            # + 0 turns -0.0 into 0.0, which have different bit patterns
            digest.update(np.ascontiguousarray(np.asarray(array) + 0, dtype=dtype).tobytes())
        return digest.hexdigest()
