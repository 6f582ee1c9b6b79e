"""The benchmark of the hot path runs, and writes what it prints."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from milplib.scip.native import native_status

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "hot_path.py"


@pytest.mark.skipif(native_status().module is None, reason=native_status().reason)
def test_a_smoke_run_writes_every_row(tmp_path):
    command = [sys.executable, SCRIPT, "--smoke", "--json", tmp_path / "rows.json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    rows = json.loads((tmp_path / "rows.json").read_text())
    names = {name.partition(": ")[2] for name in rows}
    assert {
        "extraction native / pure",
        "extraction native / bipartite",
        "decision native / pure + numpy",
    } <= names
    for row in rows.values():
        assert row.keys() == {"ratio", "ours_ms", "other_ms"}
        assert row["ratio"] == pytest.approx(row["other_ms"] / row["ours_ms"])
    assert "ratio" in done.stdout
