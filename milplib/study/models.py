"""What a study trains: models, what they learn from, and how."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from milplib.study.domains import at_least, fit_for_files, seeds
from milplib.study.errors import FieldError

__all__ = [
    "TRAINING_SETS",
    "Budget",
    "Model",
    "Training",
    "own_kinds",
]

TRAINING_SETS = ("homogeneous", "mixed", "leave-one-out")
"""Kinds of training sets: one policy for each distribution, one for all together, or one for each
distribution trained on all the others."""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What a policy may learn from, a distribution.

    Parameters
    ----------
    instances
        Number of training instances of each distribution: the first ones.
    samples_per_instance
        Samples wanted from each; the collection's number if it is 0.

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
        """What names of policies call it."""
        of_each = f"x{self.samples_per_instance}" if self.samples_per_instance else ""
        return f"{self.instances}{of_each}"


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model to train.

    Parameters
    ----------
    name
        What the study calls it.
    kind
        What `milplib.policies.model_kind` finds by it.
    options
        Its options, of the class that the kind of model names.
    """

    name: str
    kind: str
    options: Any

    def __post_init__(self) -> None:
        fit_for_files(self, "name")


@dataclass(frozen=True, kw_only=True)
class Training:
    """What is trained, beside the models and budgets.

    Parameters
    ----------
    seeds
        A number of training seeds, from 0 on, or the seeds themselves.
    sets
        Some of `TRAINING_SETS`.
    across_settings
        Whether a policy learns from the samples of all settings of the study, and is judged in
        each; else there is one a setting, of its own samples.
    device
        Where networks are trained; policies are the same but for rounding.

    Raises
    ------
    FieldError
        If a value is outside its domain.
    """

    seeds: tuple[int, ...] = (0,)
    sets: tuple[str, ...] = ("homogeneous",)
    across_settings: bool = False
    device: str = "auto"

    def __post_init__(self) -> None:
        seeds(self, "seeds")
        if not self.sets or set(self.sets) - set(TRAINING_SETS):
            raise FieldError("sets", f"{list(self.sets)}; known: {', '.join(TRAINING_SETS)}")


def own_kinds(models: Iterable[Model]) -> tuple[str, ...]:
    """Kinds that a study names by their module: its policies are loaded as of these.

    Examples
    --------
    >>> own_kinds([Model(name="a", kind="gcnn", options=None)])
    ()
    """
    return tuple(dict.fromkeys(model.kind for model in models if ":" in model.kind))
