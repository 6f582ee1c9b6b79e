"""Mixtures of instances of several distributions."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from numbers import Real

from milplib.arguments import checked, given, listed
from milplib.errors import ParameterError, UnknownNameError
from milplib.library.splits import InstanceFile, LaterFiles, ListedFiles, Split, shuffled

__all__ = ["mixture"]


@checked
def mixture(
    splits: Sequence[Split],
    *,
    count: int,
    weights: Mapping[str, float] | Sequence[float] | None = None,
    seed: int = 0,
) -> Split:
    """Draw instances of several distributions without repetition.

    By default, all problem domains have equal shares, and all distributions of a domain share
    its part equally: three distributions of one domain do not outweigh a single distribution
    of another. The largest remainders receive the instances left by rounding.

    Parameters
    ----------
    splits
        One split of each distribution.
    count
        Number of instances to draw.
    weights
        Weight of each distribution, by name or in the order of `splits`; they need not sum to 1.
    seed
        Seed of the draws and of the order. For equal seeds, a smaller draw from a distribution
        is a prefix of a larger one.

    Returns
    -------
    Split
        Shuffled split of a distribution named ``mixture``.

    Raises
    ------
    ParameterError
        If two splits belong to the same distribution, a weight is missing, negative or not
        finite, or a split has fewer instances than its share.
    UnknownNameError
        If a weight names a distribution that is not in the mixture.

    Examples
    --------
    >>> import milplib
    >>> names = ("SC-milplib-small", "CA-easy", "CA-medium")
    >>> parts = [milplib.load(name, source="generator").train for name in names]
    >>> mixture(parts, count=160, seed=0)
    <mixture train: 160 instances>
    """
    splits = checked_splits(splits)
    names = [split.distribution for split in splits]
    repeated = [name for name, times in Counter(names).items() if times > 1]
    if repeated or not names:
        raise ParameterError(
            f"the mixture names {repeated[0]} twice" if repeated else "the mixture has no parts"
        )
    if count < 0:
        raise ParameterError(f"the number of instances is {count}; it must be at least 0")
    shares = _shares(splits, _by_name(weights, names))
    counts = _apportioned(shares, count)
    for split, drawn in zip(splits, counts, strict=True):
        if drawn > len(split):
            raise ParameterError(
                f"the share of {split.distribution} is {drawn} of {count} instances, and its "
                f"{split.name} split has {len(split)}: reduce count or set weights"
            )
    drawn_splits = [split.sample(n, seed=seed) for split, n in zip(splits, counts, strict=True)]

    def files() -> ListedFiles:
        drawn: list[InstanceFile] = [file for split in drawn_splits for file in split]
        return ListedFiles(drawn[place] for place in shuffled(count, seed=seed, stream="mixture"))

    return Split(
        LaterFiles(files, count=count),
        distribution="mixture",
        domain="mixture",
        name="+".join(dict.fromkeys(split.name for split in splits)),
    )


def checked_splits(splits: object) -> list[Split]:
    """List splits; a single one need not be in a list.

    Raises
    ------
    ParameterError
        If an item is no split.
    """
    parts = [splits] if isinstance(splits, Split) else listed(splits, "splits")
    for part in parts:
        if not isinstance(part, Split):
            raise ParameterError(
                f"a split is {given(part)}; give a split of a distribution, such as "
                "milplib.load('CA-easy').train"
            )
    return parts


def _by_name(weights: object, names: Sequence[str]) -> Mapping[str, float] | None:
    """Check weights, and return them by the name of the distribution."""
    if weights is None:
        return None
    if not isinstance(weights, Mapping):
        numbers = listed(weights, "weights")
        if len(numbers) != len(names):
            raise ParameterError(f"there are {len(numbers)} weights for {len(names)} splits")
        weights = dict(zip(names, numbers, strict=True))
    for name, weight in weights.items():
        if isinstance(weight, bool) or not isinstance(weight, Real):
            raise ParameterError(f"the weight of {name} is {given(weight)}; it must be a number")
    return weights


def _shares(splits: Sequence[Split], weights: Mapping[str, float] | None) -> list[float]:
    if weights is None:
        per_domain = Counter(split.domain for split in splits)
        return [1 / len(per_domain) / per_domain[split.domain] for split in splits]
    names = [split.distribution for split in splits]
    for name in weights:
        if name not in names:
            raise UnknownNameError("distribution of the mixture", name, names)
    for name in names:
        if not 0 <= weights.get(name, math.nan) < math.inf:
            raise ParameterError(f"the weight of {name} is missing, negative or not finite")
    total = math.fsum(weights.values())
    if not total > 0:
        raise ParameterError("all weights of the mixture are 0")
    return [weights[name] / total for name in names]


def _apportioned(shares: Sequence[float], count: int) -> list[int]:
    """Round the shares of `count` to integers that sum to it (Hamilton's method)."""
    counts = [math.floor(share * count + 1e-9) for share in shares]
    by_remainder = sorted(
        range(len(shares)), key=lambda place: counts[place] - shares[place] * count
    )
    for place in by_remainder[: count - sum(counts)]:
        counts[place] += 1
    return counts
