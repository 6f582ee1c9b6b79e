"""Sums over the edges of a half-convolution, and their gradients.

On a CPU with milplib's native code, a fused kernel keeps each edge in registers; elsewhere plain
torch operations compute the same.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd.function import once_differentiable

from milplib.learn.models.moments import Moments
from milplib.scip.native import forced_level, native_module

__all__ = ["edge_moments", "edge_sum"]

# On a CPU a piece of the edges stays in cache for all passes over it: 1.5 times faster than whole
# passes (96,000 edges of 64 units: 17 ms instead of 27 ms, forward and backward; pieces of 1,024
# and 8,192 are slower). On a GPU whole passes are faster.
_CPU_PIECE = 4096


def edge_sum(
    target: torch.Tensor,
    source: torch.Tensor,
    edge: torch.Tensor,
    edge_index: torch.Tensor,
    edge_features: torch.Tensor,
) -> torch.Tensor:
    r"""Sum ``relu(target[t] + edge * e + source[s])`` over the edges of each target node.

    No tensor of shape (edges, hidden) outlives the call: the backward pass recomputes it.

    Parameters
    ----------
    target, source
        Projections of the target and source nodes. Shape (targets, h) and (sources, h).
    edge
        Weight of the edge feature. Shape (h,).
    edge_index
        Target and source node of every edge, of any integer dtype; fastest if targets ascend.
        Shape (2, nnz).
    edge_features
        Features of the edges, without gradient. Shape (nnz,).

    Returns
    -------
    Tensor
        Sums at the target nodes. Shape (targets, h).

    Examples
    --------
    >>> edge_index = torch.tensor([[0, 0, 1], [0, 1, 1]])
    >>> edge_sum(torch.zeros(2, 1), torch.tensor([[1.0], [-3.0]]), torch.ones(1), edge_index,
    ...          torch.tensor([1.0, 4.0, 2.0])).tolist()
    [[3.0], [0.0]]
    """
    function: Any = _NativeEdgeSum if _is_native(target) else _EdgeSum
    result: torch.Tensor = function.apply(target, source, edge, edge_index, edge_features)
    return result


def edge_moments(
    target: torch.Tensor,
    source: torch.Tensor,
    edge: torch.Tensor,
    edge_index: torch.Tensor,
    edge_features: torch.Tensor,
) -> list[Moments]:
    """Compute moments of ``target[t] + edge * e + source[s]`` over all units, piece by piece.

    The arguments are those of `edge_sum`. The result has no gradient.

    Examples
    --------
    >>> edge_index = torch.tensor([[0, 0, 1], [0, 1, 1]])
    >>> (moments,) = edge_moments(torch.zeros(2, 1), torch.tensor([[1.0], [-3.0]]), torch.ones(1),
    ...                           edge_index, torch.tensor([1.0, 4.0, 2.0]))
    >>> moments.count, round(moments.mean.item(), 3), round(moments.squares.item(), 3)
    (3, 0.667, 4.667)
    """
    if _is_native(target):
        arrays = _arrays(target, source, edge, edge_index, edge_features)
        moments = native_module().edge_moments(*arrays, forced_level())
        mean, squares = torch.tensor(moments, dtype=torch.float64)[:, None]
        return [Moments(edge_index.shape[1] * target.shape[1], mean, squares)]
    return [
        Moments.of(_before_relu(target, source, edge, t, s, e).reshape(-1, 1))
        # In pieces, since all edges of a batch in float64 would take much memory.
        for (t, s), e in _pieces(edge_index, edge_features)
    ]


def _is_native(tensor: torch.Tensor) -> bool:
    return (
        tensor.device.type == "cpu"
        and tensor.dtype in (torch.float32, torch.float64)
        and native_module() is not None
    )


class _NativeEdgeSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, target: torch.Tensor, *others: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(target, *others)
        total = torch.empty(target.shape, dtype=target.dtype)
        arrays = _arrays(target, *others)
        native_module().edge_sum(*arrays, total.numpy(), forced_level())
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        arrays = _arrays(*ctx.saved_tensors)
        results = [
            torch.empty(tensor.shape, dtype=tensor.dtype) for tensor in ctx.saved_tensors[:3]
        ]
        native_module().edge_gradient(
            *arrays,
            gradient.contiguous().numpy(),
            *(result.numpy() for result in results),
            forced_level(),
        )
        return *results, None, None


def _arrays(
    target: torch.Tensor,
    source: torch.Tensor,
    edge: torch.Tensor,
    edge_index: torch.Tensor,
    edge_features: torch.Tensor,
) -> list[Any]:
    """Convert the arguments of `edge_sum` to arrays for the native code."""
    tensors = (target, source, edge, edge_index.int(), edge_features.to(target.dtype))
    return [tensor.detach().contiguous().numpy() for tensor in tensors]


class _EdgeSum(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        target: torch.Tensor,
        source: torch.Tensor,
        edge: torch.Tensor,
        edge_index: torch.Tensor,
        edge_features: torch.Tensor,
    ) -> torch.Tensor:
        edge_index = edge_index.long()  # index_add_ is faster with int64 than with int32
        ctx.save_for_backward(target, source, edge, edge_index, edge_features)
        total = torch.zeros_like(target)
        for (t, s), e in _pieces(edge_index, edge_features):
            total.index_add_(0, t, _before_relu(target, source, edge, t, s, e).relu_())
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        target, source, edge, edge_index, edge_features = ctx.saved_tensors
        gradient = gradient.contiguous()
        of_target, of_source = torch.zeros_like(target), torch.zeros_like(source)
        of_edge = torch.zeros_like(edge)
        for (t, s), e in _pieces(edge_index, edge_features):
            x = _before_relu(target, source, edge, t, s, e)
            piece = torch.ops.aten.threshold_backward(gradient.index_select(0, t), x, 0)
            of_target.index_add_(0, t, piece)
            of_source.index_add_(0, s, piece)
            of_edge.addmv_(piece.t(), e)
        return of_target, of_source, of_edge, None, None


def _before_relu(
    target: torch.Tensor,
    source: torch.Tensor,
    edge: torch.Tensor,
    t: torch.Tensor,
    s: torch.Tensor,
    e: torch.Tensor,
) -> torch.Tensor:
    return target.index_select(0, t).addcmul_(e[:, None], edge).add_(source.index_select(0, s))


def _pieces(
    edge_index: torch.Tensor, edge_features: torch.Tensor
) -> zip[tuple[torch.Tensor, torch.Tensor]]:
    """Split edges into pieces of the size that suits the device."""
    size = _CPU_PIECE if edge_features.device.type == "cpu" else max(1, len(edge_features))
    return zip(torch.split(edge_index, size, dim=1), torch.split(edge_features, size), strict=True)
