"""Folder beside a policy file, with the checkpoint, log and curve of its training."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from milplib.errors import OutputError
from milplib.files import (
    atomic_write,
    atomic_write_json,
    check_replaceable,
    exclusive_lock,
    open_folder,
    remove_leftovers,
)
from milplib.learn.training.metrics import TOP_K
from milplib.learn.training.state import TrainingState
from milplib.learn.training.task import EpochRecord
from milplib.learn.training_run import CHECKPOINT, FORMAT, LOG, TRAINING
from milplib.runs.folder import MANIFEST

__all__ = ["TrainingFolder", "check_policy_target", "draw_curve"]


class TrainingFolder:
    """Folder ``POLICY.training`` with ``log.csv`` and ``curve.png``.

    Its ``manifest.json`` is for ``milplib status``. It holds ``checkpoint.safetensors`` until the
    training is complete.

    Parameters
    ----------
    policy
        Policy file to be written.
    job
        Everything that the policy depends on, as JSON values. A checkpoint of another job is not
        resumed.
    """

    def __init__(self, policy: Path, job: Mapping[str, object]) -> None:
        self.policy = policy
        self.path = policy.with_name(f"{policy.name}.training")
        self.checkpoint = self.path / CHECKPOINT
        self.log = self.path / LOG
        self.curve = self.path / "curve.png"
        self._job = json.loads(json.dumps(job))

    @contextmanager
    def claim(self, *, force: bool) -> Iterator[bool]:
        """Lock the folder; yield whether it holds a checkpoint to resume from.

        Raises
        ------
        OutputError
            If the policy exists or another training was started and `force` is False, or if
            another process is training the policy.
        """
        # A training that was killed after it had written its policy is finished by the same call.
        is_begun = TrainingState.job_of(self.checkpoint) == self._job
        check_policy_target(self.policy, force=force or is_begun)
        if open_folder(self.path, clean=False) and not (self.path / "lock").exists():
            raise OutputError(f"{self.path} is not a training folder: move it away")
        busy = f"another process is training {self.policy}: wait for it, or stop it"
        with exclusive_lock(self.path / "lock", busy=busy):
            remove_leftovers(self.path)
            if force:
                for path in (self.checkpoint, self.log, self.curve):
                    path.unlink(missing_ok=True)
            begun = self.checkpoint.exists()
            if begun and TrainingState.job_of(self.checkpoint) != self._job:
                raise OutputError(
                    f"another training, with other arguments or other samples, has begun in "
                    f"{self.path}: run that one again to go on with it, or begin anew with --force"
                )
            self._write_manifest()
            yield begun

    def _write_manifest(self) -> None:
        job = self._job
        content = {
            "format": FORMAT,
            "version": TRAINING.version,
            "config": {**job["parameters"], "policy": self.policy.name},
            "software": {name: job[name] for name in ("milplib", "torch")},
        }
        atomic_write_json(self.path / MANIFEST, content)

    def commit(self, state: TrainingState) -> None:
        """Save the state after an epoch, and write the log."""
        state.save(self.checkpoint, job=self._job)
        self.write_log(state.history)

    def write_log(self, history: Sequence[EpochRecord]) -> None:
        """Write the log, one line per epoch."""
        text = io.StringIO()
        lines = [_log_line(record) for record in history]
        writer = csv.DictWriter(text, fieldnames=list(lines[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)
        with atomic_write(self.log) as stream:
            stream.write(text.getvalue().encode())

    def finish(self, state: TrainingState) -> None:
        """Draw the curve and remove the checkpoint, once the policy is written."""
        draw_curve(state.history, self.curve)
        self.checkpoint.unlink(missing_ok=True)


def check_policy_target(policy: Path, *, force: bool) -> None:
    """Check that a policy file may be written, before anything is trained.

    Raises
    ------
    OutputError
        If its folder is missing, if it is no regular file, or if it exists and `force` is False.
    """
    if not policy.parent.is_dir():
        raise OutputError(f"cannot write {policy}: there is no folder {policy.parent}")
    if policy.is_dir():
        raise OutputError(f"{policy} is a folder; name a policy file")
    check_replaceable(policy)
    if policy.exists() and not force:
        raise OutputError(
            f"the policy {policy} is already there; nothing was written: choose another "
            "name, or replace it with --force"
        )


def _log_line(record: EpochRecord) -> dict[str, float]:
    validation = dict(record.validation)
    return {
        "epoch": record.epoch,
        "learning_rate": record.learning_rate,
        "training_loss": record.training_loss,
        "validation_loss": validation.pop("loss"),
        **{name: value for name, value in validation.items() if name != "samples"},
        "seconds": round(record.seconds, 3),
    }


def draw_curve(history: Sequence[EpochRecord], path: Path) -> None:
    """Draw losses and accuracies over epochs as a PNG file."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    epochs = [record.epoch for record in history]
    best = min(history, key=lambda record: record.validation["loss"])
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    FigureCanvasAgg(figure)  # draws without a display
    losses, accuracies = figure.subplots(1, 2)
    losses.plot(epochs, [record.training_loss for record in history], label="training")
    losses.plot(epochs, [record.validation["loss"] for record in history], label="validation")
    losses.set_ylabel("loss")
    for k in TOP_K:
        shares = [record.validation[f"accuracy_{k}"] for record in history]
        accuracies.plot(epochs, shares, label=f"accuracy@{k}")
    regrets = [record.validation["regret"] for record in history]
    accuracies.plot(epochs, regrets, linestyle="--", color="black", label="score regret")
    accuracies.set_ylabel("validation")
    accuracies.set_ylim(0, 1)
    for axes in (losses, accuracies):
        axes.axvline(best.epoch, color="grey", linewidth=0.8, linestyle=":")
        axes.set_xlabel(f"epoch (best: {best.epoch})")
        axes.grid(alpha=0.3)
        axes.legend(fontsize="small")
    # Neither time nor version in the metadata, so that equal trainings have equal pictures.
    with atomic_write(path) as stream:
        figure.savefig(stream, format="png", dpi=150, metadata={"Software": None})
