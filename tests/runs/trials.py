"""A run whose tasks do nothing, begun or complete."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from milplib.runs.manifest import ResultsFolder, ResultsManifest

N_TASKS = 3
HERE = {"milplib": "0.1.0", "scip": "10.0.2"}


class TrialManifest(ResultsManifest[dict[str, object]]):
    noun = "trial"
    format = "milplib-trial"
    version = 2


class TrialFolder(ResultsFolder[dict[str, object]]):
    """The smallest job: each task's result is its number, and so are the results."""

    noun = "trial"
    verb = "trying"
    suffixes = (".json", ".data")
    result_files = ("result.txt",)

    def work(self, tasks: Any, *, failing: tuple[Any, ...] = ()) -> None:
        for number in tasks:
            if (self.read_task(number) or {"failure": "none yet"})["failure"]:
                failure = "crash" if number in failing else ""
                content = {"result": number, "failure": failure}
                self.write_task(number, content, data={".data": b"data"})

    def finish(self) -> None:
        tasks: Any = map(self.read_task, range(N_TASKS))
        numbers = [task["result"] for task in tasks]
        (self.folder / "result.txt").write_text(str(numbers))
        self.write_manifest(self.folder)
        self.end(retry=self.has_failures)


def trial(folder: Path, *, seed: int = 0, **software: Any) -> Any:
    return TrialFolder(Path(folder), TrialManifest(config={"seed": seed}, software=HERE | software))


def begin(folder: Path, **software: Any) -> None:
    """Begin a job and stop after its first task."""
    job = trial(folder, **software)
    with job.claim(force=False) as has_work:
        assert has_work
        job.work([0])


def complete(folder: Path, *, force: bool = False, **software: Any) -> Any:
    job = trial(folder, **software)
    with job.claim(force=force) as has_work:
        if has_work:
            job.work(range(N_TASKS))
            job.finish()
    return has_work


def content(folder: Path) -> Any:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


HOLDER = """
import sys, time
sys.path.insert(0, sys.argv[1])
from trials import trial
job = trial(sys.argv[2])
with job.claim(force=False) as has_work:
    job.work([0])
    print("works", flush=True)
    time.sleep(600)
"""
