"""Mutated inputs are read right or refused: no crash, no hang, no traceback, no lost content."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("highspy", reason="the extra 'highs' is not installed")

from mutations.formats import FORMATS
from mutations.harness import MEMORY_LIMIT, TIME_LIMIT
from mutations.mutate import mutated

TESTS = Path(__file__).parents[1]


def _mutations(seed: int, count: int) -> list[dict[str, Any]]:
    """Read mutations of every format in one process."""
    done = subprocess.run(
        [sys.executable, "-m", "mutations.harness", str(seed), str(count)],
        env=os.environ | {"PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        timeout=3 * TIME_LIMIT * len(FORMATS) + count * len(FORMATS),
        check=False,
    )
    found = [json.loads(line) for line in done.stdout.splitlines()]
    names = list(FORMATS)
    crashed = names[len(found)] if len(found) < len(names) else ""
    assert done.returncode == 0, (
        f"seed {seed}: the process ended with {done.returncode} at the format '{crashed}':\n"
        f"{done.stderr[-3000:]}"
    )
    return found


def _check(seed: int, count: int) -> None:
    print(f"seed {seed}, {count} mutations of each of {len(FORMATS)} formats")
    found = _mutations(seed, count)
    assert [entry["format"] for entry in found] == list(FORMATS)
    problems = [
        f"{entry['format']}, seed {failure['seed']}, number {failure['number']}, "
        f"{failure['file']}: {failure['problem']}"
        for entry in found
        for failure in entry["failures"]
    ]
    assert not problems, "\n".join(problems[:20])
    for entry in found:
        assert entry["refused"] + entry["accepted"] == count
        assert entry["refused"] > 0, f"{entry['format']} refuses nothing"
        assert entry["memory"] < MEMORY_LIMIT


@pytest.mark.slow
def test_two_thousand_mutated_inputs_are_read_right_or_refused() -> None:
    _check(1, -(-2000 // len(FORMATS)))


@pytest.mark.nightly
def test_twenty_thousand_mutated_inputs_of_a_new_seed_are_read_right_or_refused() -> None:
    for _ in range(4):
        _check(secrets.randbelow(2**31), -(-5000 // len(FORMATS)))


def test_equal_seeds_give_equal_mutations_that_differ_from_the_input() -> None:
    data = b'{"format": "mine", "sizes": [1, 2, 3], "name": "a"}'

    def drawn(seed: int) -> list[bytes]:
        draw = np.random.RandomState(seed)
        return [mutated(data, draw, is_text=True) for _ in range(50)]

    assert drawn(3) == drawn(3) != drawn(4)
    assert sum(one != data for one in drawn(3)) > 40
