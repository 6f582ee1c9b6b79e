"""Studies that run: resumed, never computed twice, and finished by their committed files alone."""

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

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from milplib.errors import OutputError, ResultsError
from milplib.evaluation import BestScipRule
from milplib.evaluation.parquet import read_parquet
from milplib.study import ChangedWarning, StudyError, plan_study, run_study, study_evaluation


def states(plan):
    return Counter(planned.state for planned in plan.tasks)


def todo(plan):
    return Counter(planned.task.stage for planned in plan.todo)


class Watch:
    """Remembers the tasks that were made."""

    def __init__(self):
        self.made = []

    def __call__(self, progress):
        if progress.task and progress.inside == (0, 0):
            self.made.append(f"{progress.stage}: {progress.task}")


@pytest.fixture(scope="module")
def finished(tmp_path_factory, rules):
    """A study of rules, run."""
    folder = tmp_path_factory.mktemp("rules")
    path = folder / "study.yaml"
    path.write_text(rules)
    watch = Watch()
    run_study(path, scale="one", data=folder / "data", on_progress=watch)
    return path, watch.made


@pytest.fixture
def here(finished, tmp_path):
    """A copy of it that may be changed."""
    folder = tmp_path / "copy"
    shutil.copytree(finished[0].parent, folder)
    return folder / "study.yaml"


def test_a_study_leaves_tables_and_a_record(finished):
    path, made = finished
    results = path.parent / "study" / "one"
    record = json.loads((results / "study.json").read_bytes())["tasks"]

    assert len(made) == len(record) == 6
    assert {entry["stage"] for entry in record.values()} == {
        *("generate", "rules", "evaluate", "summarise"),
    }
    lines = (results / "default-summary.csv").read_text().splitlines()
    assert [line.split(",")[1] for line in lines] == [
        *("policy", "best-scip-rule", "pscost", "relpscost"),
    ]
    name = "rules/default/GISP-milplib-small-best.json"
    (choice,) = [entry["documents"][name] for entry in record.values() if name in entry["files"]]
    (path.parent / "best.json").write_text(json.dumps(choice))
    assert BestScipRule.load(path.parent / "best.json").rules["GISP-milplib-small"] in (
        "pscost",
        "mostinf",
    )
    assert {file.name for file in results.iterdir()} == {
        *("study.json", "runs.parquet", "default-summary.csv"),
    }
    text = (results / "study.json").read_text()
    assert str(path.parent) not in text  # nothing of this machine's folders


def test_a_finished_study_runs_nothing(here):
    watch = Watch()

    plan = run_study(here, scale="one", data=here.parent / "data", on_progress=watch)

    assert watch.made == []
    assert states(plan) == {"done": 6}


def test_on_another_machine_the_committed_files_are_enough(here):
    shutil.rmtree(here.parent / "data")
    watch = Watch()

    plan = run_study(here, scale="one", data=here.parent / "data", on_progress=watch)

    assert watch.made == []
    assert not plan.todo


def test_a_larger_scale_makes_only_what_the_smaller_one_has_not(here):
    plan = plan_study(here, data=here.parent / "data")

    assert todo(plan) == {"generate": 1, "evaluate": 1, "summarise": 1}
    assert states(plan)["cached"] == 3  # the rules, the choice, and a table


def test_another_study_takes_what_is_there(here):
    shutil.rmtree(here.parent / "data")
    other = here.with_name("other.yaml")
    shutil.copy(here, other)
    watch = Watch()

    run_study(other, scale="one", data=here.parent / "data", on_progress=watch)

    # Only the table that has the study's name.
    assert watch.made in ([], ["summarise: other (default)"])
    runs = [
        read_parquet(here.parent / name / "one/runs.parquet", noun="runs")
        for name in ("study", "other")
    ]
    assert runs[0].equals(runs[1])


def test_a_table_that_is_gone_or_changed_is_made_again_from_what_it_needs(here):
    data = here.parent / "data"
    shutil.rmtree(data)
    results = here.parent / "study" / "one"
    change_runs(results, of="evaluate")

    plan = plan_study(here, scale="one", data=data)

    # The instance of the test, not that of the choice; the summary is there.
    assert todo(plan) == {"generate": 1, "evaluate": 1}


