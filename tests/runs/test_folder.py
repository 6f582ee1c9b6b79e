"""A folder in which a job goes on: whose it is, who works in it, and where it was."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import pytest

from milplib import files
from milplib.errors import MilplibWarning, NoSpaceError, OutputError
from milplib.runs.manifest import ResultsFolder, ResultsManifest
from milplib.runs.record import read_progress, read_sessions
from milplib.scip.native import native_status

N_TASKS = 3
HERE = {"milplib": "0.1.0", "scip": "10.0.2"}


class TrialManifest(ResultsManifest):
    noun = "trial"
    format = "milplib-trial"
    version = 2


class TrialFolder(ResultsFolder):
    """The smallest job: each task's result is its number, and so are the results."""

    noun = "trial"
    verb = "trying"
    suffixes = (".json", ".data")
    result_files = ("result.txt",)

    def work(self, tasks, *, failing=()):
        for number in tasks:
            if (self.read_task(number) or {"failure": "none yet"})["failure"]:
                failure = "crash" if number in failing else ""
                content = {"result": number, "failure": failure}
                self.write_task(number, content, data={".data": b"data"})

    def finish(self):
        numbers = [self.read_task(number)["result"] for number in range(N_TASKS)]
        (self.folder / "result.txt").write_text(str(numbers))
        self.write_manifest(self.folder)
        self.end(retry=self.has_failures)


def trial(folder, *, seed=0, **software):
    return TrialFolder(Path(folder), TrialManifest(config={"seed": seed}, software=HERE | software))


def begin(folder, **software):
    """Begin a job and stop after its first task."""
    job = trial(folder, **software)
    with job.claim(force=False) as has_work:
        assert has_work
        job.work([0])


def complete(folder, *, force=False, **software):
    job = trial(folder, **software)
    with job.claim(force=force) as has_work:
        if has_work:
            job.work(range(N_TASKS))
            job.finish()
    return has_work


