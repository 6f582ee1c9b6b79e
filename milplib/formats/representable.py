"""Checks that SCIP's readers recover the numbers and names of an instance from a file."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

from milplib.errors import InstanceError
from milplib.formats.lp_words import SECTIONS
from milplib.formats.suffixes import FileFormat
from milplib.instance_arrays import InstanceArrays

__all__ = ["check_names", "check_numbers"]

# SCIP's defaults of numerics/epsilon and numerics/infinity, which its readers use.
_EPSILON = 1e-9
_INFINITY = 1e20

# Length of the readers' name buffer; CPLEX has the same limit.
_LONGEST_NAME = 255

# A name in an LP file ends at a blank or an operator, and must not begin like a number. A row name
# may also be a whole number.
_LP_NAME = re.compile(r"(?!\d|/\d|\.(?:[\deE]|$))[^\s+\-*^<>=:\[\]\\]+")
_LP_ROW_NUMBER = re.compile(r"[0-9]+")
_LP_RESERVED = frozenset(word.decode() for word in SECTIONS) | {"free", "inf", "infinity", "nan"}
_LP_NOT_A_NUMBER = re.compile(r"nan\(.*\)", re.IGNORECASE)
# A word in an MPS file ends at a blank; a dollar sign begins a comment.
_MPS_NAME = re.compile(r"[^\s$]\S*")


def _first(condition: npt.NDArray[np.bool_]) -> int | None:
    positions = np.flatnonzero(condition)
    return int(positions[0]) if positions.size else None


def check_numbers(instance: InstanceArrays) -> None:
    """Check that SCIP's readers would not change the numbers of an instance.

    Raises
    ------
    InstanceError
        If a coefficient, bound or side is nonzero but at most 1e-9 in absolute value (read as 0),
        or finite but at least 1e20 (read as infinite). If the sides of a row differ by at most
        1e-9 (read as equal) or cross. If a bound of an integer column is fractional (read as
        rounded).
    """

    def out_of_range(numbers: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        size = np.abs(numbers)
        return ((size > 0) & (size <= _EPSILON)) | ((size >= _INFINITY) & np.isfinite(size))

    def refuse(place: str, number: float, mend: str = "scale the instance") -> None:
        meaning = "zero" if abs(number) < 1 else "infinite"
        raise InstanceError(
            f"{place} is {number!r}, which a reader of the file would take for {meaning}: {mend}"
        )

    if (at := _first(out_of_range(instance.objective))) is not None:
        place = f"the objective coefficient of column '{instance.column_names[at]}'"
        refuse(place, float(instance.objective[at]))
    if out_of_range(np.array([instance.offset])).any():
        refuse("the constant of the objective", instance.offset)
    if (at := _first(out_of_range(instance.A.data))) is not None:
        row = int(np.searchsorted(instance.A.indptr, at, side="right")) - 1
        column = instance.column_names[instance.A.indices[at]]
        place = f"the coefficient of column '{column}' in row '{instance.row_names[row]}'"
        refuse(place, float(instance.A.data[at]))
    for kind, names, lower, upper in (
        ("column", instance.column_names, instance.lower, instance.upper),
        ("row", instance.row_names, instance.row_lower, instance.row_upper),
    ):
        for bound, numbers in (("lower", lower), ("upper", upper)):
            if (at := _first(out_of_range(numbers))) is not None:
                refuse(f"the {bound} bound of {kind} '{names[at]}'", float(numbers[at]))
    left, right = instance.row_lower, instance.row_upper
    with np.errstate(invalid="ignore"):  # inf - inf of a free row
        width = right - left
    if (at := _first((width < 0) | ((width > 0) & (width <= _EPSILON)))) is not None:
        raise InstanceError(
            f"the row '{instance.row_names[at]}' has the sides {left[at]} and {right[at]}, "
            "which a file cannot hold: the upper one must be equal, or larger by more than "
            f"{_EPSILON:g}"
        )
    with np.errstate(invalid="ignore"):  # infinite bounds
        fractional = (instance.lower % 1 > 0) | (instance.upper % 1 > 0)
    if (at := _first((instance.integrality == 1) & fractional)) is not None:
        raise InstanceError(
            f"the integer column '{instance.column_names[at]}' has the bounds "
            f"{instance.lower[at]} and {instance.upper[at]}, which a reader of the file would "
            "round: round the lower one up and the upper one down"
        )


def check_names(instance: InstanceArrays, kind: FileFormat) -> None:
    """Check that a file format can hold the names of an instance.

    Raises
    ------
    InstanceError
        If a name is empty, longer than 255 bytes, not printable, or would not be read as a single
        name.
    """
    for axis, names in (("column", instance.column_names), ("row", instance.row_names)):
        for name in names:
            number = kind == "lp" and axis == "row" and _LP_ROW_NUMBER.fullmatch(name)
            if not (number or _is_name(name, kind)):
                raise InstanceError(
                    f"{kind.upper()} files cannot hold the {axis} name {name!r}: rename it, or "
                    "write with generic_names=True (x1, x2, … and C1, C2, …)"
                )


def _is_name(name: str, kind: FileFormat) -> bool:
    if not name.isprintable() or len(name.encode()) > _LONGEST_NAME:
        return False
    if kind == "mps":
        return _MPS_NAME.fullmatch(name) is not None and name != "'MARKER'"
    return (
        _LP_NAME.fullmatch(name) is not None
        and name.lower() not in _LP_RESERVED
        and _LP_NOT_A_NUMBER.fullmatch(name) is None
    )
