"""What a study trains: models, what they learn from, and how."""

from __future__ import annotations

from dataclasses import dataclass

from milplib.policies import GCNN_SUMS
from milplib.study.domains import at_least, fit_for_files, one_of, positive, seeds
from milplib.study.errors import FieldError

__all__ = [
    "MODEL_KINDS",
    "TRAINING_SETS",
    "Budget",
    "GcnnOptions",
    "Model",
    "RankerOptions",
    "Training",
]

TRAINING_SETS = ("homogeneous", "mixed", "leave-one-out")
"""Kinds of training sets: one policy for each distribution, one for all together, or one for each
distribution trained on all the others."""

MODEL_KINDS = ("gcnn", "linear", "gbdt", "extratrees")
"""The graph network, and the rankers of candidates."""


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
class GcnnOptions:
    """Options of the graph network; see `milplib.learn.train`."""

    epochs: int = 1000
    loss: str = "hard"
    mixture: str = "balanced"
    blocks: tuple[str, ...] = ()
    hidden: int = 64
    sums: str = "absolute"
    batch_size: int = 32
    batches_per_epoch: int = 312
    learning_rate: float = 1e-3
    patience: int = 10
    stop_after: int = 20
    holdout: float = 0.2

    def __post_init__(self) -> None:
        counts = ("epochs", "hidden", "batch_size", "batches_per_epoch", "patience", "stop_after")
        at_least(self, 1, *counts)
        positive(self, "learning_rate", "holdout")
        one_of(self, "sums", GCNN_SUMS)


@dataclass(frozen=True, kw_only=True)
class RankerOptions:
    """Options of a ranker of candidates; see `milplib.learn.train_ranker`."""

    mixture: str = "balanced"
    blocks: tuple[str, ...] = ()
    trees: int | None = None
    leaves: int | None = None
    holdout: float = 0.2

    def __post_init__(self) -> None:
        at_least(self, 1, "trees")
        at_least(self, 2, "leaves")
        positive(self, "holdout")


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model to train.

    Parameters
    ----------
    name
        What the study calls it.
    kind
        One of `MODEL_KINDS`.
    options
        Its options.
    """

    name: str
    kind: str
    options: GcnnOptions | RankerOptions

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
