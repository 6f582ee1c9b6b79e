"""The tables in the texts are those of the runs that studies and evaluations left."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TABLES: list[str | Path] = [sys.executable, ROOT / "experiments" / "tables.py"]
TEXTS = [
    "README.md",
    "RESULTS.md",
    *(f"docs/results/{path.name}" for path in sorted((ROOT / "docs" / "results").glob("*.md"))),
    "experiments/verdict/README.md",
]


@pytest.mark.slow
def test_tables_are_those_of_the_runs(tmp_path: Path) -> None:
    copies = {text: _changed(text, tmp_path) for text in TEXTS}
    subprocess.run([*TABLES, *copies.values()], check=True, timeout=600)
    for text, copy in copies.items():
        assert copy.read_text() == (ROOT / text).read_text(), text


@pytest.mark.slow
def test_a_changed_table_is_refused_and_stays(tmp_path: Path) -> None:
    copy = _changed("experiments/verdict/README.md", tmp_path)
    before = copy.read_text()
    found = subprocess.run([*TABLES, "--check", copy], capture_output=True, text=True, timeout=300)
    assert found.returncode == 1
    assert "tables are not those of the runs" in found.stderr
    assert copy.read_text() == before


@pytest.mark.slow
def test_a_table_of_a_study_is_written_anew(tmp_path: Path) -> None:
    for name in ("sums.yaml", "sums/small/study.json", "sums/small/runs.parquet"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / "experiments" / name, tmp_path / name)
    subprocess.run([*TABLES, tmp_path / "sums.yaml"], check=True, timeout=300)
    tables = sorted((tmp_path / "sums" / "small").glob("*.csv"))
    assert len(tables) == 2
    for table in tables:
        committed = ROOT / "experiments" / "sums" / "small" / table.name
        assert table.read_bytes() == committed.read_bytes()


def _changed(text: str, folder: Path) -> Path:
    """Copy a text with a change in the last row of each table."""
    committed = (ROOT / text).read_text()
    copy = folder / text.replace("/", "-")
    copy.write_text(committed.replace(" |\n\n<!-- end -->", " 1 |\n\n<!-- end -->"))
    assert copy.read_text() != committed
    return copy
