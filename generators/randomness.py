"""Random streams and rounding that are equal on every machine and with every NumPy."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from milplib.generators.parameters import check_integer

__all__ = ["random_stream", "round_significant"]

SIGNIFICANT_DIGITS = 9


def random_stream(seed: int) -> np.random.RandomState:
    """Return the random stream of a seed.

    NumPy guarantees the streams of ``RandomState`` across versions, but not those of
    ``Generator`` (NEP 19). A ``SeedSequence`` makes the streams of neighbouring seeds
    independent.

    Parameters
    ----------
    seed
        Nonnegative integer.

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
    """Round to 9 significant digits, so that a text file holds the exact values.

    The rounding is exact in decimal. It also removes the last digits of a ``pow``, which may
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
