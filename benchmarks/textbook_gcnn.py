"""The network as it is usually written in PyTorch.

`TextbookGCNN` follows the published code line by line on PyTorch Geometric's `MessagePassing`.
Every edge computes the projections of both ends and the last layer of its message, and the second
convolution covers all variables. The function and the names of the weights are those of
`milplib.learn.GCNN`, so that both can start with the same weights.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn
from torch_geometric.nn import MessagePassing

from milplib.learn import GCNN
from milplib.scip import RowFeature, VariableFeature


class PreNormDone(Exception):  # noqa: N818
    """Raised by a layer after it has recorded a batch's statistics, to stop the forward pass."""


class PreNorm(nn.Module):
    """``(x + shift) * scale``, with both fixed by passes over data, one layer at a time."""

    shift: torch.Tensor | None
    scale: torch.Tensor

    def __init__(self, units: int, *, shift: bool = True) -> None:
        super().__init__()
        self.register_buffer("shift", torch.zeros(units) if shift else None)
        self.register_buffer("scale", torch.ones(units))
        self.waiting = False
        self.seen: list[torch.Tensor] = []
        self.units = units

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply the map, or record the statistics and stop the forward pass."""
        if self.waiting:
            x = x.double().reshape(-1, self.units)
            self.seen.append(torch.stack((x.new_full((self.units,), len(x)), x.sum(0),
                                          x.square().sum(0))))  # fmt: skip
            raise PreNormDone
        if self.shift is not None:
            x = x + self.shift
        return x * self.scale

    def fix(self) -> None:
        """Compute the map from the statistics."""
        count, total, squares = torch.stack(self.seen).sum(0)
        mean = total / count
        variance = squares / count - mean**2
        # Sums of squares have rounding errors where the variance is 0.
        constant = variance <= 1e-12 * (squares / count)
        self.scale.copy_(torch.where(constant, torch.ones_like(variance), variance).rsqrt())
        if self.shift is not None:
            self.shift.copy_(-mean)
        self.waiting, self.seen = False, []


class BipartiteConvolution(MessagePassing):  # type: ignore[misc]
    """A half-convolution with a message per edge."""

    def __init__(self, hidden: int) -> None:
        super().__init__(aggr="add")
        self.target = nn.Linear(hidden, hidden)
        self.edge = nn.Linear(1, hidden, bias=False)
        self.source = nn.Linear(hidden, hidden, bias=False)
        self.message_norm = PreNorm(1, shift=False)
        self.message_layer = nn.Linear(hidden, hidden)
        self.output_norm = PreNorm(1, shift=False)
        self.output = nn.Sequential(
            nn.Linear(2 * hidden, hidden), nn.ReLU(), nn.Linear(hidden, hidden)
        )

    def forward(
        self,
        sources: torch.Tensor,
        targets: torch.Tensor,
        edge_index: torch.Tensor,
        edges: torch.Tensor,
    ) -> torch.Tensor:
        """Return the new embeddings of the targets."""
        summed = self.propagate(
            edge_index, size=(len(sources), len(targets)), x=(sources, targets), edges=edges
        )
        joined = torch.cat((self.output_norm(summed), targets), dim=-1)
        return torch.relu(self.output(joined))

    def message(self, x_i: torch.Tensor, x_j: torch.Tensor, edges: torch.Tensor) -> torch.Tensor:
        """Compute the message of every edge."""
        inner = self.target(x_i) + self.edge(edges) + self.source(x_j)
        message: torch.Tensor = self.message_layer(torch.relu(self.message_norm(inner)))
        return message


class TextbookGCNN(nn.Module):
    """The published network."""

    def __init__(self, hidden: int = 64) -> None:
        super().__init__()
        self.variable_norm, self.row_norm = PreNorm(len(VariableFeature)), PreNorm(len(RowFeature))
        self.edge_norm = PreNorm(1)
        self.variable_embedding = embedding(len(VariableFeature), hidden)
        self.row_embedding = embedding(len(RowFeature), hidden)
        self.to_rows = BipartiteConvolution(hidden)
        self.to_variables = BipartiteConvolution(hidden)
        self.head = nn.Sequential(
            nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 1, bias=False)
        )
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(parameter)
            else:
                nn.init.orthogonal_(parameter)

    def forward(self, graph: Any) -> torch.Tensor:
        """Return the scores of the candidates, shape (k,)."""
        variables = self.variable_embedding(self.variable_norm(graph.variable_features))
        rows = self.row_embedding(self.row_norm(graph.row_features))
        edges = self.edge_norm(graph.edge_features[:, None])
        to_variables = graph.edge_index.long()  # rows, variables
        rows = self.to_rows(variables, rows, to_variables.flip(0), edges)
        variables = self.to_variables(rows, variables, to_variables, edges)
        scores: torch.Tensor = self.head(variables)[graph.candidates, 0]
        return scores

    def start_like(self, model: GCNN) -> None:
        """Copy the weights of a `GCNN`, before its norms are fitted."""
        state = {
            name.replace(".message.", ".message_layer."): tensor
            for name, tensor in model.state_dict().items()
        }
        self.load_state_dict(state)

    def fit_norms(self, batches: Callable[[], Iterable[Any]]) -> None:
        """Fit the norms one after the other, like the published code."""
        norms = [
            *(self.variable_norm, self.row_norm, self.edge_norm),
            *(self.to_rows.message_norm, self.to_rows.output_norm),
            *(self.to_variables.message_norm, self.to_variables.output_norm),
        ]
        for norm in norms:
            norm.waiting = True
            for batch in batches():
                with torch.no_grad(), contextlib.suppress(PreNormDone):
                    self(batch)
            norm.fix()


def embedding(features: int, hidden: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(features, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU()
    )
