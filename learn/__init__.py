"""From samples to policies: collecting traces, the data set, models, training."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from milplib.errors import MissingPackageError
from milplib.learn.collect import collect
from milplib.learn.samples import DamagedShardWarning, Sample, SampleSet

if TYPE_CHECKING:
    from milplib.learn.dataset import BranchingGraph, GraphDataset
    from milplib.learn.models import GCNN
    from milplib.learn.rankers import RankerResult, train_ranker
    from milplib.learn.training import Loss, TrainingResult, train

__all__ = [
    "GCNN",
    "BranchingGraph",
    "DamagedShardWarning",
    "GraphDataset",
    "Loss",
    "RankerResult",
    "Sample",
    "SampleSet",
    "TrainingResult",
    "collect",
    "train",
    "train_ranker",
]

# These need torch, which takes seconds to import, and which collecting does without.
_HOMES = {
    "GCNN": "milplib.learn.models",
    "BranchingGraph": "milplib.learn.dataset",
    "GraphDataset": "milplib.learn.dataset",
    "Loss": "milplib.learn.training",
    "TrainingResult": "milplib.learn.training",
    "RankerResult": "milplib.learn.rankers",
    "train": "milplib.learn.training",
    "train_ranker": "milplib.learn.rankers",
}
_PACKAGES = {"torch", "torch_geometric", "matplotlib"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'milplib.learn' has no attribute '{name}'")
    try:
        value = getattr(import_module(_HOMES[name]), name)
    except ImportError as error:
        if (error.name or "").split(".")[0] not in _PACKAGES:
            raise
        raise MissingPackageError(
            f"milplib.learn.{name} needs the package {error.name}, which is not installed: "
            'pip install "milplib[learn]"'
        ) from error
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
