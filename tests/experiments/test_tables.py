"""The tables of RESULTS.md are those of the runs that the studies left."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TABLES = [sys.executable, ROOT / "experiments" / "tables.py"]


@pytest.mark.slow
def test_tables_are_those_of_the_runs_and_a_changed_one_is_refused(tmp_path):
    committed = (ROOT / "RESULTS.md").read_text()
    copy = tmp_path / "RESULTS.md"
    copy.write_text(committed.replace(" of 60 |", " of 61 |"))
    assert copy.read_text() != committed

    found = subprocess.run([*TABLES, "--check", copy], capture_output=True, text=True, timeout=300)
    assert found.returncode == 1
    assert "tables are not those of the runs" in found.stderr
    subprocess.run([*TABLES, copy], check=True, timeout=300)
    assert copy.read_text() == committed
