"""Studies that train policies: killed, in several processes, with a user's own network."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from milplib.evaluation.parquet import read_parquet
from milplib.study import (
    ChangedWarning,
    StudyError,
    plan_study,
    run_study,
    study_evaluation,
)

from .watching import Watch, states

COMMAND = (
    "import sys; from milplib.study import run_study; "
    "run_study(sys.argv[1], data=sys.argv[2], workers=int(sys.argv[3]))"
)


def killed(path: Path, data: Any, *, when: Any, count: int = 1, workers: int = 1) -> None:
    """Run a study in a process of its own, and kill it when files are there."""
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, str(path), str(data), str(workers)],
        start_new_session=True,
    )
    try:
        while len(list(path.parent.glob(when))) < count:
            assert process.poll() is None, "the study ended before it could be killed"
            time.sleep(0.05)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.slow
def test_a_study_that_is_killed_twice_goes_on_and_is_judged(
    study: Callable[..., Any], learned: str, tmp_path: Path
) -> None:
    path = study(learned)
    data = tmp_path / "data"
    killed(path, data, when="data/*/MIS-milplib-small-train-*/unfinished/*")
    killed(path, data, when="study/full/policies/default/*.safetensors")
    results = tmp_path / "study" / "full"
    trained = {file.name: file.stat() for file in results.glob("policies/default/*")}
    assert trained
    watch = Watch()

    plan = run_study(path, data=data, on_progress=watch)

    assert states(plan) == {"done": len(plan.tasks)}
    assert not any(made.startswith(("generate", "collect")) for made in watch.made)
    assert sum(made.startswith("train") for made in watch.made) == 6 - len(trained)
    for name, before in trained.items():
        after = (results / "policies" / "default" / name).stat()
        assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    names = [line.split(",")[1] for line in (results / "default-summary.csv").open()]
    for name in ("gcnn-homogeneous-2-seed0", "linear-mixed-2-seed0", "pscost", "relpscost"):
        assert names.count(name) == 3  # on each distribution, and on both
    record = json.loads((results / "study.json").read_bytes())["tasks"]
    (summary,) = [entry for entry in record.values() if entry["stage"] == "summarise"]
    assert summary["facts"]["errors"] == []
    assert all(
        e["digest"] and e["facts"]["samples"] for e in record.values() if e["stage"] == "collect"
    )
    sets = (results / "default-training-sets.csv").read_text()
    assert "MIS-milplib-small,gcnn,2,mixed,homogeneous,1,1," in sets

    # Elsewhere the committed files are enough; a policy that is missing needs its samples again.
    shutil.rmtree(data)
    assert not plan_study(path, data=data).todo
    (results / "policies/default/gcnn-MIS-milplib-small-2-seed0.safetensors").unlink()
    assert not plan_study(path, data=data).todo
    needed = plan_study(path, data=data, only=["train"]).todo
    assert Counter(p.task.stage for p in needed) == {"generate": 2, "collect": 2, "train": 1}
    assert all("MIS-milplib-small" in p.task.label for p in needed)
    before = record[needed[-1].task.address]
    with warnings.catch_warnings():
        warnings.simplefilter("error", ChangedWarning)  # samples and policy are what they were
        run_study(path, data=data, only=["train"])
    after = json.loads((results / "study.json").read_bytes())["tasks"]
    assert after[needed[-1].task.address]["files"] == before["files"]


@pytest.mark.slow
def test_policies_are_judged_side_by_side_and_go_on_after_a_kill(
    study: Callable[..., Any], rules: str, tmp_path: Path
) -> None:
    path = study(rules.replace("val: 1, test: 2", "val: 1, test: 4"))
    data = tmp_path / "data"

    # Two tasks at once, which one after the other never are.
    judged = "data/*/results/unfinished/manifest.json"
    killed(path, data, when=judged, count=2, workers=2)
    plan = run_study(path, data=data, workers=2)

    assert states(plan) == {"done": len(plan.tasks)}
    alone = run_study(path, data=tmp_path / "alone", out=tmp_path / "out" / "of" / "one")
    assert alone.results != plan.results
    nodes = [
        {
            (row["policy"], row["instance"]): row["nodes"]
            for row in read_parquet(results / "runs.parquet", noun="runs").to_pylist()
            if "/test/" in row["instance"]
        }
        for results in (plan.results, alone.results)
    ]
    assert nodes[0] == nodes[1]
    assert len(nodes[0]) == 4 * 3


@pytest.mark.slow
def test_results_do_not_depend_on_the_number_of_workers(
    study: Callable[..., Any], learned: str, tmp_path: Path
) -> None:
    path = study(learned.replace("[homogeneous, mixed]", "[homogeneous]"))
    digests = []
    for workers in (1, 2):
        out = tmp_path / "results" / "of" / str(workers)
        data = tmp_path / f"data-{workers}"
        run_study(path, only=["train"], workers=workers, data=data, out=out)
        shutil.rmtree(data)
        tasks = json.loads((out / "study.json").read_bytes())["tasks"]
        digests.append({address: entry["digest"] for address, entry in tasks.items()})
        (out / "study.json").rename(tmp_path / f"{workers}.json")  # no sibling to take from

    assert digests[0] == digests[1]
    assert len(digests[0]) > 4


def test_instances_that_give_no_samples_are_said(study: Callable[..., Any], tmp_path: Path) -> None:
    for number, split in enumerate(("train", "val", "test"), 1):
        folder = tmp_path / "mine" / split
        folder.mkdir(parents=True)
        (folder / "a.lp").write_text(f"minimize OBJ: x subject to C: x >= {number} End")
    path = study(
        f"distributions:\n  mine: {{source: {tmp_path / 'mine'}, train: 1, val: 1, test: 1}}\n"
        "models: {linear: {}}\n"
    )

    with pytest.raises(StudyError, match="none of the instances of mine gave a sample"):
        run_study(path, only=["train"], data=tmp_path / "data")


@pytest.mark.slow
def test_a_network_of_ones_own_is_trained_and_judged(
    study: Callable[..., Any], learned: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "study_mlp.py").write_text(
        "from torch import nn\n\n\n"
        "class Net(nn.Module):\n"
        "    def __init__(self, *, hidden=8):\n"
        "        super().__init__()\n"
        "        self.layers = nn.Sequential(nn.Linear(19, hidden), nn.Linear(hidden, 1))\n\n"
        "    def forward(self, batch):\n"
        "        return self.layers(batch.variable_features[batch.candidates])[:, 0]\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    models = "  mine: {kind: 'study_mlp:Net', hidden: 4, epochs: 1}\n"
    first, _, rest = learned.partition("  linear: {}\n")
    path = study(first + models + rest.partition("\n")[2].replace("homogeneous, mixed", "mixed"))
    run_study(path, data=tmp_path / "data", allow=["study_mlp"])
    rows = study_evaluation(path, setting="default", allow=["study_mlp"]).table.to_pylist()
    mine = [row for row in rows if row["policy"].startswith("mine-")]
    assert mine
    assert {row["failure"] for row in mine} == {""}
