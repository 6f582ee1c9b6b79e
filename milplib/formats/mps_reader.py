"""Reader of the MPS format, free and fixed."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp

from milplib.errors import InstanceError
from milplib.formats.damage import LineError, decoded, shown
from milplib.formats.mps_bounds import read_bounds
from milplib.formats.mps_columns import FREE, OBJECTIVE, Columns, read_columns
from milplib.formats.mps_fixed import fixed_format
from milplib.formats.mps_sections import ROW_SECTIONS, Section, split_sections
from milplib.formats.mps_sides import Sides
from milplib.instance import Instance
from milplib.instance_arrays import Sense

__all__ = ["read_mps"]

_SENSES: dict[bytes, Sense] = {
    b"MIN": "minimize",
    b"MINIMIZE": "minimize",
    b"MINIMUM": "minimize",
    b"MAX": "maximize",
    b"MAXIMIZE": "maximize",
    b"MAXIMUM": "maximize",
}


def read_mps(text: bytes, *, name: str) -> Instance:
    r"""Read an instance from the text of an MPS file.

    The text is read in free format, where blanks separate names. If that fails and each line has
    its fields in the columns of the fixed format, it is read so, with blanks in names.

    Raises
    ------
    InstanceError
        If the text is not an MPS file, names the line and the words.

    Examples
    --------
    >>> text = b"ROWS\n N cost\n L c\nCOLUMNS\n x cost 1 c 2\nRHS\n c 4\nENDATA\n"
    >>> read_mps(text, name="tiny").row_upper
    array([4.])
    """
    parts = split_sections(text)
    try:
        return _instance(parts, name)
    except LineError as error:
        fixed = fixed_format(parts)
        if fixed is None:
            raise
        try:
            return _instance(fixed, name)
        except LineError as other:
            # The reading that comes further is the right one.
            raise (other if other.line > error.line else error) from None


@dataclass
class _Rows:
    """Rows that an MPS file declares."""

    index: dict[bytes, int] = field(default_factory=dict)
    names: list[bytes] = field(default_factory=list)
    senses: list[bytes] = field(default_factory=list)
    free: list[bytes] = field(default_factory=list)


def _instance(parts: list[Section], name: str) -> Instance:
    sections = {part.keyword: part for part in parts}
    rows = _read_rows([part for part in parts if part.keyword in ROW_SECTIONS])
    _set_objective(rows, sections.get("OBJNAME"))
    columns = read_columns(sections["COLUMNS"], rows.index)
    sides = Sides(rows.index, rows.senses)
    if part := sections.get("RHS"):
        sides.read_right_hand_sides(part)
    if part := sections.get("RANGES"):
        sides.read_ranges(part)
    integer = np.concatenate([*columns.integer, np.empty(0, dtype=bool)])
    bounds = read_bounds(sections.get("BOUNDS"), columns.names, integer)
    objective, matrix = _coefficients(columns, rows, sections["COLUMNS"])
    row_lower, row_upper = sides.result()
    return Instance(
        objective=objective,
        A=matrix,
        row_lower=row_lower,
        row_upper=row_upper,
        lower=bounds.lower,
        upper=bounds.upper,
        integrality=bounds.integer.astype(np.uint8),
        column_names=decoded(columns.names),
        row_names=decoded(rows.names),
        sense=_sense(sections.get("OBJSENSE")),
        offset=0.0 - sides.of_objective,  # no negative zero
        name=name,
    )


def _read_rows(parts: list[Section]) -> _Rows:
    rows = _Rows()
    for part in parts:
        for line, words in part.lines():
            if len(words) != 2 or words[0] not in (b"N", b"L", b"G", b"E"):
                raise LineError(
                    line,
                    b" ".join(words),
                    f"a line in the section {part.keyword} must be the sense (N, L, G or E) and "
                    "the name of a row",
                )
            sense, row = words
            if row in rows.index:
                raise LineError(line, row, f"the row name {shown(row)} occurs twice")
            if sense == b"N":
                rows.index[row] = FREE
                rows.free.append(row)
            else:
                rows.index[row] = len(rows.names)
                rows.names.append(row)
                rows.senses.append(sense)
    return rows


def _set_objective(rows: _Rows, part: Section | None) -> None:
    """Mark the objective: the row that OBJNAME names, or the first free row."""
    if part is None:
        if rows.free:
            rows.index[rows.free[0]] = OBJECTIVE
        return
    lines = list(part.lines())
    if len(lines) != 1 or len(lines[0][1]) != 1:
        line, words = lines[-1] if lines else (part.line, [b"OBJNAME"])
        raise LineError(line, b" ".join(words), "OBJNAME needs one line with one name")
    line, (objective,) = lines[0]
    if rows.index.get(objective) != FREE:
        raise LineError(line, objective, "OBJNAME names no free row (N) of the section ROWS")
    rows.index[objective] = OBJECTIVE


def _sense(part: Section | None) -> Sense:
    if part is None:
        return "minimize"
    given = [(part.line, word) for word in part.argument]
    given += [(line, word) for line, words in part.lines() for word in words]
    senses = {_SENSES.get(word.upper()) for _, word in given}
    if None in senses or len(senses) != 1:
        line, _ = given[-1] if given else (part.line, b"")
        words = b" ".join(word for _, word in given)
        raise LineError(line, words, "OBJSENSE must be MAX or MIN, once")
    return senses.pop() or "minimize"


def _coefficients(
    columns: Columns, rows: _Rows, part: Section
) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], sp.csr_array]:
    n, m = len(columns.names), len(rows.names)
    starts = np.concatenate([*columns.starts, [columns.size]]).astype(np.int64)
    row = np.concatenate([*columns.rows, np.empty(0, dtype=np.int32)])
    value = np.concatenate([*columns.values, np.empty(0)])
    column = np.repeat(np.arange(n), np.diff(starts))
    in_objective = row == OBJECTIVE
    cost_columns = column[in_objective]
    objective = np.zeros(n)
    objective[cost_columns] = value[in_objective]
    # Columns are in order, so that the second of two equal positions follows the first.
    repeated = np.flatnonzero(cost_columns[1:] == cost_columns[:-1])
    if repeated.size:
        raise _repeated(part, columns.names[cost_columns[repeated[0]]], OBJECTIVE, rows)
    kept = row >= 0
    counts = np.bincount(column[kept], minlength=n)
    matrix = sp.csc_array(
        (value[kept], row[kept], np.concatenate(([0], np.cumsum(counts)))), shape=(m, n)
    ).tocsr()
    # Conversion puts the columns of a row in order and keeps equal ones.
    same = matrix.indices[1:] == matrix.indices[:-1]
    inner = matrix.indptr[1:-1]
    same[inner[(inner > 0) & (inner < matrix.nnz)] - 1] = False
    if same.any():
        entry = int(same.argmax())
        at = int(np.searchsorted(matrix.indptr, entry, side="right")) - 1
        raise _repeated(part, columns.names[matrix.indices[entry]], at, rows)
    return objective, matrix


def _repeated(part: Section, column: bytes, row: int, rows: _Rows) -> InstanceError:
    """Find the line of a second coefficient of a column in a row."""
    seen = False
    for line, words in part.lines():
        if words[0] != column:
            continue
        for name in words[1::2]:
            if rows.index.get(name) == row:
                if seen:
                    return LineError(
                        line,
                        name,
                        f"a second coefficient of column {shown(column)} in row {shown(name)}: "
                        "remove one, or write their sum",
                    )
                seen = True
    return InstanceError(f"column {shown(column)} has two coefficients in a row")
