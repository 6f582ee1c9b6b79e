"""Style of figures and HTML pages."""

from importlib.resources import files

from milplib.style.figures import COLOURS, plain_style, plain_ticks

__all__ = ["COLOURS", "page_style", "plain_style", "plain_ticks"]


def page_style() -> str:
    """Return the style sheet of milplib's HTML pages.

    Examples
    --------
    >>> "font-family" in page_style()
    True
    """
    return files("milplib.style").joinpath("page.css").read_text(encoding="utf-8")
