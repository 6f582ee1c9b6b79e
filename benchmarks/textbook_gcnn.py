"""The network as ports to PyTorch write it: ``python benchmarks/textbook_gcnn.py [SAMPLES]``.

`TextbookGCNN` follows the published code line by line on PyTorch Geometric's `MessagePassing`:
every edge projects both of its ends and has the message's last layer to itself, and the second
convolution is computed for all variables. Same function, same names of weights as
`milplib.learn.GCNN`, so that either can begin with the other's. Run as a script, it times steps of
both on one batch of auctions (forth, back, Adam).
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from torch import nn
from torch_geometric.nn import MessagePassing

from milplib.generators import CombinatorialAuction
from milplib.learn import GCNN, GraphDataset, SampleSet, collect
from milplib.learn.dataset import to_batch
from milplib.learn.models import fit_norms
from milplib.learn.training import load_loss


class PreNormDone(Exception):  # noqa: N818
    """Raised by a layer that has taken a batch's statistics: what follows has to wait."""


class PreNorm(nn.Module):
    """``(x + shift) * scale``, both fixed in a pass over data, one layer after another."""

    def __init__(self, units: int, *, shift: bool = True) -> None:
        super().__init__()
        self.register_buffer("shift", torch.zeros(units) if shift else None)
        self.register_buffer("scale", torch.ones(units))
        self.waiting = False
        self.seen: list[torch.Tensor] = []
        self.units = units

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply the map, or take the statistics and go no further."""
        if self.waiting:
            x = x.double().reshape(-1, self.units)
            self.seen.append(torch.stack((x.new_full((self.units,), len(x)), x.sum(0),
                                          x.square().sum(0))))  # fmt: skip
            raise PreNormDone
        if self.shift is not None:
            x = x + self.shift
        return x * self.scale

    def fix(self) -> None:
        """Turn the statistics into the map."""
        count, total, squares = torch.stack(self.seen).sum(0)
        mean = total / count
        variance = squares / count - mean**2
        # sums of squares leave rounding errors where nothing varies
        constant = variance <= 1e-12 * (squares / count)
        self.scale.copy_(torch.where(constant, torch.ones_like(variance), variance).rsqrt())
        if self.shift is not None:
            self.shift.copy_(-mean)
        self.waiting, self.seen = False, []


class BipartiteConvolution(MessagePassing):
    """A half-convolution, message by message."""

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
        """New embeddings of the targets."""
        summed = self.propagate(
            edge_index, size=(len(sources), len(targets)), x=(sources, targets), edges=edges
        )
        joined = torch.cat((self.output_norm(summed), targets), dim=-1)
        return torch.relu(self.output(joined))

    def message(self, x_i: torch.Tensor, x_j: torch.Tensor, edges: torch.Tensor) -> torch.Tensor:
        """Compute the message of every edge."""
        inner = self.target(x_i) + self.edge(edges) + self.source(x_j)
        return self.message_layer(torch.relu(self.message_norm(inner)))


class TextbookGCNN(nn.Module):
    """The published network."""

    def __init__(self, hidden: int = 64) -> None:
        super().__init__()
        self.variable_norm, self.row_norm = PreNorm(19), PreNorm(5)
        self.edge_norm = PreNorm(1)
        self.variable_embedding = embedding(19, hidden)
        self.row_embedding = embedding(5, hidden)
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
        """Score the candidates. Shape (k,)."""
        variables = self.variable_embedding(self.variable_norm(graph.variable_features))
        rows = self.row_embedding(self.row_norm(graph.row_features))
        edges = self.edge_norm(graph.edge_features[:, None])
        to_variables = graph.edge_index.long()  # rows, variables
        rows = self.to_rows(variables, rows, to_variables.flip(0), edges)
        variables = self.to_variables(rows, variables, to_variables, edges)
        return self.head(variables)[graph.candidates, 0]

    def start_like(self, model: GCNN) -> None:
        """Take over the weights that a `GCNN` has, before its norms are fitted."""
        state = {
            name.replace(".message.", ".message_layer."): tensor
            for name, tensor in model.state_dict().items()
        }
        self.load_state_dict(state)

    def fit_norms(self, batches: Callable[[], Iterable[Any]]) -> None:
        """Fix the norms, one after the other, as the published code does."""
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


def small_samples(folder: str, *, instances: int, samples: int) -> str:
    """Collect samples of small auctions, for a look at whether a benchmark runs."""
    for seed in range(instances):
        instance = CombinatorialAuction(n_items=50, n_bids=200).generate(seed)
        instance.write(f"{folder}/{seed:03d}.lp")
    collect([folder], out=f"{folder}/samples", samples_per_instance=samples,
            expert_probability=1.0)  # fmt: skip
    return f"{folder}/samples"


def seconds(model: nn.Module, batch: Any, repeats: int) -> list[float]:
    optimizer, loss = torch.optim.Adam(model.parameters()), load_loss("hard")
    durations = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        value = loss(model(batch), batch).mean()
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        durations.append(time.perf_counter() - start)
    return durations[1:]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("samples", nargs="?", help="folder of samples (default: makes small ones)")
    parser.add_argument("--repeats", type=int, default=5, help="steps timed (default 5)")
    parser.add_argument("--batch-size", type=int, default=32)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        source = options.samples or small_samples(folder, instances=4, samples=8)
        graphs = GraphDataset([SampleSet(source)])
        batch = to_batch([graphs[i % len(graphs)] for i in range(options.batch_size)])
    ours, textbook = GCNN(generator=torch.Generator().manual_seed(0)), TextbookGCNN()
    textbook.start_like(ours)
    fit_norms(ours, lambda: [batch])
    textbook.fit_norms(lambda: [batch])
    with torch.no_grad():
        scores, expected = ours(batch), textbook(batch)
    difference = (scores - expected).abs().max().item()
    table = Table(
        title=f"Seconds a step of {options.batch_size} graphs, {batch.edge_index.shape[1]:,} edges "
        f"(scores differ by {difference:.1e} at most)"
    )
    table.add_column("network")
    for column in ("median", "fastest", "slowest", "ratio"):
        table.add_column(column, justify="right")
    results = {"milplib": seconds(ours, batch, options.repeats)}
    results["textbook"] = seconds(textbook, batch, options.repeats)
    for name, durations in results.items():
        middle = statistics.median(durations)
        ratio = middle / statistics.median(results["milplib"])
        figures = (middle, min(durations), max(durations))
        table.add_row(name, *(f"{t:.3f}" for t in figures), f"{ratio:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
