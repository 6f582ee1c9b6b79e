"""The command ``run``, in a process of its own."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command_line import run_forked


def run(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return run_forked("run", *arguments, cwd=folder)


def test_a_dry_run_prints_the_stages_with_their_cost_and_writes_nothing(
    study: Callable[..., Any], learned: str, tmp_path: Path
) -> None:
    path = study(learned)

    done = run(tmp_path, path, "--dry-run", "--workers", 2)

    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    rows = {words[0]: words[1:4] for words in lines if len(words) > 3}
    assert rows["collect"] == ["4", "0", "4"]
    assert rows["train"] == ["6", "0", "6"]
    assert rows["evaluate"] == ["2", "0", "2"]
    assert "to do: 19 tasks, about" in done.stdout
    assert "on 2 workers" in done.stdout
    assert sorted(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("old", "new", "arguments", "naming"),
    [
        ("hidden", "hiden", (), "line 11: unknown key 'hiden'"),
        ("hidden", "hidden", ("--scale", "tiny"), "unknown scale 'tiny'"),
        ("hidden", "hidden", ("--only", "everything"), "everything"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    old: str,
    new: str,
    arguments: tuple[Any, ...],
    naming: str,
    study: Callable[..., Any],
    learned: str,
    tmp_path: Path,
) -> None:
    path = study(learned.replace(old, new))

    done = run(tmp_path, path, *arguments)

    assert done.returncode == 2
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("milplib: error: ")
    assert naming in line
    assert sorted(tmp_path.iterdir()) == [path]


@pytest.mark.slow
def test_a_study_runs_and_says_where_its_tables_are(
    study: Callable[..., Any], tmp_path: Path
) -> None:
    path = study(
        "distributions: {MVC-milplib-small: {test: 1}}\n"
        "evaluation: {policies: [pscost], time_limit: 60}\n"
    )

    first, again = run(tmp_path, path), run(tmp_path, path)

    for done in (first, again):
        assert done.returncode == 0, done.stderr
        assert f"table: {tmp_path}/study/full/default-summary.csv" in done.stdout
        assert "3 of 3 tasks done" in done.stdout
    assert (tmp_path / "data" / "studies").is_dir()


@pytest.mark.parametrize("dry", [("--dry-run",), ()])
def test_a_study_imports_no_module_that_the_command_does_not_allow(
    dry: tuple[str, ...], study: Callable[..., Any], rules: str, tmp_path: Path
) -> None:
    (tmp_path / "own_policy.py").write_text(
        "from pathlib import Path\n"
        "Path('imported').touch()\n"
        "def good(state):\n    return state.candidates\n"
    )
    path = study(rules.replace("[pscost]\n  best", "['own_policy:good']\n  best"))

    done = run(tmp_path, path, *dry)

    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "line 5: the policy 'own_policy:good' is in the module 'own_policy'" in line
    assert "--allow own_policy" in line
    assert not (tmp_path / "imported").exists()
    allowed = run(tmp_path, path, "--dry-run", "--allow", "own_policy")
    assert allowed.returncode == 0, allowed.stderr
    assert (tmp_path / "imported").exists()
