"""Processes that are killed at random: nothing is lost, nothing comes twice, no byte differs."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from milplib.learn import SampleSet

from .conftest import N_TASKS, content, kill_workers, n_finished, run, start, wait_for_tasks

pytest.importorskip("distributed")

LOCAL, DASK = ("--workers", 2), ("--cluster", "local:2")
PLACES = pytest.mark.parametrize("place", [LOCAL, DASK], ids=["local", "dask"])
# A cluster takes long to start; each resumed run starts four.
N_SLOW_SEEDS = {"local": 2, "dask": 1}
CASES = pytest.mark.parametrize(
    ("place", "seed"),
    [
        pytest.param(
            place,
            seed,
            id=f"{name}-{seed}",
            marks=pytest.mark.slow if seed < N_SLOW_SEEDS[name] else pytest.mark.nightly,
        )
        for name, place in (("local", LOCAL), ("dask", DASK))
        for seed in range(12)
    ],
)


def check(out: Any, undisturbed: Any) -> None:
    """Every instance has its samples once, and all bytes are those of an undisturbed run."""
    samples = SampleSet(out)
    entries = samples.manifest.instances
    assert Counter(entry["outcome"] for entry in entries) == {"complete": N_TASKS}
    assert len({entry["instance"] for entry in entries}) == N_TASKS
    trees = Counter(tree.instance for shard in samples.manifest.shards for tree in shard.trees)
    assert set(trees.values()) == {1}
    assert len(samples) == 2 * N_TASKS
    assert not (out / "unfinished").exists()
    assert content(out) == undisturbed


@CASES
def test_workers_that_are_killed_at_random_change_nothing(
    instances: Any, undisturbed: Any, tmp_path: Path, place: list[str], seed: int
) -> None:
    out = tmp_path / "s"
    process = start(instances, out, *place)
    killed = kill_workers(process, out, seed=seed)
    _, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors
    assert killed >= 3
    check(out, undisturbed)


@CASES
def test_a_run_that_is_killed_three_times_and_resumed_has_the_same_bytes(
    instances: Any, undisturbed: Any, tmp_path: Path, place: list[str], seed: int
) -> None:
    out = tmp_path / "s"
    rng = np.random.RandomState(seed)
    for _ in range(3):
        finished = n_finished(out)
        process = start(instances, out, *place)
        assert wait_for_tasks(process, out, finished + rng.randint(1, N_TASKS // 4))
        os.kill(process.pid, signal.SIGKILL)
        process.communicate(timeout=60)
        assert finished < n_finished(out) < N_TASKS
    code, errors = run(instances, out, *place)
    assert code == 0, errors
    check(out, undisturbed)
    sessions = json.loads((out / "environment.json").read_text())["stretches"]
    assert len(sessions) == 4
    # What a killed process has finished last may not be written down; nothing is done twice.
    assert N_TASKS - 3 * 2 <= sum(session["tasks"] for session in sessions) <= N_TASKS
    assert [bool(session["end"]) for session in sessions] == [False, False, False, True]


@pytest.mark.slow
@pytest.mark.parametrize(
    "place",
    [LOCAL, ("--workers", 4), DASK],
    ids=["two", "four", "dask"],
)
def test_any_number_of_workers_and_a_cluster_give_the_bytes_of_one_worker(
    instances: Any, undisturbed: Any, tmp_path: Path, place: list[str]
) -> None:
    code, errors = run(instances, tmp_path / "s", *place)
    assert code == 0, errors
    check(tmp_path / "s", undisturbed)


@pytest.mark.slow
@PLACES
def test_ctrl_c_ends_a_run_and_loses_no_finished_task(
    instances: Any, undisturbed: Any, tmp_path: Path, place: list[str]
) -> None:
    out = tmp_path / "s"
    process = start(instances, out, *place)
    assert wait_for_tasks(process, out, 20)
    before = n_finished(out)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert errors.splitlines() == ["milplib: interrupted; what was finished is kept"]
    assert before <= n_finished(out) < N_TASKS
    assert not list(out.rglob("*.milplib-tmp"))
    code, errors = run(instances, out, *place)
    assert code == 0, errors
    check(out, undisturbed)
