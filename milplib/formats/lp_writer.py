"""Writer of the LP format, in the layout of learn2branch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from milplib.errors import InstanceError
from milplib.formats.numbers import number_texts
from milplib.instance_arrays import InstanceArrays

__all__ = ["lp_lines"]

_NAMES_PER_LINE = 10


def lp_lines(instance: InstanceArrays) -> Iterator[str]:
    """Yield the lines of an instance's LP file.

    Parameters
    ----------
    instance
        Instance that has passed the checks of `milplib.formats.representable`.

    Yields
    ------
    str
        Line without its newline. The objective lists every column, also with coefficient 0,
        because readers number the columns by their first appearance.

    Raises
    ------
    InstanceError
        If a row has two different finite sides, which SCIP's LP reader does not support.
    """
    left, right = instance.row_lower, instance.row_upper
    ranged = np.isfinite(left) & np.isfinite(right) & (left != right)
    if ranged.any():
        raise InstanceError(
            f"LP files cannot hold row '{instance.row_names[int(ranged.argmax())]}' with two "
            "sides, as SCIP reads them: write .mps, or make two rows of it"
        )
    columns = instance.column_names
    yield instance.sense
    yield "OBJ: " + " ".join(
        _terms(number_texts(instance.objective, signed=True), columns)
        + (number_texts(np.array([instance.offset]), signed=True) if instance.offset else [])
    )
    yield ""
    yield "subject to"
    yield from _rows(instance)
    yield from _bounds(instance)
    binary = _is_binary(instance)
    yield from _name_list("general", instance, (instance.integrality == 1) & ~binary)
    yield from _name_list("binary", instance, binary)
    yield "End"


def _terms(coefficients: Sequence[str], names: Sequence[str]) -> list[str]:
    return list(map(" ".join, zip(coefficients, names, strict=True)))


def _rows(instance: InstanceArrays) -> Iterator[str]:
    columns = instance.column_names
    terms = _terms(
        number_texts(instance.A.data, signed=True),
        [columns[position] for position in instance.A.indices.tolist()],
    )
    # Some readers accept a row without coefficients only if a term precedes its sense.
    empty = f"+0 {columns[0]}" if columns else ""
    equal = instance.row_lower == instance.row_upper
    less = ~equal & np.isfinite(instance.row_upper)
    # A free row is written with its lower side, -inf.
    senses = np.where(equal, "=", np.where(less, "<=", ">=")).tolist()
    sides = number_texts(np.where(less, instance.row_upper, instance.row_lower))
    starts = instance.A.indptr.tolist()
    for name, sense, side, start, stop in zip(
        instance.row_names, senses, sides, starts[:-1], starts[1:], strict=True
    ):
        yield f"{name}: {' '.join(terms[start:stop]) or empty} {sense} {side}"


def _is_binary(instance: InstanceArrays) -> npt.NDArray[np.bool_]:
    binary: npt.NDArray[np.bool_] = (
        (instance.integrality == 1) & (instance.lower == 0) & (instance.upper == 1)
    )
    return binary


def _bounds(instance: InstanceArrays) -> Iterator[str]:
    lower, upper = instance.lower, instance.upper
    positions = np.flatnonzero(~_is_binary(instance) & ((lower != 0) | (upper != np.inf)))
    if positions.size:
        yield ""
        yield "bounds"
    texts = zip(number_texts(lower[positions]), number_texts(upper[positions]), strict=True)
    for position, (low, high) in zip(positions.tolist(), texts, strict=True):
        name = instance.column_names[position]
        if low == high:
            yield f" {name} = {low}"
        elif (low, high) == ("-inf", "inf"):
            yield f" {name} free"
        elif high == "inf":
            yield f" {name} >= {low}"
        else:
            yield f" {low} <= {name} <= {high}"


def _name_list(
    section: str, instance: InstanceArrays, chosen: npt.NDArray[np.bool_]
) -> Iterator[str]:
    names = [instance.column_names[position] for position in np.flatnonzero(chosen).tolist()]
    if names:
        yield ""
        yield section
        for start in range(0, len(names), _NAMES_PER_LINE):
            yield f" {' '.join(names[start : start + _NAMES_PER_LINE])}"
