"""Runs of Weights & Biases, with the real package: what an offline run holds, and none disabled."""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import os
import struct
import sys
from pathlib import Path
from typing import Any

import pytest

from milplib.errors import MissingPackageError, ResultsError
from milplib.evaluation import Evaluation, evaluate
from milplib.generators import CombinatorialAuction
from milplib.learn import SampleSet
from milplib.learn.tracking import WandbRun, import_wandb, track_evaluation
from milplib.learn.training.tracking import make_tracker


@pytest.fixture(autouse=True)
def _wandb_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep wandb from the user's settings and folders."""
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    for name in ("DATA_DIR", "CACHE_DIR", "CONFIG_DIR"):
        (tmp_path / "wandb-own").mkdir(exist_ok=True)
        monkeypatch.setenv(f"WANDB_{name}", str(tmp_path / "wandb-own"))
    monkeypatch.setenv("WANDB_SILENT", "true")
    monkeypatch.setenv("WANDB_MODE", "offline")


def records(folder: Any) -> list[Any]:
    """Records of the only run in a folder, as wandb would send them: a LevelDB log of protobufs."""
    import wandb.proto.wandb_internal_pb2 as records_of_wandb

    Record: Any = getattr(records_of_wandb, "Record")  # noqa: B009, N806

    (path,) = folder.glob("wandb/offline-run-*/run-*.wandb")
    data = path.read_bytes()
    assert data[:4] == b":W&B"
    place, whole, found = 7, b"", []
    while place < len(data):
        left = 32768 - place % 32768
        if left < 7:  # a header never crosses a block's end
            place += left
            continue
        _, length, kind = struct.unpack("<IHB", data[place : place + 7])
        whole += data[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # complete, or the last part
            record = Record()
            record.ParseFromString(whole)
            found.append(record)
            whole = b""
    return found


def artefacts(found: list[Any]) -> dict[str, tuple[str, dict[str, str]]]:
    """Name and kind of every artefact, with the SHA of its files as wandb has it."""
    known = {}
    for record in found:
        if record.WhichOneof("record_type") == "artifact":
            files = {entry.path: entry.digest for entry in record.artifact.manifest.contents}
            known[record.artifact.type] = (record.artifact.name, files)
    return known


def numbers(found: list[Any], kind: str) -> dict[str, Any]:
    """Numbers of the run's summary or history, the last ones, by name."""
    known = {}
    for record in found:
        if record.WhichOneof("record_type") == kind:
            part = getattr(record, kind)
            for item in part.update if kind == "summary" else part.item:
                known["/".join(item.nested_key) or item.key] = json.loads(item.value_json)
    return known


def md5(path: Path) -> str:
    return base64.b64encode(hashlib.md5(path.read_bytes(), usedforsecurity=False).digest()).decode()


@pytest.mark.slow
def test_an_offline_training_holds_its_numbers_and_the_policy_file(tmp_path: Path) -> None:
    policy = tmp_path / "gcnn ca.safetensors"
    policy.write_bytes(b"weights")
    tracker = make_tracker(True, project="mine", folder=tmp_path, config={"seed": 3})
    for epoch, loss in ((1, 0.5), (2, 0.25)):
        tracker.record({"training/loss": loss}, epoch=epoch)
    tracker.finish({"accuracy_1": 0.75}, policy=policy)
    found = records(tmp_path)
    (run,) = (record.run for record in found if record.WhichOneof("record_type") == "run")
    assert (run.project, run.job_type) == ("mine", "training")
    assert {item.key: item.value_json for item in run.config.update}["seed"] == "3"
    steps = [
        {"/".join(item.nested_key): json.loads(item.value_json) for item in record.history.item}
        for record in found
        if record.WhichOneof("record_type") == "history"
    ]
    assert [(step["_step"], step["training/loss"]) for step in steps] == [(1, 0.5), (2, 0.25)]
    assert numbers(found, "summary")["accuracy_1"] == 0.75
    assert artefacts(found) == {
        "policy": ("gcnn-ca", {"gcnn ca.safetensors": md5(policy)}),
    }


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evaluated")
    (folder / "ca").mkdir()
    CombinatorialAuction(n_items=30, n_bids=100).generate(seed=0).write(folder / "ca" / "a.lp")
    evaluate([folder / "ca"], policies=["pscost"], time_limit=60, out=folder / "results")
    return folder / "results"


@pytest.mark.slow
def test_an_offline_evaluation_holds_its_summary_and_the_report(
    results: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = {path: path.stat().st_mtime_ns for path in results.iterdir()}
    with caplog.at_level(logging.WARNING, "milplib"):
        track_evaluation(results, project="judged")
    assert not [record for record in caplog.records if record.name == "milplib"]
    found = records(results)
    (run,) = (record.run for record in found if record.WhichOneof("record_type") == "run")
    assert (run.project, run.job_type) == ("judged", "evaluation")
    config = {item.key: json.loads(item.value_json) for item in run.config.update}
    assert config["baseline"] == "relpscost"
    assert config["time_limit"] == 60
    name, files = artefacts(found)["report"]
    assert name == "results-report"
    assert files == {
        name: md5(results / name) for name in ("report.html", "runs.parquet", "manifest.json")
    }
    told = numbers(found, "summary")
    for row in Evaluation.load(results).summary().rows:
        assert told[f"ca/{row.policy}/time"] == pytest.approx(row.time, rel=1e-12)
        assert told[f"ca/{row.policy}/solved"] == 1
    (table,) = results.glob("wandb/offline-run-*/files/media/table/summary_*.table.json")
    shown = json.loads(table.read_text())
    assert shown["columns"][:3] == ["distribution", "policy", "runs"]
    assert [row[:2] for row in shown["data"]] == [["ca", "pscost"], ["ca", "relpscost"]]
    assert {path: path.stat().st_mtime_ns for path in before} == before


@pytest.mark.slow
def test_disabled_nothing_is_written(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    folder = tmp_path / "results"
    folder.mkdir()
    for path in results.iterdir():
        if path.is_file():
            (folder / path.name).write_bytes(path.read_bytes())
    before = sorted(path.name for path in folder.iterdir())
    track_evaluation(folder)
    tracker = make_tracker(True, project="p", folder=folder, config={})
    tracker.record({"loss": 1.0}, epoch=1)
    tracker.finish({"loss": 1.0}, policy=folder / "manifest.json")
    assert sorted(path.name for path in folder.iterdir()) == before


def test_a_tracker_nobody_asked_for_never_touches_wandb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)  # as if it were not installed
    tracker = make_tracker(False, project="p", folder=tmp_path, config={})
    tracker.record({"loss": 1.0}, epoch=1)
    tracker.finish({"loss": 1.0}, policy=tmp_path / "p.safetensors")
    assert [path.name for path in tmp_path.iterdir()] == ["wandb-own"]


def test_a_missing_package_is_one_line_that_names_the_extra(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)  # as if it were not installed
    for action in (
        import_wandb,
        lambda: track_evaluation(results),
        lambda: make_tracker(True, project="p", folder=tmp_path, config={}),
    ):
        with pytest.raises(
            MissingPackageError, match=r"pip install \"milplib\[track\]\""
        ) as raised:
            action()
        assert len(str(raised.value).splitlines()) == 1


def test_results_that_are_none_are_refused_before_a_run_begins(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ResultsError):
        track_evaluation(tmp_path / "empty")
    assert not any((tmp_path / "empty").iterdir())


def test_a_failing_wandb_is_said_once_and_costs_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = WandbRun(project="p", job="evaluation", folder=tmp_path, config={})
    with caplog.at_level(logging.WARNING, "milplib"):
        run.keep([Path("not there")], name="x", kind="report")
        run.log({"loss": 1.0}, step=1)
        run.finish({})
    (told,) = (record.getMessage() for record in caplog.records if record.name == "milplib")
    assert "wandb failed" in told
    assert "evaluation goes on without it" in told
    assert [record for record in records(tmp_path) if record.WhichOneof("record_type") == "exit"]


@pytest.mark.slow
def test_a_real_training_sends_its_epochs_and_the_policy_that_it_wrote(
    sample_sets: dict[str, SampleSet], tmp_path: Path
) -> None:
    from milplib.learn import train

    out = tmp_path / "gcnn.safetensors"
    result = train([sample_sets["auction"].folder], out=out, epochs=2, hidden=8, track=True)
    found = records(result.folder)
    assert artefacts(found) == {"policy": ("gcnn", {"gcnn.safetensors": md5(out)})}
    told = numbers(found, "summary")
    assert told["accuracy_1"] == pytest.approx(result.metrics.accuracy[0])
    assert numbers(found, "history")["_step"] == 2
