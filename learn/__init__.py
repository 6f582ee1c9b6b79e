"""From samples to policies: collecting traces, the data set, models, training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from milplib.errors import MissingPackageError
from milplib.lazy_names import lazy_names

if TYPE_CHECKING:
    from milplib.learn.collecting import collect
    from milplib.learn.dataset import BranchingGraph, GraphDataset
    from milplib.learn.models import GCNN
    from milplib.learn.samples import DamagedShardWarning, Sample, SampleSet
    from milplib.learn.training import Loss, TrainingResult, TrainingTask
    from milplib.learn.training.train_model import train, train_ranker

    RankerResult = TrainingResult

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
    "TrainingTask",
    "collect",
    "train",
    "train_ranker",
]

# Imported on first use: torch takes seconds to import, and neither collecting nor the
# descriptions of models (`milplib.learn.kinds`) need it.
_HOMES = {
    "GCNN": "milplib.learn.models",
    "BranchingGraph": "milplib.learn.dataset",
    "DamagedShardWarning": "milplib.learn.samples",
    "GraphDataset": "milplib.learn.dataset",
    "Loss": "milplib.learn.training",
    "Sample": "milplib.learn.samples",
    "SampleSet": "milplib.learn.samples",
    "TrainingResult": "milplib.learn.training",
    "TrainingTask": "milplib.learn.training",
    "collect": "milplib.learn.collecting",
    "train": "milplib.learn.training",
    "train_ranker": "milplib.learn.training",
}
_FORMER_NAMES = {"RankerResult": "TrainingResult"}
_PACKAGES = {"torch", "torch_geometric", "matplotlib"}


_load, __dir__ = lazy_names(__name__, _HOMES)


def __getattr__(name: str) -> Any:
    try:
        return _load(_FORMER_NAMES.get(name, name))
    except ImportError as error:
        if (error.name or "").split(".")[0] not in _PACKAGES:
            raise
        raise MissingPackageError(
            f"milplib.learn.{name} needs the package {error.name}, which is not installed: "
            'pip install "milplib[learn]"'
        ) from error
