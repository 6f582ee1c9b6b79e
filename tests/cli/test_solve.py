"""The command ``solve``: known optima, rules, limits."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from market_split import unsolved
from slow_parameters import slow, slow_where

from .conftest import succeed

OPTIMA = (
    "bell5",
    "blend2",
    "dcmulti",
    "egout",
    "enigma",
    "flugpl",
    "lseu",
    "MANN_a9.clq",
    "misc03",
    "p0548",
    "rgn",
    "stein27_inf",
    "cap41",
    "cap42",
)
LONGER = ("bell5", "blend2", "cap41", "cap42", "dcmulti", "lseu", "misc03")


@pytest.mark.parametrize("name", slow_where(LONGER, OPTIMA))
def test_solve_ends_with_the_known_optimum(name: str, test_data: Path) -> None:
    with open(test_data / "miplib" / "optima.csv") as stream:
        rows = {row["instance"]: row for row in csv.DictReader(stream)}
    assert set(rows) == set(OPTIMA)
    path = next(p for p in (test_data / "miplib").iterdir() if p.name.startswith(f"{name}."))
    printed = dict(
        line.split(maxsplit=1)
        for line in succeed("solve", path).splitlines()
        if line.startswith(("status", "objective"))
    )
    assert printed["status"].strip() == rows[name]["status"]
    if rows[name]["objective"]:
        expected, found = float(rows[name]["objective"]), float(printed["objective"])
        assert abs(found - expected) <= 1e-6 * max(1, abs(expected))
    else:
        assert printed["objective"].strip() == "none"


@pytest.mark.parametrize("policy", ["pscost", slow("mostinf"), slow("random")])
def test_solve_uses_the_rule_that_it_is_told(policy: Any, markets: Path) -> None:
    path = markets / "0.lp"
    optimum = [line for line in succeed("solve", path).splitlines() if "objective" in line]
    printed = succeed("solve", path, "--policy", policy, "--setting", "learn2branch")
    assert [line for line in printed.splitlines() if "objective" in line] == optimum
    assert f"{policy} (setting learn2branch, seed 0)" in printed


def test_solve_stops_at_its_time_limit_and_says_so(tmp_path: Path) -> None:
    unsolved().write(tmp_path / "a.lp")
    assert "time limit" in succeed("solve", tmp_path / "a.lp", "--time-limit", 0.5)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("maximize OBJ: x subject to C: x - y <= 1 general x y End", "unbounded"),
        ("minimize OBJ: x subject to C: x + y >= 3 D: x + y <= 2 general x y End", "infeasible"),
        ("minimize OBJ: x subject to C: x >= 1.5 End", "optimal"),
    ],
)
def test_infeasible_unbounded_and_integer_free_are_results(
    text: str, status: str, tmp_path: Path
) -> None:
    (tmp_path / "a.lp").write_text(
        text.replace(" subject", "\nsubject")
        .replace(" C:", "\nC:")
        .replace(" D:", "\nD:")
        .replace(" general", "\ngeneral\n")
        .replace(" End", "\nEnd\n")
    )
    assert status in succeed("solve", tmp_path / "a.lp")
