"""The commands of docs/clusters.md run as they stand, at a smaller size."""

from __future__ import annotations

import ast
import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

pytest.importorskip("distributed")

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "clusters.md"
BLOCKS = re.findall(r"^```(\w+)( elsewhere)?\n(.*?)^```$", DOCUMENT.read_text(), re.M | re.S)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_what_cannot_run_here_is_at_least_python() -> None:
    elsewhere = [code for language, mark, code in BLOCKS if mark]
    assert len(elsewhere) == 2
    for code in elsewhere:
        ast.parse(code)


@pytest.mark.slow
def test_the_commands_run(tmp_path: Path) -> None:
    code = "".join(code for language, mark, code in BLOCKS if language == "sh" and not mark)
    assert code.count("--cluster") == 2
    code = code.replace("8786", str(free_port())).replace("CA-very-easy", "CA-milplib-small")
    code = code.replace("--count 60", "--count 2")
    code = re.sub(
        r"(milplib collect .*)", r"\1 --samples-per-instance 2 --expert-probability 1", code
    )
    process = subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        start_new_session=True,
    )
    try:
        assert process.wait(timeout=540) == 0
    finally:
        # Whatever it has left in the background.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    by_hand, own = (
        {path.name: path.read_bytes() for path in (tmp_path / "data" / name).iterdir()}
        for name in ("ca.samples", "ca.again")
    )
    assert by_hand.keys() == own.keys()
    assert by_hand["shard-00000.arrow"] == own["shard-00000.arrow"]
