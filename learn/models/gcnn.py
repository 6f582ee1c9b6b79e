"""The graph convolutional network of Gasse et al. as a torch module."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional

from milplib.errors import ParameterError
from milplib.learn.models.edge_sum import edge_sum
from milplib.policies import GCNN_SUMS
from milplib.policies.folded import Sums
from milplib.scip import RowFeature, VariableFeature

__all__ = ["GCNN", "HalfConvolution", "Norm"]


class Norm(nn.Module):
    """Affine map ``(x + shift) * scale``, fixed by statistics before training.

    Parameters
    ----------
    units
        Number of features, each with its own shift and scale. ``Norm(1, shift=False)`` has one
        scale for all units of a layer.
    shift
        Whether to shift.

    Examples
    --------
    >>> norm = Norm(2)
    >>> norm.fit(torch.tensor([[1.0, 5.0], [3.0, 5.0]]).double())
    >>> norm(torch.tensor([[3.0, 6.0]])).tolist()
    [[1.0, 1.0]]
    """

    shift: torch.Tensor | None
    scale: torch.Tensor

    def __init__(self, units: int, *, shift: bool = True) -> None:
        super().__init__()
        self.register_buffer("shift", torch.zeros(units) if shift else None)
        self.register_buffer("scale", torch.ones(units))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Shift and scale `x`, of shape (n, units)."""
        return x * self.scale if self.shift is None else (x + self.shift) * self.scale

    def fit(self, x: torch.Tensor) -> None:
        """Fix the map by the mean and variance of `x`, of shape (n, units)."""
        self.fix(x.mean(0), x.var(0, correction=0))

    def fix(self, mean: torch.Tensor, variance: torch.Tensor) -> None:
        """Fix the map so that data of this mean and variance gets mean 0 and variance 1."""
        if self.shift is not None:
            self.shift.copy_(-mean)
        self.scale.copy_(torch.where(variance > 0, variance, 1.0).rsqrt())


