"""Training part of a study: models, budgets and training sets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from milplib.outcomes import Word
from milplib.study.domains import at_least, fit_for_files, seeds
from milplib.study.errors import FieldError

__all__ = [
    "TRAINING_SETS",
    "Budget",
    "Model",
    "Training",
    "TrainingSet",
    "own_kinds",
]


class TrainingSet(Word):
    """Kind of training set."""

    HOMOGENEOUS = "homogeneous"
    """One policy per distribution."""
    MIXED = "mixed"
    """One policy for all distributions together."""
    LEAVE_ONE_OUT = "leave-one-out"
    """One policy per distribution, trained on all the others."""


TRAINING_SETS = tuple(TrainingSet)
"""Kinds of training sets."""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """Budget of training data per distribution.

    Parameters
    ----------
    instances
        Number of training instances of each distribution; the first ones are used.
    samples_per_instance
        Number of samples wanted from each instance; 0 means the number of the collection.

    Examples
    --------
    >>> Budget(instances=80).label, Budget(instances=80, samples_per_instance=5).label
    ('80', '80x5')
    """

    instances: int
    samples_per_instance: int = 0

    def __post_init__(self) -> None:
        at_least(self, 1, "instances")
        at_least(self, 0, "samples_per_instance")

    @property
    def label(self) -> str:
        """Label of the budget in names of policies."""
        of_each = f"x{self.samples_per_instance}" if self.samples_per_instance else ""
        return f"{self.instances}{of_each}"


@dataclass(frozen=True, kw_only=True)
class Model:
    """Model to train.

    Parameters
    ----------
    name
        Name of the model in the study.
    kind
        Kind of model, as `milplib.policies.find_model_kind` takes it.
    options
        Options of the model, of the class that the kind of model names.
    """

    name: str
    kind: str
    options: Any

    def __post_init__(self) -> None:
        fit_for_files(self, "name")


@dataclass(frozen=True, kw_only=True)
class Training:
    """Seeds, training sets and device of the training.

    Parameters
    ----------
    seeds
        Training seeds; a study file may also give their number, for seeds from 0 on.
    sets
        Kinds of training sets, of `TRAINING_SETS`.
    across_settings
        Whether one policy learns from the samples of all settings of the study, and is evaluated
        in each. Otherwise there is a policy per setting, trained on the samples of that setting.
    device
        Device of the training of networks; it changes policies by rounding only.

    Raises
    ------
    FieldError
        If a value is outside its domain.
    """

    seeds: tuple[int, ...] = (0,)
    sets: tuple[str, ...] = (TrainingSet.HOMOGENEOUS,)
    across_settings: bool = False
    device: str = "auto"

    def __post_init__(self) -> None:
        seeds(self, "seeds")
        if not self.sets or set(self.sets) - set(TRAINING_SETS):
            raise FieldError("sets", f"{list(self.sets)}; known: {', '.join(TRAINING_SETS)}")


def own_kinds(models: Iterable[Model]) -> tuple[str, ...]:
    """Return the kinds that a study names by their module; its policies may be of these kinds.

    Examples
    --------
    >>> own_kinds([Model(name="a", kind="gcnn", options=None)])
    ()
    """
    return tuple(dict.fromkeys(model.kind for model in models if ":" in model.kind))
