"""Samples are read back as the states that were extracted, and damage is named."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from pyscipopt import SCIP_PARAMSETTING, SCIP_RESULT

from milplib.errors import SampleError
from milplib.files import atomic_write, file_sha256
from milplib.generators import CapacitatedFacilityLocation, CombinatorialAuction, SetCover
from milplib.learn import SampleSet, collect
from milplib.learn.samples import (
    DamagedShardWarning,
    Label,
    NodePosition,
    SampleSchema,
    TreeRecorder,
    shards,
)
from milplib.learn.samples.picture import _cells, _drawn, write_picture
from milplib.learn.samples.ranges import FeatureRanges
from milplib.learn.samples.sample_set import tied_with_best
from milplib.learn.samples.shards import Manifest, Shard, ShardEntry, TreeEntry, write_batches
from milplib.learn.samples.statistics import _median, sample_statistics, trivial_choices
from milplib.scip import (
    ROW_FEATURES,
    VARIABLE_FEATURES,
    PseudocostFeature,
    apply_setting,
    branching_candidates,
    extract_state,
    load_state_functions,
    strong_branching,
)
from milplib.scip.rule import GuardedRule

FUNCTIONS = load_state_functions(["pseudocost", "tree"])
FAMILIES = {
    "set cover": SetCover(n_rows=300, n_columns=400, density=0.05),
    "auction": CombinatorialAuction(n_items=50, n_bids=200),
    "facility location": CapacitatedFacilityLocation(n_customers=25, n_facilities=25),
}


class Recording(GuardedRule):
    """Keep every extracted state, and record every second one with labels."""

    def __init__(self, recorder):
        super().__init__()
        self.recorder, self.states, self.labels = recorder, [], []

    def decide(self):
        model = self.model
        candidates = branching_candidates(model)
        state = extract_state(model, state_functions=FUNCTIONS)
        node = model.getCurrentNode()
        position = NodePosition(node=node.getNumber(), parent=-1, depth=node.getDepth())
        label = None
        if len(self.states) % 2:
            result = strong_branching(model, candidates)
            valid = result.valid.copy()
            valid[1:2] = False  # a score that is missing
            label = Label(scores=result.scores, valid=valid, chosen=result.best)
        self.recorder.record(state, position, label)
        self.states.append(state)
        self.labels.append(label)
        model.branchVar(candidates[0])
        return SCIP_RESULT.BRANCHED


def write_set(folder, batches, schema):
    folder.mkdir(exist_ok=True)
    with atomic_write(folder / "shard-00000.arrow") as stream:
        write_batches(stream, batches, schema)
    entry = ShardEntry.of(folder / "shard-00000.arrow", map(TreeEntry.of, batches))
    Manifest(config={}, software={}, schema=schema, shards=(entry,)).write(folder)


def assert_equal_states(one, other):
    for name in ("variable_features", "row_features", "edge_index", "edge_features", "candidates"):
        left, right = getattr(one, name), getattr(other, name)
        assert left.dtype == right.dtype, name
        assert np.array_equal(left, right), name
    assert one.has_incumbent == other.has_incumbent
    assert one.blocks.keys() == other.blocks.keys()
    for name in one.blocks:
        assert np.array_equal(one.blocks[name], other.blocks[name]), name


@pytest.mark.parametrize("setting", ["default", "learn2branch"])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_sample_is_the_extracted_state_to_the_bit(family, setting, tmp_path):
    schema = SampleSchema.of(FUNCTIONS)
    recorder = TreeRecorder(schema, instance="a", instance_hash="b", episode=0, scip_seed=7)
    rule = Recording(recorder)
    model = FAMILIES[family].generate(2).to_scip()
    model.hideOutput()
    apply_setting(model, setting, seed=1)
    model.setParam("separating/maxroundsroot", 1)  # leave something to branch on
    model.setHeuristics(SCIP_PARAMSETTING.OFF)
    model.setParam("limits/nodes", 12)
    rule.include(model, "recording")
    model.optimize()
    write_set(tmp_path, recorder.batches(), schema)
    samples = SampleSet(tmp_path)
    labelled = [place for place, label in enumerate(rule.labels) if label is not None]
    assert len(samples) == recorder.n_samples == len(labelled) > 2
    assert_equal_states(samples.root_state(0), rule.states[0])
    for sample, place in zip(samples, labelled, strict=True):
        assert_equal_states(sample.state, rule.states[place])
        assert np.array_equal(sample.scores, rule.labels[place].scores)
        assert np.array_equal(sample.valid, rule.labels[place].valid)
        assert sample.scip_seed == 7


def test_other_columns_begin_a_new_part_of_the_tree(tmp_path):
    """As after a restart, which presolves again: n, and so everything static, changes."""
    schema = SampleSchema.of(FUNCTIONS)
    recorder = TreeRecorder(schema, instance="a", instance_hash="b", episode=0, scip_seed=7)
    rules = []
    for n_columns in (400, 350, 400):
        generator = SetCover(n_rows=300, n_columns=n_columns, density=0.05)
        model = generator.generate(2).to_scip()
        model.hideOutput()
        model.setHeuristics(SCIP_PARAMSETTING.OFF)
        model.setParam("limits/nodes", 8)
        rules.append(Recording(recorder))
        rules[-1].include(model, "recording")
        model.optimize()
    write_set(tmp_path, recorder.batches(), schema)
    samples = SampleSet(tmp_path)
    assert sorted({sample.tree.part for sample in samples}) == [0, 1, 2]
    states = [
        state
        for rule in rules
        for state, label in zip(rule.states, rule.labels, strict=True)
        if label is not None
    ]
    for sample, state in zip(samples, states, strict=True):
        assert_equal_states(sample.state, state)


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    """A small real collection; tests that damage it work on copies."""
    folder = tmp_path_factory.mktemp("collected")
    for seed in range(3):
        FAMILIES["auction"].generate(seed).write(folder / f"{seed}.lp")
    collect([folder], out=folder / "samples", samples_per_instance=3, expert_probability=0.5)
    return folder / "samples"


@pytest.fixture
def copy(collected, tmp_path):
    for path in collected.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def test_statistics_agree_with_a_plain_count(collected):
    samples = SampleSet(collected)
    found = sample_statistics(samples)
    assert found.samples == len(samples) == len(list(samples)) > 0
    sizes = [len(sample.state.candidates) for sample in samples]
    assert found.candidates == (min(sizes), np.mean(sizes), np.median(sizes), max(sizes))
    # The expert agrees with itself; a random choice as often as it can.
    random = np.mean([sample.tied.sum() / len(sample.tied) for sample in samples])
    assert np.isclose(found.choices["random"].accuracy, random)
    pseudocost = [
        sample.tied[sample.state.blocks["pseudocost"][:, PseudocostFeature.SCORE].argmax()]
        for sample in samples
    ]
    assert abs(found.choices["pseudocost"].accuracy - np.mean(pseudocost)) < 0.35
    assert all(0 <= c.accuracy <= 1 and c.regret >= 0 for c in found.choices.values())


def test_the_median_is_that_of_all_samples_however_many_come_to_be_counted():
    for sizes in ([5], [1, 4], [3, 1, 1], [2, 2, 9, 9], [7, 1, 3, 3, 3, 8]):
        assert _median(Counter(sizes)) == np.median(sizes)


def test_ranges_of_features_agree_with_all_values_at_once(collected):
    samples = SampleSet(collected)
    ranges = FeatureRanges(samples.blocks)
    for sample in samples:
        ranges.add(sample.state)
    states = [sample.state for sample in samples]
    columns = {
        "variable": np.concatenate([state.variable_features for state in states]),
        "row": np.concatenate([state.row_features for state in states]),
        "edge": np.concatenate([state.edge_features for state in states])[:, None],
        "block pseudocost": np.concatenate([state.blocks["pseudocost"] for state in states]),
    }
    found = ranges.found()
    names = [*VARIABLE_FEATURES, *ROW_FEATURES, "coefficient", *samples.blocks[0].columns]
    assert [feature.name for feature in found] == names
    for group, matrix in columns.items():
        listed = [feature for feature in found if feature.group == group]
        assert len(listed) == matrix.shape[1]
        for feature, values in zip(listed, matrix.T.astype(np.float64), strict=True):
            assert (feature.values, feature.not_finite) == (len(values), 0)
            assert (feature.minimum, feature.maximum) == (values.min(), values.max())
            assert feature.mean == pytest.approx(values.mean(), abs=1e-12)  # order of the sums
            assert feature.zeros == np.mean(values == 0)
            assert feature.is_constant == (len(set(values)) == 1)


def test_a_value_that_is_not_finite_is_counted_where_it_may_be_read(copy):
    def change(columns):
        columns["block_pseudocost"][-1][4] = float("nan")  # of the second candidate, "down"
        columns["pool_value"][0][0] = float("inf")

    rewrite(copy, change)
    with pytest.raises(SampleError, match="do not fit together"):
        list(SampleSet(copy))
    samples = SampleSet(copy, finite=False)
    ranges = FeatureRanges(samples.blocks)
    for sample in samples:
        ranges.add(sample.state)
    broken = {feature.name: feature for feature in ranges.found() if feature.not_finite}
    assert set(broken) == {"coefficient", "down"}
    assert broken["down"].not_finite == 1
    assert all(np.isfinite(feature.maximum) for feature in broken.values())
    assert sample_statistics(samples).samples == len(samples)


def test_a_picture_shows_candidates_pattern_and_tree(collected):
    samples = SampleSet(collected)
    for index in (0, len(samples) - 1):
        sample = samples[index]
        state = sample.state
        scores, place, pattern = (
            axis for part in _drawn(samples, index).subfigs for axis in part.axes
        )
        others, best, *_ = scores.lines
        assert len(others.get_xdata()) + len(best.get_xdata()) == sample.valid.sum()
        assert sorted(best.get_ydata()) == sorted(sample.scores[sample.tied])
        legend = " ".join(text.get_text() for text in scores.get_legend().get_texts())
        taken = int(trivial_choices(sample)["pseudocost"].argmax())
        better = int((sample.scores > sample.scores[taken]).sum())
        assert f"pseudocost: place {better + 1}" in legend
        assert f"node {sample.node} at depth {sample.depth}" in place.get_title()
        image = pattern.images[0].get_array()
        assert image.shape == (state.n_rows, state.n_variables)  # each entry is a cell
        assert (image > 0).sum() == len(state.edge_features)
        touched = np.isin(state.edge_index[1], state.candidates)
        assert (image == 2).sum() == touched.sum()


def test_a_picture_of_a_large_state_has_few_cells_and_all_of_its_ends(collected, tmp_path):
    samples = SampleSet(collected)
    write_picture(samples, 0, tmp_path / "0.png")
    write_picture(samples, 0, tmp_path / "again.png")
    write_picture(samples, 1, tmp_path / "1.png")
    contents = [(tmp_path / f"{name}.png").read_bytes() for name in ("0", "again", "1")]
    assert contents[0] == contents[1] != contents[2]
    cells = _cells(np.array([0, 99_999, 200_000 - 1]), 200_000, 640)
    assert cells.tolist() == [0, 319, 639]


def test_scores_tie_within_the_tolerance_and_missing_ones_never_do():
    assert tied_with_best(np.array([0.0, 0.0])).tolist() == [True, True]
    valid = np.array([True, False, True])
    assert tied_with_best(np.array([-1.0, 0.0, -1.0 - 1e-6]), valid).tolist() == [True, False, True]
    assert tied_with_best(np.array([1e40, 0.99e40])).tolist() == [True, False]


def test_equal_collections_give_equal_bytes(collected, tmp_path):
    collect(
        [collected.parent], out=tmp_path / "again", samples_per_instance=3, expert_probability=0.5
    )
    names = [path.name for path in collected.glob("*.arrow")] + ["manifest.json"]
    for name in names:
        assert (collected / name).read_bytes() == (tmp_path / "again" / name).read_bytes(), name


@pytest.mark.parametrize("keep", [0, 10, 0.5, 0.99])
def test_a_shard_that_was_cut_off_is_named(copy, keep):
    shard = copy / "shard-00000.arrow"
    whole = shard.read_bytes()
    shard.write_bytes(whole[: int(keep if keep >= 1 else keep * len(whole))])
    with pytest.raises(SampleError, match=r"shard-00000\.arrow"):
        SampleSet(copy)


def test_a_flipped_bit_is_found_by_the_checksum(copy):
    shard = copy / "shard-00000.arrow"
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)
    with pytest.raises(SampleError, match="checksum"):
        SampleSet(copy)


def test_a_missing_shard_is_named(copy):
    (copy / "shard-00000.arrow").unlink()
    with pytest.raises(SampleError, match=r"shard-00000\.arrow"):
        SampleSet(copy)


@pytest.mark.parametrize("key", ["sample_version", "state_version", "scip_major"])
def test_another_schema_version_is_refused_by_name_in_manifest_and_shard(copy, key):
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["schema"][key] += 1
    other = dict(manifest["schema"])
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(SampleError, match=f"version {other[key]}"):
        SampleSet(copy)
    manifest["schema"][key] -= 1
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pa.ipc.open_file(copy / "shard-00000.arrow") as file:
        table = file.read_all()
    table = table.replace_schema_metadata({b"milplib": json.dumps(other).encode()})
    with pa.ipc.new_file(copy / "shard-00000.arrow", table.schema) as writer:
        writer.write_table(table)
    with pytest.raises(SampleError, match=f"version {other[key]}"):
        SampleSet(copy)


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"format": "milplib-sample-set"}', '"text"', "null"]
)
def test_a_damaged_manifest_is_named(copy, content):
    (copy / "manifest.json").write_text(content)
    with pytest.raises(SampleError, match=r"manifest\.json"):
        SampleSet(copy)


def test_a_folder_that_is_none_or_has_no_samples_is_named(tmp_path):
    with pytest.raises(SampleError, match="nowhere"):
        SampleSet(tmp_path / "nowhere")
    with pytest.raises(SampleError, match="not a folder of samples"):
        SampleSet(tmp_path)


def write_shards(folder, groups, schema):
    """Write groups of record batches, a shard each."""
    folder.mkdir(exist_ok=True)
    entries = []
    for number, batches in enumerate(groups):
        path = folder / f"shard-{number:05d}.arrow"
        with atomic_write(path) as stream:
            write_batches(stream, batches, schema)
        entries.append(ShardEntry.of(path, map(TreeEntry.of, batches)))
    Manifest(config={}, software={}, schema=schema, shards=tuple(entries)).write(folder)


@pytest.fixture
def three_shards(collected, tmp_path):
    """The samples of `collected`, a shard an instance."""
    shard = Shard(collected / "shard-00000.arrow")
    groups = {}
    for number in range(len(shard)):
        batch = shard.batch(number)
        groups.setdefault(TreeEntry.of(batch).instance, []).append(batch)
    assert len(groups) == 3
    write_shards(tmp_path / "three", groups.values(), shard.schema)
    return tmp_path / "three"


def cut_off(path):
    os.truncate(path, path.stat().st_size // 2)


def flip_a_bit(path):
    with path.open("r+b") as stream:
        stream.seek(path.stat().st_size // 2)
        byte = stream.read(1)[0]
        stream.seek(-1, os.SEEK_CUR)
        stream.write(bytes([byte ^ 8]))


def remove(path):
    path.unlink()


def replace_by_another_schema(path):
    write_shards(path.parent / "other", [[]], SampleSchema.of(FUNCTIONS))
    (path.parent / "other" / "shard-00000.arrow").rename(path)


def replace_by_a_neighbour(path):
    shutil.copy(path.with_name("shard-00002.arrow"), path)


def replace_by_a_folder(path):
    path.unlink()
    path.mkdir()


DAMAGES = {
    cut_off: "shard-00001.arrow is damaged or cut off",
    flip_a_bit: "shard-00001.arrow is damaged: its checksum is not the manifest's",
    remove: "cannot read .*shard-00001.arrow",
    replace_by_another_schema: "shard-00001.arrow is damaged: it has|not the shard that the manif",
    replace_by_a_neighbour: "shard-00001.arrow is damaged",
    replace_by_a_folder: "cannot read .*shard-00001.arrow",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_shard_is_left_out_by_name_and_the_others_are_used(three_shards, damage):
    whole = list(SampleSet(three_shards))
    lost = SampleSet(three_shards).manifest.shards[1].trees
    damage(three_shards / "shard-00001.arrow")

    with pytest.warns(DamagedShardWarning, match=DAMAGES[damage]) as told:
        samples = SampleSet(three_shards)

    assert len(samples) == len(whole) - lost.n_samples < len(whole)
    assert f"with {lost.n_samples} of {len(whole)} samples" in str(told[0].message)
    (damaged,) = samples.damaged
    assert (damaged.file, damaged.samples) == ("shard-00001.arrow", lost.n_samples)
    assert damaged.trees == len(lost)
    kept = [sample for sample in whole if sample.tree.instance != lost[0].instance]
    for ours, before in zip(samples, kept, strict=True):
        assert ours.tree == before.tree
        assert_equal_states(ours.state, before.state)
        assert np.array_equal(ours.scores, before.scores)
    for index, before in enumerate(kept):
        assert samples[index].node == before.node
    with pytest.raises(SampleError, match=DAMAGES[damage]):
        SampleSet(three_shards, strict=True)


def test_where_no_shard_can_be_used_that_is_an_error_with_every_reason(three_shards):
    for number, damage in enumerate((cut_off, flip_a_bit, remove)):
        damage(three_shards / f"shard-{number:05d}.arrow")
    with pytest.raises(SampleError, match=r"3 of the 3 shards .*00000.*checksum.*No such file"):
        SampleSet(three_shards)


def test_a_shard_cut_off_while_it_is_read_is_an_error_and_no_crash(copy):
    samples = SampleSet(copy)
    first, *_, last = samples.manifest.shards[0].trees
    assert samples[0].tree == first != last
    os.truncate(copy / "shard-00000.arrow", 1000)
    with pytest.raises(SampleError, match=r"shard-00000\.arrow is damaged"):
        samples[-1]


def test_a_checksum_is_computed_once_and_again_when_the_file_changes(copy, monkeypatch):
    computed = []

    def watched(path):
        computed.append(path)
        return file_sha256(path)

    monkeypatch.setattr(shards, "file_sha256", watched)
    shard = copy / "shard-00000.arrow"
    before = shard.stat()
    # Written just now, it could change within a tick of its time stamp: not to be trusted yet.
    SampleSet(copy)
    SampleSet(copy)
    assert len(computed) == 2
    time.sleep(2.1)
    SampleSet(copy)
    SampleSet(copy)
    assert len(computed) == 3
    flip_a_bit(shard)
    os.utime(shard, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(SampleError, match="checksum"):
        SampleSet(copy)


def test_samples_are_found_by_any_index_that_a_list_takes(collected):
    samples = SampleSet(collected)
    nodes = [sample.node for sample in samples]
    n = len(samples)
    assert [samples[index - n].node for index in range(n)] == nodes
    assert [sample.node for sample in samples[1::2]] == nodes[1::2]
    for index in (n, -n - 1, 10**9):
        with pytest.raises(IndexError, match=f"no sample {index} among {n}"):
            samples[index]


def rewrite(folder, change):
    """Change a column of the first batch, and the checksums with it: a hostile file."""
    path = folder / "shard-00000.arrow"
    with pa.ipc.open_file(pa.BufferReader(path.read_bytes())) as file:
        batches = [file.get_batch(number) for number in range(file.num_record_batches)]
        schema = file.schema
    columns = {name: batches[0].column(name).to_pylist() for name in schema.names}
    change(columns)
    batches[0] = pa.record_batch(
        [pa.array(columns[field.name], type=field.type) for field in schema], schema=schema
    )
    with pa.ipc.new_file(path, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["shards"][0]["bytes"] = path.stat().st_size
    manifest["shards"][0]["sha256"] = file_sha256(path)
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("column", "line", "value"),
    [
        ("pool_column_steps", 0, lambda old: [10**6, *old[1:]]),
        ("pool_column_steps", 0, lambda old: [-1, *old[1:]]),
        ("pool_column_steps", 0, lambda old: [2**31 - 1] * len(old)),
        ("pool_length", 0, lambda old: [old[0] + 5, *old[1:]]),
        ("pool_length", 0, lambda old: [-1, old[0] + old[1] + 1, *old[2:]]),
        ("pool_length", 0, lambda old: [2**31 - 1] * len(old)),
        ("pool_value", 0, lambda old: old[:-1]),
        ("row_steps", -1, lambda old: [10**6, *old[1:]]),
        ("row_steps", -1, lambda old: [-1, *old[1:]]),
        ("candidates", -1, lambda old: [10**6, *old[1:]]),
        ("variable_numbers", -1, lambda old: old[:-1]),
        ("row_flags", -1, lambda old: [*old, True]),
        ("block_pseudocost", -1, lambda old: old[:-1]),
        ("scores", -1, lambda old: old[:-1]),
        ("chosen", -1, lambda old: 10**6),
        ("chosen", -1, lambda old: None),
        ("scores", -1, lambda old: [float("nan"), *old[1:]]),
        ("valid", -1, lambda old: [False] * len(old)),
        ("pool_value", 0, lambda old: [float("inf"), *old[1:]]),
        ("variable_numbers", -1, lambda old: [float("nan"), *old[1:]]),
    ],
)
def test_a_hostile_shard_is_an_error_and_never_a_crash(copy, column, line, value):
    def change(columns):
        columns[column][line] = value(columns[column][line])

    rewrite(copy, change)
    samples = SampleSet(copy)
    with pytest.raises(SampleError):
        list(samples)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("shards",), {}),
        (("shards", 0, "file"), "../../elsewhere.arrow"),
        (("shards", 0, "file"), None),
        (("shards", 0, "trees", 0, "samples"), 10**9),
        (("shards", 0, "trees", 0, "samples"), -5),
        (("shards", 0, "trees", 0, "samples"), "x"),
        (("shards", 0, "trees", 0, "root_labelled"), 1),
        (("instances",), [1]),
    ],
)
def test_a_manifest_that_cannot_be_true_is_damaged(copy, path, value):
    manifest = json.loads((copy / "manifest.json").read_text())
    place = manifest
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(SampleError, match=r"manifest\.json is damaged"):
        SampleSet(copy)
