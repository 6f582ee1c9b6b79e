"""Reading: every kind of row, bound and objective, and what is said about bad files."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import milplib
from milplib.errors import InstanceError

INF = np.inf


def read(folder: Path, text: str, *, name: str = "file.lp") -> Any:
    path = folder / name
    path.write_text(text)
    return milplib.read(path)


def mps(
    *,
    rows: str = "",
    columns: str = "",
    rhs: str = "",
    ranges: str = "",
    bounds: str = "",
    sense: str = "",
) -> Any:
    return (
        f"NAME t\n{sense}ROWS\n N  COST\n{rows}COLUMNS\n{columns}RHS\n{rhs}"
        + (f"RANGES\n{ranges}" if ranges else "")
        + (f"BOUNDS\n{bounds}" if bounds else "")
        + "ENDATA\n"
    )


def integer(columns: Any) -> Any:
    return f" M 'MARKER' 'INTORG'\n{columns} M 'MARKER' 'INTEND'\n"


def test_an_lp_file_is_read_as_it_stands(tmp_path: Path) -> None:
    instance = read(
        tmp_path,
        "Maximize\n obj: 3 x - y + 2.5 z + 0 b - 7\nSubject To\n"
        " le: x + 2 y <= 4\n ge: - x + z >= -2\n eq: x + x + 3 w = 9\n free: x + y >= -inf\n"
        " zero: 0 x <= 3\n x - y <= 1\n"
        "Bounds\n -3 <= x <= 8\n y free\n z <= -1\n w = 2\n -inf <= u <= 5\n"
        "Generals\n x w\nBinaries\n b\nEnd\n",
    )
    assert instance.name == "file"
    assert (instance.sense, instance.offset) == ("maximize", -7.0)
    assert instance.column_names == ("x", "y", "z", "b", "w", "u")
    assert instance.objective.tolist() == [3, -1, 2.5, 0, 0, 0]
    assert instance.row_names == ("le", "ge", "eq", "free", "zero", "C6")
    assert instance.A.toarray().tolist() == [
        [1, 2, 0, 0, 0, 0],
        [-1, 0, 1, 0, 0, 0],
        [2, 0, 0, 0, 3, 0],
        [1, 1, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0],
        [1, -1, 0, 0, 0, 0],
    ]
    assert instance.row_lower.tolist() == [-INF, -2, 9, -INF, -INF, -INF]
    assert instance.row_upper.tolist() == [4, INF, 9, INF, 3, 1]
    assert instance.lower.tolist() == [-3, -INF, 0, 0, 2, -INF]
    assert instance.upper.tolist() == [8, INF, -1, 1, 2, 5]
    assert instance.integrality.tolist() == [1, 0, 0, 1, 1, 0]


def test_the_constant_of_an_mps_objective_has_the_opposite_sign_of_its_right_hand_side(
    tmp_path: Path,
) -> None:
    text = mps(columns=" x COST 2\n", rhs=" RHS COST -7.5\n", sense="OBJSENSE\n    MAX\n")
    instance = read(tmp_path, text, name="file.mps")
    assert (instance.sense, instance.offset) == ("maximize", 7.5)
    assert instance.objective.tolist() == [2.0]


@pytest.mark.parametrize(
    ("sense", "span", "sides"),
    [
        ("L", 3, (2, 5)),
        ("L", -3, (2, 5)),
        ("G", 3, (5, 8)),
        ("G", -3, (5, 8)),
        ("E", 3, (5, 8)),
        ("E", -3, (2, 5)),
        ("L", None, (-INF, 5)),
        ("G", None, (5, INF)),
        ("E", None, (5, 5)),
    ],
)
def test_ranges_in_an_mps_file_follow_the_sense_of_the_row(
    tmp_path: Path, sense: str, span: int | None, sides: Any
) -> None:
    text = mps(
        rows=f" {sense}  R\n",
        columns=" x COST 1\n x R 1\n",
        rhs=" RHS R 5\n",
        ranges="" if span is None else f" RNG R {span}\n",
    )
    instance = read(tmp_path, text, name="file.mps")
    assert (instance.row_lower[0], instance.row_upper[0]) == sides


@pytest.mark.parametrize(
    ("is_integer", "lines", "expected"),
    [
        (False, "", (0, INF, 0)),
        (False, " MI B x\n", (-INF, INF, 0)),
        (False, " MI B x\n UP B x 4\n", (-INF, 4, 0)),
        (False, " FR B x\n", (-INF, INF, 0)),
        (False, " FX B x 2.5\n", (2.5, 2.5, 0)),
        (False, " LO B x -2\n UP B x 3\n", (-2, 3, 0)),
        (False, " BV B x\n", (0, 1, 1)),
        (False, " LI B x 2\n", (2, INF, 1)),
        (False, " UI B x 6\n", (0, 6, 1)),
        (True, "", (0, 1, 1)),
        (True, " PL B x\n", (0, INF, 1)),
        (True, " UP B x 9\n", (0, 9, 1)),
        (True, " LO B x 3\n", (3, INF, 1)),
        (True, " FR B x\n", (-INF, INF, 1)),
        (True, " LO B x -4\n UP B x -1\n", (-4, -1, 1)),
    ],
)
def test_every_type_of_bound_in_an_mps_file_is_read(
    tmp_path: Path, is_integer: bool, lines: str, expected: Any
) -> None:
    columns = " x COST 1\n"
    text = mps(columns=integer(columns) if is_integer else columns, bounds=lines)
    instance = read(tmp_path, text, name="file.mps")
    assert (instance.lower[0], instance.upper[0], instance.integrality[0]) == expected


def test_further_free_rows_of_an_mps_file_are_dropped(tmp_path: Path) -> None:
    text = mps(
        rows=" N  OTHER\n L  R\n", columns=" x COST 1\n x OTHER 2\n x R 3\n", rhs=" RHS OTHER 3\n"
    )
    instance = read(tmp_path, text, name="file.mps")
    assert instance.row_names == ("R",)
    assert instance.objective.tolist() == [1.0]


def test_lazy_constraints_and_user_cuts_are_rows(tmp_path: Path) -> None:
    instance = read(
        tmp_path,
        "min obj: x + y\nst\nc: x + y >= 1\nlazy constraints\nl: x - y <= 2\n"
        "user cuts\nu: x <= 9\nend\n",
    )
    assert instance.row_names == ("c", "l", "u")
    assert instance.row_upper.tolist() == [INF, 2, 9]


def test_a_row_with_two_sides_is_read_from_an_lp_file(tmp_path: Path) -> None:
    instance = read(
        tmp_path,
        "min obj: x\nst\nc: -5 <= 2 x + y <= 5\n 9 >= x - y >= -inf\n2<=y<=3\nx>=1\nend\n",
    )
    assert instance.A.toarray().tolist() == [[2, 1], [1, -1], [0, 1], [1, 0]]
    assert instance.row_lower.tolist() == [-5, -INF, 2, 1]
    assert instance.row_upper.tolist() == [5, 9, 3, INF]


def test_an_instance_may_have_neither_rows_nor_columns(tmp_path: Path) -> None:
    assert read(tmp_path, "minimize\nobj:\nsubject to\nend\n").A.shape == (0, 0)
    assert read(tmp_path, mps(), name="file.mps").A.shape == (0, 0)
    assert read(tmp_path, "minimize\nobj: 0 x\nsubject to\nend\n").A.shape == (0, 1)


@pytest.mark.parametrize("name", ["file.LP", "file.lp.gz", "FILE.Lp.Gz"])
def test_suffixes_are_read_in_any_case_and_compressed(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    content = b"max obj: x\nst\nc: x <= 1\nend\n"
    path.write_bytes(gzip.compress(content) if name.lower().endswith("gz") else content)
    instance = milplib.read(str(path))
    assert (instance.name.lower(), instance.sense) == ("file", "maximize")


BAD = [
    ("min obj: x\nst\nc1: x + ?? y >= 1\nend\n", r"line 3 \('y'\): expected '\+', '-' or"),
    ("min obj: x\nst\nx + y <= 5 >= -5\nend\n", r"line 3 \('5'\): a relation follows the right"),
    (
        "min obj: x\nst\nc: x >= 1\nc: x <= 3\nend\n",
        r"line 4 \('c'\): the row name 'c' occurs twice",
    ),
    ("min obj: x\nst\nc1: 1e400 x + y <= 1\nend\n", r"line 3 \('1e400'\): .* 'x' is infinite"),
    ("min obj: 1e400 x\nst\nc1: x <= 1\nend\n", r"line 1 \('1e400'\): .* 'x' is infinite"),
    ("min obj: x\nst\nc1: x + nan y <= 1\nend\n", r"line 3 \('nan'\): this is not a number"),
    ("min obj: nan x\nst\nc1: x <= 1\nend\n", r"line 1 \('nan'\): this is not a number"),
    ("min obj: x\nst\nc1: x <= nan\nend\n", r"line 3 \('nan'\): this is not a number"),
    ("min obj: x\nst\nc1: x <= 1 + 1 z >= 5\nend\n", r"line 3 \('1'\): it stands behind the"),
    ("min obj: x\nst\nc1: x <= 1 z >= 5\nend\n", r"line 3 \('z'\): it stands behind the"),
    ("min obj: x\nst\nc1: x <= 1 2 <= z <= 5\nend\n", r"line 3 \('2'\): it stands behind the"),
    ("min obj: x\nst\nc1: x >= 1e400\nend\n", r"line 3 \('1e400'\): no number satisfies the row"),
    ("min obj: x\nst\nc1: x >= 1\nbounds\nx <= nan\nend\n", r"line 5 \('nan'\): this is not"),
    ("min obj: x\nst\nc: x <= 5\nbounds\nx >= 1\nsemi-continuous\nx\nend\n", "semi-continuous"),
    ("min obj: x\nst\nc: x <= 5\nbounds\nx >= 1 semi x\nend\n", "line 5 .*semi-continuous var"),
    ("min obj: x\nst\nc: x <= 5\nsos\ns: S1:: x:1\nend\n", "special ordered sets"),
    ("min obj: x\nst\nc: x <= 5 sos\ns1: S1:: x:1\nend\n", "line 3 .* special ordered sets"),
    ("min obj: x\nst\nc: z = 1 -> x <= 5\nbinary\nz\nend\n", "'c' is an indicator constraint"),
    ("min obj: [ x ^2 ] / 2\nst\nc: x <= 5\nend\n", "the objective is quadratic"),
    ("min obj: x\nst\nq: [ x ^2 ] <= 5\nend\n", "the constraint 'q' is nonlinear"),
]


@pytest.mark.parametrize(("text", "message"), BAD)
def test_a_bad_lp_file_gives_one_line_with_its_name_and_the_reason(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    with pytest.raises(InstanceError, match=message) as caught:
        read(tmp_path, text)
    assert str(caught.value).startswith(f"cannot read {tmp_path / 'file.lp'}: ")
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            mps(rows=" L  R\n", columns=" x R 1\n y R 2\n x COST 3\n"),
            r"line 8 \('x'\): the column begins again",
        ),
        (mps(rows=" L  R\n", columns=" x COST 3\n x TYPO 3\n"), "names the row 'TYPO', which is"),
        (mps(rows=" L  R\n", columns=" x COST 3\n", rhs=" RHS TYPO 3\n"), "names the row 'TYPO'"),
        (mps(columns=" x COST 3\n", bounds=" SC B x 4\n"), r"line 8 \('SC'\): .* a column semi-"),
        (mps(columns=" x COST 3\n", bounds=" XX B x 4\n"), r"line 8 \('XX'\): expected a type"),
        (mps(columns=" x COST nan\n"), r"line 5 \('nan'\): expected a coefficient"),
    ],
)
def test_a_bad_mps_file_gives_one_line_with_its_name_and_the_reason(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], content: Any, message: str
) -> None:
    with pytest.raises(InstanceError, match=message) as caught:
        read(tmp_path, content, name="file.mps")
    assert str(caught.value).startswith(f"cannot read {tmp_path / 'file.mps'}: ")
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_names_in_another_encoding_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "latin.lp"
    path.write_bytes("min obj: größe\nst\nc: größe >= 1\nend\n".encode("latin-1"))
    with pytest.raises(InstanceError, match="not encoded in UTF-8"):
        milplib.read(path)


@pytest.mark.slow
def test_reading_keeps_no_instance_alive(test_data: Path) -> None:
    path = test_data / "ecole" / "instances" / "setcover_300_400.lp.gz"

    def resident_bytes() -> Any:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

    for _ in range(20):
        milplib.read(path)
    before = resident_bytes()
    for _ in range(100):
        milplib.read(path)
    # the text of this instance and its words take about 2 MB
    assert resident_bytes() - before < 40e6


def test_an_instance_of_known_optimum_is_read_with_its_objective(test_data: Path) -> None:
    flugpl = milplib.read(test_data / "miplib" / "flugpl.mps.gz")
    assert (flugpl.n_rows, flugpl.n_columns, flugpl.integrality.sum()) == (18, 18, 11)
    model = flugpl.to_scip()
    model.hideOutput()
    model.optimize()
    assert model.getObjVal() == pytest.approx(1201500)
