"""Fetching in processes: killed, at once, on a full disk, in little memory."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from milplib.library import fetch

from .conftest import csv_text
from .mirror_server import PREFIX
from .mirrored import TRAIN, command, contents, ended


@pytest.mark.slow
def test_a_download_goes_on_after_its_process_was_killed(served: Any, texts: list[bytes]) -> None:
    padding = csv_text([text + b"\\" + b" " * 3_000_000 + b"\n" for text in texts[:3]])
    served.put(TRAIN, padding)
    served.seconds_per_piece = 0.02
    process = command("fetch", "CA-medium", "--split", "train", "--source", "mirror")
    begin = time.monotonic()
    while not served.ranges() and time.monotonic() - begin < 120:
        time.sleep(0.05)
    time.sleep(1.0)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    served.seconds_per_piece = 0.0
    served.requests.clear()
    (found,) = fetch("CA-medium", splits=["train"], source="mirror")
    assert len(found.manifest.records) == 3
    (asked,) = served.ranges()
    assert int(asked.removeprefix("bytes=").removesuffix("-")) > 0


@pytest.mark.slow
def test_two_processes_fetch_one_distribution_at_once(served: Any, texts: list[bytes]) -> None:
    served.seconds_per_piece = 0.3
    both = [command("fetch", "CA-medium", "--split", "train") for _ in range(2)]
    for code, stdout, stderr in map(ended, both):
        assert code == 0, stderr
        assert "3 instances of CA-medium" in stdout
    assert len(served.ranges()) == 1
    assert contents(fetch("CA-medium", splits=["train"])[0]) == texts[:3]


def test_the_command_names_broken_instances_on_stderr(mirror: Any, texts: list[bytes]) -> None:
    rows = csv_text(texts[:2]).splitlines(keepends=True)
    mirror.put(TRAIN, rows[0] + rows[1] + rows[2][:100])
    code, stdout, stderr = ended(command("fetch", "CA-medium", "--split", "train"))
    assert code == 0
    assert "1 instances of CA-medium" in stdout
    assert "1 broken" in stdout
    assert stderr.startswith("milplib: broken instance: row 1 of train.csv: ")


@pytest.mark.slow
def test_a_full_disk_is_one_line_and_what_was_stored_is_kept(
    mirror: Any, texts: list[bytes], tmp_path: Path
) -> None:
    big = b"\\" + b"x" * 300_000 + b"\n" + texts[2]
    mirror.put(TRAIN, csv_text([texts[0], texts[1], big]))
    (tmp_path / "t.csv").write_bytes(mirror.files[PREFIX + TRAIN])

    def limit() -> (
        None
    ):  # what the system says of a file that grows too large is what it says of a disk
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    asked = ("fetch", "CA-medium", "--split", "train", "--source", "mirror")
    code, _, stderr = ended(command(*asked, preexec_fn=limit))
    assert code == 2
    assert stderr.count("\n") == 1
    assert "train.csv" in stderr
    assert "File too large" in stderr
    code, stdout, stderr = ended(command(*asked))
    assert code == 0, stderr
    assert "3 instances" in stdout


@pytest.mark.nightly
def test_200_megabytes_are_fetched_in_less_than_300_of_memory(mirror: Any, tmp_path: Path) -> None:
    from milplib.generators import SetCover

    SetCover(n_rows=1000, n_columns=1000, density=0.05).generate(seed=0).write(tmp_path / "a.lp")
    text = (tmp_path / "a.lp").read_bytes()
    path = tmp_path / "train.csv"
    path.write_text(csv_text([text] * (200_000_000 // len(text) + 1)))
    mirror.files[PREFIX + "SC/medium/train.csv"] = path
    assert path.stat().st_size > 200_000_000
    process = subprocess.run(
        [sys.executable, "-c", _FETCH_AND_TELL_MEMORY],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    stored, peak = process.stdout.split()
    assert int(stored) == 200_000_000 // len(text) + 1
    assert float(peak) < 300


_FETCH_AND_TELL_MEMORY = r"""
import milplib
from milplib.execution.memory import peak_memory
(found,) = milplib.fetch("SC-medium", splits=["train"], source="mirror")
print(len(found.manifest.records), peak_memory())
"""
