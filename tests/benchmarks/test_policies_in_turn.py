"""Policies that take turns in one model work as in fresh models."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from market_split import market_split

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "policies_in_turn.py"


def steps(*arguments: object) -> list[list[str]]:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, (done.stdout, done.stderr)
    return [
        [cell.strip() for cell in line.strip("│").split("│")]
        for line in done.stdout.splitlines()
        if line.startswith("│")
    ]


@pytest.mark.parametrize(
    "instance",
    [
        pytest.param("split", marks=pytest.mark.slow),
        pytest.param("auction", marks=pytest.mark.nightly),
    ],
)
def test_every_step_in_one_model_equals_its_fresh_model(instance: str, tmp_path: Path) -> None:
    market_split(0, n_columns=12).write(tmp_path / "split.mps")
    rows = steps(*([tmp_path / "split.mps"] if instance == "split" else []))

    assert len(rows) == 13
    assert {row[-1] for row in rows} == {"yes"}
    for _, nodes, fresh, iterations, as_fresh, decisions, decided, _ in rows:
        assert (nodes, iterations, decisions) == (fresh, as_fresh, decided)
    assert len({row[1] for row in rows}) >= 4, "the policies must build different trees"
