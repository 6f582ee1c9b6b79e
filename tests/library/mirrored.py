"""A distribution that a mirror serves or an archive holds, and commands that fetch it."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path
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


def zipped(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as target:
        for name, content in members.items():
            target.writestr(name, content)
    return path
