"""Files that are no whole instance are refused by name."""

from __future__ import annotations

import gzip
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from slow_parameters import slow

import milplib
from milplib.errors import InstanceError

LP = """\
\\ a comment without an End
minimize
OBJ: +1 x1 +2 x2 +3 y1
subject to
C1: +1 x1 +1 x2 +1 y1 >= 1
C2: +1 x1 -1 x2 <= 3
bounds
 0 <= y1 <= 5
binary
 x1 x2
End
"""

MPS = """\
* ENDATA comes below
NAME          tiny
ROWS
 N  OBJ
 L  C1
COLUMNS
    x1        OBJ             1.   C1              2.
RHS
    RHS       C1              4.
BOUNDS
 UP BOUND     x1              9.
ENDATA
"""


def put(folder: Path, name: str, content: Any) -> Any:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def without_end(names: Any) -> Any:
    """An LP file as learn2branch writes it: its last section is cut where the names end."""
    return LP[: LP.index(" x1 x2\n")] + names


def read_open(path: Path) -> Any:
    return milplib.read(path, allow_missing_end=True)


def test_the_files_that_the_others_are_made_of_can_be_read(tmp_path: Path) -> None:
    assert milplib.read(put(tmp_path, "whole.lp", LP)).n_columns == 3
    assert milplib.read(put(tmp_path, "whole.mps", MPS)).n_columns == 1


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InstanceError, match=r"nothing\.lp: there is no such file"):
        milplib.read(tmp_path / "nothing.lp")


def test_a_folder_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "folder.lp").mkdir()
    with pytest.raises(InstanceError, match=r"folder\.lp: it is a folder"):
        milplib.read(tmp_path / "folder.lp")


@pytest.mark.parametrize("name", ["instance.cip", "instance", "instance.gz", "instance.lp.bz2"])
def test_another_suffix_is_refused_with_the_known_ones(tmp_path: Path, name: str) -> None:
    with pytest.raises(InstanceError, match=r"\.lp, \.mps, \.lp\.gz or \.mps\.gz"):
        milplib.read(put(tmp_path, name, LP))


