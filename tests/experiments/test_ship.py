"""What is shipped is what ``experiments/ship.py`` makes of what ``shipped.toml`` names."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from milplib.policies import pretrained

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_shipping_again_gives_the_same_files_and_removes_others(tmp_path: Path) -> None:
    (tmp_path / "old.safetensors").write_bytes(b"")
    command: list[str | Path] = [
        sys.executable,
        ROOT / "experiments" / "ship.py",
        "--out",
        tmp_path,
    ]
    subprocess.run(command, check=True, timeout=300)
    shipped = Path(pretrained.__file__).parent / "shipped"
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in shipped.iterdir()}
    for path in sorted(shipped.iterdir()):
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name
