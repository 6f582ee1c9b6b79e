"""The comparison of experts runs, keeps what it measured, and writes its tables."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "labels.py"


def run(*arguments: Any) -> Any:
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_experts_are_compared_once_and_stand_in_three_tables(tmp_path: Path) -> None:
    results, table = tmp_path / "labels.json", tmp_path / "experts.md"
    sizes = ("--instances", 1, "--budget", 0.1, "--validation", 1)
    places = ("--results", results, "--table", table, "--folder", tmp_path / "folder")
    done = run("GISP-milplib-small", "--nodes", 1, *sizes, *places)
    assert done.returncode == 0, done.stderr
    found = json.loads(results.read_text())
    (node,) = found["nodes"]["GISP-milplib-small"]["0"]
    assert (node["full"]["top_1"], node["full"]["regret"]) == (True, 0.0)
    assert node["full"]["scored"] == node["candidates"]
    assert node["shortlist:10"]["scored"] == min(10, node["candidates"])
    trained = found["policies"]["GISP-milplib-small"]["experts"]
    assert trained["full"]["equal time"] == trained["full"]["equal samples"]
    text = table.read_text()
    assert text.count("`GISP-milplib-small`") == 3
    refused = run("--nodes", 2, *sizes, *places)
    assert refused.returncode == 2
    assert "remove it first" in refused.stderr
    assert table.read_text() == text
