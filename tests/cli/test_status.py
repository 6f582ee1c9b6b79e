"""The command ``status``: how far a run is, in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from milplib.generators import CombinatorialAuction

from .conftest import fail, succeed


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A collection that was killed after its first instance."""
    folder = tmp_path_factory.mktemp("killed")
    (folder / "ca").mkdir()
    for seed in range(30):
        CombinatorialAuction(n_items=30, n_bids=100).generate(seed).write(
            folder / "ca" / f"{seed:02}.lp"
        )
    command = ["collect", folder / "ca", "--out", folder / "s", "--samples-per-instance", "1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "milplib.cli", *map(str, command)], stdout=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 300
    while not (folder / "s" / "unfinished" / "000000.json").exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    working = json.loads(succeed("status", folder / "s", "--json"))
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    return folder / "s", working, process.pid


@pytest.mark.slow
def test_while_a_run_works_its_process_is_named(killed: Any) -> None:
    _, working, pid = killed
    # On a fast machine it may have ended before it was asked.
    if working["state"] == "working":
        assert f"process {pid} on " in working["holder"]
        assert working["done"] <= working["total"] == 30


@pytest.mark.slow
def test_a_killed_run_is_stopped_and_keeps_what_it_has(killed: Any) -> None:
    folder, _, _ = killed
    found = json.loads(succeed("status", folder, "--json"))
    assert found["kind"] == "collection"
    assert found["state"] in ("stopped", "complete")
    assert 1 <= found["done"] <= found["total"] == 30
    printed = succeed("status", folder)
    assert f"{found['done']} of 30 instances" in printed
    assert "failures" in printed


def test_what_is_no_run_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    fail("status", tmp_path / "nowhere", naming="does not exist")
    fail("status", tmp_path, naming="is not the folder of a run")
