"""Training of a user's torch module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import nn

from milplib.errors import ParameterError
from milplib.learn.models.network_policy import build_network, network_file
from milplib.learn.options import OwnNetworkOptions
from milplib.learn.training.data import TrainingData
from milplib.learn.training.network import fit_network
from milplib.learn.training.task import TrainingResult, TrainingTask
from milplib.learn.training.trainer import Trainer
from milplib.policies.file import PolicyFile
from milplib.policies.networks import check_network_options, network_name
from milplib.scip import BlockSchema

__all__ = ["fit_own_network"]


def fit_own_network(task: TrainingTask) -> TrainingResult:
    """Train a torch module with options `milplib.learn.options.OwnNetworkOptions`.

    Raises
    ------
    ParameterError
        If no class is named, if the options do not fit its constructor, or if it does not return
        a score for each candidate.
    """
    network = task.kind.network
    if network is None:
        raise ParameterError(
            f"the model '{task.kind.name}' is a torch module of your own: name its class, as "
            "package.module:Net"
        )
    check_network_options(network, task.options.model_options)
    return fit_network(task, _OwnRecipe(network, task.options))


class _OwnRecipe:
    def __init__(self, network: type[nn.Module], options: OwnNetworkOptions) -> None:
        self._network, self._options = network, options
        self.job: Mapping[str, object] = {
            "network": network_name(network),
            "model_options": dict(options.model_options),
        }

    def build(self, data: TrainingData, *, seed: int) -> nn.Module:
        module = build_network(
            self._network,
            self._options.model_options,
            blocks=data.training.blocks,
            seed=seed,
        )
        self._check_scores(module, data, seed=seed)
        if not any(parameter.requires_grad for parameter in module.parameters()):
            raise ParameterError(f"{network_name(self._network)} has no parameters to train")
        return module

    def _check_scores(self, module: nn.Module, data: TrainingData, *, seed: int) -> None:
        """Check the module's scores of a first batch, which also initialises lazy modules."""
        size = min(self._options.batch_size, len(data.training))
        batch = data.training.batch(range(size))
        name, k = network_name(self._network), len(batch.candidates)
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            torch.manual_seed(seed)
            try:
                scores = module.eval()(batch)
            except Exception as error:  # a user's class may raise anything
                raise ParameterError(
                    f"{name} fails on the first batch of graphs: {type(error).__name__}: "
                    f"{' '.join(str(error).split())}"
                ) from error
        if not isinstance(scores, torch.Tensor) or scores.shape != (k,):
            shape = getattr(scores, "shape", None)
            result = type(scores).__name__ if shape is None else f"scores of shape {tuple(shape)}"
            raise ParameterError(
                f"{name} gives {result} for the {k} candidates of the first batch of graphs: let "
                f"forward return a tensor of shape ({k},), a score for each of batch.candidates"
            )
        if not scores.is_floating_point():
            raise ParameterError(f"{name} gives scores of {scores.dtype}: return floats")

    def prepare(self, trainer: Trainer) -> None:
        """Do nothing: the module is trained as built."""

    def policy_file(
        self,
        tensors: Mapping[str, torch.Tensor],
        *,
        blocks: Sequence[BlockSchema],
        provenance: Mapping[str, object],
    ) -> PolicyFile:
        return network_file(
            self._network,
            tensors,
            options=self._options.model_options,
            blocks=blocks,
            provenance=provenance,
        )