class HalfConvolution(nn.Module):
    """Messages from one kind of node to the other.

    The published network computes ``message(relu(norm(target + edge + source)))`` on every edge
    and sums at the target. The last layer is linear. Here it is applied after the sum, with its
    bias multiplied by the number of edges: the same function at a tenth of the work.

    Parameters
    ----------
    hidden
        Number of units h.
    """

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.target = nn.Linear(hidden, hidden)
        self.edge = nn.Linear(1, hidden, bias=False)
        self.source = nn.Linear(hidden, hidden, bias=False)
        self.message_norm = Norm(1, shift=False)
        self.message = nn.Linear(hidden, hidden)
        self.output_norm = Norm(1, shift=False)
        self.output = nn.Sequential(
            nn.Linear(2 * hidden, hidden), nn.ReLU(inplace=True), nn.Linear(hidden, hidden)
        )

    def forward(
        self,
        targets: torch.Tensor,
        sources: torch.Tensor,
        edge_index: torch.Tensor,
        edge_features: torch.Tensor,
        weights: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Compute new embeddings of the target nodes.

        Parameters
        ----------
        targets, sources
            Embeddings. Shape (targets, h) and (sources, h).
        edge_index
            Target and source node of every edge. Shape (2, nnz).
        edge_features
            Normalised features of the edges. Shape (nnz,).
        weights
            Factor of each target's sum; 1 if not given. Shape (targets,).

        Returns
        -------
        Tensor
            New embeddings of the targets. Shape (targets, h).
        """
        total = self.aggregate(targets, sources, edge_index, edge_features, weights)
        joined = torch.cat((total.to(targets.dtype), targets), dim=1)
        result: torch.Tensor = functional.relu(self.output(joined))
        return result

    def aggregate(
        self,
        targets: torch.Tensor,
        sources: torch.Tensor,
        edge_index: torch.Tensor,
        edge_features: torch.Tensor,
        weights: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Sum the messages at each target and normalise the sums. Shape (targets, h)."""
        # Scale the weights, not the edges. Sums over edges are always in full precision.
        projected, edge, sent = self.projections(targets, sources)
        total = edge_sum(_full(projected), _full(sent), edge, edge_index, edge_features)
        degree = torch.bincount(edge_index[0], minlength=len(targets)).to(total.dtype)
        if weights is not None:
            total, degree = total * weights[:, None], degree * weights
        scale = self.output_norm.scale
        return functional.linear(total, scale * self.message.weight) + torch.outer(
            degree, scale * self.message.bias
        )

    def projections(
        self, targets: torch.Tensor, sources: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return the normalised terms of a message: targets, weight of the edge, and sources."""
        scale = self.message_norm.scale
        return (
            functional.linear(targets, scale * self.target.weight, scale * self.target.bias),
            scale * self.edge.weight[:, 0],
            functional.linear(sources, scale * self.source.weight),
        )


class GCNN(nn.Module):
    """Bipartite graph convolution: variables send messages to rows, then rows to candidates.

    Parameters
    ----------
    hidden
        Number of units of every layer.
    n_block_columns
        Number of features of a candidate that join its embedding before the last two layers.
    sums
        One of `milplib.policies.GCNN_SUMS`: ``absolute``, as in the paper, or ``relative`` to the
        mean number of edges of a row, or of a variable, of the graph. With ``relative``, edge
        features are multiplied by the square root of the mean number of edges of a row, since an
        entry of a row of r equal entries has the feature 1/sqrt(r). Such a network carries over to
        instances of another density, such as larger set covers with the same share of non-zeros.
    generator
        Random generator of the initial weights, which are orthogonal; torch's default generator
        if not given. Biases start at 0.

    Notes
    -----
    `state_dict` uses the names of the tensors in a policy file. Norms are buffers, fixed before
    training (`milplib.learn.models.fit_norms`).

    References
    ----------
    Gasse et al., "Exact combinatorial optimization with graph convolutional neural networks",
    NeurIPS 2019, section 4.3, with the last layer of a message applied after the sum.

    Examples
    --------
    >>> from milplib.learn.dataset import BranchingGraph
    >>> graph = BranchingGraph(
    ...     variable_features=torch.rand(3, 19), row_features=torch.rand(2, 5),
    ...     edge_index=torch.tensor([[0, 0, 1], [0, 1, 2]]), edge_features=torch.ones(3),
    ...     candidates=torch.tensor([1, 2]), block_features=torch.empty(2, 0))
    >>> GCNN(hidden=8)(graph).shape
    torch.Size([2])
    """

    def __init__(
        self,
        *,
        hidden: int = 64,
        n_block_columns: int = 0,
        sums: str = Sums.ABSOLUTE,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if sums not in GCNN_SUMS:
            raise ParameterError(f"the sums are {sums!r}; they can be {' or '.join(GCNN_SUMS)}")
        self.hidden = hidden
        self.sums = Sums(sums)
        self.variable_norm = Norm(len(VariableFeature))
        self.row_norm = Norm(len(RowFeature))
        self.edge_norm = Norm(1)
        self.variable_embedding = _embedding(len(VariableFeature), hidden)
        self.row_embedding = _embedding(len(RowFeature), hidden)
        self.to_rows = HalfConvolution(hidden)
        self.to_variables = HalfConvolution(hidden)
        self.block_norm = Norm(n_block_columns) if n_block_columns else None
        self.head = nn.Sequential(
            nn.Linear(hidden + n_block_columns, hidden),
            nn.ReLU(inplace=True),
            nn.Linear(hidden, 1, bias=False),
        )
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(parameter)
            else:
                nn.init.orthogonal_(parameter, generator=generator)

    def forward(self, graph: Any) -> torch.Tensor:
        """Score the candidates.

        Parameters
        ----------
        graph
            A `milplib.learn.dataset.BranchingGraph`, or a batch of them.

        Returns
        -------
        Tensor
            Scores, higher is better, of the candidates of all graphs one after the other.
            Shape (k,).
        """
        edge_index = graph.edge_index
        edges = self.edge_norm(self.edge_features(graph))
        row_weights, variable_weights = self.sum_weights(graph)
        variables, rows = self.embed(graph)
        rows = self.to_rows(rows, variables, edge_index, edges, row_weights)
        # Only candidates receive messages in the second convolution.
        candidates = graph.candidates
        place = candidates.new_full((len(variables),), -1, dtype=edge_index.dtype)
        place[candidates] = torch.arange(
            len(candidates), dtype=edge_index.dtype, device=candidates.device
        )
        ends = place.index_select(0, edge_index[1])
        kept = (ends >= 0).nonzero()[:, 0]
        to_candidates = torch.stack((ends[kept], edge_index[0, kept]))
        x = self.to_variables(
            variables.index_select(0, candidates),
            rows,
            to_candidates,
            edges[kept],
            None if variable_weights is None else variable_weights[candidates],
        )
        if self.block_norm is not None:
            x = torch.cat((x, self.block_norm(graph.block_features).to(x.dtype)), dim=1)
        return _full(self.head(x)[:, 0])

    def embed(self, graph: Any) -> tuple[torch.Tensor, torch.Tensor]:
        """Compute the first embeddings of variables and rows. Shape (n, h) and (m, h)."""
        return (
            self.variable_embedding(self.variable_norm(graph.variable_features)),
            self.row_embedding(self.row_norm(graph.row_features)),
        )

    def edge_features(self, graph: Any) -> torch.Tensor:
        """Return the edge features before normalisation. Shape (nnz,)."""
        features: torch.Tensor = graph.edge_features
        if self.sums is Sums.ABSOLUTE:
            return features
        n_rows, _, n_edges = graph.sizes.to(features.dtype).T
        scales: torch.Tensor = (n_edges / n_rows.clamp(min=1)).sqrt()
        return features * scales.repeat_interleave(graph.sizes[:, 2], output_size=len(features))

    def sum_weights(self, graph: Any) -> tuple[torch.Tensor, torch.Tensor] | tuple[None, None]:
        """Return the factors of the sums at rows and at variables. Shape (m,) and (n,)."""
        if self.sums is Sums.ABSOLUTE:
            return None, None
        n_edges = graph.sizes[:, 2].clamp(min=1).to(graph.edge_features.dtype)
        rows, variables = (
            (graph.sizes[:, column] / n_edges).repeat_interleave(
                graph.sizes[:, column], output_size=len(features)
            )
            for column, features in enumerate((graph.row_features, graph.variable_features))
        )
        return rows, variables


def _full(x: torch.Tensor) -> torch.Tensor:
    """Convert half precision to float32; float32 and float64 stay."""
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x


def _embedding(features: int, hidden: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(features, hidden),
        nn.ReLU(inplace=True),
        nn.Linear(hidden, hidden),
        nn.ReLU(inplace=True),
    )
