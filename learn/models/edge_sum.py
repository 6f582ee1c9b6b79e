"""What goes over the edges in a half-convolution, and its gradient.

On a CPU with milplib's native code a fused kernel keeps an edge in registers; elsewhere plain torch
operations do the same.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd.function import once_differentiable

from milplib.learn.models.moments import Moments
from milplib.scip.native import forced_level, native_module

__all__ = ["edge_moments", "edge_sum"]

# On a CPU all passes over a piece of the edges stay in its cache: 1.5 times faster than whole
# passes (96,000 edges of 64 units: 17 ms instead of 27 ms forth and back; 1,024 and 8,192 are
# slower). A GPU wants whole passes.
_CPU_PIECE = 4096


def edge_sum(
    target: torch.Tensor,
    source: torch.Tensor,
    edge: torch.Tensor,
    edge_index: torch.Tensor,
    edge_features: torch.Tensor,
) -> torch.Tensor:
    r"""Sum ``relu(target[t] + edge * e + source[s])`` over the edges of each target node.

    Nothing of the size (edges, hidden) outlives the call: the backward pass computes it again.

    Parameters
    ----------
    target, source
        Projections of the target and source nodes. Shape (targets, h) and (sources, h).
    edge
        Weight of the edge feature. Shape (h,).
    edge_index
        Target and source node of every edge, any integers; fastest where targets ascend.
        Shape (2, nnz).
    edge_features
        Shape (nnz,); they get no gradient.

    Returns
    -------
    Tensor
        Shape (targets, h).

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
    """Moments of all units of ``target[t] + edge * e + source[s]`` together, piece by piece.

    The arguments are those of `edge_sum`; gradients do not go through.

    Examples
    --------
    >>> edge_index = torch.tensor([[0, 0, 1], [0, 1, 1]])
    >>> (found,) = edge_moments(torch.zeros(2, 1), torch.tensor([[1.0], [-3.0]]), torch.ones(1),
    ...                         edge_index, torch.tensor([1.0, 4.0, 2.0]))
    >>> found.count, round(found.mean.item(), 3), round(found.squares.item(), 3)
    (3, 0.667, 4.667)
    """
    if _is_native(target):
        given = _arrays(target, source, edge, edge_index, edge_features)
        found = native_module().edge_moments(*given, forced_level())
        mean, squares = torch.tensor(found, dtype=torch.float64)[:, None]
        return [Moments(edge_index.shape[1] * target.shape[1], mean, squares)]
    return [
        Moments.of(_before_relu(target, source, edge, t, s, e).reshape(-1, 1))
        # In pieces: all edges of a batch in float64 are large.
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
        given = _arrays(target, *others)
        native_module().edge_sum(*given, total.numpy(), forced_level())
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        given = _arrays(*ctx.saved_tensors)
        results = [
            torch.empty(tensor.shape, dtype=tensor.dtype) for tensor in ctx.saved_tensors[:3]
        ]
        native_module().edge_gradient(
            *given,
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
    """Give the native code's view of the arguments of `edge_sum`."""
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
        edge_index = edge_index.long()  # which torch adds by faster than by int32
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
    """Split edges into pieces that a processor takes best one after the other."""
    size = _CPU_PIECE if edge_features.device.type == "cpu" else max(1, len(edge_features))
    return zip(torch.split(edge_index, size, dim=1), torch.split(edge_features, size), strict=True)
