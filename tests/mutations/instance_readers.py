"""Instance files: how milplib reads them, and what they say by HiGHS and written once more."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import highspy
import numpy as np
import scipy.sparse as sp
from market_split import market_split
from odd_lp import odd_lp
from odd_mps import odd_mps

import milplib
from milplib import Instance
from milplib.errors import InstanceError

Arrays = dict[str, Any]

# Files with many odd features, and none that HiGHS reads wrongly.
_ODD_LP, _ODD_MPS = odd_lp(1068).text, odd_mps(857).text


def write_instances(folder: Path) -> None:
    for name in ("a.lp", "a.mps"):
        market_split(1, n_columns=8).write(folder / name)
    (folder / "odd.lp").write_bytes(_ODD_LP)
    (folder / "odd.mps").write_bytes(_ODD_MPS)


def write_compressed(folder: Path) -> None:
    for name in ("a.lp", "a.mps"):
        market_split(1).write(folder / name)
        (folder / f"{name}.gz").write_bytes(gzip.compress((folder / name).read_bytes(), mtime=0))


def _arrays(instance: Instance) -> Arrays:
    return {
        "sense": str(instance.sense),
        "offset": instance.offset + 0.0,  # 0 for -0
        "columns": list(instance.column_names),
        "objective": (instance.objective + 0.0).tolist(),
        "lower": (instance.lower + 0.0).tolist(),
        "upper": (instance.upper + 0.0).tolist(),
        "integrality": instance.integrality.tolist(),
        "A": (instance.A.toarray() + 0.0).tolist(),
        "row_lower": (instance.row_lower + 0.0).tolist(),
        "row_upper": (instance.row_upper + 0.0).tolist(),
        "rows": list(instance.row_names),
    }


def read_instance(folder: Path, name: str) -> Arrays:
    return _arrays(milplib.read(folder / name))


def said_by_compressed(folder: Path, name: str) -> Arrays:
    plain = folder / f"plain-{name.removesuffix('.gz')}"
    plain.write_bytes(gzip.decompress((folder / name).read_bytes()))
    return read_instance(folder, plain.name)


def said_by_instance(folder: Path, name: str) -> Arrays:
    """Return the arrays by HiGHS where its reader is right, else those of the file written again.

    A file that says the same once milplib has written it has lost nothing on the way back.
    """
    arrays = read_instance(folder, name)
    again = _written_again(folder, name)
    if again is not None and again != arrays:
        return again
    found = _by_highs(folder / name)
    if found is None or _is_wrong_in_highs(folder / name, arrays):
        return arrays
    # HiGHS has names of its own for rows without one.
    found["rows"] = [
        ours if theirs.startswith("HiGHS_R") else theirs
        for ours, theirs in zip(arrays["rows"], found["rows"], strict=False)
    ]
    return found


def _written_again(folder: Path, name: str) -> Arrays | None:
    instance = milplib.read(folder / name)
    try:
        instance.write(folder / f"again-{name}")
    except InstanceError:  # a name that the format cannot hold
        return None
    return read_instance(folder, f"again-{name}")


def _is_wrong_in_highs(path: Path, arrays: Arrays) -> bool:
    """Whether a file has what HiGHS reads wrongly: see tests/formats/test_against_highs.py."""
    if path.suffix == ".lp":
        return False
    words = [line.split() for line in path.read_text("utf-8", "replace").upper().splitlines()]
    keywords = {line[0] for line in words if line}
    one_line = any(line[0] == "OBJSENSE" and len(line) > 1 for line in words if line)
    blanks = any(" " in text for text in arrays["columns"] + arrays["rows"])
    return "LAZYCONS" in keywords or one_line or blanks


def _by_highs(path: Path) -> Arrays | None:
    make: Any = highspy.Highs  # untyped
    solver = make()
    solver.silent()
    if solver.readModel(str(path)) == highspy.HighsStatus.kError:
        return None
    model = solver.getLp()
    shape = (model.num_row_, model.num_col_)
    matrix = model.a_matrix_
    parts = (matrix.value_, matrix.index_, matrix.start_)
    by_column = matrix.format_ == highspy.MatrixFormat.kColwise
    dense = (sp.csc_array if by_column else sp.csr_array)(parts, shape=shape).toarray()

    def limits(values: Any) -> list[float]:
        return [float(np.copysign(np.inf, v)) if abs(v) >= 1e20 else float(v) + 0.0 for v in values]

    maximize = model.sense_ == highspy.ObjSense.kMaximize
    continuous = highspy.HighsVarType.kContinuous
    kinds = [int(kind != continuous) for kind in model.integrality_]
    return {
        "sense": "maximize" if maximize else "minimize",
        "offset": model.offset_ + 0.0,
        "columns": list(model.col_names_),
        "objective": [float(cost) + 0.0 for cost in model.col_cost_],
        "lower": limits(model.col_lower_),
        "upper": limits(model.col_upper_),
        "integrality": kinds or [0] * model.num_col_,
        "A": (dense + 0.0).tolist(),
        "row_lower": limits(model.row_lower_),
        "row_upper": limits(model.row_upper_),
        "rows": list(model.row_names_),
    }
