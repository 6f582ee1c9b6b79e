"""Optional tracking of a training with Weights & Biases."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from milplib.learn.tracking import WandbRun, import_wandb

__all__ = ["NoTracker", "Tracker", "WandbTracker", "import_wandb", "make_tracker"]


class NoTracker:
    """Tracker that does nothing."""

    def record(self, values: Mapping[str, float], *, epoch: int) -> None:
        """Do nothing."""

    def finish(self, summary: Mapping[str, float], *, policy: Path) -> None:
        """Do nothing."""


class WandbTracker:
    """Tracker that sends the numbers of the epochs and the policy file to Weights & Biases.

    Parameters
    ----------
    project, folder, config
        See `milplib.learn.tracking.WandbRun`.

    Raises
    ------
    MissingPackageError
        If wandb is not installed.
    """

    def __init__(self, *, project: str, folder: Path, config: Mapping[str, object]) -> None:
        self._run = WandbRun(project=project, job="training", folder=folder, config=config)

    def record(self, values: Mapping[str, float], *, epoch: int) -> None:
        """Send the numbers of an epoch."""
        self._run.log(values, step=epoch)

    def finish(self, summary: Mapping[str, float], *, policy: Path) -> None:
        """Send the policy file and the final numbers, and close the run."""
        self._run.keep([policy], name=policy.stem, kind="policy")
        self._run.finish(summary)


Tracker = NoTracker | WandbTracker


def make_tracker(
    track: bool, *, project: str, folder: Path, config: Mapping[str, object]
) -> Tracker:
    """Return a Weights & Biases tracker if `track` is true, else one that does nothing."""
    if not track:
        return NoTracker()
    return WandbTracker(project=project, folder=folder, config=config)
