"""Sampling of the batches of an epoch from one or several data sets."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from milplib.errors import ParameterError, SampleError, UnknownNameError
from milplib.learn.names import Mixture

__all__ = ["MIXTURES", "EpochBatches"]

_Indices = npt.NDArray[np.int64]
_STREAM = 0x6261746368  # separates this stream from other uses of the same seed


def _balanced(sizes: Sequence[int], total: int, epoch: int) -> list[int]:
    """Return equal shares; the remainder rotates over the data sets from epoch to epoch."""
    share, rest = divmod(total, len(sizes))
    lucky = {(epoch * rest + place) % len(sizes) for place in range(rest)}
    return [share + (place in lucky) for place in range(len(sizes))]


def _proportional(sizes: Sequence[int], total: int, epoch: int) -> list[int]:
    """Return shares proportional to size, as a shuffle of all samples has them on average."""
    ends = [round(total * end / sum(sizes)) for end in np.cumsum(sizes).tolist()]
    return [end - start for start, end in zip([0, *ends], ends, strict=False)]


MIXTURES: MappingProxyType[str, Callable[[Sequence[int], int, int], list[int]]] = MappingProxyType(
    {Mixture.BALANCED: _balanced, Mixture.PROPORTIONAL: _proportional}
)
"""Ways to mix data sets.

Each is a function of the sizes of the data sets, the number of samples in an epoch, and the number
of the epoch. It returns the number of samples drawn from each data set."""


class EpochBatches:
    """Batches of consecutive epochs, as positions in a `GraphDataset`.

    An epoch has ``min(batches, ceil(samples / batch size))`` batches. The share of each data set
    is drawn from a shuffle of its samples. The next epoch continues in the same shuffle, and a new
    shuffle starts when it is used up: no sample repeats before all samples of its set were drawn.
    The shares are then shuffled together.

    The batches follow from the seed and the number of the epoch alone: a resumed training needs
    no state of a random generator.

    Parameters
    ----------
    sizes
        Number of samples of each data set.
    batch_size
        Samples per batch; the last batch of an epoch may have fewer.
    batches
        Maximum number of batches per epoch.
    mixture
        One of `MIXTURES`: ``balanced`` draws equally many samples from each data set,
        ``proportional`` draws them by the sizes of the sets.
    seed
        Seed of all shuffles.

    Raises
    ------
    ParameterError, UnknownNameError
        If an argument is outside its domain.
    SampleError
        If a data set is empty.

    Examples
    --------
    >>> batches = EpochBatches([100, 4], batch_size=8, mixture="balanced", seed=0)
    >>> drawn = np.concatenate(batches.epoch(0))
    >>> len(batches.epoch(0)), (drawn < 100).sum().item(), (drawn >= 100).sum().item()
    (13, 52, 52)
    """

    def __init__(
        self,
        sizes: Sequence[int],
        *,
        batch_size: int = 32,
        batches: int = 312,
        mixture: str = Mixture.BALANCED,
        seed: int = 0,
    ) -> None:
        for name, value in (("batch size", batch_size), ("number of batches", batches)):
            if value < 1:
                raise ParameterError(f"the {name} is {value}; it must be at least 1")
        if mixture not in MIXTURES:
            raise UnknownNameError("mixture", mixture, MIXTURES)
        if not sizes or min(sizes) < 1:
            raise SampleError("a data set without samples cannot be trained on")
        self.sizes = tuple(sizes)
        self.batch_size = batch_size
        self._shares = MIXTURES[mixture]
        self._seed = seed
        self._total = min(sum(sizes), batch_size * batches)

    @property
    def samples(self) -> int:
        """Number of samples per epoch."""
        return self._total

    def __len__(self) -> int:
        return math.ceil(self._total / self.batch_size)

    def epoch(self, number: int) -> list[_Indices]:
        """Return the batches of an epoch; the first epoch is epoch 0."""
        drawn = []
        shares = self._shares(self.sizes, self._total, number)
        offsets = np.cumsum([0, *self.sizes])
        for place, (size, share) in enumerate(zip(self.sizes, shares, strict=True)):
            begun = sum(
                self._shares(self.sizes, self._total, epoch)[place] for epoch in range(number)
            )
            drawn.append(offsets[place] + self._from_shuffles(place, size, begun, share))
        together: _Indices = np.concatenate(drawn)
        self._generator(len(self.sizes), number).shuffle(together)
        return np.split(together, range(self.batch_size, len(together), self.batch_size))

    def __iter__(self) -> Iterator[list[_Indices]]:
        number = 0
        while True:
            yield self.epoch(number)
            number += 1

    def _from_shuffles(self, place: int, size: int, begun: int, count: int) -> _Indices:
        """Return `count` samples of the endless sequence of a set's shuffles, from `begun` on."""
        parts = [np.empty(0, dtype=np.int64)]
        while count:
            shuffle, start = divmod(begun, size)
            order = self._generator(place, shuffle).permutation(size)[start : start + count]
            parts.append(order)
            begun += len(order)
            count -= len(order)
        return np.concatenate(parts)

    def _generator(self, *key: int) -> np.random.RandomState:
        # NumPy never changes the stream of RandomState over MT19937.
        words = np.random.SeedSequence([self._seed, _STREAM, *key])
        return np.random.RandomState(np.random.MT19937(words))
