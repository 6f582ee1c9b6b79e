"""Losses between the scores of a network and those of the expert."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Protocol, runtime_checkable

import torch
from torch_geometric.utils import scatter

from milplib.errors import ParameterError, UnknownNameError
from milplib.learn.names import LossName
from milplib.named import load_object

__all__ = ["LOSSES", "HardLabels", "Loss", "SoftTargets", "load_loss"]


@runtime_checkable
class Loss(Protocol):
    """Loss of each graph of a batch.

    It must ignore candidates without a valid score. Training minimises the mean over graphs.

    Examples
    --------
    >>> class SquaredRank:
    ...     name = "squared rank"
    ...
    ...     def __call__(self, scores, batch):
    ...         ...
    >>> isinstance(SquaredRank(), Loss)
    True
    """

    @property
    def name(self) -> str:
        """Name of the loss in the policy file."""
        ...

    def __call__(self, scores: torch.Tensor, batch: Any) -> torch.Tensor:
        """Compute the losses.

        Parameters
        ----------
        scores
            Scores of the network for the candidates of all graphs, one after the other. Shape
            (k,), float32.
        batch
            The graphs, with ``scores``, ``valid`` and ``tied`` of the expert, shape (k,), and
            ``candidates_batch``, the number of each candidate's graph.

        Returns
        -------
        Tensor
            Loss of each graph. Shape (graphs,).
        """
        ...


class HardLabels:
    """Cross-entropy against the expert's best candidates, which share the label equally.

    Examples
    --------
    >>> from milplib.learn.dataset import BranchingGraph
    >>> from milplib.learn.dataset import to_batch
    >>> batch = to_batch([BranchingGraph(
    ...     variable_features=torch.zeros(4, 19), candidates=torch.arange(4),
    ...     valid=torch.tensor([True, True, True, False]),
    ...     tied=torch.tensor([True, True, False, False]))])
    >>> HardLabels()(torch.tensor([0.0, 0.0, 0.0, 9.0]), batch).exp().round(decimals=3).tolist()
    [3.0]
    """

    name = LossName.HARD

    def __call__(self, scores: torch.Tensor, batch: Any) -> torch.Tensor:
        """Compute the losses. Shape (graphs,)."""
        target = batch.tied.to(scores.dtype)
        return _cross_entropy(scores, target, batch)


class SoftTargets:
    """Cross-entropy against targets that fall off with the expert's scores.

    The target of a candidate is proportional to ``exp(-regret / temperature)``, where regret is
    ``(best - score) / |best|``: near-ties get nearly equal shares. If the best score is 0, the
    candidates tied with it share the target equally.

    Parameters
    ----------
    temperature
        Regret at which a target is 1/e of the target of the best candidate.

    Examples
    --------
    >>> from milplib.learn.dataset import BranchingGraph
    >>> from milplib.learn.dataset import to_batch
    >>> batch = to_batch([BranchingGraph(
    ...     variable_features=torch.zeros(2, 19), candidates=torch.arange(2),
    ...     valid=torch.tensor([True, True]), tied=torch.tensor([False, True]),
    ...     scores=torch.tensor([1.0, 2.0]).double())])
    >>> round(SoftTargets(temperature=0.5)(torch.tensor([0.0, 1.0]), batch).item(), 2)
    0.58
    """

    name = LossName.SOFT

    def __init__(self, *, temperature: float = 0.1) -> None:
        if not temperature > 0:
            raise ParameterError(f"the temperature is {temperature}; it must be positive")
        self.temperature = temperature

    def __call__(self, scores: torch.Tensor, batch: Any) -> torch.Tensor:
        """Compute the losses. Shape (graphs,)."""
        masked = batch.scores.masked_fill(~batch.valid, -torch.inf)
        best = _of_graphs(masked, batch, reduce="max")[batch.candidates_batch]
        regret = (best - batch.scores) / best.abs()
        target = (-regret / self.temperature).exp()
        target = torch.where(best == 0, batch.tied.to(target.dtype), target)
        return _cross_entropy(scores, target.to(scores.dtype), batch)


def _cross_entropy(scores: torch.Tensor, target: torch.Tensor, batch: Any) -> torch.Tensor:
    """Compute the cross-entropy over each graph's valid candidates; targets need not sum to 1."""
    graph, valid = batch.candidates_batch, batch.valid
    target = target.masked_fill(~valid, 0.0)
    # Subtracting the maximum only prevents overflow, so it needs no gradient.
    masked = scores.detach().masked_fill(~valid, -torch.inf)
    shifted = scores - _of_graphs(masked, batch, reduce="max")[graph]
    # Mask before exp: an overflow there would make the gradient NaN.
    shifted = shifted.masked_fill(~valid, -torch.inf)
    log_total = _of_graphs(shifted.exp(), batch, reduce="sum").log()
    shifted = shifted.masked_fill(~valid, 0.0)
    weight = _of_graphs(target, batch, reduce="sum")
    return log_total - _of_graphs(target * shifted, batch, reduce="sum") / weight


def _of_graphs(values: torch.Tensor, batch: Any, *, reduce: str) -> torch.Tensor:
    """Reduce the values of each graph's candidates to one value."""
    index, size = batch.candidates_batch, batch.num_graphs
    reduced: torch.Tensor = scatter(values, index, dim_size=size, reduce=reduce)
    return reduced


LOSSES: MappingProxyType[str, type[Loss]] = MappingProxyType(
    {LossName.HARD: HardLabels, LossName.SOFT: SoftTargets}
)
"""Losses of milplib, by name."""


def load_loss(name: object) -> Loss:
    """Return a loss by its name.

    Parameters
    ----------
    name
        Name in `LOSSES`, ``"package.module:Name"`` of a class or object of your own, or a `Loss`.

    Raises
    ------
    UnknownNameError
        If the name is unknown.
    ParameterError
        If the object cannot be imported, or is not a loss.

    Examples
    --------
    >>> load_loss("hard").name
    'hard'
    """
    if not isinstance(name, str):
        candidate: Any = name
    elif ":" not in name:
        if name not in LOSSES:
            raise UnknownNameError(
                "loss", name, LOSSES, hint="(one of your own: package.module:Name)"
            )
        candidate = LOSSES[name]()
    else:
        candidate = load_object(name, role="loss", instantiate=True)
    if not (callable(candidate) and isinstance(getattr(candidate, "name", None), str)):
        raise ParameterError(
            f"{candidate!r} is not a loss: give it a name, and let it be called with scores and a "
            "batch (milplib.learn.Loss)"
        )
    loss: Loss = candidate
    return loss
