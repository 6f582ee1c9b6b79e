"""Training loop for any network that scores candidates."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn
from torch.optim.lr_scheduler import ReduceLROnPlateau

from milplib.errors import MilplibError
from milplib.learn.dataset.graph import BranchingGraph
from milplib.learn.options import NetworkOptions
from milplib.learn.training.data import Batches, TrainingData, epoch_batches
from milplib.learn.training.device import Compute
from milplib.learn.training.losses import HardLabels, Loss
from milplib.learn.training.metrics import Judgement, Metrics, judge_batch, mean_metrics
from milplib.learn.training.state import TrainingState
from milplib.learn.training.task import EpochRecord

__all__ = ["Trainer"]


class Trainer:
    """Training loop: Adam, plateau schedule, early stopping, and the best weights.

    Parameters
    ----------
    model
        Module that returns the scores of the candidates of a batch of graphs.
    data
        Graphs for training and validation.
    options, loss, compute
        Options of training, loss (`HardLabels` if not given), and device (the CPU if not given).
    seed
        Seed of the batches, and of the network's random draws during training, such as dropout.

    Examples
    --------
    >>> import tempfile
    >>> from milplib.generators import GeneralizedIndependentSet
    >>> from milplib.learn import GCNN, collect
    >>> folder = tempfile.mkdtemp()
    >>> for seed in range(3):
    ...     instance = GeneralizedIndependentSet(n_nodes=40).generate(seed=seed)
    ...     instance.write(f"{folder}/{seed}.lp")
    >>> _ = collect([folder], out=folder + "/samples", samples_per_instance=1,
    ...             expert_probability=1.0)
    >>> options = NetworkOptions(epochs=2)
    >>> data = TrainingData.open([folder + "/samples"], options=options)
    >>> trainer = Trainer(GCNN(hidden=8), data, options=options)
    >>> while not trainer.is_done:
    ...     record = trainer.epoch()
    >>> record.epoch, len(trainer.state.history)
    (2, 2)
    """

    def __init__(
        self,
        model: nn.Module,
        data: TrainingData,
        *,
        options: NetworkOptions,
        seed: int = 0,
        loss: Loss | None = None,
        compute: Compute | None = None,
    ) -> None:
        self._data, self._options, self._seed = data, options, seed
        self._loss = loss or HardLabels()
        self._compute = compute or Compute.choose("cpu")
        self.model = model.to(self._compute.device)
        optimizer = torch.optim.Adam(self.model.parameters(), lr=options.learning_rate)
        self.state = TrainingState(self.model, optimizer)
        # Falls after `patience` epochs in a row without any improvement, however small.
        self._schedule = ReduceLROnPlateau(
            optimizer, factor=options.decay, patience=options.patience - 1, threshold=0, eps=0
        )
        self._sampler = epoch_batches(data.training, options, seed=seed)
        self._training = Batches(data.training, self._compute)
        self._validation = Batches(data.validation, self._compute)

    def batches(self, epoch: int) -> Iterator[BranchingGraph]:
        """Return the batches of an epoch; the first epoch is epoch 0."""
        return self._training(self._sampler.epoch(epoch))

    def resume(self, checkpoint: Path) -> None:
        """Resume from a saved state.

        Raises
        ------
        OutputError
            If the file is damaged.
        """
        self.state.load(checkpoint)
        self._schedule.best = self.state.best_loss
        self._schedule.num_bad_epochs = self.state.waiting % self._options.patience

    def use_best(self) -> None:
        """Load the best weights into the network."""
        self.model.load_state_dict(self.state.best)

    @property
    def is_done(self) -> bool:
        """Whether the maximum number of epochs is reached, or the validation loss has stalled."""
        return (
            len(self.state.history) >= self._options.epochs
            or self.state.waiting >= self._options.stop_after
        )

    def epoch(self) -> EpochRecord:
        """Train for an epoch and validate; update the best weights and the learning rate."""
        begin, state = time.monotonic(), self.state
        learning_rate, number = state.learning_rate, len(state.history) + 1
        with self._drawing(number):
            training_loss = self._train(self.batches(number - 1))
        metrics = mean_metrics(*self.judge())
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
        self._schedule.step(metrics.loss)
        record = EpochRecord(
            epoch=number,
            learning_rate=learning_rate,
            training_loss=training_loss,
            validation=metrics.as_dict(),
            seconds=time.monotonic() - begin,
        )
        state.history.append(record)
        return record

    @contextmanager
    def _drawing(self, epoch: int) -> Iterator[None]:
        """Seed torch by the seed and the epoch, so that a training can be resumed.

        The states of torch's generators are restored afterwards.
        """
        device = self._compute.device
        with torch.random.fork_rng([device] if self._compute.is_cuda else []):
            torch.manual_seed((self._seed * 1_000_003 + epoch) % 2**63)
            yield

    def _train(self, batches: Iterator[BranchingGraph]) -> float:
        self.model.train()
        total, samples = torch.zeros((), dtype=torch.float64, device=self._compute.device), 0
        for batch in batches:
            with self._compute.autocast():
                scores = self.model(batch).float()
            losses = self._loss(scores, batch)
            self.state.optimizer.zero_grad()
            losses.mean().backward()
            self.state.optimizer.step()
            total += losses.detach().sum()  # stays on the device: reading it would synchronise
            samples += batch.num_graphs
        return total.item() / samples

    @torch.no_grad()
    def judge(self) -> tuple[list[Judgement], list[float]]:
        """Return the judgement and the loss of each validation sample, in order."""
        self.model.eval()
        judgements: list[Judgement] = []
        losses: list[float] = []
        for batch in self._validation.in_order(self._options.batch_size):
            with self._compute.autocast():
                scores = self.model(batch).float()
            losses += self._loss(scores, batch).tolist()
            if not torch.isfinite(scores).all():
                raise MilplibError(
                    "the network's scores are not finite any more: train with a lower "
                    f"learning rate than {self._options.learning_rate}"
                )
            judgements += judge_batch(scores.cpu().numpy(), batch)
        return judgements, losses

    def judge_by_set(self) -> tuple[Metrics, tuple[tuple[str, Metrics], ...]]:
        """Return the metrics on all validation samples, and on each set."""
        judgements, losses = self.judge()
        by_set, start = [], 0
        graphs = self._data.validation
        for samples, size in zip(graphs.sample_sets, graphs.sizes, strict=True):
            part = slice(start, start + size)
            by_set.append((samples.folder.name, mean_metrics(judgements[part], losses[part])))
            start += size
        return mean_metrics(judgements, losses), tuple(by_set)
