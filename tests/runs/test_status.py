"""How far a run is, told while it works, when it stopped, and when it is complete."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from milplib.cli.status import status as status_command
from milplib.errors import ResultsError
from milplib.evaluation import evaluate
from milplib.generators import CombinatorialAuction
from milplib.hardness import measure
from milplib.learn import collect
from milplib.runs import run_status

AUCTION = CombinatorialAuction(n_items=30, n_bids=100)


class StoppedError(Exception):
    pass


@pytest.fixture(scope="module")
def instances(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("status") / "ca"
    folder.mkdir()
    for seed in range(3):
        AUCTION.generate(seed).write(folder / f"{seed}.lp")
    (folder / "broken.lp").write_text("garbage")
    return folder


@pytest.fixture(scope="module")
def collection(instances: Any) -> Any:
    """A collection that was watched, stopped after its first two instances, and completed."""
    out = instances.parent / "samples"
    seen = []

    def watch(progress: Any) -> None:
        seen.append(run_status(out))
        if progress.done == 2 and len(seen) == 3:
            raise StoppedError

    options: dict[str, Any] = {"out": out, "samples_per_instance": 1, "expert_probability": 1.0}
    with pytest.raises(StoppedError):
        collect([instances], on_progress=watch, **options)
    stopped = run_status(out)
    samples = collect([instances], on_progress=watch, **options)
    return SimpleNamespace(
        out=out, seen=seen, stopped=stopped, complete=run_status(out), samples=samples
    )


@pytest.mark.slow
def test_a_run_that_works_names_its_process_and_counts_what_is_committed(collection: Any) -> None:
    first, *_, last = collection.seen
    assert {status.state for status in collection.seen} == {"working"}
    assert first.holder == f"process {os.getpid()} on {os.uname().nodename}"
    assert (first.kind, first.done, first.total, first.results) == ("collection", 0, 4, 0)
    assert first.tasks_per_second is None
    assert first.remaining_seconds is None
    assert (last.done, last.total, last.remaining_seconds) == (4, 4, 0)


@pytest.mark.slow
def test_a_run_that_stopped_keeps_its_count_and_the_rate_of_its_last_stretch(
    collection: Any,
) -> None:
    stopped = collection.stopped
    assert (stopped.state, stopped.holder, stopped.done) == ("stopped", "", 2)
    assert stopped.tasks_per_second == pytest.approx(2 / stopped.seconds, rel=0.1)
    assert stopped.remaining_seconds == pytest.approx(2 / stopped.tasks_per_second)
    # The stretch that went on counts anew: its first task tells its rate.
    assert collection.seen[3].tasks_per_second == pytest.approx(stopped.tasks_per_second, rel=0.1)
    assert collection.seen[4].seconds > stopped.seconds


def test_a_complete_run_has_its_counts_and_names_what_failed(collection: Any) -> None:
    complete = collection.complete
    assert (complete.state, complete.done, complete.total) == ("complete", 4, 4)
    assert complete.results == len(collection.samples)
    assert complete.seconds > collection.stopped.seconds
    assert complete.hosts == (os.uname().nodename,)
    assert complete.failure_counts == {"unreadable": 1}
    (failure,) = complete.failures
    assert failure.name == "ca/broken.lp"
    assert "broken.lp" in failure.detail
    assert complete.software == collection.samples.manifest.software


def test_asking_changes_nothing(collection: Any) -> None:
    def times() -> Any:
        return {path: path.stat().st_mtime_ns for path in collection.out.rglob("*")}

    before = times()
    run_status(collection.out)
    assert times() == before


def test_the_command_prints_lines_and_the_same_as_json(
    collection: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    status_command(collection.out)
    lines = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert lines["collection"] == str(collection.out)
    assert lines["state"] == "complete"
    assert lines["done"] == "4 of 4 instances (100.0 %)"
    assert lines["failures"] == "1 unreadable"
    assert lines["unreadable:"].startswith("ca/broken.lp: ")
    status_command(collection.out, as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert found["failure_counts"] == {"unreadable": 1}
    assert found["done"] == found["total"] == 4
    assert found["failures"][0]["name"] == "ca/broken.lp"


def test_a_stopped_run_is_told_how_to_go_on_and_how_long_it_may_take(
    instances: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(progress: Any) -> None:
        if progress.done:
            raise StoppedError

    with pytest.raises(StoppedError):
        collect([instances], out=tmp_path / "s", samples_per_instance=1, on_progress=stop)
    # As if a worker had been killed each time.
    (path,) = (tmp_path / "s" / "unfinished").glob("0*.json")
    killed = {"outcome": "failed", "failure": "killed", "samples": 0}
    path.write_text(json.dumps(json.loads(path.read_text()) | killed))
    status_command(tmp_path / "s")
    printed = capsys.readouterr().out
    assert "stopped: run the same command again to continue" in printed
    assert "1 of 4 instances (25.0 %)" in printed
    assert "instances a " in printed
    assert "at this rate" in printed
    assert "1 killed" in printed


@pytest.mark.slow
def test_an_evaluation_counts_pairs_and_runs_and_names_the_failed_ones(
    instances: Any, tmp_path: Path
) -> None:
    seen = []
    evaluate(
        [instances],
        policies=["pscost"],
        time_limit=60,
        out=tmp_path / "e",
        on_progress=lambda progress: seen.append(run_status(tmp_path / "e")),
    )
    assert [(status.done, status.results) for status in seen] == [(n, 2 * n) for n in range(5)]
    complete = run_status(tmp_path / "e")
    assert (complete.kind, complete.state, complete.unit) == ("evaluation", "complete", "runs")
    assert (complete.done, complete.total, complete.results) == (4, 4, 8)
    assert complete.failure_counts == {"unreadable": 2}
    assert complete.failures[0].name in {
        f"{policy} on ca/broken.lp, seed 0" for policy in ("pscost", "relpscost")
    }


def test_a_measurement_counts_instances(instances: Any, tmp_path: Path) -> None:
    seen = []
    measure(
        [instances],
        solver=None,
        out=tmp_path / "m",
        on_progress=lambda progress: seen.append(run_status(tmp_path / "m")),
    )
    assert [status.done for status in seen] == [0, 1, 2, 3, 4]
    complete = run_status(tmp_path / "m")
    assert (complete.kind, complete.state, complete.results) == ("measurement", "complete", 4)
    assert complete.failure_counts == {"unreadable": 1}


def test_a_process_that_is_gone_does_not_work(collection: Any, tmp_path: Path) -> None:
    # A lock file that a killed process has left locks nothing.
    child = os.fork()
    if child == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    (tmp_path / "unfinished").mkdir()
    manifest = json.loads((collection.out / "manifest.json").read_text())
    content = json.dumps(manifest | {"shards": [], "instances": []})
    (tmp_path / "unfinished" / "manifest.json").write_text(content)
    (tmp_path / "unfinished" / "lock").write_text(f"process {child} on here\n")
    status = run_status(tmp_path)
    assert (status.state, status.holder, status.seconds) == ("stopped", "", None)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "is not the folder of a run"),
        ('{"format": "milplib-instances"}', "is not the folder of a run"),
        ('{"format": "milplib-evaluation", "version": 9, "software": {"milplib": "7.0"}}', "7.0"),
        ('{"format": "milplib-sample-set"', "is damaged"),
        ('{"format": "milplib-sample-set", "config": {}, "software": {}}', "is damaged"),
    ],
)
def test_what_is_no_run_is_said_to_be_none(
    tmp_path: Path, content: str | None, message: str
) -> None:
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(ResultsError, match=message):
        run_status(tmp_path)
    with pytest.raises(ResultsError, match="does not exist"):
        run_status(tmp_path / "nowhere")
