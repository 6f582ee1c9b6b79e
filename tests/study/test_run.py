"""Studies that run: resumed, never computed twice, and finished by their committed files alone."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from narrowing import present

from milplib.errors import OutputError, ResultsError
from milplib.evaluation import BestScipRule
from milplib.evaluation.parquet import read_parquet
from milplib.study import (
    ChangedWarning,
    plan_study,
    run_study,
    study_evaluation,
)

from .watching import Watch, states, todo


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, rules: str) -> tuple[Path, list[str]]:
    """A study of rules, run."""
    folder = tmp_path_factory.mktemp("rules")
    path = folder / "study.yaml"
    path.write_text(rules)
    watch = Watch()
    run_study(path, scale="one", data=folder / "data", on_progress=watch)
    return path, watch.made


@pytest.fixture
def here(finished: tuple[Path, list[str]], tmp_path: Path) -> Path:
    """A copy of it that may be changed."""
    folder = tmp_path / "copy"
    shutil.copytree(finished[0].parent, folder)
    return folder / "study.yaml"


def test_a_study_leaves_tables_and_a_record(finished: tuple[Path, list[str]]) -> None:
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


def test_a_finished_study_runs_nothing(here: Path) -> None:
    watch = Watch()

    plan = run_study(here, scale="one", data=here.parent / "data", on_progress=watch)

    assert watch.made == []
    assert states(plan) == {"done": 6}


def test_on_another_machine_the_committed_files_are_enough(here: Path) -> None:
    shutil.rmtree(here.parent / "data")
    watch = Watch()

    plan = run_study(here, scale="one", data=here.parent / "data", on_progress=watch)

    assert watch.made == []
    assert not plan.todo


def test_a_larger_scale_makes_only_what_the_smaller_one_has_not(here: Path) -> None:
    plan = plan_study(here, data=here.parent / "data")

    assert todo(plan) == {"generate": 1, "evaluate": 1, "summarise": 1}
    assert states(plan)["cached"] == 3  # the rules, the choice, and a table


def test_another_study_takes_what_is_there(here: Path) -> None:
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


def test_a_table_that_is_gone_or_changed_is_made_again_from_what_it_needs(here: Path) -> None:
    data = here.parent / "data"
    shutil.rmtree(data)
    results = here.parent / "study" / "one"
    change_runs(results, of="evaluate")

    plan = plan_study(here, scale="one", data=data)

    # The instance of the test, not that of the choice; the summary is there.
    assert todo(plan) == {"generate": 1, "evaluate": 1}


def change_runs(results: Any, *, of: Any) -> None:
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
def test_a_table_that_is_no_parquet_file_is_named(content: bytes, here: Path) -> None:
    (here.parent / "study/one/runs.parquet").write_bytes(content)

    with pytest.raises(ResultsError, match=r"runs\.parquet is damaged or no Parquet file"):
        run_study(here, scale="one", data=here.parent / "data")


def test_runs_of_the_study_before_its_file_was_changed_are_refused(here: Path) -> None:
    rows = study_evaluation(here, scale="one", setting="default").table.num_rows
    assert rows == 3

    here.write_text(here.read_text().replace("time_limit: 60", "time_limit: 61"))

    message = r"1 of 1 tasks of .*study\.yaml are not done as it stands, 'GISP-milplib-small test"
    with pytest.raises(ResultsError, match=message):
        study_evaluation(here, scale="one", setting="default")


def test_what_is_made_again_and_differs_is_said(here: Path) -> None:
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


def _run_until_generated(path: Path, data: Path) -> None:
    def stop(progress: Any) -> None:
        if progress.stage != "generate":
            raise _OverError

    with pytest.raises(_OverError):
        run_study(path, scale="one", data=data, on_progress=stop)


@pytest.mark.slow
def test_one_process_at_a_time_runs_a_study(here: Path) -> None:
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
        assert present(holder.stdout).readline() == "held\n"
        with pytest.raises(OutputError, match="another process runs the study"):
            run_study(here, scale="one", data=data)
    finally:
        holder.kill()
        holder.wait()


def test_a_damaged_record_is_named(here: Path) -> None:
    (here.parent / "study" / "one" / "study.json").write_text("{}")

    with pytest.raises(ResultsError, match=r"study\.json is damaged"):
        run_study(here, scale="one", data=here.parent / "data")
