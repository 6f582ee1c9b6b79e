"""Numbers as text that reads back to the same number."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["number_texts"]


def number_texts(numbers: npt.NDArray[np.float64], *, signed: bool = False) -> list[str]:
    """Write numbers with the fewest digits that read back to the same float64.

    Parameters
    ----------
    numbers
        Shape (k,); ``inf`` is written ``inf``.
    signed
        Whether positive numbers and zero get a sign, too.

    Returns
    -------
    list of str
        k texts, integers without a point.

    Examples
    --------
    >>> number_texts(np.array([2.0, -0.1, 1e30]), signed=True)
    ['+2', '-0.1', '+1e+30']
    """
    # Few numbers are different in most instances, and each is formatted once.
    # + 0 turns -0.0 into 0.0
    different, position = np.unique(numbers + 0.0, return_inverse=True)
    layout = "{:+}" if signed else "{}"
    texts = [layout.format(number).removesuffix(".0") for number in different.tolist()]
    result: list[str] = np.array(texts, dtype=object)[position].tolist()
    return result
