"""A process that holds the folder of a run."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from narrowing import present

from .trials import HOLDER


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[Any]:
    """A process that works in a folder and does not end."""
    command: list[str | Path] = [
        sys.executable,
        "-c",
        HOLDER,
        Path(__file__).parent,
        tmp_path / "job",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert present(process.stdout).readline() == "works\n"
        yield process
        process.kill()
