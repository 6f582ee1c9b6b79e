"""Training of networks in epochs, from samples to a policy file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Protocol

import torch
from torch import nn

from milplib.learn.options import NetworkOptions, NetworkRunOptions
from milplib.learn.samples.statistics import sample_statistics
from milplib.learn.training.data import TrainingData, epoch_batches
from milplib.learn.training.device import Compute, cpu_threads
from milplib.learn.training.folder import TrainingFolder
from milplib.learn.training.initial import InitialPolicy
from milplib.learn.training.losses import load_loss
from milplib.learn.training.task import (
    EpochRecord,
    TrainingProgress,
    TrainingResult,
    TrainingTask,
)
from milplib.learn.training.tracking import import_wandb, make_tracker
from milplib.learn.training.trainer import Trainer
from milplib.policies.file import PolicyFile, write_policy
from milplib.scip import BlockSchema
from milplib.version import __version__

__all__ = ["NetworkRecipe", "fit_network"]


class NetworkRecipe(Protocol):
    """Parts of the training that differ between kinds of networks."""

    @property
    def job(self) -> Mapping[str, object]:
        """Everything the policy depends on beside options, data and seed, as JSON values."""
        ...

    def build(self, data: TrainingData, *, seed: int) -> nn.Module:
        """Build the network on the CPU, with initial weights drawn from the seed."""
        ...

    def prepare(self, trainer: Trainer) -> None:
        """Prepare the network before the first epoch; skipped with an initial policy."""
        ...

    def policy_file(
        self,
        tensors: Mapping[str, torch.Tensor],
        *,
        blocks: Sequence[BlockSchema],
        provenance: Mapping[str, object],
    ) -> PolicyFile:
        """Describe the network as a policy file."""
        ...


def fit_network(task: TrainingTask, recipe: NetworkRecipe) -> TrainingResult:
    """Train a network, or resume its training, and write its policy file."""
    options: NetworkOptions = task.options
    run: NetworkRunOptions = task.run_options
    loss = load_loss(options.loss)
    compute = Compute.choose(run.device, run.precision)
    if run.track:
        import_wandb()  # report a missing package before writing anything
    initial = InitialPolicy.read(options.initial_policy) if options.initial_policy else None
    data = TrainingData.open(
        task.folders,
        task.validation,
        options=options,
        seed=task.seed,
        cache_bytes=run.cache_bytes,
    )
    epoch_batches(data.training, options, seed=task.seed)  # refuses an unknown mixture
    described = data.describe()
    job = {
        "parameters": _parameters(options) | {"seed": task.seed},
        "loss": loss.name,
        "data": initial.with_seen_instances(described) if initial else described,
        "device": compute.device.type,
        "precision": run.precision,
        "milplib": __version__,
        "torch": torch.__version__,
        **recipe.job,
        **(initial.job if initial else {}),
    }
    # Drawn on the CPU, so that every device starts with the same weights.
    model = recipe.build(data, seed=task.seed)
    if initial:
        initial.load_into(
            model,
            recipe.policy_file(model.state_dict(), blocks=data.training.blocks, provenance={}),
        )
    folder = TrainingFolder(task.out, job)
    with cpu_threads(run.threads), compute.repeatable(), folder.claim(force=task.force) as begun:
        tracker = make_tracker(run.track, project=run.project, folder=folder.path, config=job)
        for graphs, role in ((data.training, "training"), (data.validation, "validation")):
            phase = f"reading {role} samples"
            graphs.load(
                on_progress=lambda done, total, phase=phase: task.on_progress(  # type: ignore[misc]
                    TrainingProgress(phase, done, total)
                )
            )
        trainer = Trainer(model, data, options=options, seed=task.seed, loss=loss, compute=compute)
        if begun:
            trainer.resume(folder.checkpoint)
            folder.write_log(trainer.state.history)
        elif not initial:
            task.on_progress(TrainingProgress("fitting norms", 0, 1))
            recipe.prepare(trainer)
        while not trainer.is_done:
            record = trainer.epoch()
            folder.commit(trainer.state)
            tracker.record(_tracked(record), epoch=record.epoch)
            note = (
                f"loss {record.validation['loss']:.3f}, "
                f"accuracy@1 {record.validation['accuracy_1']:.3f}"
            )
            task.on_progress(TrainingProgress("training", record.epoch, options.epochs, note))
        state = trainer.state
        trainer.use_best()
        metrics, by_set = trainer.judge_by_set()
        best_epoch = len(state.history) - state.waiting
        content = recipe.policy_file(
            state.best,
            blocks=data.training.blocks,
            provenance={
                **job,
                "epochs": len(state.history),
                "best_epoch": best_epoch,
                "validation": metrics.as_dict(),
            },
        )
        positions = range(len(data.validation))
        result = TrainingResult(
            policy=task.out,
            model=task.kind.name,
            folder=folder.path,
            metrics=metrics,
            by_set=by_set,
            choices=sample_statistics(data.validation.sample(i) for i in positions).choices,
            history=tuple(state.history),
            best_epoch=best_epoch,
            training_samples=len(data.training),
        )
        task.on_result(result)
        write_policy(task.out, content)
        folder.finish(state)
        tracker.finish(metrics.as_dict(), policy=task.out)
    return result


def _parameters(options: NetworkOptions) -> dict[str, object]:
    """Return the plain options; the job holds the others separately."""
    others = ("loss", "initial_policy", "model_options")
    return {f.name: getattr(options, f.name) for f in fields(options) if f.name not in others}


def _tracked(record: EpochRecord) -> dict[str, float]:
    return {
        "learning_rate": record.learning_rate,
        "training/loss": record.training_loss,
        **{f"validation/{name}": value for name, value in record.validation.items()},
        "seconds": record.seconds,
    }
