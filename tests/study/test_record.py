"""The files of a study's results: read in each layout and on each version, never half written."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from narrowing import present

from milplib.errors import ResultsError
from milplib.evaluation import BestScipRule, Evaluation
from milplib.evaluation.parquet import read_parquet
from milplib.evaluation.table import read_table
from milplib.learn import SampleSet
from milplib.study import (
    ChangedWarning,
    StudyError,
    load_study,
    plan_study,
    run_study,
    study_evaluation,
    study_tables,
)
from milplib.study.plan import StudyPlan
from milplib.study.store import StudyFiles
from milplib.study.task import digest_of

EARLIER = Path(__file__).parents[1] / "data" / "earlier"


@pytest.fixture
def earlier(tmp_path: Path) -> Any:
    """A copy of a study that the first version of the record was written for."""
    shutil.copytree(EARLIER, tmp_path / "earlier")
    return tmp_path / "earlier" / "study.yaml"


def states(plan: StudyPlan) -> Counter[Any]:
    return Counter(planned.state for planned in plan.tasks)


def record_of(path: Path) -> Any:
    return json.loads((path.parent / "study/full/study.json").read_bytes())


def committed_tables(path: Path) -> Any:
    return {file.name: file.read_text() for file in path.parent.glob("study/full/*.csv")}


def test_results_in_the_earlier_layout_are_read_as_they_are(earlier: Any) -> None:
    before = {file: file.read_bytes() for file in earlier.parent.rglob("*") if file.is_file()}

    results = study_evaluation(earlier, setting="default")

    table = read_table(next(earlier.parent.glob("study/full/runs/default/*.parquet")))
    assert results.table.to_pylist() == table.to_pylist()
    assert results.policies == ("linear-homogeneous-2-seed0", "best-native", "pscost", "relpscost")
    assert study_tables(earlier) == committed_tables(earlier)
    assert not plan_study(earlier, data=earlier.parent / "data").todo
    assert before == {
        file: file.read_bytes() for file in earlier.parent.rglob("*") if file.is_file()
    }


def test_a_run_brings_the_earlier_layout_into_the_present_one_and_computes_nothing(
    earlier: Any,
) -> None:
    tables, digests = (
        committed_tables(earlier),
        {address: entry["digest"] for address, entry in record_of(earlier)["pieces"].items()},
    )
    stages = []

    plan = run_study(
        earlier, data=earlier.parent / "data", on_progress=lambda p: stages.append(p.stage)
    )

    assert stages == []
    assert states(plan) == {"done": 10}
    files = sorted(
        file.relative_to(plan.results).as_posix()
        for file in plan.results.rglob("*")
        if file.is_file()
    )
    assert files == [
        *(f"default-{name}.csv" for name in ("summary", "training-sets", "training")),
        "policies/default/linear-MIS-milplib-small-2-seed0.safetensors",
        *("runs.parquet", "study.json"),
    ]
    record = record_of(earlier)
    assert record["version"] == 2
    assert {address: e["digest"] for address, e in record["tasks"].items()} == digests
    assert study_tables(earlier) == committed_tables(earlier) == tables


def test_samples_results_and_choices_of_earlier_releases_are_read(earlier: Any) -> None:
    folder = earlier.parent
    assert len(SampleSet(folder / "samples")) == 2
    results = Evaluation.load(folder / "results")
    assert results.is_complete
    assert results.summary().policies[1] == "best-native"
    best = BestScipRule.load(folder / "best-native.json")
    assert (best.name, best.rules) == ("best-native", {"MIS-milplib-small": "mostinf"})


def test_a_study_file_may_use_the_names_of_earlier_releases(
    study: Callable[..., Any], rules: str
) -> None:
    assert "best_scip_rule" in rules
    earlier = rules.replace("best_scip_rule", "best_native")
    earlier = earlier.replace("instances_per_task", "instances_a_piece")
    scaled = earlier + "    evaluation: {best_native: {instances: 1, seeds: 2}}\n"

    assert load_study(study(rules)) == load_study(study(earlier))
    assert present(load_study(study(scaled), scale="one").evaluation.best_scip_rule).seeds == (0, 1)
    with pytest.raises(StudyError, match="line 7: 'best_native' and 'best_scip_rule' are the same"):
        load_study(study(rules.replace("  time_limit", "  best_native:\n  time_limit")))


def test_a_stage_may_be_called_by_its_earlier_name(
    study: Callable[..., Any], rules: str, tmp_path: Path
) -> None:
    plan = plan_study(study(rules), only=["natives"], data=tmp_path / "data")
    assert Counter(p.task.stage for p in plan.todo) == {"generate": 1, "rules": 2}


# --- other versions of SCIP -----------------------------------------------------------------------


def as_of_scip(path: Path, version: Any) -> Any:
    """Change a record and its runs into those of another version of SCIP."""
    file = path.parent / "study/full/study.json"
    record = json.loads(file.read_bytes())
    tasks, addresses = record["tasks"], {}

    def renewed(address: Any) -> Any:
        if address in tasks and address not in addresses:
            content = tasks[address]["content"]
            content["inputs"] = [renewed(before) for before in content["inputs"]]
            if "scip" in content:
                content["scip"] = version
            tasks[address]["software"]["scip"] = version
            addresses[address] = digest_of(content)
        return addresses.get(address, address)

    record["tasks"] = {renewed(address): entry for address, entry in tasks.items()}
    file.write_text(json.dumps(record))
    runs = read_parquet(file.with_name("runs.parquet"), noun="runs")
    column = pa.array([addresses[one] for one in runs.column("task").to_pylist()], pa.string())
    pq.write_table(runs.set_column(0, "task", column), file.with_name("runs.parquet"))
    return addresses


@pytest.fixture
def of_other_scip(earlier: Any) -> Any:
    """A finished study that was run on a version of SCIP that is yet to come."""
    run_study(earlier, data=earlier.parent / "data")
    addresses = as_of_scip(earlier, "11.0.0")
    assert sum(one != other for one, other in addresses.items()) == 7  # instances stay
    return earlier


def test_results_of_another_scip_are_read_and_tabulated(of_other_scip: Any) -> None:
    assert study_tables(of_other_scip) == committed_tables(of_other_scip)
    results = study_evaluation(of_other_scip, setting="default")
    assert len(results.table) == results.expected_runs == 4


def test_results_of_another_scip_are_not_replaced(of_other_scip: Any) -> None:
    folder = of_other_scip.parent
    before = {file: file.read_bytes() for file in (folder / "study").rglob("*") if file.is_file()}

    plan = plan_study(of_other_scip, data=folder / "data")
    with pytest.raises(StudyError, match=r"results of SCIP 11\.0\.0, and this is SCIP .*--out"):
        run_study(of_other_scip, data=folder / "data")

    assert plan.replaced_scip == ("11.0.0",)
    assert {p.task.stage for p in plan.todo} >= {"collect", "train", "rules", "evaluate"}
    assert before == {
        file: file.read_bytes() for file in (folder / "study").rglob("*") if file.is_file()
    }


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("time_limit: 60", "time_limit: 61"),
        ("[pscost]\n", "[mostinf]\n"),
        ("samples_per_instance: 2", "samples_per_instance: 1"),
        ("linear: {}", "linear: {holdout: 0.3}"),
        ("train: 2", "seed: 3, train: 2"),
    ],
)
def test_results_of_another_scip_are_refused_for_a_study_that_was_changed(
    old: str, new: str, of_other_scip: Any
) -> None:
    text = of_other_scip.read_text()
    assert old in text
    of_other_scip.write_text(text.replace(old, new))

    with pytest.raises(ResultsError, match="are not done as it stands"):
        study_tables(of_other_scip)


# --- policies whose files are gone ----------------------------------------------------------------


def more_runs(path: Path) -> None:
    """Judge the policy on one instance more, in a task of its own."""
    path.write_text(path.read_text().replace("test: 1", "test: 2") + "  instances_per_task: 1\n")


@pytest.mark.slow
def test_a_policy_that_is_gone_is_trained_again_where_a_run_needs_it(earlier: Any) -> None:
    data = earlier.parent / "data"
    run_study(earlier, data=data)
    policy = next(earlier.parent.rglob("linear-*.safetensors"))
    content = policy.read_bytes()
    policy.unlink()
    assert not plan_study(earlier, data=data).todo
    more_runs(earlier)
    before = study_evaluation_rows(earlier)

    run_study(earlier, data=data, only=["train"])

    assert policy.read_bytes() == content  # and no warning
    assert study_evaluation_rows(earlier) == before


def study_evaluation_rows(path: Path) -> Any:
    return read_parquet(path.parent / "study/full/runs.parquet", noun="runs").num_rows


@pytest.mark.slow
def test_a_policy_that_comes_out_another_way_has_its_runs_made_again(earlier: Any) -> None:
    data = earlier.parent / "data"
    run_study(earlier, data=data)
    policy = next(earlier.parent.rglob("linear-*.safetensors"))
    policy.unlink()
    file = earlier.parent / "study/full/study.json"
    record = json.loads(file.read_bytes())
    (trained,) = (entry for entry in record["tasks"].values() if entry["stage"] == "train")
    trained["digest"] = "0" * 64
    file.write_text(json.dumps(record))

    with pytest.warns(ChangedWarning, match=r"linear-.* differs from .*; 1 tasks .* done anew"):
        plan = run_study(earlier, data=data, only=["train"])

    assert Counter(p.task.stage for p in plan_study(earlier, data=data).todo) == {
        **dict.fromkeys(("generate", "evaluate", "summarise"), 1),
    }
    assert states(plan)["to do"] == 0
    # What the rules did stays: they do not depend on the policy.
    stages = Counter(entry["stage"] for entry in record_of(earlier)["tasks"].values())
    assert stages["rules"] == 2
    assert stages["evaluate"] == stages["summarise"] == 0


# --- faults ---------------------------------------------------------------------------------------


def test_rows_that_the_record_does_not_name_are_ignored_and_dropped(earlier: Any) -> None:
    """As after a kill between the writing of the two files."""
    run_study(earlier, data=earlier.parent / "data")
    folder = earlier.parent / "study/full"
    runs = read_parquet(folder / "runs.parquet", noun="runs")
    lost = runs.slice(0, 2).set_column(0, "task", pa.array(["f" * 64] * 2, pa.string()))
    pq.write_table(pa.concat_tables([runs, lost]), folder / "runs.parquet")

    assert study_tables(earlier) == committed_tables(earlier)
    files = StudyFiles(folder)
    files.write()

    assert read_parquet(folder / "runs.parquet", noun="runs").equals(runs)


def test_a_record_of_a_later_version_is_refused(earlier: Any) -> None:
    file = earlier.parent / "study/full/study.json"
    file.write_text(json.dumps({"format": "milplib-study", "version": 3, "tasks": {}}))

    with pytest.raises(ResultsError, match=r"version 3 .* install a newer milplib"):
        study_evaluation(earlier, setting="default")


def test_writing_again_gives_the_same_bytes(earlier: Any) -> None:
    run_study(earlier, data=earlier.parent / "data")
    folder = earlier.parent / "study/full"
    before = [(folder / name).read_bytes() for name in ("study.json", "runs.parquet")]

    StudyFiles(folder).write()

    assert before == [(folder / name).read_bytes() for name in ("study.json", "runs.parquet")]
