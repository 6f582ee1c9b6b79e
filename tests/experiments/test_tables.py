"""The tables in the texts are those of the runs that studies and evaluations left."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TABLES = [sys.executable, ROOT / "experiments" / "tables.py"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("README.md", "| all | 0."),
        ("RESULTS.md", " of 60 |"),
        ("experiments/verdict/README.md", " of 30 |"),
    ],
)
def test_tables_are_those_of_the_runs_and_a_changed_one_is_refused(text, cell, tmp_path):
    committed = (ROOT / text).read_text()
    copy = tmp_path / "copy.md"
    copy.write_text(committed.replace(cell, cell + " 1"))
    assert copy.read_text() != committed

    found = subprocess.run([*TABLES, "--check", copy], capture_output=True, text=True, timeout=300)
    assert found.returncode == 1
    assert "tables are not those of the runs" in found.stderr
    subprocess.run([*TABLES, copy], check=True, timeout=300)
    assert copy.read_text() == committed
