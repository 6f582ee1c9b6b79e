"""What commands show in a terminal, kept in files; renew them with ``RENEW_SCREENS=1``.

The numbers that a clock or SCIP's version decides are planted before the screen is taken.
"""

from __future__ import annotations

import csv
import json
import os
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from terminal import run_in_terminal
from rich.cells import cell_len

from milplib.evaluation.table import read_table, write_table
from milplib.files import file_sha256
from milplib.generators import CombinatorialAuction

from .conftest import run

SCREENS = Path(__file__).parent / "screens"
AUCTION = CombinatorialAuction(n_items=30, n_bids=100)
LONG = "most_fractional_first_with_a_name_that_goes_on_and_on"
POLICIES = ["--policy", f"mine:{LONG}", "mine:ends", "pscost"]
EVALUATE = ["evaluate", "ca", *POLICIES, "--time-limit", 60, "--out", "results"]
MEASURE = ["measure", "ca", "--out", "hardness"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished evaluation and measurement, whose times are planted."""
    place = tmp_path_factory.mktemp("place")
    folder = place / "ca" / "test" / "auctions-of-a-folder-with-a-long-name"
    (place / "ca" / "test").mkdir(parents=True)
    for seed in range(2):
        AUCTION.generate(seed).write(folder.with_name(f"{folder.name}-{seed}.lp"))
    (place / "mine.py").write_text(
        "import os\nimport numpy as np\nfrom milplib.scip import VariableFeature\n"
        f"def {LONG}(state):\n"
        "    fraction = state.variable_features[state.candidates, VariableFeature.FRACTIONALITY]\n"
        "    return -np.abs(fraction - 0.5)\n"
        "def ends(state):\n    os._exit(3)\n"
    )
    for command in (EVALUATE, MEASURE):
        done = run(*command, cwd=place)
        assert done.returncode == 0, done.stderr
    plant_runs(place / "results")
    plant_rows(place / "hardness")
    return place


def plant_runs(folder: Path) -> None:
    table = read_table(folder / "runs.parquet")
    policies = {name: n for n, name in enumerate(dict.fromkeys(table["policy"].to_pylist()))}
    rows = table.to_pylist()
    for row in rows:
        pace = policies[row["policy"]] + 1 + int(row["instance"].endswith("1.lp"))
        row |= {"failure": "", "failure_detail": "", "status": "optimal"}
        row |= {"time": 1.7 * pace, "policy_time": 0.11 * pace, "policy_calls": 10 * pace}
        row |= {"nodes": 37 * pace, "fair_nodes": 41 * pace, "objective": 5.0, "gap": 0.0}
        if row["policy"] == "ends":
            row |= {"failure": "crash", "status": "died", "failure_detail": "exit code 3"}
            row |= {"objective": None, "gap": None}
    columns = {field.name: [row[field.name] for row in rows] for field in table.schema}
    write_table(pa.table(columns, schema=table.schema), folder)
    sign(folder)


def plant_rows(folder: Path) -> None:
    with open(folder / "hardness.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for number, row in enumerate(rows):
        row |= {"time": str(99.5 + number), "nodes": str(54_321 * (number + 1)), "gap": "0.0"}
        row |= {"primal_dual_integral": str(1234.5 * (number + 1)), "status": "optimal"}
    with open(folder / "hardness.csv", "w", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    sign(folder)


def sign(folder: Path) -> None:
    """Make the manifest name the files as they are."""
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"] = {name: file_sha256(folder / name) for name in manifest["files"]}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def shown(*command: object, cwd: Path, columns: int = 80, code: int = 0) -> str:
    done = run_in_terminal(*command, columns=columns, cwd=cwd)
    assert (done.returncode, done.stderr) == (code, "")
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    versions = re.compile(r"SCIP \d+\.\d+\.\d+")
    return "".join(versions.sub("SCIP 0.0.0", line) + "\n" for line in lines)


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("evaluate", EVALUATE),
        ("report", ["report", "results"]),
        ("measure", MEASURE),
        ("measure-statistics", ["measure", "ca", "--statistics-only"]),
        ("list", ["list", "--domain", "CA"]),
        ("info", ["info", "CA-medium"]),
        ("policies", ["policy", "list"]),
    ],
)
def test_the_screen_is_the_one_that_is_kept(name: str, command: list[Any], place: Path) -> None:
    screen = shown(*command, cwd=place)
    kept = SCREENS / f"{name}.txt"
    if os.environ.get("RENEW_SCREENS"):
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(screen)
    assert screen == kept.read_text(), "RENEW_SCREENS=1 writes the screens again"
    assert max(map(cell_len, screen.splitlines())) <= 80


@pytest.mark.parametrize("columns", [30, 57, 80, 132])
@pytest.mark.parametrize(
    "command",
    [
        EVALUATE,
        MEASURE,
        ["list"],
        ["status", "results"],
        ["policy", "info", "gcnn-mixed"],
        ["doctor"],
    ],
    ids=lambda command: command[0],
)
def test_no_line_is_wider_than_the_terminal(columns: int, command: list[Any], place: Path) -> None:
    screen = shown(*command, cwd=place, columns=columns)
    # Sentences are not folded inside a word, such as a path, so that it can be copied.
    lines = [line for line in screen.splitlines() if len(line.split()) > 1]
    lines = [line for line in lines if not re.match(r"(report|table|figure): ", line)]
    assert max(map(cell_len, lines)) <= columns
    if command is EVALUATE:
        letters = re.sub(r"\s", "", screen)
        assert LONG in letters or columns == 30  # there, other cells stand between its lines
        for heading in ("policy", "solved", "timeratio", "noderatio", "wins", "failures"):
            assert heading in letters
