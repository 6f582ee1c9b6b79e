"""Tracking by Weights & Biases, for those who ask for it; training never depends on it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from milplib.errors import MissingPackageError

__all__ = ["NoTracker", "Tracker", "WandbTracker", "import_wandb", "make_tracker"]

_log = logging.getLogger("milplib")


def import_wandb() -> Any:
    """Import wandb.

    Raises
    ------
    MissingPackageError
        If it is not installed.
    """
    try:
        import wandb
    except ImportError as error:
        raise MissingPackageError(
            f"tracking needs the package wandb, which cannot be imported ({error}): "
            'pip install "milplib[track]", or train without --track'
        ) from error
    return wandb


class NoTracker:
    """Tracks nothing."""

    def record(self, values: Mapping[str, float], *, epoch: int) -> None:
        """Do nothing."""

    def finish(self, summary: Mapping[str, float]) -> None:
        """Do nothing."""


class WandbTracker:
    """A run of Weights & Biases; its failures are said once, and tracking ends there.

    ``WANDB_MODE`` and the other variables of its own say how it runs: ``offline`` writes into
    the folder, ``disabled`` does nothing.

    Parameters
    ----------
    project
        Name of the project.
    folder
        Where it may write.
    config
        What the run depends on.

    Raises
    ------
    MissingPackageError
        If wandb is not installed.
    """

    def __init__(self, *, project: str, folder: Path, config: Mapping[str, Any]) -> None:
        wandb = import_wandb()
        self._run: Any = None
        self._guarded(
            lambda: wandb.init(project=project, dir=str(folder), config=dict(config)), keep=True
        )

    def record(self, values: Mapping[str, float], *, epoch: int) -> None:
        """Send the numbers of an epoch."""
        self._guarded(lambda: self._run.log(dict(values), step=epoch))

    def finish(self, summary: Mapping[str, float]) -> None:
        """Send the final numbers and close the run."""
        self._guarded(lambda: self._run.summary.update(dict(summary)))
        self._guarded(lambda: self._run.finish())

    def _guarded(self, action: Callable[[], Any], *, keep: bool = False) -> None:
        if self._run is None and not keep:
            return
        try:
            result = action()
        except Exception as error:  # whatever it is, hours of training are worth more
            self._run = None
            _log.warning(
                "milplib: warning: wandb failed (%s: %s); training goes on without it",
                type(error).__name__,
                " ".join(str(error).split()),
            )
        else:
            self._run = result if keep else self._run


Tracker = NoTracker | WandbTracker


def make_tracker(track: bool, *, project: str, folder: Path, config: Mapping[str, Any]) -> Tracker:
    """Make the tracker that was asked for."""
    if not track:
        return NoTracker()
    return WandbTracker(project=project, folder=folder, config=config)
