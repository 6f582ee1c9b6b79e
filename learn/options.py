"""Options of training, with their names, defaults and domains."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from milplib.errors import FieldError, UnknownNameError
from milplib.learn.names import LossName, Mixture, Precision
from milplib.policies.folded import GCNN_SUMS, Sums

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

MIXTURES = tuple(Mixture)
"""Ways to mix data sets."""

DEFAULT_CACHE_BYTES = 4 << 30
"""Memory in bytes for the decoded training samples, and as much for the validation samples.

3,000 samples of auctions 100×500 take 0.3 GB."""

_MAX_COUNT = 2**31 - 1
_MAX_UNITS = 8192  # a layer of more units takes gigabytes
_MAX_THREADS = 1024


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """Options of every kind of model.

    Parameters
    ----------
    mixture
        Weighting of several data sets: ``balanced`` weights all data sets equally,
        ``proportional`` all samples.
    blocks
        Recorded features to read beside the state, such as ``khalil`` and ``pseudocost``.
    holdout
        Share of the instances of each data set to hold out if there is no validation data.

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

    mixture: str = Mixture.BALANCED
    blocks: tuple[str, ...] = ()
    holdout: float = 0.2

    def __post_init__(self) -> None:
        object.__setattr__(self, "blocks", tuple(self.blocks))
        if self.mixture not in MIXTURES:
            raise UnknownNameError("mixture", self.mixture, MIXTURES)
        object.__setattr__(self, "mixture", Mixture(self.mixture))
        _between_0_and_1(self, "holdout")


@dataclass(frozen=True, kw_only=True)
class NetworkOptions(TrainingOptions):
    """Options of networks, which are trained in epochs.

    Parameters
    ----------
    mixture, blocks, holdout
        See `TrainingOptions`.
    epochs
        Maximum number of epochs. Training stops earlier when the validation loss stalls.
    loss
        ``hard`` targets the expert's best candidates, ``soft`` all candidates by their scores.
        ``package.module:Name`` names a loss of your own; Python also takes a `milplib.learn.Loss`.
    batch_size
        Number of samples per batch.
    batches_per_epoch
        Maximum number of batches per epoch; an epoch has fewer if all samples fill fewer.
    learning_rate
        Initial learning rate of Adam.
    patience
        Number of epochs without a better validation loss after which the learning rate is
        multiplied by `decay`; the count then starts again.
    stop_after
        Number of epochs without a better validation loss after which training stops.
    decay
        Factor of the learning rate when the validation loss stalls.
    initial_policy
        Policy file, or name of a shipped policy, whose weights training starts from. Its kind,
        sizes and blocks must be the same. Its norms are kept: with other norms the network would
        be another function.

    Examples
    --------
    >>> NetworkOptions(epochs=0)
    Traceback (most recent call last):
    milplib.errors.FieldError: epochs is 0; it must be at least 1
    """

    epochs: int = 1000
    loss: str | object = LossName.HARD
    batch_size: int = 32
    batches_per_epoch: int = 312
    learning_rate: float = 1e-3
    patience: int = 10
    stop_after: int = 20
    decay: float = 0.2
    initial_policy: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        counts = ("epochs", "batch_size", "batches_per_epoch", "patience", "stop_after")
        _between(self, 1, _MAX_COUNT, *counts)
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
        See `NetworkOptions`.
    hidden
        Number of units per layer.
    sums
        ``absolute``, as in the paper, or ``relative`` to the mean number of non-zeros of a row and
        of a column, for instances of another density than those trained on.
    """

    hidden: int = 64
    sums: str = Sums.ABSOLUTE

    def __post_init__(self) -> None:
        super().__post_init__()
        _between(self, 1, _MAX_UNITS, "hidden")
        if self.sums not in GCNN_SUMS:
            raise FieldError("sums", f"'{self.sums}'; it must be {' or '.join(GCNN_SUMS)}")
        object.__setattr__(self, "sums", Sums(self.sums))


@dataclass(frozen=True, kw_only=True)
class OwnNetworkOptions(NetworkOptions):
    """Options of a user's torch module.

    Parameters
    ----------
    mixture, blocks, holdout, epochs, loss, batch_size, batches_per_epoch, learning_rate, patience
        See `NetworkOptions`.
    stop_after, decay, initial_policy
        See `NetworkOptions`.
    model_options
        Keyword arguments of the module's constructor, as JSON values. A study file lists them
        below the model, beside the other options.
    """

    model_options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class TreeOptions(TrainingOptions):
    """Options of rankers made of trees.

    Parameters
    ----------
    mixture, blocks, holdout
        See `TrainingOptions`.
    trees
        Maximum number of trees.
    leaves
        Maximum number of leaves per tree.

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
        _between(self, 1, _MAX_COUNT, "trees")
        _between(self, 2, _MAX_COUNT, "leaves")


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
    """Options of the computation; they change a policy by rounding at most.

    Parameters
    ----------
    threads
        Number of CPU threads. On two busy cores a second thread made an epoch slower: the threads
        wait for each other at every step.

    Raises
    ------
    FieldError
        If a value is outside its domain.
    """

    threads: int = 1

    def __post_init__(self) -> None:
        _between(self, 1, _MAX_THREADS, "threads")


@dataclass(frozen=True, kw_only=True)
class NetworkRunOptions(RunOptions):
    """Options of the computation of networks.

    Parameters
    ----------
    threads
        See `RunOptions`.
    device
        ``auto`` (CUDA if available, else the CPU), ``cpu``, ``cuda``, ``cuda:1`` and so on.
    precision
        ``float32``, or ``bfloat16`` for automatic mixed precision.
    cache_bytes
        Memory for decoded training samples, and as much for validation samples. Samples beyond it
        are decoded on each use.
    track
        Whether to log the numbers of the epochs, and the policy file as an artefact, to
        Weights & Biases; WANDB_MODE applies.
    project
        Name of the Weights & Biases project.
    """

    device: str = "auto"
    precision: str = Precision.FLOAT32
    cache_bytes: int = DEFAULT_CACHE_BYTES
    track: bool = False
    project: str = "milplib"


def _between(options: object, least: int, most: int, *names: str) -> None:
    for name in names:
        value = getattr(options, name)
        if value < least:
            raise FieldError(name, f"{value}; it must be at least {least}")
        if value > most:
            raise FieldError(name, f"{value}; it must be at most {most}")


def _between_0_and_1(options: object, name: str) -> None:
    value = getattr(options, name)
    if not 0 < value < 1:
        raise FieldError(name, f"{value}; it must lie between 0 and 1")