@pytest.mark.parametrize("suffix", [".lp", ".mps"])
def test_an_empty_file_is_refused_by_name(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(InstanceError, match="the file is empty"):
        milplib.read(put(tmp_path, f"empty{suffix}", b""))
    with pytest.raises(InstanceError, match="the file is empty"):
        milplib.read(put(tmp_path, f"empty{suffix}.gz", gzip.compress(b"")))


@pytest.mark.parametrize("suffix", [".lp", ".mps"])
def test_binary_garbage_is_refused_by_name(tmp_path: Path, suffix: str) -> None:
    garbage = bytes(range(256)) * 8
    with pytest.raises(InstanceError, match="it holds binary data"):
        milplib.read(put(tmp_path, f"garbage{suffix}", garbage))
    with pytest.raises(InstanceError, match="not compressed by gzip"):
        milplib.read(put(tmp_path, f"garbage{suffix}.gz", garbage))


@pytest.mark.parametrize(("suffix", "text"), [(".lp", LP), (".mps", MPS)])
def test_a_truncated_gz_is_refused_by_name(tmp_path: Path, suffix: str, text: str) -> None:
    packed = gzip.compress(text.encode())
    for length in range(1, len(packed)):
        with pytest.raises(InstanceError, match=r"cut off or damaged|not compressed by gzip"):
            milplib.read(put(tmp_path, f"cut{suffix}.gz", packed[:length]))
    damaged = bytearray(packed)
    damaged[len(packed) // 2] ^= 0xFF
    with pytest.raises(InstanceError, match="cannot read"):
        milplib.read(put(tmp_path, f"damaged{suffix}.gz", bytes(damaged)))


def test_an_lp_file_that_ends_anywhere_is_refused(tmp_path: Path) -> None:
    start = LP.index("minimize")
    for length in range(start + 1, LP.index("End") + 2):
        with pytest.raises(InstanceError, match=r"cut off|begins with 'minimize'"):
            milplib.read(put(tmp_path, "cut.lp", LP[:length]))


def test_an_mps_file_that_ends_anywhere_is_refused(tmp_path: Path) -> None:
    for length in range(1, MPS.rindex("ENDATA") + 5):
        with pytest.raises(InstanceError, match=r"no line ENDATA|in the section ROWS must be"):
            milplib.read(put(tmp_path, "cut.mps", MPS[:length]))


@pytest.mark.parametrize(
    "names", [" x1 x2 y1", " x1 x2 y1\n", " y1 x2 x1", "\n\n x1\n x2 y1\n \\ end"]
)
@pytest.mark.parametrize("words", ["general", "binary", "general\n y1\nbinary"])
def test_a_list_of_all_columns_needs_no_end(tmp_path: Path, words: str, names: str) -> None:
    text = without_end(names).replace("binary", words).replace("<= 5", "<= 1")
    assert milplib.read(put(tmp_path, "published.lp", text)).integrality.tolist() == [1, 1, 1]


@pytest.mark.parametrize("names", [" x1 x2", " x1 x2\n", " x2 x1", "\n\n x1\n x2\n \\ end"])
def test_a_list_of_some_columns_needs_an_end_or_the_option(tmp_path: Path, names: str) -> None:
    path = put(tmp_path, "published.lp", without_end(names))
    with pytest.raises(InstanceError, match=r"'y1' is not listed.*allow_missing_end=True"):
        milplib.read(path)
    assert read_open(path).integrality.tolist() == [1, 1, 0]


@pytest.mark.parametrize(
    ("binaries", "message"),
    [
        ("", "it ends in its section 'binary', without 'End'"),
        (" x1", "ends with 'x1' and without 'End', and 'x2' is not listed"),
        (" x1 x2 y", "ends with 'y' and without 'End', and that column occurs nowhere else"),
        (" x1 x2 y1 2,5", r"'2,5'.*no 'End': it may be cut off"),
    ],
)
def test_a_list_of_binaries_that_was_cut_off_is_refused(
    tmp_path: Path, binaries: str, message: str
) -> None:
    with pytest.raises(InstanceError, match=message):
        milplib.read(put(tmp_path, "cut.lp", without_end(binaries)))


CPLEX = """\
Minimize
 cost: 3 Build_Paris + 4 Build_Lyon + 2 Build_Nice + Ship + Crew
Subject To
 Demand: 5 Build_Paris + 4 Build_Lyon + 3 Build_Nice + Ship >= 7
 Crews: Crew - 2 Ship >= 0
Bounds
 0 <= Crew <= 12
Binaries
 Build_Paris Build_Lyon
 Build_Nice
Generals
 Crew Ship
End
"""


@pytest.mark.parametrize("cplex", [CPLEX, slow(CPLEX.replace("Crew Ship", "Crew"))])
def test_a_cut_of_a_whole_file_is_never_read_as_another_instance(
    tmp_path: Path, cplex: str
) -> None:
    whole = milplib.read(put(tmp_path, "whole.lp", cplex))
    for length in range(len(cplex)):
        path = put(tmp_path, "cut.lp", cplex[:length])
        try:
            instance = milplib.read(path)
        except InstanceError:
            continue
        assert instance.content_hash == whole.content_hash, length


def test_an_end_with_text_behind_it_or_on_a_line_with_more_is_an_end(tmp_path: Path) -> None:
    assert milplib.read(put(tmp_path, "a.lp", LP + "\\ comment\nignored\n")).n_rows == 2
    assert milplib.read(put(tmp_path, "b.lp", "max o: x st c: x <= 1 END")).n_rows == 1


@pytest.mark.parametrize(
    "text", ["just words\n", "maximise\nobj: x\nst\nc: x <= 1\nend\n", "max: 3x+2y;\n", "\\ none\n"]
)
def test_text_that_is_no_lp_file_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InstanceError, match=r"begins with 'minimize' or|nothing but comments"):
        milplib.read(put(tmp_path, "text.lp", text))


def test_a_word_of_an_absurd_length_is_refused(tmp_path: Path) -> None:
    text = f"minimize\nobj: {'x' * 70_000}\nsubject to\nend\n"
    with pytest.raises(InstanceError, match="a word of more than 65535 characters"):
        milplib.read(put(tmp_path, "long.lp", text))


@pytest.mark.parametrize("row", [" L", " L  $C1", " C1", " LESS C1", " L C1 C2 C3"])
def test_a_row_without_sense_or_name_is_refused(tmp_path: Path, row: str) -> None:
    text = MPS.replace(" L  C1\n", f"{row}\n", 1)
    with pytest.raises(InstanceError, match=r"line 5 .* in the section ROWS must be"):
        milplib.read(put(tmp_path, "row.mps", text))


@pytest.mark.parametrize(
    "rows",
    [
        "\tN\tOBJ\n\tL\tC1\n",
        "   N OBJ\n   L C1\n",
        " N  OBJ\n    L      C1\n",
        " N  OBJ\n    L C1\n",
        " N  OBJ\n    L    C1     \n",
    ],
)
def test_rows_that_are_indented_otherwise_can_be_read(tmp_path: Path, rows: str) -> None:
    text = MPS.replace(" N  OBJ\n L  C1\n", rows, 1)
    assert milplib.read(put(tmp_path, "row.mps", text)).row_names == ("C1",)


@pytest.mark.parametrize(
    ("section", "what"),
    [
        ("SOS\n S1 SOS  s1\n    x1        1\n", "special ordered sets"),
        ("QUADOBJ\n    x1        x1        1.\n", "a quadratic objective"),
        ("QMATRIX\n    x1        x1        1.\n", "a quadratic objective"),
        ("QCMATRIX   C1\n    x1        x1        1.\n", "quadratic constraints"),
        ("INDICATORS\n IF C1        x1        1\n", "indicator constraints"),
    ],
)
def test_sections_that_are_not_linear_are_refused_by_name(
    tmp_path: Path, section: str, what: str
) -> None:
    text = MPS.replace("ENDATA\n", f"{section}ENDATA\n")
    with pytest.raises(InstanceError, match=f"line 12 begins the section '[A-Z]+': {what}"):
        milplib.read(put(tmp_path, "foreign.mps", text))


@pytest.mark.parametrize(("suffix", "text"), [(".lp", LP), (".mps", MPS)])
def test_a_text_above_the_limit_is_refused_with_the_option(
    tmp_path: Path, suffix: str, text: str
) -> None:
    plain = put(tmp_path, f"plain{suffix}", text)
    packed = put(tmp_path, f"packed{suffix}.gz", gzip.compress(text.encode()))
    size = len(text.encode())
    for path in (plain, packed):
        assert (
            milplib.read(path, max_bytes=size).n_rows == milplib.read(path, max_bytes=None).n_rows
        )
        with pytest.raises(InstanceError, match=rf"more than max_bytes={size - 1:,} bytes.*larger"):
            milplib.read(path, max_bytes=size - 1)


def test_a_compressed_file_that_unpacks_to_gigabytes_is_refused_in_little_memory(
    tmp_path: Path,
) -> None:
    head, piece = b"NAME\nROWS\n N c\nCOLUMNS\n", b" " * (1 << 20)
    path = tmp_path / "bomb.mps.gz"
    with gzip.open(path, "wb", compresslevel=1) as stream:
        stream.write(head)
        for _ in range(40):
            stream.write(piece)
    tracemalloc.start()
    with pytest.raises(InstanceError, match="it unpacks to more than max_bytes=8,388,608 bytes"):
        milplib.read(path, max_bytes=8 << 20)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 32 << 20