def content(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refusal(folder):
    before = content(folder)
    with pytest.raises(OutputError) as caught:
        complete(folder)
    assert content(folder) == before
    return str(caught.value)


@pytest.mark.parametrize("make", [begin, complete])
def test_a_folder_of_another_version_is_refused_with_both_versions_and_what_to_do(tmp_path, make):
    make(tmp_path / "job", milplib="0.0.9")
    assert refusal(tmp_path / "job") == (
        f"the output folder {tmp_path}/job holds a trial of milplib 0.0.9, and this is milplib "
        "0.1.0; nothing was written: install those versions to go on, choose another folder, or "
        "replace it with --force"
    )
    assert complete(tmp_path / "job", force=True)
    assert not complete(tmp_path / "job")


def test_another_scip_is_named_beside_the_versions_of_milplib(tmp_path):
    begin(tmp_path / "job", scip="9.2.4")
    text = refusal(tmp_path / "job")
    assert "a trial of milplib 0.1.0, scip 9.2.4, and this is milplib 0.1.0, scip 10.0.2" in text


@pytest.mark.parametrize("there", ["unfinished", "."])
@pytest.mark.parametrize("version", [1, "3-beta", None])
def test_another_version_of_the_format_is_refused_with_both_versions(tmp_path, there, version):
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


def test_another_job_of_the_same_versions_is_refused_as_another_one(tmp_path):
    complete(tmp_path / "job", seed=1)
    assert "holds another trial; nothing was written: choose" in refusal(tmp_path / "job")


HOLDER = """
import sys, time
sys.path.insert(0, sys.argv[1])
from test_folder import trial
job = trial(sys.argv[2])
with job.claim(force=False) as has_work:
    job.work([0])
    print("works", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def holder(tmp_path):
    """A process that works in a folder and does not end."""
    command = [sys.executable, "-c", HOLDER, Path(__file__).parent, tmp_path / "job"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "works\n"
        yield process
        process.kill()


def test_a_second_process_is_refused_until_the_first_is_gone_however_it_went(tmp_path, holder):
    lock = tmp_path / "job" / "unfinished" / "lock"
    half_written = lock.with_name(".000001.json.x1.milplib-tmp")
    half_written.touch()
    for force in (False, True):
        with pytest.raises(OutputError, match=r"another process is trying into .*/job: wait") as e:
            complete(tmp_path / "job", force=force)
        assert f"(process {holder.pid} on " in str(e.value)
    assert files.lock_holder(lock).startswith(f"process {holder.pid} on ")
    assert half_written.exists()  # it may be what the first one is writing
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    assert lock.exists()
    assert files.lock_holder(lock) is None
    assert complete(tmp_path / "job")
    assert (tmp_path / "job" / "result.txt").read_text() == "[0, 1, 2]"
    assert not lock.parent.exists()


def test_asking_who_works_keeps_nobody_from_working(tmp_path):
    (tmp_path / "job" / "unfinished").mkdir(parents=True)
    lock = tmp_path / "job" / "unfinished" / "lock"
    is_over = threading.Event()

    def ask():
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


def test_who_waits_for_a_job_that_is_finished_meanwhile_has_nothing_to_do(tmp_path, monkeypatch):
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
def test_a_folder_in_which_a_process_ended_before_it_began_is_as_good_as_empty(tmp_path, left):
    (tmp_path / "unfinished").mkdir()
    for name in left:
        (tmp_path / "unfinished" / name).touch()
    assert complete(tmp_path)
    assert not (tmp_path / "unfinished").exists()


@pytest.mark.parametrize("name", ["lock", "unfinished/notes.txt", "thesis.tex"])
def test_a_folder_with_something_else_in_it_is_not(tmp_path, name):
    (tmp_path / "unfinished").mkdir()
    (tmp_path / name).touch()
    assert "is not empty" in refusal(tmp_path)


def test_a_failed_task_is_tried_again_by_the_same_call_and_the_results_are_there(tmp_path):
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


def test_what_a_task_gave_is_there_as_a_whole_or_not_at_all(tmp_path):
    job = trial(tmp_path / "job")
    with job.claim(force=False):
        job.task_file(0, ".json").mkdir()  # so that it cannot be written
        with pytest.raises(OutputError, match=r"000000\.json"):
            job.work([0])
        assert not job.task_file(0, ".data").exists()


def test_no_room_in_the_work_says_how_to_go_on(tmp_path):
    job = trial(tmp_path / "job")
    with pytest.raises(NoSpaceError, match="no room; what was finished is kept: make room"):  # noqa: SIM117
        with job.claim(force=False):
            raise NoSpaceError("no room")


def test_where_it_ran_is_written_beside_the_results_session_by_session(tmp_path):
    begin(tmp_path / "job")
    (first,) = read_sessions(tmp_path / "job" / "unfinished")
    assert (first["tasks"], first["host"]) == (1, os.uname().nodename)
    assert first["end"]
    complete(tmp_path / "job")
    assert read_sessions(tmp_path / "job")[0] == first
    assert [session["tasks"] for session in read_sessions(tmp_path / "job")] == [1, 2]
    assert "environment" not in (tmp_path / "job" / "manifest.json").read_text()


def test_a_killed_session_has_the_counts_of_its_last_task_and_no_end(tmp_path, holder):
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    progress = read_progress(tmp_path / "job" / "unfinished")
    complete(tmp_path / "job")
    first, second = read_sessions(tmp_path / "job")
    assert (first["tasks"], first["end"], second["tasks"]) == (1, "", 2)
    assert first["seconds"] == progress["seconds"] > 0


def test_a_clock_that_jumped_changes_nothing(tmp_path):
    begin(tmp_path / "job")
    unfinished = tmp_path / "job" / "unfinished"
    environment = json.loads((unfinished / "environment.json").read_text())
    environment["stretches"][0] |= {"begin": "2099-01-01T00:00:00Z", "end": "1970-01-01T00:00:00Z"}
    (unfinished / "environment.json").write_text(json.dumps(environment))
    for number, path in enumerate(sorted(unfinished.iterdir())):
        os.utime(path, (4e9 if number % 2 else 0,) * 2)
    before = read_progress(unfinished)
    job = trial(tmp_path / "job")
    with job.claim(force=False):
        job.work(range(N_TASKS))
        now = read_progress(unfinished)
        job.finish()
    assert now["tasks"] == N_TASKS
    assert now["seconds"] == pytest.approx(before["seconds"] + now["stretch"]["seconds"], abs=2e-3)
    assert (tmp_path / "job" / "result.txt").read_text() == "[0, 1, 2]"


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"format": "other"}', '{"stretches": [1]}'])
@pytest.mark.parametrize("name", ["environment.json", "progress.json"])
def test_a_damaged_record_of_where_it_ran_stops_nothing(tmp_path, name, damage):
    begin(tmp_path / "job")
    (tmp_path / "job" / "unfinished" / name).write_text(damage)
    complete(tmp_path / "job")
    assert read_sessions(tmp_path / "job")[-1]["tasks"] == 2


def test_to_go_on_with_other_code_that_extracts_states_is_a_warning(tmp_path):
    if native_status().module is None:
        pytest.skip("the native code is not there")
    code = HOLDER.replace("time.sleep(600)", "")
    command = [sys.executable, "-c", code, Path(__file__).parent, tmp_path / "job"]
    environment = os.environ | {"MILPLIB_NATIVE": "0"}
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    with pytest.warns(MilplibWarning, match="began with pure extraction .* goes on with native"):
        complete(tmp_path / "job")
    first, second = read_sessions(tmp_path / "job")
    assert (first["extraction"], first["instructions"]) == ("pure", "")
    assert second["extraction"] == "native"
    assert second["instructions"]


def test_the_same_code_is_no_warning(tmp_path):
    begin(tmp_path / "job")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        complete(tmp_path / "job")
