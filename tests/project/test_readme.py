"""The README's commands and examples run as they stand, at a smaller size."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Options that say how much, and the amount that is enough to see a command work.
SMALLER = {
    r"CA-very-easy": "CA-milplib-small",
    r"(--count) \d+": r"\1 2",
    r"(--samples-per-instance) \d+": r"\1 2",
    r"(--expert-probability) [\d.]+": r"\1 1",
    r"(--epochs) \d+": r"\1 2",
    r"(--seeds) \d+": r"\1 1",
    r"(--time-limit) \d+": r"\1 2",
    r"(n_items=)\d+": r"\g<1>50",
    r"(n_bids=)\d+": r"\g<1>150",
    r"(time_limit=)\d+": r"\g<1>2",
}


class Block(NamedTuple):
    """A fenced block of code."""

    line: int
    language: str
    slow: bool
    code: str

    @property
    def smaller(self) -> str:
        """The code at a test's size, without calls of make and pip: these have their own tests."""
        code = re.sub(r"^(?:make|pip) .*\n", "", self.code, flags=re.MULTILINE)
        for pattern, replacement in SMALLER.items():
            code = re.sub(pattern, replacement, code)
        return code


def _blocks() -> list[Block]:
    text = (ROOT / "README.md").read_text()
    fences = re.finditer(r"^```(\w+)( slow)?\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [
        Block(text.count("\n", 0, fence.start()) + 1, fence[1], bool(fence[2]), fence[3])
        for fence in fences
    ]


def _runnable() -> list[Any]:
    return [
        pytest.param(block, id=f"line {block.line}", marks=[pytest.mark.slow] if block.slow else [])
        for block in _blocks()
        if block.language in ("sh", "python") and block.smaller
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the README's blocks run one after the other: each finds what the earlier ones left."""
    return tmp_path_factory.mktemp("readme")


def test_the_readme_names_both_commands_and_every_block_a_language() -> None:
    text = (ROOT / "README.md").read_text()
    blocks = _blocks()

    assert text.count("\n```") == 2 * len(blocks)
    assert {block.language for block in blocks} <= {"sh", "python", "text"}
    assert any("make quickstart\nmake test" in block.code for block in blocks)


@pytest.mark.slow
@pytest.mark.parametrize("block", _runnable())
def test_a_block_runs(
    block: Block, folder: Path, run: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    if block.language == "python":
        run(sys.executable, "-W", "error", "-c", block.smaller, cwd=folder)
    else:
        run("bash", "-euo", "pipefail", "-c", block.smaller, cwd=folder)
