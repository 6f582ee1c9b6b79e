"""Tasks that end their process by themselves: recorded with their kind, tried again later."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from market_split import market_split

from milplib.learn import SampleSet
from milplib.runs import run_status

from .conftest import content, run

# By the number of binary columns of the instance, beside which it has six others: which of them
# the block below breaks on.
FAULTY = {"crash": 15, "out of memory": 16, "hang": 17}

BLOCK = """
import os, time

class Faulty:
    name, version, columns = "faulty", 1, ("one",)

    def extract(self, model):
        fault = len(model.getVars()) if os.environ["FAULTS"] == "1" else 0
        if fault == 21:
            os.abort()
        if fault == 22:
            hoard = []
            while True:
                hoard.append(bytearray(os.urandom(1 << 20) * 20))
                time.sleep(0.01)
        if fault == 23:
            time.sleep(3600)
        return [1.0]
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A folder with a module of the user's own, and instances on some of which it breaks."""
    place = tmp_path_factory.mktemp("own")
    (place / "own_blocks.py").write_text(BLOCK)
    for name, kinds in {"crashing": ["crash"], "faulty": FAULTY}.items():
        (place / name).mkdir()
        for seed in range(3):
            market_split(seed).write(place / name / f"good{seed}.lp")
        for kind in kinds:
            instance = market_split(9, n_columns=FAULTY[kind])
            instance.write(place / name / f"{kind.replace(' ', '_')}.lp")
    return place


def collect(place: Path, name: str, out: Any, *options: Any, faults: Any) -> Any:
    environment = os.environ | {"FAULTS": str(int(faults))}
    blocks = ("--blocks", "own_blocks:Faulty")
    return run(name, out, *options, *blocks, cwd=place, env=environment)


def outcomes(out: Any) -> Any:
    return {
        entry["instance"].partition("/")[2]: (entry["outcome"], entry["failure"])
        for entry in SampleSet(out).manifest.instances
    }


def check_failed_and_tried_again(
    place: Path, name: str, out: Any, *options: Any, kinds: Any
) -> None:
    code, errors = collect(place, name, out, *options, faults=True)
    assert code == 0, errors
    expected = {f"good{seed}.lp": ("complete", "") for seed in range(3)}
    failed = {f"{kind.replace(' ', '_')}.lp": ("failed", kind) for kind in kinds}
    assert outcomes(out) == expected | failed
    assert run_status(out).state == "complete"
    assert run_status(out).failure_counts == dict.fromkeys(kinds, 1)
    code, errors = collect(place, name, out, *options, faults=False)
    assert code == 0, errors
    assert {outcome for outcome, _ in outcomes(out).values()} == {"complete"}
    assert run_status(out).failures == ()
    sessions = json.loads((out / "environment.json").read_text())["stretches"]
    assert [session["tasks"] for session in sessions] == [3 + len(kinds), len(kinds)]
    assert not (out / "unfinished").exists()
    code, errors = collect(place, name, out.with_name("whole"), faults=False)
    assert code == 0, errors
    assert content(out) == content(out.with_name("whole"))


@pytest.mark.slow
def test_a_task_that_crashes_is_failed_and_the_others_are_complete(
    place: Any, tmp_path: Path
) -> None:
    check_failed_and_tried_again(place, "crashing", tmp_path / "s", "--workers", 2, kinds=["crash"])


@pytest.mark.slow
@pytest.mark.parametrize(
    "where", [("--workers", 2), ("--cluster", "local:2")], ids=["local", "dask"]
)
def test_a_crash_a_hang_and_too_much_memory_are_told_apart(
    place: Any, tmp_path: Path, where: tuple[Any, ...]
) -> None:
    # Every other task takes less than a second and less than 300 MB.
    limits = ("--memory-limit", 1500, "--task-time-limit", 40)
    check_failed_and_tried_again(
        place, "faulty", tmp_path / "s", *where, *limits, kinds=list(FAULTY)
    )
