"""Covering and packing programs with binary columns and 0/1 rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from milplib.instance import Instance

__all__ = ["covering", "incidence_matrix", "packing"]


def incidence_matrix(members: npt.ArrayLike, sizes: npt.ArrayLike, n_elements: int) -> sp.csr_array:
    """Build the incidence matrix of sets (rows) and elements (columns).

    Parameters
    ----------
    members
        Members of all sets, set by set, numbered from 0. Shape (sum of sizes,), int64.
    sizes
        Number of members of each set. Shape (number of sets,), int64.
    n_elements
        Number of elements.

    Returns
    -------
    csr_array of shape (number of sets, n_elements), float64

    Examples
    --------
    >>> incidence_matrix([0, 2, 1], [2, 1], n_elements=3).toarray().tolist()
    [[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
    """
    indices = np.asarray(members, dtype=np.int64)
    starts = np.append(0, np.cumsum(sizes, dtype=np.int64))
    return sp.csr_array(
        (np.ones(len(indices)), indices, starts), shape=(len(starts) - 1, n_elements)
    )


def covering(objective: npt.ArrayLike, matrix: sp.sparray, *, name: str) -> Instance:
    """Build min cᵀx with Ax ≥ 1 and x binary."""
    n_rows, n_columns = matrix.shape
    return Instance(
        objective=np.asarray(objective, dtype=np.float64),
        A=matrix,
        row_lower=np.ones(n_rows),
        row_upper=np.full(n_rows, np.inf),
        lower=np.zeros(n_columns),
        upper=np.ones(n_columns),
        integrality=np.ones(n_columns, dtype=np.uint8),
        sense="minimize",
        name=name,
    )


def packing(objective: npt.ArrayLike, matrix: sp.sparray, *, name: str) -> Instance:
    """Build max cᵀx with Ax ≤ 1 and x binary."""
    n_rows, n_columns = matrix.shape
    return Instance(
        objective=np.asarray(objective, dtype=np.float64),
        A=matrix,
        row_lower=np.full(n_rows, -np.inf),
        row_upper=np.ones(n_rows),
        lower=np.zeros(n_columns),
        upper=np.ones(n_columns),
        integrality=np.ones(n_columns, dtype=np.uint8),
        sense="maximize",
        name=name,
    )
