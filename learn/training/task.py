"""Task, progress and result of a training, the same for all kinds of models."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeAlias, runtime_checkable

from milplib.display import Shown
from milplib.learn.samples.statistics import ChoiceAgreement
from milplib.learn.training.metrics import Metrics
from milplib.policies.model_kinds import ModelKind

__all__ = [
    "EpochRecord",
    "OpenSamples",
    "SamplePlace",
    "TrainingProgress",
    "TrainingResult",
    "TrainingTask",
]


@runtime_checkable
class OpenSamples(Protocol):
    """Samples that know their folder, such as a `milplib.learn.SampleSet`."""

    folder: Path


SamplePlace: TypeAlias = "str | os.PathLike[str] | OpenSamples"
"""Folder of samples, or an open one."""


@dataclass(frozen=True)
class TrainingProgress:
    """Progress of a training: its phase, steps done and in total, and a short note."""

    phase: str
    done: int
    total: int
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class EpochRecord:
    """Record of an epoch, a line of the log.

    Parameters
    ----------
    epoch
        Number of the epoch, from 1.
    learning_rate
        Learning rate in the epoch.
    training_loss
        Mean loss over the samples of the epoch, each before the step of its batch.
    validation
        Validation metrics after the epoch, as of `milplib.learn.training.Metrics.as_dict`.
    seconds
        Wall-clock seconds, including validation.
    """

    epoch: int
    learning_rate: float
    training_loss: float
    validation: dict[str, float]
    seconds: float


@dataclass(frozen=True, kw_only=True)
class TrainingTask:
    """Policy to train, the argument of `milplib.policies.ModelKind.fit`.

    Parameters
    ----------
    kind
        Kind of model.
    folders, validation
        Folders of training samples and of validation samples.
    out
        Policy file to write.
    options, run_options
        Options, of the classes that the kind names.
    seed
        Seed of all random choices.
    force
        Whether to replace a policy, or an unfinished training with other arguments.
    on_progress
        Called often during training.
    on_result
        Called with the result just before the policy file is written.
    """

    kind: ModelKind
    folders: tuple[Path, ...]
    validation: tuple[Path, ...] = ()
    out: Path
    options: Any
    run_options: Any
    seed: int = 0
    force: bool = False
    on_progress: Callable[[TrainingProgress], None] = lambda progress: None
    on_result: Callable[[TrainingResult], None] = lambda result: None


@dataclass(frozen=True, kw_only=True, repr=False)
class TrainingResult(Shown):
    """Result of a training.

    Parameters
    ----------
    policy
        Policy file.
    model
        Name of the kind of model.
    metrics
        Metrics of the policy on all validation samples; the loss is NaN for models without one.
    by_set
        Metrics on each validation set, by the name of its folder.
    choices
        Agreement of trivial choices with the expert on the same samples, by name.
    training_samples
        Number of training samples.
    folder
        Folder with log and curve; None for models without epochs.
    history, best_epoch
        Records of the epochs, and number of the epoch whose weights were kept; empty and None for
        models without epochs.
    details
        Details of the fit of a ranker: the penalty of the linear model, versions of libraries.
    """

    policy: Path
    model: str
    metrics: Metrics
    by_set: tuple[tuple[str, Metrics], ...]
    choices: dict[str, ChoiceAgreement]
    training_samples: int
    folder: Path | None = None
    history: tuple[EpochRecord, ...] = ()
    best_epoch: int | None = None
    details: Mapping[str, object] = field(default_factory=dict)
