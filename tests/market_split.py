"""Instances that SCIP branches on within hundredths of a second."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from narrowing import instance_from

from milplib import Instance


def market_split(seed: int, *, n_columns: int = 14, n_rows: int = 3) -> Instance:
    """A market split problem, at which no relaxation helps.

    Cornuéjols and Dawande, "A class of hard small 0-1 programs", IPCO 1998.
    """
    weights = np.random.RandomState(seed).randint(0, 100, size=(n_rows, n_columns))
    half = weights.sum(axis=1) // 2
    n_slacks = 2 * n_rows
    identity = np.eye(n_rows)
    return instance_from(
        objective=[0.0] * n_columns + [1.0] * n_slacks,
        A=sp.csr_array(np.hstack([weights, identity, -identity]).astype(float)),
        row_lower=half.astype(float),
        row_upper=half.astype(float),
        lower=[0.0] * (n_columns + n_slacks),
        upper=[1.0] * n_columns + [np.inf] * n_slacks,
        integrality=[1] * n_columns + [0] * n_slacks,
        sense="minimize",
    )


def unsolved() -> Instance:
    """A market split problem that no solver solves within minutes."""
    return market_split(0, n_columns=50, n_rows=5)
