"""Names and messages escaped for places that would read more in them than text."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence

__all__ = ["csv_lines", "from_spreadsheet", "spreadsheet_safe", "terminal_safe"]

# C0 and C1 control characters but the line feed, and the characters that reverse a text.
_CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]+)?")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def terminal_safe(text: str) -> str:
    r"""Escape the control characters of a text, so that a terminal only prints it.

    Line feeds stay.

    Examples
    --------
    >>> print(terminal_safe("\x1b[2Ja.lp"))
    \x1b[2Ja.lp
    """
    return _CONTROLS.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def spreadsheet_safe(text: str) -> str:
    """Return a cell of a CSV file that spreadsheets take for a text, never for a formula.

    Examples
    --------
    >>> spreadsheet_safe("=1+1"), spreadsheet_safe("a.lp"), spreadsheet_safe("-1.5")
    ("'=1+1", 'a.lp', '-1.5')
    """
    is_formula = text.lstrip("'").startswith(_FORMULA) and not _NUMBER.fullmatch(text)
    return f"'{text}" if is_formula else text


def csv_lines(names: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    r"""Write rows as CSV, with texts as `spreadsheet_safe` gives them.

    Parameters
    ----------
    names
        Names of the columns. A row may lack some, and its other names are left out.
    rows
        Values by the names of the columns; None is an empty cell.

    Examples
    --------
    >>> csv_lines(["instance", "time"], [{"instance": "-a.lp", "time": -1.5}])
    "instance,time\n'-a.lp,-1.5\n"
    """
    text = io.StringIO(newline="")
    # Python 3.11 does not quote a carriage return, at which a reader would begin a new row.
    plain, quoted = (
        csv.DictWriter(text, names, extrasaction="ignore", lineterminator="\n", quoting=quoting)
        for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_ALL)
    )
    plain.writeheader()
    for row in rows:
        cells = {
            name: spreadsheet_safe(value) if isinstance(value, str) else value
            for name, value in row.items()
        }
        has_return = any("\r" in value for value in cells.values() if isinstance(value, str))
        (quoted if has_return else plain).writerow(cells)
    return text.getvalue()


def from_spreadsheet(cell: str) -> str:
    """Undo `spreadsheet_safe`.

    Examples
    --------
    >>> [from_spreadsheet(spreadsheet_safe(text)) for text in ("=1+1", "'=1+1", "'a")]
    ['=1+1', "'=1+1", "'a"]
    """
    is_escaped = cell.startswith("'") and cell.lstrip("'").startswith(_FORMULA)
    return cell[1:] if is_escaped else cell
