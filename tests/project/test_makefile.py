"""The developer's commands."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", ".ci/run", ".pre-commit-config.yaml")


@pytest.fixture(scope="module")
def targets(root: Path) -> set[str]:
    """The phony targets of the Makefile."""
    (line,) = re.findall(r"^\.PHONY: (.*)$", (root / "Makefile").read_text(), re.MULTILINE)
    return set(line.split())


def test_help_is_the_default_and_lists_every_target(
    root: Path, targets: set[str], run: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    output = run("make", "--no-print-directory", cwd=root).stdout

    assert set(re.findall(r"^  make ([a-z-]+) +\S", output, re.MULTILINE)) == targets


def test_every_target_without_a_file_is_declared_phony(root: Path, targets: set[str]) -> None:
    rules = re.findall(r"^([a-z][a-z-]*):", (root / "Makefile").read_text(), re.MULTILINE)

    assert set(rules) == targets


@pytest.mark.parametrize("document", DOCUMENTS)
def test_documents_name_only_targets_that_exist(
    root: Path, targets: set[str], document: str
) -> None:
    text = (root / document).read_text()
    # in `make x` or on a line of a code block
    named = re.findall(r"(?:`|^|: )make ((?:[a-z-]+(?: |\b))+)", text, re.MULTILINE)

    assert {name for names in named for name in names.split()} <= targets


def test_ci_runs_existing_targets(root: Path, targets: set[str]) -> None:
    (steps,) = re.findall(r"^for step in (.*); do$", (root / ".ci/run").read_text(), re.MULTILINE)

    assert {"lint", "test", "test-slow", "quickstart"} <= set(steps.split()) <= targets


def test_pip_flags_reach_every_call_of_pip(
    root: Path, run: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    options = ("--always-make", "--dry-run", "PIP_FLAGS=--no-cache-dir")
    output = run("make", *options, "quickstart", "test", cwd=root).stdout
    calls = re.findall(r"-m pip (?:.*\\\n)*.*", output)

    assert len(calls) == 2
    assert all("--no-cache-dir" in call for call in calls)


def test_an_old_python_is_refused_by_version(
    root: Path, run: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    old = tmp_path / "python"
    old.write_text(
        f"#!{sys.executable}\nimport sys\nsys.version_info, sys.version = (3, 10, 1), '3.10.1 x'\n"
        "exec(sys.argv[2])\n"
    )
    old.chmod(0o755)
    done = run("make", f"PYTHON={old}", f"VENV={tmp_path}/venv", "test", cwd=root, check=False)

    assert done.returncode != 0
    assert "milplib needs Python 3.11 or newer, this is 3.10.1" in done.stdout
    assert not (tmp_path / "venv").exists()


@pytest.mark.nightly
def test_the_quickstart_runs_twice_in_one_place(
    root: Path, run: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    # This environment stands for the one that the command would make.
    installed = f"--old-file={sys.prefix}/.learn"
    size = ("N=3", "P=1", "SAMPLES=3", "EPOCHS=2", "TEST=1", "SEEDS=1", "TIME_LIMIT=20")
    place = f"QUICKSTART={tmp_path}/quickstart"
    for _ in range(2):
        done = run("make", installed, f"VENV={sys.prefix}", *size, place, "quickstart", cwd=root)

        assert "candidates" in done.stdout
        assert "relpscost" in done.stdout
        for name in (
            "ca.samples",
            "gcnn.safetensors",
            "results/runs.parquet",
            "results/report.html",
        ):
            assert (tmp_path / "quickstart" / name).exists()
        assert (tmp_path / "quickstart" / "gcnn.safetensors.training" / "curve.png").is_file()
