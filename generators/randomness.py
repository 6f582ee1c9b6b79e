"""Random streams and numbers that are the same on every machine and under every numpy."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from milplib.generators.parameters import check_integer

__all__ = ["random_stream", "round_significant"]

SIGNIFICANT_DIGITS = 9


def random_stream(seed: int) -> np.random.RandomState:
    """Open the random stream of a seed.

    A ``RandomState``, because numpy keeps its streams unchanged for ever and not those of
    ``Generator`` (NEP 19); seeded through a ``SeedSequence``, so that neighbouring seeds give
    unrelated streams.

    Parameters
    ----------
    seed
        Any integer from 0 on.

    Raises
    ------
    ParameterError
        If the seed is negative or not an integer.

    Examples
    --------
    >>> random_stream(7).randint(100, size=4).tolist()
    [3, 34, 40, 63]
    """
    check_integer("seed", seed, at_least=0)
    return np.random.RandomState(np.random.MT19937(np.random.SeedSequence(int(seed))))


def round_significant(values: Iterable[float]) -> npt.NDArray[np.float64]:
    """Round to 9 significant digits, so that an array equals what a text file of it holds.

    The rounding is the exact decimal one. It also hides the last digits of a ``pow``, which may
    differ between C libraries.

    Returns
    -------
    ndarray of shape (k,), float64

    Examples
    --------
    >>> round_significant([2 / 3, 1234567890.0, 5.0]).tolist()
    [0.666666667, 1234567890.0, 5.0]
    """
    return np.array([float(f"{value:.{SIGNIFICANT_DIGITS}g}") for value in values], np.float64)
