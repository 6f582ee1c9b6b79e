"""Figure of a report: SVG with the page's colours, or PNG and PDF files."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from milplib.files import atomic_write
from milplib.style import COLOURS, plain_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["MARKERS", "STROKES", "Inks", "Plot", "colour", "stroke"]

STROKES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (5, 1.2, 1.2, 1.2)))
"""Line styles, which distinguish more policies than there are colours."""
MARKERS = ("o", "s", "D", "^")
"""Markers of points, for the same purpose."""

DOTS_PER_INCH = 200


def _figure(**options: Any) -> Figure:
    """Make a figure that pyplot does not know, so that it is freed without being closed."""
    from matplotlib.figure import Figure

    return Figure(**options)


@dataclass(frozen=True, kw_only=True)
class Inks:
    """Colours of texts and auxiliary lines, and what makes the figure."""

    ink: str
    muted: str
    figure: Callable[..., Figure] = _figure


_ON_PAPER = Inks(ink="#222222", muted="#666666")
# Placeholders for the page's text colours, which only the browser knows.
_IN_PAGE = Inks(ink="#010203", muted="#040506")


def colour(place: int) -> str:
    """Return the colour of a policy by its position among the policies.

    Examples
    --------
    >>> colour(0), colour(6) == colour(0)
    ('#0072b2', True)
    """
    return COLOURS[place % len(COLOURS)]


def stroke(place: int) -> Any:
    """Return the line style of a policy, so that colour and style together are unique.

    Examples
    --------
    >>> stroke(0), stroke(6) == stroke(0)
    ('-', False)
    """
    return STROKES[place // len(COLOURS) % len(STROKES)]


@dataclass(frozen=True, kw_only=True)
class Plot:
    """Figure that can be drawn for a page or for paper.

    Parameters
    ----------
    name
        Name of its files, and prefix of its element ids in a page.
    description
        Alternative text for screen readers.
    draw
        Function that draws the figure with matplotlib in the given inks.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> def draw(inks):
    ...     figure = Figure(figsize=(2, 1))
    ...     figure.subplots().axhline(0.5, color=inks.muted)
    ...     return figure
    >>> Plot(name="line", description="a line", draw=draw).svg()[:49]
    '<svg role="img" aria-label="a line" viewBox="0 0 '
    """

    name: str
    description: str
    draw: Callable[[Inks], Figure]

    def svg(self) -> str:
        """Draw an ``<svg>`` element for an HTML page; equal figures give equal text."""
        (drawn,) = self._drawn(_IN_PAGE, {"svg": {"transparent": True}})
        svg = drawn.decode()
        svg = svg[svg.index("<svg") :]
        svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
        # An svg in HTML needs no namespace, and a page without any address clearly loads nothing.
        svg = re.sub(r' xmlns(:\w+)?="[^"]*"', "", svg)
        svg = re.sub(r'<svg [^>]*viewBox="([\d. -]+)"[^>]*>', self._opening, svg, count=1)
        # matplotlib uses the same ids in every figure, but ids must be unique in a page.
        svg = re.sub(r'\bid="', f'id="{self.name}-', svg)
        svg = re.sub(r'href="#', f'href="#{self.name}-', svg)
        svg = re.sub(r"url\(#", f"url(#{self.name}-", svg)
        svg = svg.replace(_IN_PAGE.ink, "currentColor").replace(_IN_PAGE.muted, "var(--muted)")
        # The page defines these variables, which are lighter on a dark page.
        for number, series in enumerate(COLOURS):
            svg = svg.replace(series, f"var(--series-{number})")
        return svg

    def axes(self) -> Any:
        """Draw a figure of pyplot; return its `matplotlib.axes.Axes`, or an array of several."""
        import matplotlib.pyplot as plt

        with plain_style({}, ink=_ON_PAPER.ink, muted=_ON_PAPER.muted):
            axes = self.draw(replace(_ON_PAPER, figure=plt.figure)).axes
        return axes[0] if len(axes) == 1 else np.array(axes, dtype=object)

    def save(self, folder: Path) -> tuple[str, str]:
        """Write the figure as PNG and PDF, and return the names of the files.

        Raises
        ------
        OutputError
            If a file cannot be written.
        """
        names = f"{self.name}.png", f"{self.name}.pdf"
        png, pdf = self._drawn(_ON_PAPER, {"png": {"dpi": DOTS_PER_INCH}, "pdf": {}})
        for name, content in zip(names, (png, pdf), strict=True):
            with atomic_write(folder / name) as stream:
                stream.write(content)
        return names

    def _drawn(self, inks: Inks, forms: Mapping[str, Mapping[str, Any]]) -> list[bytes]:
        """Draw in several forms, without a display and independent of the user's settings."""
        settings = {"svg.hashsalt": self.name, "svg.fonttype": "path", "pdf.fonttype": 42}
        dates = {"svg": "Date", "pdf": "CreationDate"}
        contents = []
        with plain_style(settings, ink=inks.ink, muted=inks.muted):
            figure = self.draw(inks)
            engine = figure.get_layout_engine()
            if engine is not None:
                # Compute the layout once; savefig would draw everything twice.
                engine.execute(figure)
                figure.set_layout_engine("none")
            for form, options in forms.items():
                metadata = {dates[form]: None} if form in dates else None
                stream = io.BytesIO()
                figure.savefig(stream, format=form, metadata=metadata, **options)
                contents.append(stream.getvalue())
        return contents

    def _opening(self, match: re.Match[str]) -> str:
        from html import escape

        width = float(match[1].split()[2])
        return (
            f'<svg role="img" aria-label="{escape(self.description, quote=True)}" '
            f'viewBox="{match[1]}" style="width:{width * 4 / 3:.0f}px">'
        )
