"""Collecting: what it gives, when it stops, what it survives."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import scipy.sparse as sp

from milplib import Instance
from milplib.errors import (
    InstanceError,
    OutputError,
    ParameterError,
    StateError,
    UnknownNameError,
)
from milplib.generators import CombinatorialAuction, SetCover, from_name
from milplib.learn import SampleSet, collect

AUCTION = CombinatorialAuction(n_items=50, n_bids=200)


@pytest.fixture(scope="module")
def auctions(tmp_path_factory):
    folder = tmp_path_factory.mktemp("auctions")
    for seed in range(4):
        AUCTION.generate(seed).write(folder / f"{seed}.lp")
    return folder


def content(folder):
    """Files by name but the one that says where and when they were made."""
    files = (path for path in folder.iterdir() if path.is_file())
    return {path.name: path.read_bytes() for path in files if path.name != "environment.json"}


def linear(*, integer=False, lower=0.0, rows=((1.0, 1.0),), right=(1.5,), objective=(1.0, 1.0)):
    return Instance(
        objective=objective,
        A=sp.csr_array(np.array(rows)),
        row_lower=[-np.inf] * len(rows),
        row_upper=right,
        lower=[lower] * 2,
        upper=[np.inf] * 2,
        integrality=[int(integer)] * 2,
        sense="maximize",
    )


@pytest.mark.slow
def test_one_and_three_workers_give_the_same_bytes(auctions, tmp_path):
    for workers in (1, 3):
        collect(
            [auctions],
            out=tmp_path / str(workers),
            workers=workers,
            samples_per_instance=4,
            expert_probability=0.3,
            blocks=("pseudocost", "tree"),
        )
    one, three = content(tmp_path / "1"), content(tmp_path / "3")
    assert one == three
    assert len(SampleSet(tmp_path / "1")) > 8


@pytest.mark.slow
def test_another_seed_gives_other_samples(auctions, tmp_path):
    sets = [
        collect(
            [auctions],
            out=tmp_path / str(seed),
            samples_per_instance=2,
            seed=seed,
            expert_probability=0.5,
        )
        for seed in (0, 1)
    ]
    seeds = [{sample.scip_seed for sample in samples} for samples in sets]
    assert not seeds[0] & seeds[1]


@pytest.mark.slow
def test_an_instances_samples_do_not_depend_on_its_name_or_on_others(auctions, tmp_path):
    alone = tmp_path / "alone"
    alone.mkdir()
    (alone / "renamed.lp").write_bytes((auctions / "2.lp").read_bytes())
    options = {"samples_per_instance": 2, "expert_probability": 0.5}
    together = collect([auctions], out=tmp_path / "a", **options)
    single = collect([alone], out=tmp_path / "b", **options)
    same = [s for s in together if s.tree.instance.endswith("2.lp")]
    assert len(same) == len(single) > 0
    for left, right in zip(same, single, strict=True):
        assert (left.node, left.scip_seed) == (right.node, right.scip_seed)
        assert np.array_equal(left.scores, right.scores)


def test_the_expert_is_asked_at_every_node_when_the_probability_is_one(auctions, tmp_path):
    samples = collect(
        [auctions],
        out=tmp_path / "s",
        samples_per_instance=5,
        expert_probability=1.0,
        setting="learn2branch",
    )
    first = [s for s in samples if s.tree.instance.endswith("/0.lp") and s.tree.episode == 0]
    assert first[0].depth == 0
    assert first[0].tree.root_labelled
    # Each node's parent is the root or another labelled node.
    numbers = {s.node for s in first} | {-1}
    assert all(s.parent in numbers for s in first)


def test_children_of_labelled_nodes_are_labelled_on_request(tmp_path):
    (tmp_path / "i").mkdir()
    CombinatorialAuction(n_items=100, n_bids=500).generate(1).write(tmp_path / "i" / "a.lp")
    samples = collect(
        [tmp_path / "i"],
        out=tmp_path / "s",
        samples_per_instance=8,
        expert_probability=0.2,
        label_children=True,
        setting="learn2branch",
    )
    trees = {}
    for sample in samples:
        trees.setdefault((sample.tree.episode, sample.tree.part), {})[sample.node] = sample
    children = [s for s in samples if s.is_child_of_labelled]
    assert children
    for child in children:
        parent = trees[child.tree.episode, child.tree.part][child.parent]
        assert not parent.is_child_of_labelled
        assert child.depth == parent.depth + 1


def test_every_sample_has_a_choice_and_scores_that_agree(auctions, tmp_path):
    for sample in collect(
        [auctions], out=tmp_path / "s", samples_per_instance=3, expert_probability=0.5
    ):
        assert len(sample.state.candidates) > 1
        assert sample.valid.all()
        assert sample.scores[sample.chosen] == sample.scores.max()
        assert sample.tied[sample.chosen]


def test_instances_that_give_no_samples_are_named_with_the_reason(tmp_path):
    folder = tmp_path / "odd"
    folder.mkdir()
    linear().write(folder / "continuous.lp")
    linear(integer=True, rows=((1.0, 1.0), (-1.0, -1.0)), right=(3.0, -3.5)).write(
        folder / "infeasible.lp"
    )
    linear(integer=True, rows=((1.0, -1.0),), right=(1.5,)).write(folder / "unbounded.lp")
    linear(integer=True).write(folder / "trivial.lp")
    AUCTION.generate(0).write(folder / "zz.lp")
    AUCTION.generate(0).write(folder / "zzz.mps.gz")
    (folder / "broken.lp").write_text("maximize\nOBJ: x1 +")
    samples = collect([folder], out=tmp_path / "s", samples_per_instance=2, expert_probability=0.5)
    found = {
        entry["instance"].split("/")[-1]: (entry["outcome"], entry["reason"])
        for entry in samples.manifest.instances
    }
    assert found["continuous.lp"][0] == "none"
    assert "no integer column" in found["continuous.lp"][1]
    assert found["infeasible.lp"][0] == "none"
    assert "infeasible" in found["infeasible.lp"][1]
    assert found["unbounded.lp"][0] == "none"
    assert "unb" in found["unbounded.lp"][1]
    assert found["trivial.lp"] == ("none", "optimal without branching in 3 episode(s)")
    assert found["broken.lp"][0] == "unreadable"
    assert "broken.lp" in found["broken.lp"][1]
    assert found["zz.lp"][0] == "complete"
    assert found["zzz.mps.gz"][0] == "duplicate"
    assert {sample.tree.instance.split("/")[-1] for sample in samples} == {"zz.lp"}


def test_only_unreadable_files_are_an_error_and_leave_nothing(tmp_path):
    folder = tmp_path / "i"
    folder.mkdir()
    (folder / "a.lp").write_bytes(b"\0\1\2garbage")
    (folder / "b.mps").write_text("")
    with pytest.raises(InstanceError, match="none of the 2"):
        collect([folder], out=tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_an_episode_that_meets_the_wall_limit_is_discarded(tmp_path):
    folder = tmp_path / "i"
    folder.mkdir()
    SetCover(n_rows=500, n_columns=1000, density=0.05).generate(0).write(folder / "a.lp")
    samples = collect(
        [folder],
        out=tmp_path / "s",
        samples_per_instance=1000,
        expert_probability=1.0,
        time_limit=2.0,
        max_episodes=1,
    )
    assert len(samples) == 0
    (entry,) = samples.manifest.instances
    assert entry["outcome"] == "failed"
    assert "timelimit" in entry["reason"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "limit", [{"node_limit": 5}, pytest.param({"iteration_limit": 2000}, marks=pytest.mark.slow)]
)
def test_deterministic_limits_end_an_episode_and_keep_its_samples(auctions, tmp_path, limit):
    options = {"samples_per_instance": 50, "expert_probability": 1.0, "max_episodes": 1}
    few = collect([auctions], out=tmp_path / "few", **options, **limit)
    many = collect([auctions], out=tmp_path / "many", **options)
    assert 0 < len(few) < len(many)
    assert any(entry["outcome"] == "fewer" for entry in few.manifest.instances)


def test_a_second_call_with_the_same_arguments_does_nothing_and_with_others_is_refused(
    auctions, tmp_path
):
    options = {"out": tmp_path / "s", "samples_per_instance": 1, "expert_probability": 0.5}
    collect([auctions], **options)
    before = content(tmp_path / "s")
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "s").iterdir()}
    collect([auctions], **options)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "s").iterdir()} == times
    with pytest.raises(OutputError, match="another collection"):
        collect([auctions], seed=1, **options)
    assert content(tmp_path / "s") == before
    (tmp_path / "s" / "notes.txt").write_text("mine")
    collect([auctions], seed=1, force=True, **options)
    assert content(tmp_path / "s")["notes.txt"] == b"mine"
    assert content(tmp_path / "s") != before


def test_a_folder_that_is_not_ours_is_left_alone(auctions, tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(OutputError, match="not empty"):
        collect([auctions], out=tmp_path)
    assert content(tmp_path) == {"thesis.tex": b"years of work"}
    with pytest.raises(OutputError, match="is a file"):
        collect([auctions], out=tmp_path / "thesis.tex")


@pytest.mark.parametrize(
    ("option", "error"),
    [
        ({"expert_probability": 0.0}, ParameterError),
        ({"expert_probability": 1.5}, ParameterError),
        ({"samples_per_instance": 0}, ParameterError),
        ({"max_episodes": 0}, ParameterError),
        ({"seed": -1}, ParameterError),
        ({"workers": 0}, ParameterError),
        ({"node_limit": 0}, ParameterError),
        ({"time_limit": float("nan")}, ParameterError),
        ({"setting": "lern2branch"}, UnknownNameError),
        ({"blocks": ("pseudocosts",)}, UnknownNameError),
    ],
)
def test_arguments_outside_their_domain_are_refused_before_anything_is_written(
    auctions, tmp_path, option, error
):
    with pytest.raises(error):
        collect([auctions], out=tmp_path / "s", **option)
    assert not (tmp_path / "s").exists()


SLOW_COLLECTION = """
import sys
from milplib.learn import collect
if __name__ == "__main__":
    collect([sys.argv[1]], out=sys.argv[2], samples_per_instance=6, expert_probability=0.5,
            workers=int(sys.argv[3]), setting="learn2branch")
