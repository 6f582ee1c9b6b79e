"""Training: from folders of samples to a policy file."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch_geometric.data import Batch

import milplib
from milplib.errors import MilplibError
from milplib.learn.dataset.graph_dataset import DEFAULT_CACHE_BYTES
from milplib.learn.models import GCNN, fit_norms
from milplib.learn.samples.statistics import ChoiceAgreement, sample_statistics
from milplib.learn.training.data import Batches, TrainingData, epoch_batches
from milplib.learn.training.device import Compute, cpu_threads
from milplib.learn.training.export import to_policy_file
from milplib.learn.training.folder import TrainingFolder
from milplib.learn.training.losses import Loss, load_loss
from milplib.learn.training.metrics import Judgement, Metrics, judge_batch, mean_metrics
from milplib.learn.training.parameters import TrainingParameters
from milplib.learn.training.state import EpochRecord, TrainingState
from milplib.learn.training.tracking import make_tracker
from milplib.policies.file import write_policy

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
    goes on where the first one was stopped, and gives the same policy. On a CPU equal arguments
    and samples give a policy of equal bytes.

    Parameters
    ----------
    folders
        Folders of samples, each a data set of the mixture.
    out
        The policy file to write.
    validation
        Folders of samples to judge by, of other instances. Without any, some instances of each
        data set are held out.
    epochs, seed, mixture, blocks, hidden, batch_size, batches_per_epoch, learning_rate
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
        Report to Weights & Biases, under this project. ``WANDB_MODE`` counts.
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
        batch_size=batch_size,
        batches_per_epoch=batches_per_epoch,
        learning_rate=learning_rate,
        patience=patience,
        stop_after=stop_after,
        holdout=holdout,
    )
    criterion = load_loss(loss)
    compute = Compute.choose(device, precision)
    data = TrainingData.open(folders, validation, parameters=parameters, cache_bytes=cache_bytes)
    sampler = epoch_batches(data.training, parameters)  # refuses an unknown mixture
    job = {
        "parameters": asdict(parameters),
        "loss": criterion.name,
        "data": data.describe(),
        "device": compute.device.type,
        "precision": precision,
        "milplib": milplib.__version__,
        "torch": torch.__version__,
    }
    folder = TrainingFolder(Path(out), job)
    with cpu_threads(threads), folder.claim(force=force) as begun:
        tracker = make_tracker(track, project=project, folder=folder.path, config=job)
        for graphs, what in ((data.training, "training"), (data.validation, "validation")):
            phase = f"reading {what} samples"
            graphs.load(
                on_progress=lambda done, total, phase=phase: on_progress(  # type: ignore[misc]
                    TrainingProgress(phase, done, total)
                )
            )
        trainer = _Trainer(data, parameters, criterion, compute)
        if begun:
            trainer.state.load(folder.checkpoint)
            folder.write_log(trainer.state.history)
        else:
            on_progress(TrainingProgress("fitting norms", 0, 1))
            first = sampler.epoch(0)
            fit_norms(trainer.model, lambda: trainer.training(first))
        while not trainer.is_done:
            order = sampler.epoch(len(trainer.state.history))
            record = trainer.epoch(order)
            folder.commit(trainer.state)
            tracker.record(_tracked(record), epoch=record.epoch)
            note = (
                f"loss {record.validation['loss']:.3f}, "
                f"accuracy@1 {record.validation['accuracy_1']:.3f}"
            )
            on_progress(TrainingProgress("training", record.epoch, epochs, note))
        state = trainer.state
        trainer.model.load_state_dict(state.best)
        metrics, by_set = trainer.judge_by_set()
        best_epoch = len(state.history) - state.waiting
        content = to_policy_file(
            state.best,
            hidden=hidden,
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
        tracker.finish(metrics.as_dict())
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


class _Trainer:
    """The loop over epochs."""

    def __init__(
        self, data: TrainingData, parameters: TrainingParameters, loss: Loss, compute: Compute
    ) -> None:
        self._data, self._parameters = data, parameters
        self._loss, self._compute = loss, compute
        columns = sum(len(block.columns) for block in data.training.blocks)
        # Drawn on the CPU, so that every device begins with the same weights.
        generator = torch.Generator().manual_seed(parameters.seed)
        model = GCNN(hidden=parameters.hidden, n_block_columns=columns, generator=generator)
        self.model = model.to(compute.device)
        optimizer = torch.optim.Adam(self.model.parameters(), lr=parameters.learning_rate)
        self.state = TrainingState(self.model, optimizer)
        self.training = Batches(data.training, compute)
        self._validation = Batches(data.validation, compute)

    @property
    def is_done(self) -> bool:
        return (
            len(self.state.history) >= self._parameters.epochs
            or self.state.waiting >= self._parameters.stop_after
        )

    def epoch(self, order: Sequence[Iterable[int]]) -> EpochRecord:
        """Train for an epoch and judge; keep the best weights, follow the schedule."""
        begin, state = time.monotonic(), self.state
        learning_rate, number = state.learning_rate, len(state.history) + 1
        training_loss = self._train(self.training(order))
        metrics = mean_metrics(*self._judge())
        if not (math.isfinite(training_loss) and math.isfinite(metrics.loss)):
            raise MilplibError(
                f"the loss is not finite any more in epoch {number} (training {training_loss}, "
                f"validation {metrics.loss}): train with a lower learning rate than {learning_rate}"
            )
        if metrics.loss < state.best_loss:
            state.best_loss, state.waiting = metrics.loss, 0
            state.best = {name: t.detach().clone() for name, t in self.model.state_dict().items()}
        else:
            state.waiting += 1
            if state.waiting % self._parameters.patience == 0:
                state.learning_rate *= self._parameters.decay
        record = EpochRecord(
            epoch=number,
            learning_rate=learning_rate,
            training_loss=training_loss,
            validation=metrics.as_dict(),
            seconds=time.monotonic() - begin,
        )
        state.history.append(record)
        return record

    def _train(self, batches: Iterator[Batch]) -> float:
        total, samples = torch.zeros((), dtype=torch.float64, device=self._compute.device), 0
        for batch in batches:
            with self._compute.autocast():
                scores = self.model(batch)
            losses = self._loss(scores, batch)
            self.state.optimizer.zero_grad()
            losses.mean().backward()  # type: ignore[no-untyped-call]
            self.state.optimizer.step()
            total += losses.detach().sum()  # stays on the device: asking for it would wait
            samples += batch.num_graphs
        return total.item() / samples

    @torch.no_grad()
    def _judge(self) -> tuple[list[Judgement], list[float]]:
        judgements: list[Judgement] = []
        losses: list[float] = []
        for batch in self._validation.in_order(self._parameters.batch_size):
            with self._compute.autocast():
                scores = self.model(batch)
            losses += self._loss(scores, batch).tolist()
            if not torch.isfinite(scores).all():
                raise MilplibError(
                    "the network's scores are not finite any more: train with a lower "
                    f"learning rate than {self._parameters.learning_rate}"
                )
            judgements += judge_batch(scores.cpu().numpy(), batch)
        return judgements, losses

    def judge_by_set(self) -> tuple[Metrics, tuple[tuple[str, Metrics], ...]]:
        """Metrics on all validation samples, and on each set's."""
        judgements, losses = self._judge()
        by_set, start = [], 0
        graphs = self._data.validation
        for samples, size in zip(graphs.sample_sets, graphs.sizes, strict=True):
            part = slice(start, start + size)
            by_set.append((samples.folder.name, mean_metrics(judgements[part], losses[part])))
            start += size
        return mean_metrics(judgements, losses), tuple(by_set)
