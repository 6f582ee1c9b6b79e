"""Damage to samples is found and named."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from milplib.errors import SampleError
from milplib.files import atomic_write, file_sha256
from milplib.learn import SampleSet
from milplib.learn.samples import (
    DamagedShardWarning,
    SampleSchema,
    shards,
)
from milplib.learn.samples.shards import Manifest, Shard, ShardEntry, TreeEntry, write_batches

from .stored_samples import FUNCTIONS, assert_equal_states, rewrite


@pytest.mark.parametrize("keep", [0, 10, 0.5, 0.99])
def test_a_shard_that_was_cut_off_is_named(copy: Path, keep: float) -> None:
    shard = copy / "shard-00000.arrow"
    whole = shard.read_bytes()
    shard.write_bytes(whole[: int(keep if keep >= 1 else keep * len(whole))])
    with pytest.raises(SampleError, match=r"shard-00000\.arrow"):
        SampleSet(copy)


def test_a_flipped_bit_is_found_by_the_checksum(copy: Path) -> None:
    shard = copy / "shard-00000.arrow"
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)
    with pytest.raises(SampleError, match="checksum"):
        SampleSet(copy)


def test_a_missing_shard_is_named(copy: Path) -> None:
    (copy / "shard-00000.arrow").unlink()
    with pytest.raises(SampleError, match=r"shard-00000\.arrow"):
        SampleSet(copy)


@pytest.mark.parametrize("key", ["sample_version", "state_version", "scip_major"])
def test_another_schema_version_is_refused_by_name_in_manifest_and_shard(
    copy: Path, key: str
) -> None:
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
def test_a_damaged_manifest_is_named(copy: Path, content: str) -> None:
    (copy / "manifest.json").write_text(content)
    with pytest.raises(SampleError, match=r"manifest\.json"):
        SampleSet(copy)


def test_a_folder_that_is_none_or_has_no_samples_is_named(tmp_path: Path) -> None:
    with pytest.raises(SampleError, match="nowhere"):
        SampleSet(tmp_path / "nowhere")
    with pytest.raises(SampleError, match="not a folder of samples"):
        SampleSet(tmp_path)


def write_shards(folder: Path, groups: Iterable[list[Any]], schema: SampleSchema) -> None:
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
def three_shards(collected: Path, tmp_path: Path) -> Path:
    """The samples of `collected`, a shard an instance."""
    shard = Shard(collected / "shard-00000.arrow")
    groups: dict[Any, Any] = {}
    for number in range(len(shard)):
        batch = shard.batch(number)
        groups.setdefault(TreeEntry.of(batch).instance, []).append(batch)
    assert len(groups) == 3
    write_shards(tmp_path / "three", groups.values(), shard.schema)
    return tmp_path / "three"


def cut_off(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def flip_a_bit(path: Path) -> None:
    with path.open("r+b") as stream:
        stream.seek(path.stat().st_size // 2)
        byte = stream.read(1)[0]
        stream.seek(-1, os.SEEK_CUR)
        stream.write(bytes([byte ^ 8]))


def remove(path: Path) -> None:
    path.unlink()


def replace_by_another_schema(path: Path) -> None:
    write_shards(path.parent / "other", [[]], SampleSchema.of(FUNCTIONS))
    (path.parent / "other" / "shard-00000.arrow").rename(path)


def replace_by_a_neighbour(path: Path) -> None:
    shutil.copy(path.with_name("shard-00002.arrow"), path)


def replace_by_a_folder(path: Path) -> None:
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
def test_a_damaged_shard_is_left_out_by_name_and_the_others_are_used(
    three_shards: Path, damage: Callable[..., Any]
) -> None:
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


def test_where_no_shard_can_be_used_that_is_an_error_with_every_reason(three_shards: Path) -> None:
    for number, damage in enumerate((cut_off, flip_a_bit, remove)):
        damage(three_shards / f"shard-{number:05d}.arrow")
    with pytest.raises(SampleError, match=r"3 of the 3 shards .*00000.*checksum.*No such file"):
        SampleSet(three_shards)


def test_a_shard_cut_off_while_it_is_read_is_an_error_and_no_crash(copy: Path) -> None:
    samples = SampleSet(copy)
    first, *_, last = samples.manifest.shards[0].trees
    assert samples[0].tree == first != last
    os.truncate(copy / "shard-00000.arrow", 1000)
    with pytest.raises(SampleError, match=r"shard-00000\.arrow is damaged"):
        samples[-1]


@pytest.mark.slow
def test_a_checksum_is_computed_once_and_again_when_the_file_changes(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed = []

    def watched(path: Path) -> Any:
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
def test_a_hostile_shard_is_an_error_and_never_a_crash(
    copy: Path, column: str, line: int, value: Callable[..., Any]
) -> None:
    def change(columns: Any) -> None:
        columns[column][line] = value(columns[column][line])

    rewrite(copy, change)
    samples = SampleSet(copy)
    with pytest.raises(SampleError):
        list(samples)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("shards",), {}),
        (("shards",), []),
        (("shards", 0, "file"), "../../elsewhere.arrow"),
        (("shards", 0, "file"), None),
        (("shards", 0, "trees", 0, "samples"), 10**9),
        (("shards", 0, "trees", 0, "samples"), -5),
        (("shards", 0, "trees", 0, "samples"), "x"),
        (("shards", 0, "trees", 0, "root_labelled"), 1),
        (("instances",), [1]),
        (("instances",), []),
        (("instances", 0, "instance"), "another.lp"),
        (("instances", 0, "samples"), 0),
    ],
)
def test_a_manifest_that_cannot_be_true_is_damaged(
    copy: Path, path: tuple[Any, ...], value: Any
) -> None:
    manifest = json.loads((copy / "manifest.json").read_text())
    place = manifest
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(SampleError, match=r"manifest\.json is damaged"):
        SampleSet(copy)


def test_a_manifest_without_its_shards_and_entries_is_not_a_set_of_no_samples(copy: Path) -> None:
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest |= {"instances": [], "shards": []}
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(SampleError, match=r"0 entries of instances are not those of the \d+ inst"):
        SampleSet(copy)
