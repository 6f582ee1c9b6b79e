"""Names with blanks in MPS files of fixed format."""

from __future__ import annotations

from dataclasses import replace

from milplib.formats.damage import BLANK
from milplib.formats.mps_sections import MARKER, ROW_SECTIONS, Section

__all__ = ["fixed_format"]

# First and last column (from 0) of the fields: type, two names, number, name, number.
_FIELDS = ((1, 3), (4, 12), (14, 22), (24, 36), (39, 47), (49, 61))
_BETWEEN = (0, 3, 12, 13, 22, 23, 36, 37, 38, 47, 48)
_FIXED_SECTIONS = (*ROW_SECTIONS, "COLUMNS", "RHS", "RANGES", "BOUNDS")
_NAMES = (1, 2, 4)


def fixed_format(parts: list[Section]) -> list[Section] | None:
    """Return sections of fixed format with their names in single words.

    Parameters
    ----------
    parts
        Sections of an MPS file.

    Returns
    -------
    list of Section or None
        The same sections, in which `milplib.formats.damage.BLANK` stands for each blank inside a
        name, or None if a line is not in fixed format.
    """
    joined = []
    for part in parts:
        if part.keyword in _FIXED_SECTIONS:
            lines = [_joined(line) for line in part.body.split(b"\n")]
            if None in lines:
                return None
            body = b"\n".join(line for line in lines if line is not None)
            part = replace(part, body=body)
        joined.append(part)
    return joined


def _joined(line: bytes) -> bytes | None:
    line = line.rstrip()
    if not line or MARKER in line:
        return line
    if b"\t" in line or len(line) > _FIELDS[-1][1]:
        return None
    if any(line[at : at + 1] not in (b" ", b"") for at in _BETWEEN):
        return None
    fields = [line[start:stop].strip() for start, stop in _FIELDS]
    for position in _NAMES:
        fields[position] = fields[position].replace(b" ", BLANK)
    # A number may not hold blanks; a word of its own would be taken for another field.
    return b" " + b" ".join(fields) if not any(b" " in field for field in fields) else None
