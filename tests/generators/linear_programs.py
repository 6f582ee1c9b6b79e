"""What tests ask of an instance as a linear program."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import linprog

from milplib import Instance


def relaxation_by_highs(instance: Instance) -> float:
    """The bound of the linear relaxation, which must be feasible and bounded."""
    sign = 1 if instance.sense == "minimize" else -1
    upper, lower = np.isfinite(instance.row_upper), np.isfinite(instance.row_lower)
    dense = instance.A.toarray()
    result = linprog(
        sign * instance.objective,
        A_ub=np.vstack((dense[upper], -dense[lower])),
        b_ub=np.concatenate((instance.row_upper[upper], -instance.row_lower[lower])),
        bounds=np.column_stack((instance.lower, instance.upper)),
    )
    assert result.status == 0
    return float(sign * result.fun)


def row(instance: Instance, name: str) -> tuple[Any, ...]:
    """The entries of a row by the names of their columns, and its sides."""
    position = instance.row_names.index(name)
    entries = slice(*instance.A.indptr[position : position + 2])
    names = [instance.column_names[column] for column in instance.A.indices[entries]]
    return (
        dict(zip(names, instance.A.data[entries].tolist(), strict=True)),
        (instance.row_lower[position], instance.row_upper[position]),
    )
