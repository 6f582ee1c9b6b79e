"""Short forms of objects for prompts and notebooks."""

from __future__ import annotations

import html
import reprlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

__all__ = ["LONGEST", "Shown", "html_table", "short"]

LONGEST = 1900
"""Largest number of characters of a text or an HTML table; the rest is counted, not shown."""

_LONGEST_VALUE = 160


class _Shortener(reprlib.Repr):
    """Standard shortener that shows arrays and tables by their shape."""

    def __init__(self) -> None:
        super().__init__()  # it takes no arguments before Python 3.12
        self.maxlevel, self.maxstring, self.maxother = 3, 80, _LONGEST_VALUE

    def repr1(self, x: Any, level: int) -> str:
        """Shorten an object."""
        if isinstance(x, np.generic):
            x = x.item()
        if isinstance(x, float):
            return f"{x:.8g}"
        shape = getattr(x, "shape", None)
        if isinstance(shape, tuple):
            kind = getattr(x, "dtype", type(x).__name__)
            return f"<{kind} array of shape {shape}>"
        if isinstance(x, str) and type(x) is not str:
            x = str(x)  # an enum of words
        if isinstance(x, Mapping) and type(x) is not dict:
            x = dict(x)
        return super().repr1(x, level)


_shortener = _Shortener()


def short(value: object) -> str:
    """Return a short form of a value, on one line.

    Examples
    --------
    >>> short(np.zeros((3, 4))), short(1 / 3), short(list(range(50)))
    ('<float64 array of shape (3, 4)>', '0.33333333', '[0, 1, 2, 3, 4, 5, ...]')
    """
    text = _shortener.repr(value)
    if len(text) > _LONGEST_VALUE:
        text = f"{text[: _LONGEST_VALUE - 1]}…"
    return "".join(letter if letter.isprintable() else " " for letter in text)


class Shown:
    """Base class of objects with a short text and a small HTML table.

    Both show `_facts`, by default the fields of a dataclass; arrays appear by their shape.

    Examples
    --------
    >>> class Cover(Shown):
    ...     def _facts(self):
    ...         return {"rows": 3, "columns": 4}
    >>> Cover()
    <Cover rows=3 columns=4>
    """

    def _facts(self) -> Mapping[str, object]:
        """Return what to show, by name."""
        shown: Any = self
        if not is_dataclass(shown):
            return {}
        return {f.name: getattr(self, f.name) for f in fields(shown) if f.repr}

    def __repr__(self) -> str:
        words = [type(self).__name__]
        room = LONGEST
        for name, value in self._facts().items():
            word = f"{name}={short(value)}"
            room -= len(word) + 1
            if room < 0:
                words.append("…")
                break
            words.append(word)
        return f"<{' '.join(words)}>"

    def _repr_html_(self) -> str:
        rows = [
            (name, value if isinstance(value, str) else short(value))
            for name, value in self._facts().items()
        ]
        return html_table((type(self).__name__, ""), rows)


def html_table(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return an HTML table of at most `LONGEST` characters; the rows beyond that are counted.

    Examples
    --------
    >>> html_table(["policy"], [["a<b"]])
    '<table><tr><th>policy</th></tr><tr><td>a&lt;b</td></tr></table>'
    """
    text = f"<table>{_html_row(heading, 'th')}"
    listed = list(rows)
    for place, row in enumerate(listed):
        line = _html_row(row, "td")
        if len(text) + len(line) > LONGEST - 80:
            return f"{text}<tr><td>… and {len(listed) - place} more</td></tr></table>"
        text += line
    return f"{text}</table>"


def _html_row(cells: Iterable[object], tag: str) -> str:
    texts = (str(cell) for cell in cells)
    texts = (t if len(t) <= _LONGEST_VALUE else f"{t[: _LONGEST_VALUE - 1]}…" for t in texts)
    return f"<tr>{''.join(f'<{tag}>{html.escape(text)}</{tag}>' for text in texts)}</tr>"
