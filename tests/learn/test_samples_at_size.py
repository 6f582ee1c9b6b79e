"""Memory does not grow with the number of samples: the benchmark's own figures, on few of them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "samples_at_size.py"

# Samples, a generous bound on what ten times as many may add, and their size on disk as a scale:
# an object a sample, of 100 bytes, would add 0.4 MB; a decoded sample that is kept, 20 kB, 80 MB.
SMALL, LARGE = 400, 4_000
MORE_MB = 8


@pytest.mark.slow
def test_listing_splitting_shuffling_and_streaming_take_as_much_memory_for_ten_times_as_many(
    tmp_path: Path,
) -> None:
    figures = tmp_path / "figures.json"
    done = subprocess.run(
        [sys.executable, SCRIPT, str(SMALL), str(LARGE), "--instances", "100", "--json", figures],
        check=True,
        capture_output=True,
        text=True,
    )
    assert "samples a second" in done.stdout
    small, large = json.loads(figures.read_text()).values()
    assert large["disk_bytes"] > 8 * small["disk_bytes"]
    for step in ("listing", "splitting", "first batch", "an epoch"):
        assert large[f"{step}_mb"] < small[f"{step}_mb"] + MORE_MB, step
