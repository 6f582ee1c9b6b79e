"""Training of policies on samples."""

from milplib.learn.training.losses import LOSSES, Loss, load_loss
from milplib.learn.training.metrics import TOP_K, Metrics, judge
from milplib.learn.training.task import (
    EpochRecord,
    TrainingProgress,
    TrainingResult,
    TrainingTask,
)
from milplib.learn.training.train_model import train, train_ranker

__all__ = [
    "LOSSES",
    "TOP_K",
    "EpochRecord",
    "Loss",
    "Metrics",
    "TrainingProgress",
    "TrainingResult",
    "TrainingTask",
    "judge",
    "load_loss",
    "train",
    "train_ranker",
]
