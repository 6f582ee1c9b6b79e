"""Files modelled on public bug reports are read right or refused."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

import milplib
from milplib.errors import InstanceError
from milplib.formats import SUFFIXES


def cases(folder: Path) -> list[tuple[Path, dict[str, Any]]]:
    """Every file with an expected reading, in any folder of the reports."""
    found = []
    for expected in sorted(folder.glob("*/expected.toml")):
        for name, reading in tomllib.loads(expected.read_text()).items():
            if name.lower().endswith(SUFFIXES):
                found.append((expected.parent / name, reading))
    return found


def reading_of(path: Path) -> dict[str, Any]:
    try:
        instance = milplib.read(path)
    except InstanceError as error:
        return {"refuse": f"cannot read {path}: " in str(error) and "\n" not in str(error)}
    result = milplib.solve(instance)
    return {
        "status": result.status,
        "optimum": result.objective,
        "columns": instance.n_columns,
        "rows": instance.n_rows,
    }


def test_every_reported_file_is_read_as_expected_or_refused(test_data: Path) -> None:
    found = cases(test_data / "reports")
    assert found
    wrong = {}
    for path, expected in found:
        reading = reading_of(path)
        refused = reading.get("refuse", False)
        if refused and (expected.get("refuse") or expected.get("or_refuse")):
            continue
        right = {key: value for key, value in expected.items() if key != "or_refuse"}
        if "optimum" in right and not refused:
            # SCIP's optima are exact to its feasibility tolerance.
            right["optimum"] = pytest.approx(right["optimum"], abs=1e-6)
        if right != {key: reading.get(key) for key in right}:
            wrong[f"{path.parent.name}/{path.name}"] = (expected, reading)
    assert wrong == {}
