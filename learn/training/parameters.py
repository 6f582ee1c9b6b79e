"""What a training depends on, beside its data and its seed."""

from __future__ import annotations

import math
from dataclasses import dataclass

from milplib.errors import ParameterError
from milplib.policies import GCNN_SUMS

__all__ = ["TrainingParameters"]


@dataclass(frozen=True, kw_only=True)
class TrainingParameters:
    """How to train.

    Parameters
    ----------
    epochs
        At most so many.
    seed
        Of the weights, the batches, and which instances are held out.
    mixture
        How several data sets are mixed: one of `milplib.learn.dataset.MIXTURES`.
    blocks
        Names of recorded blocks that the policy reads beside the state, in order.
    hidden
        Units of a layer.
    sums
        See `milplib.learn.models.GCNN`.
    batch_size, batches_per_epoch
        Samples a batch; at most so many batches an epoch, fewer where all samples fill fewer.
    learning_rate
        Of Adam, at first.
    patience
        Epochs without a better validation loss after which the learning rate is multiplied
        by `decay`, and again after as many more.
    stop_after
        Epochs without a better validation loss after which training ends.
    decay
        See `patience`.
    holdout
        Share of the instances of each data set that are held out where no validation data is
        given.

    Raises
    ------
    ParameterError
        If a value is outside its domain.

    Examples
    --------
    >>> TrainingParameters(epochs=0)
    Traceback (most recent call last):
    milplib.errors.ParameterError: epochs is 0; it must be at least 1
    """

    epochs: int = 1000
    seed: int = 0
    mixture: str = "balanced"
    blocks: tuple[str, ...] = ()
    hidden: int = 64
    sums: str = "absolute"
    batch_size: int = 32
    batches_per_epoch: int = 312
    learning_rate: float = 1e-3
    patience: int = 10
    stop_after: int = 20
    decay: float = 0.2
    holdout: float = 0.2

    def __post_init__(self) -> None:
        for name in (
            *("epochs", "hidden", "batch_size", "batches_per_epoch", "patience", "stop_after"),
        ):
            if getattr(self, name) < 1:
                raise ParameterError(f"{name} is {getattr(self, name)}; it must be at least 1")
        if self.sums not in GCNN_SUMS:
            raise ParameterError(
                f"the sums are '{self.sums}'; they can be {' or '.join(GCNN_SUMS)}"
            )
        if self.seed < 0:
            raise ParameterError(f"the seed is {self.seed}; it must not be negative")
        if not (self.learning_rate > 0 and math.isfinite(self.learning_rate)):
            raise ParameterError(f"the learning rate is {self.learning_rate}; it must be positive")
        for name in ("decay", "holdout"):
            if not 0 < getattr(self, name) < 1:
                raise ParameterError(
                    f"{name} is {getattr(self, name)}; it must lie between 0 and 1"
                )
