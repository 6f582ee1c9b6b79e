"""Training of the graph convolutional network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import nn

from milplib.learn.models import GCNN, fit_norms
from milplib.learn.options import GcnnOptions
from milplib.learn.training.data import TrainingData
from milplib.learn.training.export import to_policy_file
from milplib.learn.training.network import fit_network
from milplib.learn.training.task import TrainingResult, TrainingTask
from milplib.learn.training.trainer import Trainer
from milplib.policies.file import PolicyFile
from milplib.scip import BlockSchema

__all__ = ["fit_gcnn"]


def fit_gcnn(task: TrainingTask) -> TrainingResult:
    """Train a `GCNN` with options `milplib.learn.options.GcnnOptions`."""
    return fit_network(task, _GcnnRecipe(task.options))


class _GcnnRecipe:
    def __init__(self, options: GcnnOptions) -> None:
        self._options = options
        self.job: Mapping[str, object] = {}  # the options determine the network

    def build(self, data: TrainingData, *, seed: int) -> nn.Module:
        return GCNN(
            hidden=self._options.hidden,
            sums=self._options.sums,
            n_block_columns=data.n_block_columns,
            generator=torch.Generator().manual_seed(seed),
        )

    def prepare(self, trainer: Trainer) -> None:
        assert isinstance(trainer.model, GCNN)
        fit_norms(trainer.model, lambda: trainer.batches(0))

    def policy_file(
        self,
        tensors: Mapping[str, torch.Tensor],
        *,
        blocks: Sequence[BlockSchema],
        provenance: Mapping[str, object],
    ) -> PolicyFile:
        return to_policy_file(
            tensors,
            hidden=self._options.hidden,
            sums=self._options.sums,
            blocks=blocks,
            provenance=provenance,
        )
