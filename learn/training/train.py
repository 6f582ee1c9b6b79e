"""Training: from folders of samples to a policy file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from milplib.learn.dataset.graph_dataset import DEFAULT_CACHE_BYTES
from milplib.learn.models import GCNN, fit_norms
from milplib.learn.samples.statistics import ChoiceAgreement, sample_statistics
from milplib.learn.training.data import TrainingData, epoch_batches
from milplib.learn.training.device import Compute, cpu_threads
from milplib.learn.training.export import to_policy_file
from milplib.learn.training.folder import TrainingFolder
from milplib.learn.training.losses import Loss, load_loss
from milplib.learn.training.metrics import Metrics
from milplib.learn.training.parameters import TrainingParameters
from milplib.learn.training.state import EpochRecord
from milplib.learn.training.tracking import import_wandb, make_tracker
from milplib.learn.training.trainer import Trainer
from milplib.policies.file import write_policy
from milplib.version import __version__

__all__ = ["TrainingProgress", "TrainingResult", "train"]


@dataclass(frozen=True)
class TrainingProgress:
    """How far a training has come: what it does, steps of that done and in all, a few words."""

    phase: str
    done: int
    total: int
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class TrainingResult:
    """What a training gave.

    Parameters
    ----------
    policy, folder
        The policy file, and the folder with its log and curve.
    metrics
        Of the policy on all validation samples.
    by_set
        The same for each validation set, by the name of its folder.
    choices
        How trivial choices do on the same samples, by name.
    history
        The epochs.
    best_epoch
        The one whose weights were kept.
    training_samples
        Number of samples trained on.
    """

    policy: Path
    folder: Path
    metrics: Metrics
    by_set: tuple[tuple[str, Metrics], ...]
    choices: dict[str, ChoiceAgreement]
    history: tuple[EpochRecord, ...]
    best_epoch: int
    training_samples: int


def train(
    folders: Iterable[str | os.PathLike[str]],
    *,
    out: str | os.PathLike[str],
    validation: Iterable[str | os.PathLike[str]] = (),
    epochs: int = 1000,
    seed: int = 0,
    loss: str | Loss = "hard",
    mixture: str = "balanced",
    blocks: Sequence[str] = (),
    hidden: int = 64,
    sums: str = "absolute",
    batch_size: int = 32,
    batches_per_epoch: int = 312,
    learning_rate: float = 1e-3,
    patience: int = 10,
    stop_after: int = 20,
    holdout: float = 0.2,
    device: str = "auto",
    precision: str = "float32",
    threads: int = 1,
    cache_bytes: int = DEFAULT_CACHE_BYTES,
    track: bool = False,
    project: str = "milplib",
    force: bool = False,
    on_progress: Callable[[TrainingProgress], None] = lambda progress: None,
) -> TrainingResult:
    """Train a graph network on strong-branching samples, and write it as a policy file.

    Beside the policy stands the folder ``POLICY.training`` with ``log.csv``, a line an epoch, and
    ``curve.png``. After every epoch the state is kept there: a second call with the same arguments
    goes on where the first one was stopped, and gives the same policy. On processors of one kind
    equal arguments and samples give a policy of equal bytes.

    Parameters
    ----------
    folders
        Folders of samples, each a data set of the mixture.
    out
        The policy file to write.
    validation
        Folders of samples to judge by, of other instances. Without any, some instances of each
        data set are held out.
    epochs, seed, mixture, blocks, hidden, sums, batch_size, batches_per_epoch, learning_rate
        See `milplib.learn.training.TrainingParameters`.
    patience, stop_after, holdout
        See there, too.
    loss
        A name in `milplib.learn.training.LOSSES`, ``"package.module:Name"``, or a
        `milplib.learn.Loss`.
    device
        ``auto`` (CUDA where it is there, else the CPU), ``cpu``, ``cuda``, ``cuda:1``, …
    precision
        ``float32``, or ``bfloat16`` for automatic mixed precision.
    threads
        Of the CPU. On two cores that others use too, a second thread made an epoch slower, not
        faster: each waits for the other at every step.
    cache_bytes
        Memory for decoded samples of each side; what does not fit is decoded again each time.
    track, project
        Report to Weights & Biases, under this project: the epochs' numbers, and the policy file as
        an artefact. ``WANDB_MODE`` counts.
    force
        Replace a policy, or a training that has begun with other arguments.
    on_progress
        Called often, with what is being done.

    Returns
    -------
    TrainingResult
        How the best weights do on the validation samples.

    Raises
    ------
    SampleError
        If samples are missing, damaged or do not fit together, or validation shares instances
        with training.
    ParameterError, UnknownNameError
        If an argument is outside its domain, or CUDA is asked for and not there.
    OutputError
        If the policy is there, or another training of it.
    MissingPackageError
        If tracking is asked for without wandb.

    Examples
    --------
    >>> import tempfile
    >>> from milplib.generators import CombinatorialAuction
    >>> from milplib.learn import collect
    >>> folder = tempfile.mkdtemp()
    >>> for seed in range(3):
    ...     instance = CombinatorialAuction(n_items=50, n_bids=200).generate(seed=seed)
    ...     instance.write(f"{folder}/{seed}.lp")
    >>> _ = collect([folder], out=folder + "/samples", samples_per_instance=1,
    ...             expert_probability=1.0)
    >>> result = train([folder + "/samples"], out=folder + "/policy.safetensors", epochs=2,
    ...                hidden=8)
    >>> result.policy.name, len(result.history), 0 <= result.metrics.accuracy[0] <= 1
    ('policy.safetensors', 2, True)
    """
    parameters = TrainingParameters(
        epochs=epochs,
        seed=seed,
        mixture=mixture,
        blocks=tuple(blocks),
        hidden=hidden,
        sums=sums,
        batch_size=batch_size,
        batches_per_epoch=batches_per_epoch,
        learning_rate=learning_rate,
        patience=patience,
        stop_after=stop_after,
        holdout=holdout,
    )
    criterion = load_loss(loss)
    compute = Compute.choose(device, precision)
    if track:
        import_wandb()  # its absence must show before anything is written
    data = TrainingData.open(folders, validation, parameters=parameters, cache_bytes=cache_bytes)
    epoch_batches(data.training, parameters)  # refuses an unknown mixture
    job = {
        "parameters": asdict(parameters),
        "loss": criterion.name,
        "data": data.describe(),
        "device": compute.device.type,
        "precision": precision,
        "milplib": __version__,
        "torch": torch.__version__,
    }
    folder = TrainingFolder(Path(out), job)
    with cpu_threads(threads), compute.repeatable(), folder.claim(force=force) as begun:
        tracker = make_tracker(track, project=project, folder=folder.path, config=job)
        for graphs, what in ((data.training, "training"), (data.validation, "validation")):
            phase = f"reading {what} samples"
            graphs.load(
                on_progress=lambda done, total, phase=phase: on_progress(  # type: ignore[misc]
                    TrainingProgress(phase, done, total)
                )
            )
        # Drawn on the CPU, so that every device begins with the same weights.
        model = GCNN(
            hidden=hidden,
            sums=sums,
            n_block_columns=sum(len(block.columns) for block in data.training.blocks),
            generator=torch.Generator().manual_seed(seed),
        )
        trainer = Trainer(model, data, parameters=parameters, loss=criterion, compute=compute)
        if begun:
            trainer.state.load(folder.checkpoint)
            folder.write_log(trainer.state.history)
        else:
            on_progress(TrainingProgress("fitting norms", 0, 1))
            fit_norms(model, lambda: trainer.batches(0))
        while not trainer.is_done:
            record = trainer.epoch()
            folder.commit(trainer.state)
            tracker.record(_tracked(record), epoch=record.epoch)
            note = (
                f"loss {record.validation['loss']:.3f}, "
                f"accuracy@1 {record.validation['accuracy_1']:.3f}"
            )
            on_progress(TrainingProgress("training", record.epoch, epochs, note))
        state = trainer.state
        trainer.use_best()
        metrics, by_set = trainer.judge_by_set()
        best_epoch = len(state.history) - state.waiting
        content = to_policy_file(
            state.best,
            hidden=hidden,
            sums=sums,
            blocks=data.training.blocks,
            provenance={
                **job,
                "epochs": len(state.history),
                "best_epoch": best_epoch,
                "validation": metrics.as_dict(),
            },
        )
        write_policy(out, content)
        folder.finish(state)
        tracker.finish(metrics.as_dict(), policy=Path(out))
    positions = range(len(data.validation))
    return TrainingResult(
        policy=Path(out),
        folder=folder.path,
        metrics=metrics,
        by_set=by_set,
        choices=sample_statistics(data.validation.sample(i) for i in positions).choices,
        history=tuple(state.history),
        best_epoch=best_epoch,
        training_samples=len(data.training),
    )


def _tracked(record: EpochRecord) -> dict[str, float]:
    return {
        "learning_rate": record.learning_rate,
        "training/loss": record.training_loss,
        **{f"validation/{name}": value for name, value in record.validation.items()},
        "seconds": record.seconds,
    }
