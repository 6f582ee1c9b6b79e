"""Which samples are held out, and that nothing of them is learned from."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from milplib.errors import ParameterError, SampleError
from milplib.learn import Sample, SampleSet
from milplib.learn.dataset import (
    split_by_instance,
)
from milplib.learn.dataset.split import instances_of_samples, refuse_shared_instances
from milplib.learn.options import TrainingOptions
from milplib.learn.samples import (
    DamagedShardWarning,
    Label,
    NodePosition,
    SampleSchema,
    TreeRecorder,
)
from milplib.learn.samples.shards import Manifest, ShardEntry, TreeEntry, write_batches
from milplib.learn.training.data import TrainingData
from milplib.scip import load_state_functions


def test_a_fifth_of_the_instances_is_held_out_whole(sample_sets: dict[str, SampleSet]) -> None:
    sets = [sample_sets["auction"], sample_sets["independent_set"]]
    split = split_by_instance(sets, share=0.2, seed=0)
    for samples, training, validation in zip(sets, split.training, split.validation, strict=True):
        assert sorted((*training, *validation)) == list(range(len(samples)))
        names = [sample.tree.instance_hash for sample in samples]
        hashes, numbers = instances_of_samples(samples)
        assert names == [hashes[number] for number in numbers]
        inside, outside = {names[i] for i in training}, {names[i] for i in validation}
        assert not inside & outside
        assert len(outside) == 1
        assert outside <= set(split.held_out)
    again = split_by_instance(sets[::-1], share=0.2, seed=0)
    assert again.held_out == split.held_out
    assert all(map(np.array_equal, again.training, split.training[::-1]))
    others = {split_by_instance(sets, share=0.2, seed=seed).held_out for seed in range(8)}
    assert len(others) > 1


def test_an_instance_held_out_in_one_set_is_held_out_in_all(
    sample_sets: dict[str, SampleSet],
) -> None:
    samples = sample_sets["auction"]
    split = split_by_instance([samples, samples], share=0.34, seed=3)
    assert np.array_equal(split.validation[0], split.validation[1])
    with pytest.raises(ParameterError, match="between 0 and 1"):
        split_by_instance([samples], share=1.0, seed=0)


def write_trees(
    folder: Path, trees: list[tuple[int, str, int, int]], sample: Sample, *, shards: int = 2
) -> SampleSet:
    """Write a folder of trees (instance's content, its name, episode, samples): one state."""
    schema = SampleSchema.of(load_state_functions(sample.state.blocks))
    entries = []
    for shard in range(shards):
        batches = []
        for content, name, episode, n in trees[shard::shards]:
            recorder = TreeRecorder(
                schema,
                instance=name,
                instance_hash=hashlib.sha256(str(content).encode()).hexdigest(),
                episode=episode,
                scip_seed=0,
            )
            label = Label(scores=sample.scores, valid=sample.valid, chosen=sample.chosen)
            for node in range(n):
                position = NodePosition(node=node + 1, parent=node, depth=node)
                recorder.record(sample.state, position, label)
            batches += recorder.batches()
        path = folder / f"shard-{shard:05d}.arrow"
        with path.open("wb") as stream:
            write_batches(stream, batches, schema)
        entries.append(ShardEntry.of(path, map(TreeEntry.of, batches)))
    Manifest(config={}, software={}, schema=schema, shards=tuple(entries)).write(folder)
    return SampleSet(folder)


TREES = st.lists(
    st.tuples(
        st.integers(0, 6),  # the instance's content
        st.sampled_from(["a.lp", "b.lp", "c.lp"]),  # its name, which says nothing
        st.integers(0, 2),
        st.integers(1, 3),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda tree: (tree[0], tree[2]),
)


def sides(split_sets: list[list[Sample]]) -> tuple[list[set[tuple[str, int]]], list[set[str]]]:
    """Trees and instances of each side of a split."""
    trees = [{(s.tree.instance_hash, s.tree.episode) for s in side} for side in split_sets]
    return trees, [{content for content, _ in side} for side in trees]


@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(
    folders=st.lists(TREES, min_size=1, max_size=3),
    share=st.floats(0.01, 0.99),
    seed=st.integers(0, 2**32),
)
def test_no_tree_and_no_instance_is_ever_on_both_sides_of_a_split(
    sample_sets: dict[str, SampleSet], folders: list[list[Any]], share: float, seed: int
) -> None:
    sample = sample_sets["independent_set"][0]
    with tempfile.TemporaryDirectory() as place:
        sets = []
        for number, trees in enumerate(folders):
            (Path(place) / str(number)).mkdir()
            sets.append(write_trees(Path(place) / str(number), trees, sample))
        try:
            split = split_by_instance(sets, share=share, seed=seed)
        except SampleError:
            # only where it cannot be done: too few instances, or one in too many folders
            contents = [{tree[0] for tree in trees} for trees in folders]
            assert min(map(len, contents)) < 2 or any(
                a & b for i, a in enumerate(contents) for b in contents[:i]
            )
            return
        found = [
            [samples[int(i)] for samples, part in zip(sets, side, strict=True) for i in part]
            for side in (split.training, split.validation)
        ]
        trees, instances = sides(found)
        assert not trees[0] & trees[1]
        assert not instances[0] & instances[1]
        assert instances[1] == set(split.held_out)
        for samples, training, validation in zip(
            sets, split.training, split.validation, strict=True
        ):
            assert sorted([*training, *validation]) == list(range(len(samples)))
            assert len(training) > 0
            assert len(validation) > 0


@pytest.mark.slow
@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(
    folders=st.lists(TREES, min_size=1, max_size=2, unique_by=repr),
    validation=st.just([]) | st.lists(TREES, min_size=1, max_size=2, unique_by=repr),
    holdout=st.floats(0.01, 0.99),
    seed=st.integers(0, 2**32),
)
def test_what_training_judges_by_shares_no_tree_and_no_instance_with_what_it_learns_from(
    sample_sets: dict[str, SampleSet],
    folders: list[list[Any]],
    validation: Any,
    holdout: float,
    seed: int,
) -> None:
    sample = sample_sets["independent_set"][0]
    with tempfile.TemporaryDirectory() as place:
        paths = []
        for number, trees in enumerate((*folders, *validation)):
            paths.append(Path(place) / str(number))
            paths[-1].mkdir()
            write_trees(paths[-1], trees, sample)
        options = TrainingOptions(holdout=holdout)
        n = len(folders)
        learned, judged = (
            {tree[0] for trees in part for tree in trees} for part in (folders, validation)
        )
        if learned & judged:
            with pytest.raises(SampleError, match="share instances"):
                TrainingData.open(paths[:n], paths[n:], options=options, seed=seed)
            return
        try:
            data = TrainingData.open(paths[:n], paths[n:], options=options, seed=seed)
        except SampleError:
            assert not validation  # where instances are held out, see above
            return
        graphs = (data.training, data.validation)
        found = [[side.sample(position) for position in range(len(side))] for side in graphs]
        trees, instances = sides(found)
        assert not trees[0] & trees[1]
        assert not instances[0] & instances[1]
        assert instances[0]
        assert instances[1]
        described = data.describe()
        assert described["training"][0]["samples"] == data.training.sizes[0]


def test_training_says_which_shard_is_left_out_and_describes_the_others(
    sample_sets: dict[str, SampleSet], tmp_path: Path
) -> None:
    trees = [(content, "a.lp", 0, 2) for content in range(6)]
    write_trees(tmp_path, trees, sample_sets["independent_set"][0], shards=3)
    options = TrainingOptions()
    whole = TrainingData.open([tmp_path], options=options).describe()
    os.truncate(tmp_path / "shard-00001.arrow", 100)
    with pytest.warns(DamagedShardWarning, match=r"with 4 of 12 samples: .*shard-00001\.arrow"):
        data = TrainingData.open([tmp_path], options=options)
    assert len(data.training) + len(data.validation) == 8
    (described,) = data.describe()["training"]
    assert described["instances"] == 4
    assert described["sha256"] != whole["training"][0]["sha256"]


def test_validation_on_instances_of_training_is_refused_by_name(
    sample_sets: dict[str, SampleSet],
) -> None:
    auction = sample_sets["auction"]
    with pytest.raises(SampleError, match=r"share instances .*auction-0\.lp.* and 3 more"):
        refuse_shared_instances([sample_sets["set_cover"], auction], [auction])
    refuse_shared_instances([sample_sets["set_cover"]], [auction])