def change_runs(results, *, of):
    """Add a node to the first run of a stage."""
    tasks = json.loads((results / "study.json").read_bytes())["tasks"]
    changed = next(address for address, entry in tasks.items() if entry["stage"] == of)
    table = read_parquet(results / "runs.parquet", noun="runs")
    nodes = table.column("nodes").to_pylist()
    nodes[table.column("task").to_pylist().index(changed)] += 1
    place = table.column_names.index("nodes")
    column = pa.array(nodes, pa.int64())
    pq.write_table(table.set_column(place, "nodes", column), results / "runs.parquet")


@pytest.mark.parametrize("content", [b"", b"PAR1"])
def test_a_table_that_is_no_parquet_file_is_named(content, here):
    (here.parent / "study/one/runs.parquet").write_bytes(content)

    with pytest.raises(ResultsError, match=r"runs\.parquet is damaged or no Parquet file"):
        run_study(here, scale="one", data=here.parent / "data")


def test_runs_of_the_study_before_its_file_was_changed_are_refused(here):
    rows = study_evaluation(here, scale="one", setting="default").table.num_rows
    assert rows == 3

    here.write_text(here.read_text().replace("time_limit: 60", "time_limit: 61"))

    message = r"1 of 1 tasks of .*study\.yaml are not done as it stands, 'GISP-milplib-small test"
    with pytest.raises(ResultsError, match=message):
        study_evaluation(here, scale="one", setting="default")


def test_what_is_made_again_and_differs_is_said(here):
    results = here.parent / "study" / "one"
    record = json.loads((results / "study.json").read_bytes())
    for entry in record["tasks"].values():
        if entry["stage"] == "generate":
            entry["digest"] = "0" * 64
    (results / "study.json").write_text(json.dumps(record))
    data = here.parent / "elsewhere"

    (results / "runs.parquet").unlink()

    with pytest.warns(ChangedWarning, match=r"differs from what study\.json says"):
        _run_until_generated(here, data)


class _OverError(Exception):
    """Raised to leave a study."""


def _run_until_generated(path, data):
    def stop(progress):
        if progress.stage != "generate":
            raise _OverError

    with pytest.raises(_OverError):
        run_study(path, scale="one", data=data, on_progress=stop)


def test_one_process_at_a_time_runs_a_study(here):
    data = here.parent / "data"
    (lock,) = data.glob("*.lock")
    own = data / lock.name
    own.unlink()
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time\n"
            "from milplib.files import exclusive_lock\n"
            "import milplib.study.task as p, os\n"
            "name = p.digest_of(sys.argv[2])[:16]\n"
            "with exclusive_lock(os.path.join(sys.argv[1], name + '.lock')):\n"
            "    print('held', flush=True)\n"
            "    time.sleep(300)\n",
            str(data),
            str(here.parent / "study" / "one"),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(OutputError, match="another process runs the study"):
            run_study(here, scale="one", data=data)
    finally:
        holder.kill()
        holder.wait()


def test_a_damaged_record_is_named(here):
    (here.parent / "study" / "one" / "study.json").write_text("{}")

    with pytest.raises(ResultsError, match=r"study\.json is damaged"):
        run_study(here, scale="one", data=here.parent / "data")


# --- policies, trained for real -------------------------------------------------------------------


COMMAND = (
    "import sys; from milplib.study import run_study; "
    "run_study(sys.argv[1], data=sys.argv[2], workers=int(sys.argv[3]))"
)


def killed(path, data, *, when, count=1, workers=1):
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
def test_a_study_that_is_killed_twice_goes_on_and_is_judged(study, learned, tmp_path):
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
def test_policies_are_judged_side_by_side_and_go_on_after_a_kill(study, rules, tmp_path):
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
def test_results_do_not_depend_on_the_number_of_workers(study, learned, tmp_path):
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


def test_instances_that_give_no_samples_are_said(study, tmp_path):
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
def test_a_network_of_ones_own_is_trained_and_judged(study, learned, tmp_path, monkeypatch):
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
    run_study(path, data=tmp_path / "data")
    rows = study_evaluation(path, setting="default").table.to_pylist()
    mine = [row for row in rows if row["policy"].startswith("mine-")]
    assert mine
    assert {row["failure"] for row in mine} == {""}
