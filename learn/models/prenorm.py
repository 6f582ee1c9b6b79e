"""Passes over the data that fix the norms of a network before training."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch

from milplib.learn.models.edge_sum import edge_moments
from milplib.learn.models.gcnn import GCNN, HalfConvolution, Norm
from milplib.learn.models.moments import Moments

__all__ = ["fit_norms"]

_Inputs = Iterator[tuple[Norm, Moments]]


def fit_norms(model: GCNN, batches: Callable[[], Iterable[Any]]) -> None:
    """Fix the norms layer by layer, each by the output of the layers before it.

    Statistics are in float64, over all nodes and edges, not only those of the candidates. A norm
    with a single scale uses the variance of all its units together, around their common mean.

    Parameters
    ----------
    model
        The network, with its initial weights.
    batches
        Function that returns the same graphs on each of five calls: one for the norms of the
        inputs, and one for each of the four norms inside.

    References
    ----------
    Gasse et al., "Exact combinatorial optimization with graph convolutional neural networks",
    NeurIPS 2019, section 4.3, "prenorm".

    Examples
    --------
    >>> from milplib.learn.dataset import BranchingGraph
    >>> graph = BranchingGraph(
    ...     variable_features=torch.rand(3, 19), row_features=torch.rand(2, 5),
    ...     edge_index=torch.tensor([[0, 0, 1], [0, 1, 2]]), edge_features=torch.ones(3),
    ...     candidates=torch.tensor([1, 2]), block_features=torch.empty(2, 0))
    >>> model = GCNN(hidden=8)
    >>> fit_norms(model, lambda: [graph])
    >>> embedded = model.variable_norm(graph.variable_features)
    >>> bool(embedded.mean().abs() < 1e-5)
    True
    """
    for stage in (_inputs, _row_messages, _row_sums, _variable_messages, _variable_sums):
        totals: dict[Norm, Moments] = {}
        with torch.no_grad():
            for batch in batches():
                for norm, moments in stage(model, batch):
                    if moments.count:
                        total = totals.get(norm)
                        totals[norm] = moments if total is None else total.joined(moments)
            for norm, moments in totals.items():
                norm.fix(moments.mean, moments.variance)


def _inputs(model: GCNN, graph: Any) -> _Inputs:
    yield model.variable_norm, Moments.of(graph.variable_features)
    yield model.row_norm, Moments.of(graph.row_features)
    yield model.edge_norm, Moments.of(model.edge_features(graph)[:, None])
    if model.block_norm is not None:
        yield model.block_norm, Moments.of(graph.block_features)


def _row_messages(model: GCNN, graph: Any) -> _Inputs:
    variables, rows = model.embed(graph)
    return _messages(model.to_rows, rows, variables, *_edges(model, graph))


def _row_sums(model: GCNN, graph: Any) -> _Inputs:
    variables, rows = model.embed(graph)
    weights, _ = model.sum_weights(graph)
    return _sums(model.to_rows, rows, variables, *_edges(model, graph), weights)


def _variable_messages(model: GCNN, graph: Any) -> _Inputs:
    variables, rows = _after_rows(model, graph)
    edge_index, edges = _edges(model, graph)
    return _messages(model.to_variables, variables, rows, edge_index.flip(0), edges)


def _variable_sums(model: GCNN, graph: Any) -> _Inputs:
    variables, rows = _after_rows(model, graph)
    edge_index, edges = _edges(model, graph)
    _, weights = model.sum_weights(graph)
    return _sums(model.to_variables, variables, rows, edge_index.flip(0), edges, weights)


def _edges(model: GCNN, graph: Any) -> tuple[torch.Tensor, torch.Tensor]:
    return graph.edge_index, model.edge_norm(model.edge_features(graph))


def _after_rows(model: GCNN, graph: Any) -> tuple[torch.Tensor, torch.Tensor]:
    variables, rows = model.embed(graph)
    weights, _ = model.sum_weights(graph)
    return variables, model.to_rows(rows, variables, *_edges(model, graph), weights)


def _messages(
    convolution: HalfConvolution,
    targets: torch.Tensor,
    sources: torch.Tensor,
    edge_index: torch.Tensor,
    edges: torch.Tensor,
) -> _Inputs:
    projected, edge, sent = convolution.projections(targets, sources)
    for moments in edge_moments(projected, sent, edge, edge_index, edges):
        yield convolution.message_norm, moments


def _sums(
    convolution: HalfConvolution,
    targets: torch.Tensor,
    sources: torch.Tensor,
    edge_index: torch.Tensor,
    edges: torch.Tensor,
    weights: torch.Tensor | None,
) -> _Inputs:
    values = convolution.aggregate(targets, sources, edge_index, edges, weights)
    yield convolution.output_norm, Moments.of(values.reshape(-1, 1))
