"""Cost of a training step: a forward pass, a backward pass and Adam on one batch.

milplib's network and PyTorch Geometric's textbook network (`textbook_gcnn.py`) take turns, with the
same weights and the same batch. With glibc's default limits, the textbook network allocates its
messages (edges x 64) from the system and returns them at every step, which is about half of its
time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from families import Family
from rows import Row, alternated
from textbook_gcnn import TextbookGCNN
from torch import nn

from milplib.learn import GCNN, GraphDataset, SampleSet
from milplib.learn.dataset import to_batch
from milplib.learn.models import fit_norms
from milplib.learn.training import load_loss


def rows(
    family: Family, samples: SampleSet, *, rounds: int = 5, batch_size: int = 32
) -> Iterator[Row]:
    """Time steps on a batch of a family's samples."""
    graphs = GraphDataset([samples])
    batch = to_batch([graphs[i % len(graphs)] for i in range(batch_size)])
    ours, textbook = GCNN(generator=torch.Generator().manual_seed(0)), TextbookGCNN()
    textbook.start_like(ours)
    fit_norms(ours, lambda: [batch])
    textbook.fit_norms(lambda: [batch])
    with torch.no_grad():
        if not torch.allclose(ours(batch), textbook(batch), rtol=1e-4, atol=1e-5):
            raise RuntimeError("the scores of the networks differ")
    steps = {"ours": as_step(ours, batch), "textbook": as_step(textbook, batch)}
    costs = alternated(steps, rounds=rounds)
    yield Row(
        family=family.name,
        name="training step fused / textbook PyG",
        ours=costs["ours"],
        other=costs["textbook"],
        note=f"{batch_size} graphs, {batch.edge_index.shape[1]:,} edges",
    )


def as_step(model: nn.Module, batch: Any) -> Callable[[], None]:
    """Return a function that runs a training step on a batch."""
    optimizer, loss = torch.optim.Adam(model.parameters()), load_loss("hard")

    def step() -> None:
        value = loss(model(batch), batch).mean()
        optimizer.zero_grad()
        value.backward()
        optimizer.step()

    return step
