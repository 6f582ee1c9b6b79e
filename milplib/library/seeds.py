"""Names, sizes and seeds of generated splits."""

from __future__ import annotations

import hashlib

import numpy as np

from milplib.errors import ParameterError, UnknownNameError

__all__ = ["DEFAULT_COUNTS", "SPLITS", "instance_seed"]

SPLITS = ("train", "val", "test")
"""Names of the splits, and of their folders."""

DEFAULT_COUNTS = {"train": 800, "val": 100, "test": 100}
"""Number of generated instances of the splits of a distribution without published data."""


def instance_seed(distribution: str, *, split: str, seed: int, index: int) -> int:
    """Return the seed of an instance. It depends only on these four arguments.

    Raises
    ------
    ParameterError, UnknownNameError
        If a number is negative, or the split is unknown.

    Examples
    --------
    >>> instance_seed("CA-easy", split="train", seed=0, index=7)  # doctest: +SKIP
    """
    if split not in SPLITS:
        raise UnknownNameError("split", split, SPLITS)
    for what, number in (("seed", seed), ("index", index)):
        if number < 0:
            raise ParameterError(f"the {what} is {number}; it must not be negative")
    name = hashlib.sha256(distribution.encode()).digest()[:8]
    key = [seed, int.from_bytes(name, "big"), SPLITS.index(split), index]
    words = np.random.SeedSequence(key).generate_state(2)
    # JSON readers that store numbers as doubles keep 53 bits exactly.
    return (int(words[0]) << 21) | (int(words[1]) >> 11)
