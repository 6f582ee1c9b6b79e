"""Reader of a training's folder for `milplib.runs`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from milplib.parsing import parse_csv, parse_number, read_regular
from milplib.runs import RunContents
from milplib.schema import conforming

__all__ = ["CHECKPOINT", "FORMAT", "LOG", "TRAINING"]

FORMAT = "milplib-training"
"""Format of the manifest of a training's folder."""
LOG = "log.csv"
"""Name of the log, one line per epoch."""
CHECKPOINT = "checkpoint.safetensors"
"""Name of the state after the last epoch, which is there until the training is complete."""


class _Training:
    noun = "training"
    version = 1
    task_unit = "epochs"
    unit = "policies"

    def total(self, manifest: Mapping[str, Any]) -> int:
        return conforming(manifest["config"]["epochs"], int, name="config.epochs")

    def unfinished(self, tasks: Sequence[Mapping[str, Any]]) -> RunContents:
        raise ValueError("a training has no folder of unfinished tasks")

    def finished(self, manifest: Mapping[str, Any], folder: Path) -> RunContents:
        """Read the log. The folder is the same while the training lasts and afterwards."""
        try:
            epochs = [
                {name: parse_number(value) for name, value in line.items()}
                for line in parse_csv(read_regular(folder / LOG))
            ]
        except FileNotFoundError:  # before the end of the first epoch
            epochs = []
        is_complete = bool(epochs) and not (folder / CHECKPOINT).exists()
        return RunContents(
            done=len(epochs),
            results=int(is_complete),
            failures=(),
            seconds=sum(epoch["seconds"] for epoch in epochs),
            is_complete=is_complete,
            notes=self._notes(epochs, is_complete, self.total(manifest)),
        )

    def _notes(
        self, epochs: Sequence[Mapping[str, float]], is_complete: bool, total: int
    ) -> dict[str, str]:
        if not epochs:
            return {}
        best, last = min(epochs, key=lambda epoch: epoch["validation_loss"]), epochs[-1]
        notes = {"best validation": _validation(best), "last validation": _validation(last)}
        if is_complete and len(epochs) < total:
            notes["stopped early"] = "the validation loss no longer improved"
        return notes


def _validation(epoch: Mapping[str, float]) -> str:
    return (
        f"loss {epoch['validation_loss']:.3f}, accuracy@1 {epoch['accuracy_1']:.3f} after epoch "
        f"{epoch['epoch']:.0f}"
    )


TRAINING = _Training()
"""Kind of run of `milplib.learn.train`, for models that are trained in epochs."""
