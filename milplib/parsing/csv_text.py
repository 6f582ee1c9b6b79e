"""CSV in which no field is lost."""

from __future__ import annotations

import csv
import io

from milplib.parsing.limits import ParseError

__all__ = ["parse_csv"]


def parse_csv(content: bytes) -> list[dict[str, str]]:
    r"""Parse CSV in UTF-8 to rows by the names in its first row.

    Raises
    ------
    ParseError
        If the text is not CSV, a name stands twice, or a row has other fields than names.

    Examples
    --------
    >>> parse_csv(b"instance,objective\na,5\n")
    [{'instance': 'a', 'objective': '5'}]
    """
    try:
        text = content.decode("utf-8-sig")
        lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except UnicodeDecodeError as error:
        raise ParseError(f"it is not in UTF-8: {error.reason} at byte {error.start}") from error
    except csv.Error as error:
        raise ParseError(str(error)) from error
    names, rows = (lines[0], lines[1:]) if lines else ([], [])
    if len(set(names)) < len(names):
        raise ParseError("a column stands twice in its first row")
    parsed = []
    for number, fields in enumerate(rows, start=2):
        if not fields:
            continue  # an empty line
        if len(fields) != len(names):
            raise ParseError(f"row {number} has {len(fields)} fields instead of {len(names)}")
        parsed.append(dict(zip(names, fields, strict=True)))
    return parsed
