"""Exact conversion of numbers to text."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["number_texts"]


def number_texts(numbers: npt.NDArray[np.float64], *, signed: bool = False) -> list[str]:
    """Write numbers with the fewest digits that read back to the same float64.

    Parameters
    ----------
    numbers
        Numbers. Shape (k,), float64; infinity is written as ``inf``.
    signed
        Whether to write a sign before positive numbers and zero, too.

    Returns
    -------
    list of str
        Texts of the k numbers, whole numbers without a decimal point.

    Examples
    --------
    >>> number_texts(np.array([2.0, -0.1, 1e30]), signed=True)
    ['+2', '-0.1', '+1e+30']
    """
    # Most instances hold few distinct numbers, so each is formatted once.
    # + 0 turns -0.0 into 0.0
    distinct, position = np.unique(numbers + 0.0, return_inverse=True)
    layout = "{:+}" if signed else "{}"
    texts = [layout.format(number).removesuffix(".0") for number in distinct.tolist()]
    result: list[str] = np.array(texts, dtype=object)[position].tolist()
    return result
