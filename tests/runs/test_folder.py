"""A folder in which a job goes on: whose it is, who works in it, and where it was."""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
from narrowing import present

from milplib import files
from milplib.errors import NoSpaceError, OutputError
from milplib.runs.record import read_sessions

from .trials import N_TASKS, begin, complete, content, trial


def refusal(folder: Path) -> Any:
    before = content(folder)
    with pytest.raises(OutputError) as caught:
        complete(folder)
    assert content(folder) == before
    return str(caught.value)


@pytest.mark.parametrize("make", [begin, complete])
def test_a_folder_of_another_version_is_refused_with_both_versions_and_what_to_do(
    tmp_path: Path, make: Any
) -> None:
    make(tmp_path / "job", milplib="0.0.9")
    assert refusal(tmp_path / "job") == (
        f"the output folder {tmp_path}/job holds a trial of milplib 0.0.9, and this is milplib "
        "0.1.0; nothing was written: install those versions to go on, choose another folder, or "
        "replace it with --force"
    )
    assert complete(tmp_path / "job", force=True)
    assert not complete(tmp_path / "job")


def test_another_scip_is_named_beside_the_versions_of_milplib(tmp_path: Path) -> None:
    begin(tmp_path / "job", scip="9.2.4")
    text = refusal(tmp_path / "job")
    assert "a trial of milplib 0.1.0, scip 9.2.4, and this is milplib 0.1.0, scip 10.0.2" in text


@pytest.mark.parametrize("there", ["unfinished", "."])
@pytest.mark.parametrize("version", [1, "3-beta", None])
def test_another_version_of_the_format_is_refused_with_both_versions(
    tmp_path: Path, there: str, version: int | str | None
) -> None:
    (begin if there == "unfinished" else complete)(tmp_path / "job")
    path = tmp_path / "job" / there / "manifest.json"
    written = json.loads(path.read_text()) | {"version": version}
    if version is None:
        del written["version"]
        del written["software"]
    path.write_text(json.dumps(written))
    text = refusal(tmp_path / "job")
    assert ", and this is milplib 0.1.0" in text
    assert f"format {version or 'of an unknown version'}, and" in text or version is None
    assert "format 2; nothing was written: install those versions" in text


def test_another_job_of_the_same_versions_is_refused_as_another_one(tmp_path: Path) -> None:
    complete(tmp_path / "job", seed=1)
    assert "holds another trial; nothing was written: choose" in refusal(tmp_path / "job")


def test_a_second_process_is_refused_until_the_first_is_gone_however_it_went(
    tmp_path: Path, holder: Any
) -> None:
    lock = tmp_path / "job" / "unfinished" / "lock"
    half_written = lock.with_name(".000001.json.x1.milplib-tmp")
    half_written.touch()
    for force in (False, True):
        with pytest.raises(OutputError, match=r"another process is trying into .*/job: wait") as e:
            complete(tmp_path / "job", force=force)
        assert f"(process {holder.pid} on " in str(e.value)
    assert present(files.lock_holder(lock)).startswith(f"process {holder.pid} on ")
    assert half_written.exists()  # it may be what the first one is writing
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    assert lock.exists()
    assert files.lock_holder(lock) is None
    assert complete(tmp_path / "job")
    assert (tmp_path / "job" / "result.txt").read_text() == "[0, 1, 2]"
    assert not lock.parent.exists()


def test_asking_who_works_keeps_nobody_from_working(tmp_path: Path) -> None:
    (tmp_path / "job" / "unfinished").mkdir(parents=True)
    lock = tmp_path / "job" / "unfinished" / "lock"
    is_over = threading.Event()

    def ask() -> None:
        while not is_over.is_set():
            files.lock_holder(lock)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        for _ in range(200):
            with files.exclusive_lock(lock, busy="refused"):
                pass
    finally:
        is_over.set()
        asking.join()


def test_who_waits_for_a_job_that_is_finished_meanwhile_has_nothing_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As long as it takes, so that no slow machine decides this.
    monkeypatch.setattr(files, "_LOCK_PATIENCE", 600.0)
    found = []
    job = trial(tmp_path / "job")
    with job.claim(force=False):
        waiting = threading.Thread(target=lambda: found.append(complete(tmp_path / "job")))
        waiting.start()
        job.work(range(N_TASKS))
        waiting.join(timeout=0.2)  # it most likely asks for the lock by now
        job.finish()
    waiting.join()
    assert found == [False]
    assert sorted(os.listdir(tmp_path / "job")) == [
        "environment.json",
        "manifest.json",
        "result.txt",
    ]


@pytest.mark.parametrize("left", [(), ("lock",), ("lock", ".manifest.json.x1.milplib-tmp")])
def test_a_folder_in_which_a_process_ended_before_it_began_is_as_good_as_empty(
    tmp_path: Path, left: tuple[Any, ...]
) -> None:
    (tmp_path / "unfinished").mkdir()
    for name in left:
        (tmp_path / "unfinished" / name).touch()
    assert complete(tmp_path)
    assert not (tmp_path / "unfinished").exists()


@pytest.mark.parametrize("name", ["lock", "unfinished/notes.txt", "thesis.tex"])
def test_a_folder_with_something_else_in_it_is_not(tmp_path: Path, name: str) -> None:
    (tmp_path / "unfinished").mkdir()
    (tmp_path / name).touch()
    assert "is not empty" in refusal(tmp_path)


def test_a_failed_task_is_tried_again_by_the_same_call_and_the_results_are_there(
    tmp_path: Path,
) -> None:
    job = trial(tmp_path / "job")
    with job.claim(force=False):
        job.work(range(N_TASKS), failing=[1])
        job.finish()
    assert (tmp_path / "job" / "result.txt").exists()
    again = trial(tmp_path / "job")
    with again.claim(force=False) as has_work:
        assert has_work
        again.work(range(N_TASKS))
        again.finish()
    assert not (tmp_path / "job" / "unfinished").exists()
    counts = [session["tasks"] for session in read_sessions(tmp_path / "job")]
    assert counts == [3, 1]


def test_what_a_task_gave_is_there_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    job = trial(tmp_path / "job")
    with job.claim(force=False):
        job.task_file(0, ".json").mkdir()  # so that it cannot be written
        with pytest.raises(OutputError, match=r"000000\.json"):
            job.work([0])
        assert not job.task_file(0, ".data").exists()


def test_no_room_in_the_work_says_how_to_go_on(tmp_path: Path) -> None:
    job = trial(tmp_path / "job")
    with pytest.raises(NoSpaceError, match="no room; what was finished is kept: make room"):  # noqa: SIM117
        with job.claim(force=False):
            raise NoSpaceError("no room")
