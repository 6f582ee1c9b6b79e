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
def test_tables_are_those_of_the_runs(text, cell, tmp_path):
    copy = _changed(text, cell, tmp_path)
    subprocess.run([*TABLES, copy], check=True, timeout=300)
    assert copy.read_text() == (ROOT / text).read_text()


@pytest.mark.slow
def test_a_changed_table_is_refused_and_stays(tmp_path):
    copy = _changed("experiments/verdict/README.md", " of 30 |", tmp_path)
    before = copy.read_text()
    found = subprocess.run([*TABLES, "--check", copy], capture_output=True, text=True, timeout=300)
    assert found.returncode == 1
    assert "tables are not those of the runs" in found.stderr
    assert copy.read_text() == before


def _changed(text: str, cell: str, folder: Path) -> Path:
    committed = (ROOT / text).read_text()
    copy = folder / "copy.md"
    copy.write_text(committed.replace(cell, cell + " 1"))
    assert copy.read_text() != committed
    return copy
