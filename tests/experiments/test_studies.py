"""The committed studies: small, finished as they stand, and the source of their tables."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from milplib.study import plan_study, study_scales, study_tables

ROOT = Path(__file__).parents[2]
EXPERIMENTS = ROOT / "experiments"
STUDIES = [
    pytest.param(path, marks=() if path.stem == "sums" else pytest.mark.slow, id=path.stem)
    for path in sorted(EXPERIMENTS.glob("*.yaml"))
]
LARGEST = 8 * 1024 * 1024


def committed(*arguments: Any) -> Any:
    """Names of committed files, or of all where this is no clone."""
    command = ["git", "ls-files", "-z", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("this is no clone")
    return [ROOT / name for name in done.stdout.split("\0") if name]


def test_the_committed_experiments_fit_in_8_mb() -> None:
    files = [path for path in committed("experiments") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= LARGEST
    assert sum(-(-path.stat().st_size // 4096) * 4096 for path in files) <= LARGEST


def test_a_study_has_one_record_one_table_of_runs_and_its_tables_committed() -> None:
    for study in EXPERIMENTS.glob("*.yaml"):
        names = {path.name for path in committed(f"experiments/{study.stem}/small")}
        assert {"study.json", "runs.parquet"} <= names
        assert all(name.endswith(".csv") for name in names - {"study.json", "runs.parquet"})


@pytest.mark.parametrize("study", STUDIES)
def test_the_tables_of_a_study_are_those_of_its_runs_byte_for_byte(study: Any) -> None:
    folder = study.with_suffix("")
    scales = [scale for scale in study_scales(study) if (folder / scale).is_dir()]
    assert scales == ["small"]
    tables = study_tables(study, scale="small")
    assert set(tables) == {path.name for path in (folder / "small").glob("*.csv")}
    for name, text in tables.items():
        assert (folder / "small" / name).read_bytes() == text.encode(), name


@pytest.mark.parametrize("study", STUDIES)
def test_nothing_of_a_committed_study_is_to_do_in_a_fresh_clone(study: Any, tmp_path: Path) -> None:
    plan = plan_study(study, scale="small", data=tmp_path / "data")
    assert plan.todo == ()
    assert any(planned.state == "done" for planned in plan.tasks)