"""


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_collection_goes_on_where_it_stopped_to_the_same_bytes(
    auctions, tmp_path, workers, how
):
    script = tmp_path / "script.py"
    script.write_text(SLOW_COLLECTION)

    def start(out):
        return subprocess.Popen(
            [sys.executable, str(script), str(auctions), str(out), str(workers)],
            stderr=subprocess.DEVNULL,
        )

    assert start(tmp_path / "whole").wait() == 0
    killed = 0
    for _ in range(20):
        process = start(tmp_path / "cut")
        finished = len(list((tmp_path / "cut" / "unfinished").glob("0*.json")))
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            if len(list((tmp_path / "cut" / "unfinished").glob("0*.json"))) > finished:
                os.kill(process.pid, how)
                killed += 1
                break
            time.sleep(0.01)
        if process.wait(timeout=60) == 0:
            break
    assert killed >= 2
    assert content(tmp_path / "cut") == content(tmp_path / "whole")


@pytest.mark.nightly
@pytest.mark.parametrize("family", ["CA", "SC", "MIS", "CFLP"])
def test_one_two_and_three_workers_give_the_same_bytes(family, tmp_path):
    folder = tmp_path / family
    folder.mkdir()
    for seed in range(6):
        from_name(f"{family}-milplib-small").generate(seed).write(folder / f"{seed}.lp")
    contents = []
    for workers in (1, 2, 3):
        out = tmp_path / str(workers)
        collect(
            [folder],
            out=out,
            workers=workers,
            samples_per_instance=5,
            expert_probability=0.2,
            label_children=True,
        )
        contents.append(content(out))
    assert contents[0] == contents[1] == contents[2]


@pytest.mark.nightly
def test_real_instances_give_the_same_bytes_in_any_company(test_data, tmp_path):
    together = collect(
        [test_data / "miplib"],
        out=tmp_path / "all",
        workers=2,
        samples_per_instance=5,
        expert_probability=0.2,
    )
    for path in sorted((test_data / "miplib").iterdir()):
        if path.suffix == ".csv":
            continue
        folder = tmp_path / path.name / "miplib"
        folder.mkdir(parents=True)
        (folder / path.name).write_bytes(path.read_bytes())
        alone = collect(
            [folder], out=tmp_path / path.name / "s", samples_per_instance=5, expert_probability=0.2
        )
        name = f"miplib/{path.name}"
        same = [sample for sample in together if sample.tree.instance == name]
        assert len(alone) == len(same)
        for left, right in zip(alone, same, strict=True):
            assert left.node == right.node
            assert np.array_equal(left.scores, right.scores)
            assert np.array_equal(left.state.variable_features, right.state.variable_features)


def test_a_script_without_a_main_guard_is_told_so_and_nothing_is_recorded(auctions, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "from milplib.learn import collect\n"
        f"collect([{str(auctions)!r}], out={str(tmp_path / 's')!r}, workers=2)\n"
    )
    run = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
    assert run.returncode != 0
    assert "__main__" in run.stderr.splitlines()[-1]
    assert not (tmp_path / "s" / "manifest.json").exists()


@pytest.mark.slow
def test_force_replaces_a_collection_only_when_the_new_one_is_there(auctions, tmp_path):
    out, bad = tmp_path / "s", tmp_path / "bad"
    collect([auctions], out=out, samples_per_instance=1, expert_probability=0.5)
    (out / "unfinished").mkdir()
    (out / "unfinished" / "mine").write_text("notes")
    (out / "shard-mine.arrow").write_text("mine")
    before = content(out)
    bad.mkdir()
    (bad / "a.lp").write_text("garbage")
    with pytest.raises(InstanceError, match="none of the 1"):
        collect([bad], out=out, force=True)
    assert content(out) == before
    collect([auctions], out=out, samples_per_instance=1, expert_probability=1.0, force=True)
    after = content(out)
    assert after["manifest.json"] != before["manifest.json"]
    assert after["shard-mine.arrow"] == b"mine"
    assert (out / "unfinished" / "mine").read_text() == "notes"


def test_a_manifest_of_something_else_is_never_replaced(auctions, tmp_path):
    (tmp_path / "manifest.json").write_text('{"format": "milplib-instances"}')
    for force in (False, True):
        with pytest.raises(OutputError):
            collect([auctions], out=tmp_path, force=force)
    assert content(tmp_path) == {"manifest.json": b'{"format": "milplib-instances"}'}


@pytest.mark.slow
def test_failed_instances_are_tried_again_by_the_same_call(auctions, tmp_path):
    options = {"out": tmp_path / "s", "samples_per_instance": 1, "expert_probability": 0.5}
    whole = content(collect([auctions], **options).folder)
    # As if the third instance's worker had been killed twice: its task is marked failed.
    run = tmp_path / "s" / "unfinished"
    run.mkdir()
    manifest = json.loads((tmp_path / "s" / "manifest.json").read_text())
    (run / "manifest.json").write_text(json.dumps(manifest | {"shards": [], "instances": []}))
    failed = manifest["instances"][2] | {"outcome": "failed", "samples": 0}
    (run / "000002.json").write_text(json.dumps(failed))
    assert len(collect([auctions], **options)) > 0
    assert not run.exists()
    assert content(tmp_path / "s") == whole


def test_a_second_collection_into_the_same_folder_is_refused_while_the_first_works(
    auctions, tmp_path
):
    (tmp_path / "s" / "unfinished").mkdir(parents=True)
    lock = tmp_path / "s" / "unfinished" / "lock"
    code = (
        "import fcntl, sys, time\n"
        f"stream = open({str(lock)!r}, 'w')\n"
        "fcntl.flock(stream, fcntl.LOCK_EX)\nprint('locked', flush=True)\ntime.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    try:
        holder.stdout.readline()
        with pytest.raises(OutputError, match="another process"):
            collect([auctions], out=tmp_path / "s", force=True)
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()


class Failing:
    """A state function with a defect."""

    name, version, columns = "failing", 1, ("a",)

    def extract(self, model):
        raise RuntimeError("boom")


def test_an_error_in_a_state_function_names_it_and_the_instance(auctions, tmp_path):
    with pytest.raises(StateError, match=r"'failing' failed: RuntimeError: boom \(at .*/0\.lp"):
        collect([auctions], out=tmp_path / "s", blocks=[Failing()], expert_probability=1.0)


def test_the_manifest_does_not_depend_on_where_the_instances_lie(auctions, tmp_path):
    manifests = []
    for place in ("here", "there/deeper"):
        folder = tmp_path / place / "i"
        folder.mkdir(parents=True)
        (folder / "broken.lp").write_text("garbage")
        (folder / os.fsdecode(b"\xff.lp")).write_bytes((auctions / "0.lp").read_bytes())
        (folder / "good.lp").write_bytes((auctions / "1.lp").read_bytes())
        out = tmp_path / place / "s"
        collect([folder], out=out, samples_per_instance=1, expert_probability=0.5)
        manifests.append((out / "manifest.json").read_bytes())
    assert manifests[0] == manifests[1]
    assert b"/here/" not in manifests[0]
