"""Kinds of runs: each is read by the package that declares it, milplib's own and others'."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from installed_packages import InstallPackage
from narrowing import present

from milplib.cli.status import status as status_command
from milplib.errors import MilplibError, ResultsError
from milplib.runs import run_status
from milplib.runs.kind import find_run_kind

TUNING = """
    from milplib.runs import RunContents, RunFailure

    class Tuning:
        noun, version, task_unit, unit = "tuning", 2, "settings", "trials"

        def total(self, manifest):
            return manifest["config"]["settings"]

        def unfinished(self, tasks):
            failures = [
                RunFailure(name=task["setting"], kind="diverged", detail="")
                for task in tasks
                if task["loss"] is None
            ]
            return RunContents(
                done=len(tasks), results=2 * len(tasks), failures=tuple(failures)
            )

        def finished(self, manifest, folder):
            return RunContents(done=self.total(manifest), results=8, failures=())

    TUNING = Tuning()
"""


def manifest(folder: Path, **changes: Any) -> None:
    content: dict[str, Any] = {
        "format": "tuner-runs",
        "version": 2,
        "config": {"settings": 4},
        "software": {"tuner": "1"},
    }
    folder.mkdir(exist_ok=True)
    (folder / "manifest.json").write_text(json.dumps(content | changes))


@pytest.fixture
def tuner(install_package: InstallPackage) -> None:
    install_package("milplib_test_tuner", TUNING, runs={"tuner-runs": "TUNING"})


@pytest.mark.usefixtures("tuner")
def test_the_runs_of_another_package_are_counted_by_what_it_declares(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest(tmp_path / "unfinished")
    for number, loss in enumerate([0.5, None]):
        path = tmp_path / "unfinished" / f"{number:06}.json"
        path.write_text(json.dumps({"setting": f"s{number}", "loss": loss}))
    status = run_status(tmp_path)
    assert (status.kind, status.state) == ("tuning", "stopped")
    assert (status.done, status.total, status.results) == (2, 4, 4)
    assert status.software == {"tuner": "1"}
    status_command(tmp_path)
    lines = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert lines["tuning"] == str(tmp_path)
    assert lines["done"] == "2 of 4 settings (50.0 %)"
    assert lines["trials"] == "4"
    assert lines["diverged:"] == "s1"


@pytest.mark.usefixtures("tuner")
def test_a_complete_run_of_another_package_is_complete(tmp_path: Path) -> None:
    manifest(tmp_path)
    status = run_status(tmp_path)
    assert (status.state, status.done, status.results) == ("complete", 4, 8)


@pytest.mark.usefixtures("tuner")
def test_another_version_and_a_task_that_its_kind_cannot_read_are_refused(tmp_path: Path) -> None:
    manifest(tmp_path, version=1)
    with pytest.raises(ResultsError, match="has version 1"):
        run_status(tmp_path)
    (tmp_path / "manifest.json").unlink()
    manifest(tmp_path / "unfinished")
    (tmp_path / "unfinished" / "000000.json").write_text('{"setting": "s0"}')
    with pytest.raises(ResultsError, match="is damaged: KeyError"):
        run_status(tmp_path)


def test_without_its_package_it_is_no_run(tmp_path: Path) -> None:
    manifest(tmp_path)
    with pytest.raises(ResultsError, match="is not the folder of a run"):
        run_status(tmp_path)


def test_a_kind_that_does_not_load_or_lacks_a_part_is_named(
    install_package: InstallPackage,
) -> None:
    install_package(
        "milplib_test_broken", "KIND = 1", runs={"broken-runs": "KIND", "lost-runs": "NOWHERE"}
    )
    with pytest.raises(ResultsError, match=r"'broken-runs' of milplib\.runs .* has no 'noun'"):
        find_run_kind("broken-runs")
    with pytest.raises(MilplibError, match=r"'lost-runs' of milplib\.runs .* cannot be loaded"):
        find_run_kind("lost-runs")
    assert present(find_run_kind("milplib-evaluation")).noun == "evaluation"


def test_reading_a_measurement_loads_neither_learning_nor_heavy_packages(tmp_path: Path) -> None:
    content: dict[str, Any] = {
        "format": "milplib-hardness",
        "config": {"instances": [1, 2]},
        "software": {},
    }
    manifest(tmp_path / "unfinished", **content, version=1)
    code = (
        "import sys; from milplib.runs import run_status; "
        f"print(run_status({str(tmp_path)!r}).total); "
        "print({'torch', 'pandas', 'matplotlib', 'milplib.learn'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("2\nset()\n", "")
