"""Cost of a training step on a GPU and on one thread of the CPU.

``python benchmarks/gpu_step.py SAMPLES...`` reads folders of samples from `milplib collect`. A
step is a forward pass, a backward pass and Adam on one batch. All variants start with the same
weights and take turns. The GPU is measured in its fastest mode and in the deterministic mode that
`milplib train` uses.
"""

from __future__ import annotations

import argparse
import copy
from pathlib import Path

import torch
from rich.console import Console
from rows import Row, alternated, as_table
from training_step import as_step

from milplib.learn import GCNN, GraphDataset, SampleSet
from milplib.learn.dataset import to_batch
from milplib.learn.models import fit_norms
from milplib.learn.training.device import Compute


def rows(folder: Path, *, batch_size: int, rounds: int) -> list[Row]:
    """Time steps on a batch of a folder's samples."""
    graphs = GraphDataset([SampleSet(folder)])
    batch = to_batch([graphs[i % len(graphs)] for i in range(batch_size)])
    compute = Compute.choose("cuda")
    on_cpu = GCNN(generator=torch.Generator().manual_seed(0))
    fit_norms(on_cpu, lambda: [batch])
    on_gpu, moved = copy.deepcopy(on_cpu).to(compute.device), batch.clone().to(compute.device)
    with torch.no_grad():
        mine, other = on_cpu(batch), on_gpu(moved).cpu()
    step = as_step(on_gpu, moved)

    def fast() -> None:
        step()
        torch.cuda.synchronize()

    def repeatable() -> None:
        with compute.repeatable():
            fast()

    steps = {"cpu": as_step(on_cpu, batch), "fast": fast, "repeatable": repeatable}
    costs = alternated(steps, rounds=rounds)
    apart = float((mine - other).abs().max() / mine.abs().max())
    note = f"{batch_size} graphs, {batch.edge_index.shape[1]:,} edges, scores {apart:.0e} apart"
    return [
        Row(
            family=folder.name,
            name=f"training step {name} GPU / CPU",
            ours=costs[name],
            other=costs["cpu"],
            note=note,
        )
        for name in ("fast", "repeatable")
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="+", type=Path, metavar="SAMPLES")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    if not torch.cuda.is_available():
        parser.error("there is no GPU here that torch can use")
    torch.set_num_threads(1)
    measured = [
        row
        for folder in options.folders
        for row in rows(folder, batch_size=options.batch_size, rounds=options.rounds)
    ]
    console = Console()
    console.width = max(console.width, 150)
    console.print(as_table(measured, f"{torch.cuda.get_device_name()}, torch {torch.__version__}"))


if __name__ == "__main__":
    main()
