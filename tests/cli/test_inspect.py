"""``samples inspect``: what it says of samples, of one sample, and of damaged ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from milplib.files import atomic_write
from milplib.generators import IndependentSet
from milplib.learn import SampleSet, collect
from milplib.learn.samples.shards import Manifest, Shard, ShardEntry, TreeEntry, write_batches

from .conftest import fail, succeed


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Samples of two small instances, a shard each."""
    folder = tmp_path_factory.mktemp("inspected")
    family = IndependentSet(n_nodes=50, graph="erdos_renyi", edge_probability=0.2)
    entries = []
    for number in range(2):
        (folder / str(number)).mkdir()
        family.generate(number).write(folder / str(number) / "a.lp")
        found = collect(
            [folder / str(number)],
            out=folder / f"{number}.samples",
            samples_per_instance=4,
            expert_probability=1.0,
        )
        shard = Shard(found.folder / "shard-00000.arrow")
        batches = [shard.batch(place) for place in range(len(shard))]
        path = folder / f"shard-{number:05d}.arrow"
        with atomic_write(path) as stream:
            write_batches(stream, batches, shard.schema)
        entries.append(ShardEntry.of(path, map(TreeEntry.of, batches)))
    Manifest(config={}, software={}, schema=shard.schema, shards=tuple(entries)).write(folder)
    return folder


def test_the_ranges_of_features_are_listed_on_request_and_in_json(samples: Path) -> None:
    plain = succeed("samples", "inspect", samples)
    assert "solution_frac" not in plain
    assert "--features" in plain
    printed = succeed("samples", "inspect", samples, "--features")
    for word in ("solution_frac", "dual_solution_value", "coefficient", "block pseudocost"):
        assert word in printed
    (line,) = (line for line in printed.splitlines() if "is_type_binary" in line)
    assert line.split()[-2:] == ["%", "constant"]
    found = json.loads(succeed("samples", "inspect", samples, "--json"))
    listed = {(f["group"], f["name"]): f for f in found["features"]}
    assert listed["variable", "is_type_binary"]["minimum"] == 1
    states = [sample.state for sample in SampleSet(samples)]
    assert listed["edge", "coefficient"]["values"] == sum(len(s.edge_features) for s in states)
    assert found["damaged"] == []


@pytest.mark.slow
def test_a_damaged_shard_is_named_in_text_and_json_and_an_error_where_wanted(
    samples: Path, tmp_path: Path
) -> None:
    for path in (samples / "manifest.json", *samples.glob("*.arrow")):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "shard-00000.arrow").write_bytes(b"ARROW1")
    printed = succeed("samples", "inspect", tmp_path)
    assert "4 samples of 0 instances" in printed
    assert "left out shard-00000.arrow with 4 samples" in printed
    found = json.loads(succeed("samples", "inspect", tmp_path, "--json"))
    assert found["samples"] == 4
    assert [(d["file"], d["samples"]) for d in found["damaged"]] == [("shard-00000.arrow", 4)]
    fail("samples", "inspect", tmp_path, "--strict", naming="shard-00000.arrow")


@pytest.mark.slow
def test_one_sample_is_drawn(samples: Path, tmp_path: Path) -> None:
    picture = tmp_path / "sample.png"
    printed = succeed("samples", "inspect", samples, "--picture", picture, "--sample", 7)
    assert "sample 7 of 8" in printed
    assert picture.read_bytes()[1:4] == b"PNG"


@pytest.mark.slow
def test_a_picture_that_cannot_be_is_one_line_and_exit_code_2(
    samples: Path, tmp_path: Path
) -> None:
    picture = tmp_path / "sample.png"
    fail("samples", "inspect", samples, "--picture", picture, "--sample", 8, naming="0 to 7")
    fail("samples", "inspect", samples, "--picture", tmp_path / "a.jpg", naming="PNG")
    fail("samples", "inspect", samples, "--picture", tmp_path / "no" / "a.png", naming="no/a.png")
    fail("samples", "inspect", samples, "--sample", 1, naming="--picture")
    empty = tmp_path / "empty"
    empty.mkdir()
    Manifest(config={}, software={}, schema=SampleSet(samples).manifest.schema).write(empty)
    fail("samples", "inspect", empty, "--picture", picture, naming="none")
    assert not picture.exists()
