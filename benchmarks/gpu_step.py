"""What a step of training costs on a GPU and on one thread of the CPU.

``python benchmarks/gpu_step.py SAMPLES...`` takes folders of samples, such as `milplib collect`
writes. Forth, back and Adam on one batch, from the same weights, taking turns; on the GPU as fast
as it goes, and so that equal arguments give equal bytes, which is how `milplib train` does it.
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
    found = alternated(steps, rounds=rounds)
    apart = float((mine - other).abs().max() / mine.abs().max())
    note = f"{batch_size} graphs, {batch.edge_index.shape[1]:,} edges, scores {apart:.0e} apart"
    return [
        Row(
            family=folder.name,
            name=f"training step {name} GPU / CPU",
            ours=found[name],
            other=found["cpu"],
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
    found = [
        row
        for folder in options.folders
        for row in rows(folder, batch_size=options.batch_size, rounds=options.rounds)
    ]
    console = Console()
    console.width = max(console.width, 150)
    console.print(as_table(found, f"{torch.cuda.get_device_name()}, torch {torch.__version__}"))


if __name__ == "__main__":
    main()
