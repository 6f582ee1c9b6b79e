"""Samples become graphs, graphs batches, and nothing gets lost or mixed up on the way."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric.data import Batch
from torch_geometric.loader import DataLoader

from milplib.errors import ParameterError, SampleError, UnknownNameError
from milplib.learn import BranchingGraph, GraphDataset, SampleSet
from milplib.learn.dataset import (
    BatchMemory,
    EpochBatches,
    to_batch,
    to_graph,
)
from milplib.learn.training import load_loss
from milplib.learn.training.data import Batches
from milplib.learn.training.device import Compute
from milplib.scip import PseudocostFeature


def test_importing_learn_loads_no_torch() -> None:
    code = "import sys, milplib.learn; print('torch' in sys.modules, dir(milplib.learn))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("False")
    assert "'train'" in done.stdout


def test_without_torch_the_error_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import milplib\n"
        "try:\n    from milplib.learn import train\n"
        "except milplib.MilplibError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 'pip install "milplib[learn]"' in done.stdout


def test_a_graph_holds_what_the_sample_holds(sample_sets: dict[str, SampleSet]) -> None:
    samples = sample_sets["independent_set"]
    sample = samples[1]
    graph = to_graph(sample, blocks=samples.blocks)
    state = sample.state
    for name in ("variable_features", "row_features", "edge_index", "edge_features", "candidates"):
        assert np.array_equal(graph[name].numpy(), getattr(state, name)), name
    assert np.array_equal(graph.scores.numpy(), sample.scores)
    assert np.array_equal(graph.valid.numpy(), sample.valid)
    assert np.array_equal(graph.tied.numpy(), sample.tied)
    k = len(state.candidates)
    assert np.array_equal(
        graph.block_features[:, : len(PseudocostFeature)].numpy(), state.blocks["pseudocost"]
    )
    # a block of one line is there for every candidate
    assert np.array_equal(
        graph.block_features[:, len(PseudocostFeature) :].numpy(), [state.blocks["tree"][0]] * k
    )


def all_graphs(sample_sets: dict[str, SampleSet]) -> list[BranchingGraph]:
    sets = [sample_sets["auction"], sample_sets["set_cover"]]
    return list(GraphDataset(sets, blocks=["pseudocost"]))


@pytest.mark.parametrize("memory", [None, BatchMemory()], ids=["new memory", "memory used again"])
def test_a_batch_is_that_of_pytorch_geometric(
    sample_sets: dict[str, SampleSet], memory: BatchMemory | None
) -> None:
    graphs = all_graphs(sample_sets)
    for part in (graphs, graphs[::-1], graphs[:1], graphs[3:9]):
        expected = Batch.from_data_list(part, follow_batch=["candidates"])
        batch = to_batch(part, memory=memory)
        assert batch.num_graphs == expected.num_graphs
        for name, tensor in expected.to_dict().items():
            if torch.is_tensor(tensor) and name not in ("batch", "ptr", "candidates_ptr"):
                assert torch.equal(batch[name], tensor), name
                assert batch[name].dtype == tensor.dtype, name
        loader = DataLoader(part, batch_size=len(part), follow_batch=["candidates"])
        assert torch.equal(next(iter(loader)).edge_index, batch.edge_index)


def test_memory_is_used_again_but_never_under_a_batch_that_somebody_holds(
    sample_sets: dict[str, SampleSet],
) -> None:
    graphs = all_graphs(sample_sets)
    memory = BatchMemory()
    held = to_batch(graphs[:5], memory=memory)
    copies = {name: t.clone() for name, t in held.to_dict().items() if torch.is_tensor(t)}

    def address_of_another() -> Any:
        batch = to_batch(graphs[5:10], memory=memory)
        return min(batch[name].data_ptr() for name in copies if name != "candidates_batch")

    first = address_of_another()
    assert {address_of_another() for _ in range(12)} == {first}
    for start in range(12):  # batches of other sizes
        to_batch(graphs[start : start + 5], memory=memory)
    for name, tensor in copies.items():
        assert torch.equal(held[name], tensor), name
    # what a computation keeps counts as well: here a view of a view
    view = held.edge_features[3:].detach()[1:]
    del held
    assert len({address_of_another() for _ in range(12)}) == 1
    assert torch.equal(view, copies["edge_features"][4:])


def test_the_next_batch_is_made_while_one_is_used(sample_sets: dict[str, SampleSet]) -> None:
    graphs = GraphDataset([sample_sets["auction"]])
    asked, lent = [], threading.Event()

    class Watched:
        def __len__(self) -> Any:
            return len(graphs)

        def batch(self, places: Any, *, memory: Any) -> Any:
            asked.append((places, threading.current_thread()))
            if len(asked) == 2:
                lent.set()
            return graphs.batch(places, memory=memory)

    watched: Any = Watched()

    batches: Any = Batches(watched, Compute.choose("cpu"))([[0, 1], [2, 3], [4, 5]])
    first = next(batches)
    assert lent.wait(timeout=60)
    assert torch.equal(first.candidates, to_batch([graphs[0], graphs[1]]).candidates)
    batches.close()  # somebody who stops early
    assert {thread for _, thread in asked} != {threading.current_thread()}
    assert [places for places, _ in asked] in ([[0, 1], [2, 3]], [[0, 1], [2, 3], [4, 5]])


def test_an_error_in_a_batch_comes_out_where_it_is_asked_for(
    sample_sets: dict[str, SampleSet],
) -> None:
    graphs = GraphDataset([sample_sets["auction"]])
    batches = Batches(graphs, Compute.choose("cpu"))([[0], [10**6]])
    next(batches)
    with pytest.raises(IndexError):
        next(batches)


@pytest.mark.parametrize("cache_bytes", [0, 100_000, 1 << 30])
def test_the_cache_changes_no_graph_and_keeps_to_its_size(
    sample_sets: dict[str, SampleSet], cache_bytes: int
) -> None:
    samples = sample_sets["auction"]
    graphs = GraphDataset([samples], cache_bytes=cache_bytes)
    graphs.load()
    pairs = [(graphs[i], graphs[i]) for i in range(len(graphs))]
    kept = [a.scores.data_ptr() == b.scores.data_ptr() for a, b in pairs]
    assert kept == sorted(kept, reverse=True)
    assert (sum(kept) == 0, sum(kept) == len(kept)) == (cache_bytes == 0, cache_bytes == 1 << 30)
    memory = {}
    for i in range(len(graphs)):
        fresh = to_graph(samples[i])
        for name, tensor in graphs[i].to_dict().items():
            if isinstance(tensor, torch.Tensor):
                assert torch.equal(tensor, fresh[name]), name
                if kept[i]:
                    memory[tensor.data_ptr()] = tensor.nbytes
    largest = max(
        sum(t.nbytes for t in graph.to_dict().values() if hasattr(t, "nbytes")) for graph in graphs
    )  # the last one kept may stand out
    assert sum(memory.values()) <= cache_bytes + largest


def test_a_block_that_a_set_lacks_is_named(sample_sets: dict[str, SampleSet]) -> None:
    with pytest.raises(SampleError, match=r"auction\.samples have no block 'mine'.*pseudocost"):
        GraphDataset([sample_sets["auction"]], blocks=["mine"])


def test_a_block_in_two_versions_is_named(
    sample_sets: dict[str, SampleSet], tmp_path: Path
) -> None:
    source = sample_sets["auction"]
    other = SampleSet(source.folder)
    schema = other.manifest.schema
    block = schema.blocks[0]
    changed = type(block)(block.name, block.version + 1, block.columns)
    object.__setattr__(schema, "blocks", (changed, *schema.blocks[1:]))
    with pytest.raises(SampleError, match=r"block 'pseudocost' has version 2 .* version 1"):
        GraphDataset([source, other], blocks=["pseudocost"])


def test_an_epoch_of_one_set_takes_every_sample_once() -> None:
    batches = EpochBatches([70], batch_size=32, seed=1)
    for number in range(3):
        epoch = batches.epoch(number)
        assert [len(batch) for batch in epoch] == [32, 32, 6]
        assert sorted(np.concatenate(epoch)) == list(range(70))
    assert not np.array_equal(batches.epoch(0)[0], batches.epoch(1)[0])
    again = EpochBatches([70], batch_size=32, seed=1)
    assert all(map(np.array_equal, batches.epoch(2), again.epoch(2)))
    other = EpochBatches([70], batch_size=32, seed=2)
    assert not np.array_equal(batches.epoch(0)[0], other.epoch(0)[0])


def test_an_epoch_has_at_most_so_many_batches_and_the_next_goes_on_with_the_rest() -> None:
    batches = EpochBatches([100], batch_size=10, batches=4, seed=0)
    first = np.concatenate([np.concatenate(batches.epoch(number)) for number in range(5)])
    assert len(batches) == 4
    assert set(Counter(first.tolist()).values()) == {2}


@pytest.mark.slow
@given(
    sizes=st.lists(st.integers(1, 50), min_size=1, max_size=5),
    mixture=st.sampled_from(["balanced", "proportional"]),
    batches=st.integers(1, 9),
    batch_size=st.integers(1, 9),
    seed=st.integers(0, 2**40),
)
def test_mixtures_keep_their_shares(
    sizes: list[int], mixture: str, batches: int, batch_size: int, seed: int
) -> None:
    sampler = EpochBatches(
        sizes, mixture=mixture, batches=batches, batch_size=batch_size, seed=seed
    )
    ends = np.cumsum(sizes)
    drawn: Any = Counter()
    n_epochs = 4
    for number in range(n_epochs):
        epoch = np.concatenate(sampler.epoch(number))
        assert len(epoch) == min(sum(sizes), batches * batch_size)
        assert len(sampler.epoch(number)) == len(sampler)
        drawn.update(epoch.tolist())
    by_set: Any = Counter()
    for position, times in drawn.items():
        by_set[int(np.searchsorted(ends, position, side="right"))] += times
    total = n_epochs * sampler.samples
    for place, size in enumerate(sizes):
        share = total / len(sizes) if mixture == "balanced" else total * size / sum(sizes)
        # an epoch's rest is less than one sample of a set
        assert abs(by_set[place] - share) <= n_epochs
        # within a set no sample is ahead of another by more than one shuffle
        times = [drawn[position] for position in range(ends[place] - size, ends[place])]
        assert max(times) - min(times) <= 1


def test_a_mixture_that_cannot_be_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="did you mean balanced"):
        EpochBatches([1], mixture="balance")
    with pytest.raises(SampleError, match="without samples"):
        EpochBatches([3, 0])
    with pytest.raises(ParameterError, match="batch size"):
        EpochBatches([3], batch_size=0)


def test_a_sample_without_a_valid_score_is_named(
    sample_sets: dict[str, SampleSet], tmp_path: Path
) -> None:
    import pyarrow as pa

    from milplib.files import file_sha256

    for path in sample_sets["set_cover"].folder.iterdir():
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    shard = tmp_path / "shard-00000.arrow"
    with pa.ipc.open_file(pa.BufferReader(shard.read_bytes())) as file:
        batches = [file.get_batch(i) for i in range(file.num_record_batches)]
        schema = file.schema
    place = schema.get_field_index("valid")
    with pa.ipc.new_file(shard, schema) as writer:
        for batch in batches:
            lines = [line and [False] * len(line) for line in batch.column(place).to_pylist()]
            columns = list(batch.columns)
            columns[place] = pa.array(lines, type=schema.field(place).type)
            writer.write_batch(pa.record_batch(columns, schema=schema))
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    entry = manifest["shards"][0]
    entry["bytes"], entry["sha256"] = shard.stat().st_size, file_sha256(shard)
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(SampleError, match=r"set_cover.*none of a node's candidates has a valid"):
        GraphDataset([SampleSet(tmp_path)]).load()


@pytest.mark.parametrize("loss", ["hard", "soft"])
def test_losses_take_batches_of_torch_geometrics_own_loader(
    loss: str, sample_sets: dict[str, SampleSet]
) -> None:
    graphs = GraphDataset([sample_sets["auction"], sample_sets["independent_set"]])
    size = 5
    for start, batch in enumerate(DataLoader(graphs, batch_size=size)):
        ours = graphs.batch(range(start * size, min((start + 1) * size, len(graphs))))
        assert torch.equal(batch.candidates_batch, ours.candidates_batch)
        scores = torch.linspace(0, 1, len(batch.candidates))
        assert torch.equal(load_loss(loss)(scores, batch), load_loss(loss)(scores, ours))
