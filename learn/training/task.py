"""What a training is asked for, how far it is, and what it gave: the same for all models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from milplib.learn.samples.statistics import ChoiceAgreement
from milplib.learn.training.metrics import Metrics
from milplib.policies.model_kinds import ModelKind

__all__ = ["EpochRecord", "TrainingProgress", "TrainingResult", "TrainingTask"]


@dataclass(frozen=True)
class TrainingProgress:
    """How far a training has come: what it does, steps of that done and in all, a few words."""

    phase: str
    done: int
    total: int
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class EpochRecord:
    """What an epoch gave: a line of the log.

    Parameters
    ----------
    epoch
        Its number, from 1.
    learning_rate
        Used in it.
    training_loss
        Mean over its samples, each before the step that its batch made.
    validation
        `milplib.learn.training.Metrics.as_dict` after it.
    seconds
        That it took, validation included.
    """

    epoch: int
    learning_rate: float
    training_loss: float
    validation: dict[str, float]
    seconds: float


@dataclass(frozen=True, kw_only=True)
class TrainingTask:
    """A policy to train: the argument of `milplib.policies.ModelKind.fit`.

    Parameters
    ----------
    kind
        What to train.
    folders, validation
        Folders of samples to train on, and to judge by.
    out
        The policy file to write.
    options, run_options
        Of the classes that the kind names.
    seed
        Of all that is drawn.
    force
        Whether to replace a policy, or a training that has begun with other arguments.
    on_progress
        To be called often.
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


@dataclass(frozen=True, kw_only=True)
class TrainingResult:
    """What a training gave.

    Parameters
    ----------
    policy
        The policy file.
    model
        Name of its kind of model.
    metrics
        Of the policy on all validation samples; the loss is NaN where a model has none.
    by_set
        The same for each validation set, by the name of its folder.
    choices
        How trivial choices do on the same samples, by name.
    training_samples
        Number of samples trained on.
    folder
        The folder with log and curve, where it was trained by epochs.
    history, best_epoch
        The epochs, and the one whose weights were kept, likewise.
    details
        What a ranker's fit found: the penalty of the linear model, versions of libraries.
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
    details: Mapping[str, Any] = field(default_factory=dict)
