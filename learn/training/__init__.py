"""Training a policy on samples."""

from milplib.learn.training.losses import LOSSES, Loss, load_loss
from milplib.learn.training.metrics import TOP_K, Metrics, judge
from milplib.learn.training.parameters import TrainingParameters
from milplib.learn.training.train import TrainingProgress, TrainingResult, train

__all__ = [
    "LOSSES",
    "TOP_K",
    "Loss",
    "Metrics",
    "TrainingParameters",
    "TrainingProgress",
    "TrainingResult",
    "judge",
    "load_loss",
    "train",
]
