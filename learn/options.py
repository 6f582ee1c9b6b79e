"""Options of training: the one place where their names, defaults and domains stand."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from milplib.errors import FieldError, UnknownNameError
from milplib.policies.folded import GCNN_SUMS

__all__ = [
    "DEFAULT_CACHE_BYTES",
    "MIXTURES",
    "ExtraTreesOptions",
    "GbdtOptions",
    "GcnnOptions",
    "NetworkOptions",
    "NetworkRunOptions",
    "OwnNetworkOptions",
    "RunOptions",
    "TrainingOptions",
    "TreeOptions",
]

MIXTURES = ("balanced", "proportional")
"""Ways to mix data sets."""

DEFAULT_CACHE_BYTES = 4 << 30
"""Memory for decoded samples of each side; 3,000 samples of auctions 100×500 take 0.3 GB."""


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """Options of every kind of model.

    Parameters
    ----------
    mixture
        How several data sets are mixed: ``balanced``, all count the same; or ``proportional``, all
        samples do.
    blocks
        Recorded features to read beside the state, such as ``khalil`` and ``pseudocost``.
    holdout
        Share of the instances of each data set that are held out where there is no validation data.

    Raises
    ------
    FieldError, UnknownNameError
        If a value is outside its domain.

    Examples
    --------
    >>> TrainingOptions(holdout=1.0)
    Traceback (most recent call last):
    milplib.errors.FieldError: holdout is 1.0; it must lie between 0 and 1
    """

    mixture: str = "balanced"
    blocks: tuple[str, ...] = ()
    holdout: float = 0.2

    def __post_init__(self) -> None:
        object.__setattr__(self, "blocks", tuple(self.blocks))
        if self.mixture not in MIXTURES:
            raise UnknownNameError("mixture", self.mixture, MIXTURES)
        _between_0_and_1(self, "holdout")


@dataclass(frozen=True, kw_only=True)
class NetworkOptions(TrainingOptions):
    """Options of networks, which are trained by epochs.

    Parameters
    ----------
    mixture, blocks, holdout
        See `TrainingOptions`.
    epochs
        Maximum number of epochs; training ends earlier when the validation loss stalls.
    loss
        ``hard``: the expert's best candidates; ``soft``: all by their scores;
        ``package.module:Name`` for one of your own, or, in Python, a `milplib.learn.Loss`.
    batch_size
        Samples a batch.
    batches_per_epoch
        Maximum number of batches an epoch; fewer where all samples fill fewer.
    learning_rate
        Of Adam, at first.
    patience
        Epochs without a better validation loss after which the learning rate is multiplied by
        `decay`, and again after as many more.
    stop_after
        Epochs without a better validation loss after which training ends.
    decay
        Factor of the learning rate where the validation loss stalls.
    initial_policy
        A policy file of the same kind, sizes and blocks, or the name of a shipped policy, whose
        weights training begins with. Its norms are kept: with others the network would not be the
        same function any more.

    Examples
    --------
    >>> NetworkOptions(epochs=0)
    Traceback (most recent call last):
    milplib.errors.FieldError: epochs is 0; it must be at least 1
    """

    epochs: int = 1000
    loss: str | object = "hard"
    batch_size: int = 32
    batches_per_epoch: int = 312
    learning_rate: float = 1e-3
    patience: int = 10
    stop_after: int = 20
    decay: float = 0.2
    initial_policy: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        _at_least(self, 1, "epochs", "batch_size", "batches_per_epoch", "patience", "stop_after")
        if not 0 < self.learning_rate < math.inf:
            raise FieldError(
                "learning_rate", f"{self.learning_rate:g}; it must be positive and finite"
            )
        _between_0_and_1(self, "decay")
        if self.initial_policy is not None:
            object.__setattr__(self, "initial_policy", str(self.initial_policy))


@dataclass(frozen=True, kw_only=True)
class GcnnOptions(NetworkOptions):
    """Options of the graph convolutional network.

    Parameters
    ----------
    mixture, blocks, holdout, epochs, loss, batch_size, batches_per_epoch, learning_rate, patience
        See `NetworkOptions`.
    stop_after, decay, initial_policy
        See there, too.
    hidden
        Units of a layer.
    sums
        ``absolute``, as in the paper; or ``relative`` to the mean number of non-zeros of a row and
        of a column, for a network that is used at another density than it was trained on.
    """

    hidden: int = 64
    sums: str = "absolute"

    def __post_init__(self) -> None:
        super().__post_init__()
        _at_least(self, 1, "hidden")
        if self.sums not in GCNN_SUMS:
            raise FieldError("sums", f"'{self.sums}'; it must be {' or '.join(GCNN_SUMS)}")


@dataclass(frozen=True, kw_only=True)
class OwnNetworkOptions(NetworkOptions):
    """Options of a torch module of a user's own.

    Parameters
    ----------
    mixture, blocks, holdout, epochs, loss, batch_size, batches_per_epoch, learning_rate, patience
        See `NetworkOptions`.
    stop_after, decay, initial_policy
        See there, too.
    model_options
        Keyword arguments of the module's constructor, as JSON values. In a study they stand below
        the model, beside the other options.
    """

    model_options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class TreeOptions(TrainingOptions):
    """Options of rankers that are made of trees.

    Parameters
    ----------
    mixture, blocks, holdout
        See `TrainingOptions`.
    trees
        Maximum number of trees.
    leaves
        Maximum number of leaves of a tree.

    Examples
    --------
    >>> TreeOptions(leaves=1)
    Traceback (most recent call last):
    milplib.errors.FieldError: leaves is 1; it must be at least 2
    """

    trees: int = 300
    leaves: int = 31

    def __post_init__(self) -> None:
        super().__post_init__()
        _at_least(self, 1, "trees")
        _at_least(self, 2, "leaves")


@dataclass(frozen=True, kw_only=True)
class GbdtOptions(TreeOptions):
    """Options of boosted trees; see `TreeOptions`."""


@dataclass(frozen=True, kw_only=True)
class ExtraTreesOptions(TreeOptions):
    """Options of extra trees; see `TreeOptions`."""

    trees: int = 100
    leaves: int = 250


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Where training computes; a policy depends on it by rounding at most.

    Parameters
    ----------
    threads
        Threads of the CPU. On two cores that others use too, a second thread made an epoch slower,
        not faster: each waits for the other at every step.

    Raises
    ------
    FieldError
        If a value is outside its domain.
    """

    threads: int = 1

    def __post_init__(self) -> None:
        _at_least(self, 1, "threads")


@dataclass(frozen=True, kw_only=True)
class NetworkRunOptions(RunOptions):
    """Where and how networks are trained.

    Parameters
    ----------
    threads
        See `RunOptions`.
    device
        ``auto`` (CUDA where it is there, else the CPU), ``cpu``, ``cuda``, or ``cuda:1`` and so on.
    precision
        ``float32``, or ``bfloat16`` for automatic mixed precision.
    cache_bytes
        Memory for decoded samples of each side; what does not fit is decoded again each time.
    track
        Report to Weights & Biases: the epochs' numbers, and the policy file as an artefact
        (WANDB_MODE counts).
    project
        Name of the project there.
    """

    device: str = "auto"
    precision: str = "float32"
    cache_bytes: int = DEFAULT_CACHE_BYTES
    track: bool = False
    project: str = "milplib"


def _at_least(options: object, least: int, *names: str) -> None:
    for name in names:
        value = getattr(options, name)
        if value < least:
            raise FieldError(name, f"{value}; it must be at least {least}")


def _between_0_and_1(options: object, name: str) -> None:
    value = getattr(options, name)
    if not 0 < value < 1:
        raise FieldError(name, f"{value}; it must lie between 0 and 1")
