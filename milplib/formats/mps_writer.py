"""Writer of the MPS format, in fixed columns if the names are short enough."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from milplib.errors import InstanceError
from milplib.formats.numbers import number_texts
from milplib.instance_arrays import InstanceArrays

__all__ = ["mps_lines"]

# MPS files write infinite sides as numbers; solvers agree on 1e30, SCIP accepts any from 1e20 on.
_INFINITE = "1e+30"


def mps_lines(instance: InstanceArrays) -> Iterator[str]:
    """Yield the lines of an instance's MPS file.

    Parameters
    ----------
    instance
        Instance that has passed the checks of `milplib.formats.representable`.

    Yields
    ------
    str
        Line without its newline. Bounds of integer columns are always written, because readers
        differ in their defaults.

    Raises
    ------
    InstanceError
        If no floating-point range leads from one side of a row exactly to the other.

    Notes
    -----
    Fields start in columns 2, 5, 15 and 25 and are padded. SCIP's reader infers from blanks in
    certain columns that a line is in fixed format, and would join fields in other columns.
    """
    objective = _objective_name(instance)
    yield "NAME"
    if instance.sense == "maximize":
        yield "OBJSENSE"
        yield "    MAX"
    yield "ROWS"
    yield f" N  {objective}"
    senses, sides, ranges = _row_forms(instance)
    for sense, name in zip(senses, instance.row_names, strict=True):
        yield f" {sense}  {name}"
    yield "COLUMNS"
    yield from _columns(instance, objective)
    yield "RHS"
    if instance.offset:
        yield _entry("RHS", objective, number_texts(np.array([-instance.offset]))[0])
    for name, side in zip(instance.row_names, sides, strict=True):
        if side != "0":
            yield _entry("RHS", name, side)
    if ranges:
        yield "RANGES"
        for row, text in ranges.items():
            yield _entry("RANGE", instance.row_names[row], text)
    yield from _bounds(instance)
    yield "ENDATA"


def _entry(first: str, second: str, value: str) -> str:
    return f"    {first:<8}  {second:<8}  {value}"


def _objective_name(instance: InstanceArrays) -> str:
    taken = set(instance.row_names)
    names = itertools.chain(["OBJ"], (f"OBJ{number}" for number in itertools.count(1)))
    return next(name for name in names if name not in taken)


def _row_forms(instance: InstanceArrays) -> tuple[list[str], list[str], dict[int, str]]:
    """Return senses and right-hand sides of the rows, and the ranges of rows with two sides."""
    left, right = instance.row_lower, instance.row_upper
    senses = np.where(left == right, "E", np.where(np.isfinite(left), "G", "L")).astype(object)
    bases = np.where(np.isfinite(left), left, right)
    ranges = {}
    for row in np.flatnonzero(np.isfinite(left) & np.isfinite(right) & (left != right)).tolist():
        low, high = float(left[row]), float(right[row])
        senses[row], bases[row], width = _range(low, high, instance.row_names[row])
        ranges[row] = number_texts(np.array([width]))[0]
    sides = [_INFINITE if text == "inf" else text for text in number_texts(bases)]
    return senses.tolist(), sides, ranges


def _range(low: float, high: float, name: str) -> tuple[str, float, float]:
    """Find a sense, side and range from which floating point recovers both sides exactly."""
    width = high - low
    for candidate in (width, np.nextafter(width, np.inf), np.nextafter(width, 0.0)):
        if low + candidate == high:
            return "G", low, float(candidate)
        if high - candidate == low:
            return "L", high, float(candidate)
    raise InstanceError(
        f"MPS files cannot hold the sides {low!r} and {high!r} of row '{name}' exactly: make the "
        f"upper one {low + width!r}, or make two rows of it"
    )


def _columns(instance: InstanceArrays, objective: str) -> Iterator[str]:
    matrix = instance.A.tocsc()
    starts = matrix.indptr.tolist()
    rows = [instance.row_names[position] for position in matrix.indices.tolist()]
    texts = number_texts(matrix.data)
    costs = number_texts(instance.objective)
    integer = False
    markers = 0
    for column, name in enumerate(instance.column_names):
        if integer != bool(instance.integrality[column]):
            yield _marker(markers, begins=not integer)
            integer = not integer
            markers += 1
        start, stop = starts[column], starts[column + 1]
        if costs[column] != "0" or start == stop:
            yield _entry(name, objective, costs[column])
        for entry in range(start, stop):
            yield _entry(name, rows[entry], texts[entry])
    if integer:
        yield _marker(markers, begins=False)


def _marker(number: int, *, begins: bool) -> str:
    return f"    {f'M{number}':<8}  'MARKER'                 '{'INTORG' if begins else 'INTEND'}'"


def _bounds(instance: InstanceArrays) -> Iterator[str]:
    lower, upper = instance.lower, instance.upper
    integer = instance.integrality == 1
    positions = np.flatnonzero(integer | (lower != 0) | (upper != np.inf))
    if positions.size:
        yield "BOUNDS"
    texts = zip(number_texts(lower[positions]), number_texts(upper[positions]), strict=True)
    for position, (low, high) in zip(positions.tolist(), texts, strict=True):
        name = instance.column_names[position]
        for kind, value in _bound_types(low, high, bool(integer[position])):
            yield f" {kind} {'BOUND':<8}  {name:<8}  {value}".rstrip()


def _bound_types(low: str, high: str, integer: bool) -> list[tuple[str, str]]:
    if integer and (low, high) == ("0", "1"):
        return [("BV", "")]
    if low == high:
        return [("FX", low)]
    if (low, high) == ("-inf", "inf"):
        return [("FR", "")]
    types = []
    if low == "-inf":
        types.append(("MI", ""))
    elif low != "0" or high != "inf":
        # Readers differ in the default lower bound for a negative upper bound.
        types.append(("LO", low))
    types.append(("PL", "") if high == "inf" else ("UP", high))
    return types
