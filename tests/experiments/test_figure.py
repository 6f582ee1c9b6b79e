"""The figure of RESULTS.md is that of the committed summaries."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_drawing_the_figure_again_gives_the_same_file(tmp_path: Path) -> None:
    command: list[str | Path] = [
        sys.executable,
        ROOT / "experiments" / "figure.py",
        "--out",
        tmp_path / "ratios.svg",
    ]
    subprocess.run(command, check=True, timeout=120)
    committed = ROOT / "docs" / "results" / "ratios.svg"
    assert (tmp_path / "ratios.svg").read_bytes() == committed.read_bytes()
