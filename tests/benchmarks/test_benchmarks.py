"""The benchmarks run, and write what they print; what they measure is nobody's test."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import milplib
from milplib.scip.native import native_status

FOLDER = Path(__file__).parents[2] / "benchmarks"

ROWS = {
    "collection: expert / whole sample",
    "collection: extraction / whole sample",
    "collection: recording / whole sample",
    "collection: encoding / whole sample",
    "collection with 2 workers / with 1",
    "decoding a mirror's file / csv and literal_eval",
    "training step fused / textbook PyG",
    "batch assembly warm / gzip pickles",
    "batch assembly cold / gzip pickles",
    "decoding all samples / gzip pickles",
    "policy / whole solve, default setting",
    "policy / whole solve, learn2branch setting",
}
ROWS_IN_BYTES = {
    "bytes a sample / gzip pickles of samples",
    "bytes a sample / gzip pickles of samples and root states",
}
ROWS_OF_NATIVE_CODE = {
    "extraction native / pure",
    "extraction native / getBipartiteGraphRepresentation",
    "decision native / pure + numpy",
    "decision native / pure + textbook PyG",
    "extraction native / khalil block beside it",
    "extraction native / scores of linear beyond it",
    "extraction native / scores of gbdt beyond it",
    "extraction native / scores of extratrees beyond it",
}


def run(*arguments: Any) -> Any:
    command: list[str | Path] = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.slow
def test_a_smoke_run_of_all_rows_writes_what_it_prints(tmp_path: Path) -> None:
    printed = run(FOLDER, "--smoke", "--json", tmp_path / "rows.json")

    rows = json.loads((tmp_path / "rows.json").read_text())
    family = "CA 50x200: "
    expected = ROWS | ROWS_IN_BYTES
    if native_status().module is not None:
        expected |= ROWS_OF_NATIVE_CODE
    assert set(rows) == {family + name for name in expected}
    for name, row in rows.items():
        unit = "bytes" if name.removeprefix(family) in ROWS_IN_BYTES else "ms"
        assert row.keys() == {"ratio", f"ours_{unit}", f"other_{unit}"}
        assert row["ratio"] == pytest.approx(row[f"other_{unit}"] / row[f"ours_{unit}"])
        assert row["ratio"] > 0
        assert f"{row['ratio']:.2f}" in printed


@pytest.mark.slow
def test_reading_is_timed_in_both_formats() -> None:
    printed = run(FOLDER / "reading.py", "--nonzeros", 1000, "--rounds", 1)
    assert "reading MPS / SCIP's reader" in printed
    assert "reading LP / SCIP's reader" in printed


@pytest.mark.slow
def test_generators_are_timed() -> None:
    assert "CA-very-easy" in run(FOLDER / "generators.py", "CA-very-easy", "--repeats", 1)


@pytest.mark.slow
def test_difficulty_is_measured_once_and_stands_in_a_table(tmp_path: Path) -> None:
    found, table = tmp_path / "difficulty.json", tmp_path / "table.md"
    options = ("--easy-instances", 1, "--time-limit", 5, "--results", found, "--table", table)
    run(FOLDER / "difficulty.py", "SRPN-milplib-easy", *options)
    results = json.loads(found.read_text())
    (row,) = results["distributions"]["SRPN-milplib-easy"]
    assert row["root"]["nodes"] == 1
    assert row["pscost"]["nodes"] > 1
    assert row["relpscost"]["objective"] is not None
    (line,) = (s for s in table.read_text().splitlines() if "| SRPN |" in s)
    assert f"| {row['root']['rows']:,} |" in line
    assert f"| {row['pscost']['nodes']:,} |" in line


@pytest.mark.slow
@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_step_on_a_gpu_needs_one(tmp_path: Path) -> None:
    command: list[str | Path] = [sys.executable, FOLDER / "gpu_step.py", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, "there is no GPU here" in done.stderr) == (2, True)


@pytest.mark.slow
def test_imitation_is_compared_with_a_textbook_network_and_a_ranker() -> None:
    printed = run(FOLDER / "learning.py")
    for name in ("milplib's GCNN", "textbook GCNN", "linear ranker", "pseudocost"):
        assert name in printed


def test_the_table_has_all_distributions_and_what_is_called_easy_is_easy() -> None:
    found = json.loads((FOLDER / "difficulty.json").read_text())["distributions"]
    table = (FOLDER.parent / "generators" / "README.md").read_text()
    for entry in milplib.distributions():
        if entry.generator is None:
            continue
        assert f"`{entry.name}`" in table
        rows = found[entry.name]
        if entry.provenance == "milplib" and "easy" in entry.name:
            assert len(rows) >= 20, entry.name
            relpscost, pscost = ([row[rule] for row in rows] for rule in ("relpscost", "pscost"))
            assert statistics.median(run["time"] for run in relpscost) < 100
            assert statistics.median(run["nodes"] for run in pscost) >= 100
            assert sum(run["nodes"] == 1 for run in pscost) <= len(rows) / 10
        else:
            assert len(rows) >= 5, entry.name
