"""Measure the costs of a large folder of samples: ``python benchmarks/samples_at_size.py``.

Writes folders of few and of many samples with the writers of a collection: the recorded states of
a small instance, repeated as nodes of further trees of further instances. Each folder is then
measured in a separate process, by the time and the peak memory of

- listing: opening the folder, with and without the shards' checksums;
- splitting the samples by instance;
- the first batch of an epoch, drawn from all shards;
- a shuffled epoch with every sample once and no cache.

Memory is relative to the process after all imports and a first batch of the smallest folder. On a
system without ``/proc`` it is the total peak of the process.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from rich.console import Console
from rich.table import Table

from milplib.execution.memory import peak_memory
from milplib.files import atomic_write
from milplib.generators import IndependentSet
from milplib.learn import Sample, SampleSet, collect
from milplib.learn.samples import Label, NodePosition, TreeRecorder
from milplib.learn.samples.shards import Manifest, ShardEntry, TreeEntry, write_batches

TREE = 10
"""Number of samples per tree."""
SHARD = 5_000
"""Number of samples per shard. A collection would write these small samples into one shard."""
BATCH = 32


def recorded(folder: Path) -> tuple[SampleSet, list[Sample]]:
    """Collect the states of a tree, which the folders repeat."""
    family = IndependentSet(n_nodes=40, graph="erdos_renyi", edge_probability=0.2)
    family.generate(1).write(folder / "a.lp")
    samples = collect(
        [folder],
        out=folder / "samples",
        samples_per_instance=TREE,
        expert_probability=1.0,
        blocks=("pseudocost", "tree"),
    )
    first = samples[0].tree
    return samples, [sample for sample in samples if sample.tree == first]


def write(folder: Path, source: SampleSet, states: Sequence[Sample], *, n: int, names: int) -> None:
    """Write a folder of `n` samples of `names` instances."""
    folder.mkdir()
    schema = source.manifest.schema
    entries: list[ShardEntry] = []
    for begin in range(0, n, SHARD):
        trees: list[TreeEntry] = []

        def batches(begin: int = begin, trees: list[TreeEntry] = trees) -> Iterator[pa.RecordBatch]:
            for number in range(begin, min(begin + SHARD, n), TREE):
                size = min(TREE, n - number)
                for batch in tree(number // TREE, states, schema, size=size, names=names):
                    trees.append(TreeEntry.of(batch))
                    yield batch

        path = folder / f"shard-{len(entries):05d}.arrow"
        with atomic_write(path) as stream:
            write_batches(stream, batches(), schema)
        entries.append(ShardEntry.of(path, trees))
    Manifest(config={}, software={}, schema=schema, shards=tuple(entries)).write(folder)


def tree(
    number: int, states: Sequence[Sample], schema: Any, *, size: int, names: int
) -> list[pa.RecordBatch]:
    """Return the record batches of a tree: the states under new node numbers."""
    episode, instance = divmod(number, names)
    recorder = TreeRecorder(
        schema,
        instance=f"instance-{instance}.lp",
        instance_hash=hashlib.sha256(str(instance).encode()).hexdigest(),
        episode=episode,
        scip_seed=number,
    )
    for place in range(size):
        sample = states[(number + place) % len(states)]
        node = NodePosition(node=number + 2 * place, parent=number + place - 1, depth=place)
        label = Label(scores=sample.scores, valid=sample.valid, chosen=sample.chosen)
        recorder.record(sample.state, node, label)
    return recorder.batches()


def measure(folder: Path, small: Path) -> dict[str, float]:
    """Measure times and peak memory on a folder in this process."""
    import torch

    from milplib.learn.dataset import EpochBatches, GraphDataset, split_by_instance
    from milplib.learn.training.data import Batches
    from milplib.learn.training.device import Compute

    torch.set_num_threads(1)

    def streamed(samples: SampleSet, indices: Any = None) -> Iterator[Any]:
        graphs = GraphDataset([samples], indices=indices, cache_bytes=0)
        order = EpochBatches(graphs.sizes, batch_size=BATCH, batches=len(graphs), seed=0)
        return Batches(graphs, Compute.choose("cpu"))(order.epoch(0))

    next(streamed(SampleSet(small)))
    before = peak_memory()
    figures: dict[str, float] = {}

    def take(name: str, begin: float) -> None:
        figures[f"{name}_s"] = time.perf_counter() - begin
        figures[f"{name}_mb"] = peak_memory() - before

    begin = time.perf_counter()
    SampleSet(folder, verify=False)
    take("listing without checksums", begin)
    begin = time.perf_counter()
    samples = SampleSet(folder)
    take("listing", begin)
    begin = time.perf_counter()
    split = split_by_instance([samples], share=0.2, seed=0)
    take("splitting", begin)
    begin = time.perf_counter()
    next(streamed(samples, split.training))
    take("first batch", begin)
    begin = time.perf_counter()
    n = sum(batch.num_graphs for batch in streamed(samples))
    take("an epoch", begin)
    assert n == len(samples)
    figures["samples_per_s"] = n / figures["an epoch_s"]
    return figures


def measured(sizes: Sequence[int], *, names: int) -> dict[int, dict[str, float]]:
    """Write a folder of each size, and measure each in a separate process."""
    figures = {}
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        (root / "source").mkdir()
        source, states = recorded(root / "source")
        for n in sizes:
            begin = time.perf_counter()
            write(root / str(n), source, states, n=n, names=names)
            written = time.perf_counter() - begin
            folders = (str(root / str(n)), str(root / str(sizes[0])))
            done = subprocess.run(
                [sys.executable, __file__, "--measure", *folders],
                stdout=subprocess.PIPE,
                text=True,
                check=True,
                env=os.environ | {"OMP_NUM_THREADS": "1"},
            )
            size = sum(path.stat().st_size for path in (root / str(n)).iterdir())
            about = {"written_s": written, "disk_bytes": size}
            figures[n] = about | json.loads(done.stdout)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "sizes", nargs="*", type=int, default=[10_000, 100_000], help="samples of each folder"
    )
    parser.add_argument("--instances", type=int, default=300, help="number of instances")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to FILE")
    parser.add_argument("--measure", type=Path, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(*options.measure)))
        return
    figures = measured(sorted(options.sizes), names=options.instances)
    table = Table(title=f"Samples at size, {options.instances} instances, {TREE} samples a tree")
    table.add_column("samples")
    for n in figures:
        table.add_column(f"{n:,}", justify="right")
    names = [name for name in next(iter(figures.values())) if name.endswith("_s")]
    for name in (*names, "disk_bytes"):
        label, _, unit = name.rpartition("_")
        cells = []
        for values in figures.values():
            if unit == "bytes":
                cells.append(f"{values[name] / 1e6:,.0f} MB")
            elif label == "samples_per":
                cells.append(f"{values[name]:,.0f}")
            else:
                memory = values.get(f"{label}_mb")
                more = "" if memory is None else f", +{memory:.1f} MB"
                cells.append(f"{values[name]:.2f} s{more}")
        table.add_row("samples a second" if label == "samples_per" else label, *cells)
    Console().print(table)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
