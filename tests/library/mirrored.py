"""A distribution that a mirror serves, and commands that fetch it."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from milplib.library import FetchedSplit

TRAIN, VAL, TEST = (f"CA/medium/{split}.csv" for split in ("train", "validation", "test"))


def contents(part: FetchedSplit) -> list[bytes]:
    return [(part.folder / name).read_bytes() for name in sorted(part.manifest.records)]


def command(*arguments: str, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "milplib.cli", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    stdout, stderr = process.communicate(timeout=300)
    return process.returncode, stdout, stderr
