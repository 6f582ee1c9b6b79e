"""Mean and variance of data that arrives in pieces."""

from __future__ import annotations

from dataclasses import dataclass

import torch

__all__ = ["Moments"]


@dataclass(frozen=True, eq=False)
class Moments:
    """Count, mean and sum of squared deviations of columns, in float64.

    Parameters
    ----------
    count
        Number of values per column.
    mean
        Mean of each column. Shape (columns,).
    squares
        Sum of squared deviations from the mean of each column. Shape (columns,).

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
        """Compute the moments of an array of shape (n, columns), n >= 1."""
        values = values.double()
        mean = values.mean(0)
        return cls(len(values), mean, (values - mean).square().sum(0))

    def joined(self, other: Moments) -> Moments:
        """Return the moments of both pieces together.

        References
        ----------
        Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm for computing sample
        variances", 1979, which joins pieces without cancellation.
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
        """Variance of each column; 0 if it consists of rounding errors only."""
        variance = self.squares / self.count
        return torch.where(variance > 1e-24 * self.mean.square(), variance, 0.0)
