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
from planted_results import planted_results, planted_run
from rich.cells import cell_len
from terminal import run_in_terminal

from milplib.evaluation.results import EvaluationManifest
from milplib.evaluation.table import read_table, write_table
from milplib.files import file_sha256
from milplib.generators import CombinatorialAuction

from .conftest import run

SCREENS = Path(__file__).parent / "screens"
AUCTION = CombinatorialAuction(n_items=30, n_bids=100)
LONG = "most_fractional_first_with_a_name_that_goes_on_and_on"
POLICIES = ["--policy", f"mine:{LONG}", "mine:ends", "pscost"]
EVALUATE = ["evaluate", "ca", *POLICIES, "--time-limit", 60, "--out", "results"]
TIMEOUT: dict[str, Any] = {
    "failure": "timelimit",
    "status": "timelimit",
    "failure_detail": "60 s have passed",
}
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


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with results that nothing was solved for, of two distributions."""
    place = tmp_path_factory.mktemp("planted")
    rows = [
        planted_run(
            policy,
            f"{family}/{number}.lp",
            time=pace * (1 + 0.3 * number) * (1.1 if number % 3 else 0.9) ** place_of,
            nodes=round(40 * pace * (1 + number)),
            fair_nodes=round(50 * pace * (1 + number)),
            policy_time=0.01 * pace,
            **(TIMEOUT if fails and number == 1 else {}),
        )
        for family in ("auctions-of-many-items", "sc")
        for number in range(8)
        for place_of, (policy, pace, fails) in enumerate(
            (
                ("gcnn-generalized-independent-sets", 1.5, False),
                (LONG, 2.9, True),
                ("relpscost", 3.0, False),
            )
        )
    ]
    results = planted_results(rows)
    folder = place / "results"
    folder.mkdir()
    files = {name: file_sha256(folder / name) for name in write_table(results.table, folder)}
    config: Any = results.config | {"baseline": results.baseline}
    EvaluationManifest(config=config, software=results.software, files=files).write(folder)
    return place


def shown(*command: object, cwd: Path, columns: int = 80, code: int = 0) -> str:
    done = run_in_terminal(*command, columns=columns, cwd=cwd)
    assert (done.returncode, done.stderr) == (code, "")
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    versions = re.compile(r"SCIP \d+\.\d+\.\d+")
    return "".join(versions.sub("SCIP 0.0.0", line) + "\n" for line in lines)


def kept(name: str, screen: str) -> str:
    """Return the screen of a file, which is written before if `RENEW_SCREENS` is set."""
    path = SCREENS / f"{name}.txt"
    if os.environ.get("RENEW_SCREENS"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(screen)
    return path.read_text()


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("report", ["report", "results"]),
        ("status", ["status", "results"]),
        ("list", ["list", "--domain", "CA"]),
        ("info", ["info", "CA-medium"]),
        ("policies", ["policy", "list"]),
    ],
)
def test_the_screen_is_the_one_that_is_kept(name: str, command: list[Any], planted: Path) -> None:
    screen = shown(*command, cwd=planted)
    assert screen == kept(name, screen), "RENEW_SCREENS=1 writes the screens again"
    assert max(map(cell_len, screen.splitlines())) <= 80


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("evaluate", EVALUATE),
        ("measure", MEASURE),
        ("measure-statistics", ["measure", "ca", "--statistics-only"]),
    ],
)
def test_the_screen_of_what_was_solved_is_the_one_that_is_kept(
    name: str, command: list[Any], place: Path
) -> None:
    test_the_screen_is_the_one_that_is_kept(name, command, place)


def check_width(command: list[Any], place: Path, columns: int) -> str:
    screen = shown(*command, cwd=place, columns=columns)
    # Sentences are not folded inside a word, such as a path, so that it can be copied.
    lines = [line for line in screen.splitlines() if len(line.split()) > 1]
    lines = [line for line in lines if not re.match(r"(report|table|figure): ", line)]
    assert max(map(cell_len, lines)) <= columns
    return screen


@pytest.mark.parametrize("columns", [30, 132])
@pytest.mark.parametrize(
    "command", [["list"], ["policy", "info", "gcnn-mixed"], ["doctor"]], ids=lambda c: c[0]
)
def test_no_line_is_wider_than_the_terminal(
    columns: int, command: list[Any], planted: Path
) -> None:
    check_width(command, planted, columns)


@pytest.mark.slow
@pytest.mark.parametrize("columns", [30, 57, 80, 132])
def test_no_policy_and_no_number_is_lost_in_any_terminal(columns: int, place: Path) -> None:
    check_width(MEASURE, place, columns)
    letters = re.sub(r"\s", "", check_width(EVALUATE, place, columns))
    assert LONG in letters or columns == 30  # there, other cells stand between its lines
    for heading in ("policy", "solved", "timeratio", "noderatio", "wins", "failures"):
        assert heading in letters
