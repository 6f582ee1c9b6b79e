"""Files in odd syntax, legal and illegal, read by milplib and by HiGHS."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from illegal_files import IllegalFile, illegal_lp, illegal_mps
from odd_lp import odd_lp
from odd_models import OddFile
from odd_mps import fixed_mps, odd_mps

import milplib
from milplib.errors import InstanceError

highspy = pytest.importorskip("highspy", reason="the extra 'highs' is not installed")

N_FILES = 300
"""Legal and illegal files of each format."""

WRONG_IN_HIGHS = {
    # MPS
    "LAZYCONS": "HiGHS knows no lazy constraints and drops or refuses them; they must hold",
    "OBJSENSE MAXIMIZE in one line": "HiGHS reads only MIN and MAX there, and minimises",
    "no set in RANGES": "HiGHS takes the row for the set, and refuses the line",
    "dollar comment": "HiGHS takes the words of a comment for more fields of the line",
    # LP
    "byte order mark of LP": "HiGHS takes the mark of an LP file for a part of its first word",
    "row with two sides": "HiGHS refuses such rows, which CPLEX's format has",
    "section int": "HiGHS takes 'int' for a column",
    "empty section sos": "HiGHS refuses the section even if it holds nothing",
    "text after End": "HiGHS reads on behind 'End'",
}


def of_model(file: OddFile) -> list[Any]:
    model = file.model
    return [
        *(model.sense, model.offset, model.columns, model.costs, model.lower, model.upper),
        *(model.integer, model.matrix(), [low for low, _ in model.sides]),
        *([high for _, high in model.sides], model.rows),
    ]


def of_milplib(path: Path) -> list[Any]:
    read = milplib.read(path)
    return [
        *(read.sense, read.offset, list(read.column_names), read.objective.tolist()),
        *(read.lower.tolist(), read.upper.tolist(), read.integrality.tolist()),
        *(read.A.toarray().tolist(), read.row_lower.tolist(), read.row_upper.tolist()),
        list(read.row_names),
    ]


def of_highs(path: Path) -> list[Any] | None:
    solver = highspy.Highs()
    solver.silent()
    if solver.readModel(str(path)) == highspy.HighsStatus.kError:
        return None
    model = solver.getLp()
    matrix = np.zeros((model.num_row_, model.num_col_))
    by_column = model.a_matrix_.format_ == highspy.MatrixFormat.kColwise
    start, index = (
        np.array(part, dtype=np.int64) for part in (model.a_matrix_.start_, model.a_matrix_.index_)
    )
    value = np.array(model.a_matrix_.value_, dtype=np.float64)
    for major in range(model.num_col_ if by_column else model.num_row_):
        at = slice(start[major], start[major + 1])
        if by_column:
            matrix[index[at], major] = value[at]
        else:
            matrix[major, index[at]] = value[at]

    def sides(values: Any) -> list[float]:
        return [float(np.copysign(np.inf, v)) if abs(v) >= 1e20 else v for v in values]

    continuous = highspy.HighsVarType.kContinuous
    maximize = model.sense_ == highspy.ObjSense.kMaximize
    return [
        *("maximize" if maximize else "minimize", model.offset_, list(model.col_names_)),
        *(list(model.col_cost_), sides(model.col_lower_), sides(model.col_upper_)),
        [int(kind != continuous) for kind in model.integrality_] or [0] * model.num_col_,
        *(matrix.tolist(), sides(model.row_lower_), sides(model.row_upper_)),
        list(model.row_names_),
    ]


@pytest.mark.parametrize(
    ("make", "suffix", "files"),
    [(odd_mps, ".mps", N_FILES), (fixed_mps, ".mps", 20), (odd_lp, ".lp", N_FILES)],
)
def test_odd_but_legal_files_give_their_model_here_and_the_same_in_highs_but_for_its_faults(
    tmp_path: Path, make: Callable[[int], OddFile], suffix: str, files: int
) -> None:
    path = tmp_path / f"odd{suffix}"
    differing: Counter[str] = Counter()
    equal = 0
    for seed in range(files):
        file = make(seed)
        path.write_bytes(file.text)
        assert of_milplib(path) == of_model(file), f"seed {seed}: {file.features}"
        excuses = file.features & set(WRONG_IN_HIGHS)
        expected, found = of_model(file), of_highs(path)
        if "row without a name" in file.features and found is not None:
            del expected[-1], found[-1]  # HiGHS has names of its own for these
        if found == expected:
            equal += 1
            continue
        assert excuses, f"seed {seed}: {file.features}, HiGHS: {found}"
        differing.update(excuses if len(excuses) == 1 else ())
    assert equal >= files // 2
    # Each fault shows in a file without another one, or it is none any more.
    known = {feature for seed in range(files) for feature in make(seed).features}
    assert set(differing) == known & set(WRONG_IN_HIGHS)


@pytest.mark.parametrize(("make", "suffix"), [(illegal_mps, ".mps"), (illegal_lp, ".lp")])
def test_illegal_files_are_refused_with_the_line_and_the_word(
    tmp_path: Path, make: Callable[[int], IllegalFile], suffix: str
) -> None:
    path = tmp_path / f"illegal{suffix}"
    read_by_highs = 0
    for seed in range(N_FILES):
        file = make(seed)
        path.write_bytes(file.text)
        with pytest.raises(InstanceError) as caught:
            milplib.read(path)
        message = str(caught.value)
        assert message.startswith(f"cannot read {path}: line {file.line} ("), (seed, message)
        assert file.word[:30] in message, (seed, file.damage, message)
        read_by_highs += of_highs(path) is not None
    # So often a number was guessed or a line was dropped without an error.
    assert read_by_highs > N_FILES // 10
