"""Mean and variance of what comes piece by piece."""

from __future__ import annotations

from dataclasses import dataclass

import torch

__all__ = ["Moments"]


@dataclass(frozen=True, eq=False)
class Moments:
    """What a mean and a variance are made of, in float64.

    Parameters
    ----------
    count
        Number of values of each column.
    mean
        Of each column. Shape (columns,).
    squares
        Sum of squared deviations from the mean. Shape (columns,).

    Examples
    --------
    >>> first, second = Moments.of(torch.tensor([[1.0], [2.0]])), Moments.of(torch.tensor([[6.0]]))
    >>> both = first.joined(second)
    >>> both.count, round(both.mean.item(), 3), round(both.variance.item(), 3)
    (3, 3.0, 4.667)
    """

    count: int
    mean: torch.Tensor
    squares: torch.Tensor

    @classmethod
    def of(cls, values: torch.Tensor) -> Moments:
        """Moments of columns of numbers, at least one line of them. Shape (n, columns)."""
        values = values.double()
        mean = values.mean(0)
        return cls(len(values), mean, (values - mean).square().sum(0))

    def joined(self, other: Moments) -> Moments:
        """Moments of both together.

        References
        ----------
        Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm for computing sample
        variances", 1979: pieces join without cancellation.
        """
        total = self.count + other.count
        apart = other.mean - self.mean
        return Moments(
            total,
            self.mean + apart * (other.count / total),
            self.squares + other.squares + apart.square() * (self.count * other.count / total),
        )

    @property
    def variance(self) -> torch.Tensor:
        """Variance of each column; 0 where all that there is are rounding errors."""
        variance = self.squares / self.count
        return torch.where(variance > 1e-24 * self.mean.square(), variance, 0.0)
