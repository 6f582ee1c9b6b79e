"""The command line, and how it ends: well, or with one line that names the culprit."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import run_forked
from market_split import market_split

run = run_forked


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def succeed(*arguments: object) -> str:
    done = run(*arguments)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


def fail(*arguments: object, naming: str) -> str:
    """Exit code 2, and one line on stderr that names the culprit."""
    done = run(*arguments)
    assert done.returncode == 2, (done.stdout, done.stderr)
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("milplib: error: ")
    assert naming in lines[0]
    return lines[0]


@pytest.fixture(scope="module")
def auctions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("auctions") / "ca"
    succeed("generate", "CA-milplib-small", "--count", 3, "--seed", 5, "--out", folder)
    return folder


@pytest.fixture(scope="module")
def markets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("markets")
    for seed in range(3):
        market_split(seed, n_columns=12).write(folder / f"{seed}.lp")
    return folder
