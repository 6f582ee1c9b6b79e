"""What is written reads back equal: any instance, either format, compressed or not."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from narrowing import instance_from
from slow_parameters import slow

import milplib
from milplib import Instance
from milplib.errors import InstanceError, OutputError
from milplib.formats import SUFFIXES
from milplib.formats.from_scip import from_scip

# What an LP or MPS file holds: SCIP reads less as 0, more as infinite.
numbers = st.one_of(
    st.integers(-9, 9).map(float),
    st.sampled_from([0.1, -1 / 3, 2e-9, 1e-5, 123456789.0123, 2.0**53, -1e16, 9.9e19]),
    st.floats(-9e19, 9e19).filter(lambda number: number == 0 or abs(number) > 1.1e-9),
)
whole_numbers = st.one_of(st.integers(-3, 3), st.integers(-(2**53), 2**53)).map(float)


@st.composite
def bounds(draw: st.DrawFn, integer: Any) -> tuple[Any, ...]:
    drawn = whole_numbers if integer else numbers
    return (
        draw(st.one_of(st.sampled_from([0.0, 0.0, -np.inf]), drawn)),
        draw(st.one_of(st.sampled_from([1.0, np.inf, np.inf]), drawn)),
    )


@st.composite
def sides(draw: st.DrawFn, ranged: Any) -> Any:
    kind = draw(st.sampled_from(["<=", ">=", "=", "free"] + ["two-sided"] * ranged))
    number = draw(numbers)
    if kind == "two-sided":
        low, high = sorted((number, draw(numbers)))
        return (low, high) if high - low > 1e-8 else (low, low)
    return {
        "<=": (-np.inf, number),
        ">=": (number, np.inf),
        "=": (number, number),
        "free": (-np.inf, np.inf),
    }[kind]


@st.composite
def instances(draw: st.DrawFn, *, ranged: Any) -> Instance:
    n_rows, n_columns = draw(st.integers(0, 4)), draw(st.integers(0, 6))
    integrality = draw(st.lists(st.booleans(), min_size=n_columns, max_size=n_columns))
    column_bounds = [draw(bounds(integer)) for integer in integrality]
    row_sides = [draw(sides(ranged)) for _ in range(n_rows)]
    entry = st.one_of(st.just(0.0), numbers)
    matrix = np.array([draw(entry) for _ in range(n_rows * n_columns)], dtype=float)
    return instance_from(
        objective=[draw(entry) for _ in range(n_columns)],
        A=matrix.reshape(n_rows, n_columns),
        row_lower=[low for low, _ in row_sides],
        row_upper=[high for _, high in row_sides],
        lower=[low for low, _ in column_bounds],
        upper=[high for _, high in column_bounds],
        integrality=integrality,
        sense=draw(st.sampled_from(["minimize", "maximize"])),
        offset=draw(entry),
    )


def assert_equal(instance: Instance, other: Any) -> None:
    assert other.content_hash == instance.content_hash
    assert other.column_names == instance.column_names
    assert other.row_names == instance.row_names


def refusal_of(instance: Instance, path: Path) -> Any:
    try:
        instance.write(path)
    except InstanceError as error:
        return str(error)
    return None


def tiny(**changes: Any) -> Any:
    content: dict[str, Any] = {
        "objective": [5.0, 4.0, 0.0],
        "A": [[2.0, 3.0, 0.0], [0.0, 1.0, -1.0]],
        "row_lower": [-np.inf, 1.0],
        "row_upper": [4.0, np.inf],
        "lower": [0, 0, -np.inf],
        "upper": [1, 9, np.inf],
        "integrality": [1, 1, 0],
        "sense": "maximize",
    }
    return Instance(**(content | changes))


@pytest.mark.parametrize("suffix", [".lp", slow(".lp.gz")])
@given(instance=instances(ranged=False))
@settings(max_examples=120)
def test_any_instance_without_two_sided_rows_survives_an_lp_file(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, instance: Instance
) -> None:
    path = tmp_path_factory.getbasetemp() / f"any{suffix}"
    instance.write(path)
    assert_equal(instance, milplib.read(path))


@pytest.mark.parametrize("suffix", [".mps", slow(".mps.gz")])
@given(instance=instances(ranged=True))
@settings(max_examples=120)
def test_any_instance_survives_an_mps_file_or_is_refused_for_a_range(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, instance: Instance
) -> None:
    path = tmp_path_factory.getbasetemp() / f"any{suffix}"
    refusal = refusal_of(instance, path)
    if refusal is None:
        assert_equal(instance, milplib.read(path))
    else:
        # no float64 added to one side gives the other one
        assert "cannot hold the sides" in refusal


@given(instance=instances(ranged=True))
@settings(max_examples=120)
def test_any_instance_survives_a_scip_model(instance: Instance) -> None:
    assert_equal(instance, from_scip(instance.to_scip()))


@pytest.mark.parametrize(
    ("low", "high"), [(-5, 5), (0, 7), (-3, 0), (1, 1e9), (-0.25, 0.5), (1e-5, 1e15), (-1e16, 0.5)]
)
def test_a_row_with_two_sides_survives_an_mps_file(tmp_path: Path, low: float, high: float) -> None:
    instance = tiny(row_lower=[low, 1], row_upper=[high, np.inf])
    instance.write(tmp_path / "ranged.mps")
    assert_equal(instance, milplib.read(tmp_path / "ranged.mps"))


def test_sides_that_no_range_leads_to_are_refused_with_the_nearest_that_one_does(
    tmp_path: Path,
) -> None:
    instance = tiny(row_lower=[-0.1, 1], row_upper=[0.3, np.inf])
    with pytest.raises(InstanceError, match=r"make the upper one 0\.30000000000000004"):
        instance.write(tmp_path / "ranged.mps")
    tiny(row_lower=[-0.1, 1], row_upper=[0.30000000000000004, 9]).write(tmp_path / "ranged.mps")


def test_a_row_with_two_sides_is_refused_in_an_lp_file(tmp_path: Path) -> None:
    instance = tiny(row_lower=[1, 1])
    with pytest.raises(InstanceError, match=r"row 'C1' with two sides.*write \.mps"):
        instance.write(tmp_path / "ranged.lp")
    assert list(tmp_path.iterdir()) == []


def test_an_lp_file_is_the_plain_text_of_learn2branch(tmp_path: Path) -> None:
    tiny(offset=-7.5).write(tmp_path / "tiny.lp")
    assert (tmp_path / "tiny.lp").read_text() == (
        "maximize\nOBJ: +5 x1 +4 x2 +0 x3 -7.5\n\nsubject to\nC1: +2 x1 +3 x2 <= 4\n"
        "C2: +1 x2 -1 x3 >= 1\n\nbounds\n 0 <= x2 <= 9\n x3 free\n\ngeneral\n x2\n\n"
        "binary\n x1\nEnd\n"
    )


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_equal_instances_give_equal_bytes_whatever_the_file_name(
    tmp_path: Path, suffix: Any
) -> None:
    tiny().write(tmp_path / f"one{suffix}")
    tiny().write(tmp_path / f"two{suffix}")
    assert (tmp_path / f"one{suffix}").read_bytes() == (tmp_path / f"two{suffix}").read_bytes()


def test_a_compressed_file_holds_the_plain_one(tmp_path: Path) -> None:
    tiny().write(tmp_path / "tiny.mps")
    tiny().write(tmp_path / "tiny.mps.gz")
    packed = gzip.decompress((tmp_path / "tiny.mps.gz").read_bytes())
    assert packed == (tmp_path / "tiny.mps").read_bytes()


@pytest.mark.parametrize("suffix", [".lp", ".mps"])
def test_lines_longer_than_the_buffers_of_scip_survive(tmp_path: Path, suffix: str) -> None:
    n = 20_000
    wide = instance_from(
        objective=np.arange(n) / 7,
        A=sp.csr_array(np.arange(1.0, n + 1)[None, :]),
        row_lower=[1],
        row_upper=[np.inf],
        lower=np.zeros(n),
        upper=np.ones(n),
        integrality=np.ones(n),
    )
    wide.write(tmp_path / f"wide{suffix}")
    assert_equal(wide, milplib.read(tmp_path / f"wide{suffix}"))


NAMES = (
    *("x#1", "customer(0,0,0)", "e12", "é", "x;y", "free_x", "st1", "_", "a" * 255, "é" * 120),
    *("x$", "OBJ", "RHS", "ROWS", "/x", ".x", "*x", "x*", "x+y", "x^2", "[x]", "x:", "<", "x\\"),
    *("12", "1x", ".5", "/2", "inf", "NaN", "nan(1)", "free", "Bounds", "st", "end", "subject"),
    *("", "two words", "tab\tbed", "line\n", "\x01", "$x", "'MARKER'", "a" * 256, "🙂", "0x1"),
)


@pytest.mark.parametrize("position", [0, 1])
@pytest.mark.parametrize("kind", ["column_names", "row_names"])
@pytest.mark.parametrize("suffix", [".lp", ".mps"])
@pytest.mark.parametrize("name", NAMES)
def test_a_name_survives_or_is_refused_with_the_mend(
    tmp_path: Path, name: str, suffix: str, kind: str, position: int
) -> None:
    names = ["first", "second", "third"][: 3 if kind == "column_names" else 2]
    names[position] = name
    instance = tiny(**{kind: tuple(names)})
    path = tmp_path / f"named{suffix}"
    refusal = refusal_of(instance, path)
    if refusal is None:
        assert_equal(instance, milplib.read(path))
    else:
        assert "generic_names=True" in refusal
        instance.write(path, generic_names=True)
        assert milplib.read(path).content_hash == instance.content_hash


@pytest.mark.parametrize("suffix", [".lp", ".mps"])
def test_ordinary_names_are_not_refused(tmp_path: Path, suffix: str) -> None:
    names = ("x#1", "customer(0,0,0)", "e12", "é" * 120, "x;y", "free_x", "st1", "OBJ", ".x", "a$")
    for name in names:
        assert refusal_of(tiny(column_names=(name, "b", "c")), tmp_path / f"a{suffix}") is None
        assert refusal_of(tiny(row_names=(name, "7")), tmp_path / f"a{suffix}") is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"objective": [1e-10, 0, 0]}, "objective coefficient of column 'x1' is 1e-10"),
        ({"objective": [0, 2e20, 0]}, r"column 'x2' is 2e\+20.*infinite"),
        ({"A": [[1, 1e-9, 0], [0, 0, 0]]}, "column 'x2' in row 'C1' is 1e-09.*zero"),
        ({"offset": 1e-12}, "the constant of the objective is 1e-12"),
        ({"lower": [0, 1e-300, 0]}, "the lower bound of column 'x2' is 1e-300"),
        ({"row_upper": [4, 1e21]}, r"the upper bound of row 'C2' is 1e\+21"),
        ({"row_lower": [5, 1]}, "row 'C1' has the sides 5.0 and 4.0"),
        ({"row_lower": [4 - 1e-10, 1]}, "row 'C1' has the sides"),
        ({"upper": [1, 2.5, 3]}, "integer column 'x2' has the bounds 0.0 and 2.5"),
    ],
)
@pytest.mark.parametrize("suffix", [".lp", ".mps"])
def test_numbers_that_a_reader_would_change_are_refused_by_name(
    tmp_path: Path, changes: dict[str, Any], message: str, suffix: str
) -> None:
    with pytest.raises(InstanceError, match=message):
        tiny(**changes).write(tmp_path / f"number{suffix}")


def test_an_unknown_suffix_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(InstanceError, match=r"must end in \.lp, \.mps, \.lp\.gz or \.mps\.gz"):
        tiny().write(tmp_path / "tiny.cip")


def test_a_missing_folder_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot write"):
        tiny().write(tmp_path / "nowhere" / "tiny.lp")
