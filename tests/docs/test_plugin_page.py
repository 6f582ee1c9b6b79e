"""Every block of the page about the plugin runs, and prints what stands below it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "plugin.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# (\w+\.py)\n")
END = "-- end of block"


def printed(folder: Path, name: str, code: str) -> str:
    (folder / name).write_text(code)
    done = subprocess.run(
        [sys.executable, "-W", "error", name],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("page", [PAGE], ids=lambda page: page.stem)
def test_every_block_prints_what_the_page_says(page: Path, tmp_path: Path) -> None:
    text = page.read_text()
    blocks = BLOCK.findall(text)
    assert 2 * len(blocks) == text.count("```")
    assert {language for language, _ in blocks} == {"python", "text"}

    code = [content for language, content in blocks if language == "python"]
    expected = [
        following[1] if following[0] == "text" else ""
        for (language, _), following in zip(blocks, [*blocks[1:], ("", "")], strict=True)
        if language == "python"
    ]
    together = [block for block in code if not FILE.match(block)]
    outputs = iter(
        printed(tmp_path, "page.py", "".join(f"{b}print({END!r})\n" for b in together)).split(
            f"{END}\n"
        )
    )
    for block, output in zip(code, expected, strict=True):
        file = FILE.match(block)
        assert (printed(tmp_path, file[1], block) if file else next(outputs)) == output
    assert list(outputs) == [""], "nothing is left"
