"""Collecting: what it gives, when it stops, what it survives."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pyscipopt
import pytest
import scipy.sparse as sp
from market_split import market_split
from narrowing import instance_from

from milplib import Instance
from milplib.errors import (
    InstanceError,
    ParameterError,
    StateError,
    UnknownNameError,
)
from milplib.generators import SetCover, from_name
from milplib.learn import SampleSet, collect

from .collected_files import content


def linear(
    *,
    integer: bool = False,
    lower: float = 0.0,
    rows: tuple[Any, ...] = ((1.0, 1.0),),
    right: tuple[Any, ...] = (1.5,),
    objective: tuple[Any, ...] = (1.0, 1.0),
) -> Instance:
    return instance_from(
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
def test_one_and_three_workers_give_the_same_bytes(instances: Any, tmp_path: Path) -> None:
    for workers in (1, 3):
        collect(
            [instances],
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
def test_another_seed_gives_other_samples(instances: Any, tmp_path: Path) -> None:
    sets = [
        collect(
            [instances],
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
def test_an_instances_samples_do_not_depend_on_its_name_or_on_others(
    instances: Any, tmp_path: Path
) -> None:
    alone = tmp_path / "alone"
    alone.mkdir()
    (alone / "renamed.lp").write_bytes((instances / "2.lp").read_bytes())
    options: dict[str, Any] = {"samples_per_instance": 2, "expert_probability": 0.5}
    together = collect([instances], out=tmp_path / "a", **options)
    single = collect([alone], out=tmp_path / "b", **options)
    same = [s for s in together if s.tree.instance.endswith("2.lp")]
    assert len(same) == len(single) > 0
    for left, right in zip(same, single, strict=True):
        assert (left.node, left.scip_seed) == (right.node, right.scip_seed)
        assert np.array_equal(left.scores, right.scores)


def test_the_expert_is_asked_at_every_node_when_the_probability_is_one(
    instances: Any, tmp_path: Path
) -> None:
    samples = collect(
        [instances],
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


def test_children_of_labelled_nodes_are_labelled_on_request(tmp_path: Path) -> None:
    (tmp_path / "i").mkdir()
    market_split(1, n_columns=20).write(tmp_path / "i" / "a.lp")
    samples = collect(
        [tmp_path / "i"],
        out=tmp_path / "s",
        samples_per_instance=8,
        expert_probability=0.2,
        label_children=True,
        setting="learn2branch",
    )
    trees: dict[Any, Any] = {}
    for sample in samples:
        trees.setdefault((sample.tree.episode, sample.tree.part), {})[sample.node] = sample
    children = [s for s in samples if s.is_child_of_labelled]
    assert children
    for child in children:
        parent = trees[child.tree.episode, child.tree.part][child.parent]
        assert not parent.is_child_of_labelled
        assert child.depth == parent.depth + 1


def test_every_sample_has_a_choice_and_scores_that_agree(instances: Any, tmp_path: Path) -> None:
    for sample in collect(
        [instances], out=tmp_path / "s", samples_per_instance=3, expert_probability=0.5
    ):
        assert len(sample.state.candidates) > 1
        assert sample.valid.all()
        assert sample.scores[sample.chosen] == sample.scores.max()
        assert sample.tied[sample.chosen]


def test_instances_that_give_no_samples_are_named_with_the_reason(tmp_path: Path) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    linear().write(folder / "continuous.lp")
    linear(integer=True, rows=((1.0, 1.0), (-1.0, -1.0)), right=(3.0, -3.5)).write(
        folder / "infeasible.lp"
    )
    linear(integer=True, rows=((1.0, -1.0),), right=(1.5,)).write(folder / "unbounded.lp")
    linear(integer=True).write(folder / "trivial.lp")
    market_split(0).write(folder / "zz.lp")
    market_split(0).write(folder / "zzz.mps.gz")
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


def test_only_unreadable_files_are_an_error_and_leave_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "i"
    folder.mkdir()
    (folder / "a.lp").write_bytes(b"\0\1\2garbage")
    (folder / "b.mps").write_text("")
    with pytest.raises(InstanceError, match="none of the 2"):
        collect([folder], out=tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_an_episode_that_meets_the_wall_limit_is_discarded(tmp_path: Path) -> None:
    folder = tmp_path / "i"
    folder.mkdir()
    SetCover(n_rows=500, n_columns=1000, density=0.05).generate(0).write(folder / "a.lp")
    samples = collect(
        [folder],
        out=tmp_path / "s",
        samples_per_instance=1000,
        expert_probability=1.0,
        time_limit=0.5,
        max_episodes=1,
    )
    assert len(samples) == 0
    (entry,) = samples.manifest.instances
    assert entry["outcome"] == "failed"
    assert "timelimit" in entry["reason"]


@pytest.mark.slow
@pytest.mark.parametrize("limit", [{"node_limit": 5}, {"iteration_limit": 200}])
def test_deterministic_limits_end_an_episode_and_keep_its_samples(
    instances: Any, tmp_path: Path, limit: dict[str, Any]
) -> None:
    options: dict[str, Any] = {
        "samples_per_instance": 50,
        "expert_probability": 1.0,
        "max_episodes": 1,
    }
    few = collect([instances], out=tmp_path / "few", **options, **limit)
    many = collect([instances], out=tmp_path / "many", **options)
    assert 0 < len(few) < len(many)
    assert any(entry["outcome"] == "fewer" for entry in few.manifest.instances)


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
    instances: Any, tmp_path: Path, option: dict[str, Any], error: type
) -> None:
    with pytest.raises(error):
        collect([instances], out=tmp_path / "s", **option)
    assert not (tmp_path / "s").exists()


@pytest.mark.nightly
@pytest.mark.parametrize("family", ["CA", "SC", "MIS", "CFLP"])
def test_one_two_and_three_workers_give_the_same_bytes(family: str, tmp_path: Path) -> None:
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
def test_real_instances_give_the_same_bytes_in_any_company(test_data: Path, tmp_path: Path) -> None:
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


class Failing:
    """A state function with a defect."""

    name, version, columns = "failing", 1, ("a",)

    def extract(self, model: pyscipopt.Model) -> None:
        raise RuntimeError("boom")


def test_an_error_in_a_state_function_names_it_and_the_instance(
    instances: Any, tmp_path: Path
) -> None:
    failing: Any = Failing()
    with pytest.raises(StateError, match=r"'failing' failed: RuntimeError: boom \(at .*/0\.lp"):
        collect([instances], out=tmp_path / "s", blocks=[failing], expert_probability=1.0)


def test_the_manifest_does_not_depend_on_where_the_instances_lie(
    instances: Any, tmp_path: Path
) -> None:
    manifests = []
    for place in ("here", "there/deeper"):
        folder = tmp_path / place / "i"
        folder.mkdir(parents=True)
        (folder / "broken.lp").write_text("garbage")
        (folder / os.fsdecode(b"\xff.lp")).write_bytes((instances / "0.lp").read_bytes())
        (folder / "good.lp").write_bytes((instances / "1.lp").read_bytes())
        out = tmp_path / place / "s"
        collect([folder], out=out, samples_per_instance=1, expert_probability=0.5)
        manifests.append((out / "manifest.json").read_bytes())
    assert manifests[0] == manifests[1]
    assert b"/here/" not in manifests[0]
