"""Style of figures: accessible colours, few lines, plain numbers at the axes."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["COLOURS", "plain_style", "plain_ticks"]

# The palette of Okabe & Ito, without the colours that are faint on white or on black.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Colours that colour-blind readers can distinguish."""


@contextmanager
def plain_style(
    settings: Mapping[str, Any] | None = None, *, ink: str = "#222222", muted: str = "#666666"
) -> Iterator[None]:
    """Apply milplib's style to matplotlib inside the block, ignoring the user's settings.

    Parameters
    ----------
    settings
        Further settings of matplotlib, which override those of the style.
    ink, muted
        Colour of texts, and colour of the lines and ticks of the axes.

    Examples
    --------
    >>> import matplotlib
    >>> with plain_style({"font.size": 7}):
    ...     matplotlib.rcParams["font.size"], matplotlib.rcParams["axes.spines.top"]
    (7.0, False)
    """
    import matplotlib
    from matplotlib.rcsetup import cycler

    style: Any = {
        "font.family": "DejaVu Sans",
        "font.size": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.prop_cycle": cycler(color=COLOURS),
        "axes.edgecolor": muted,
        "axes.labelcolor": ink,
        "text.color": ink,
        "xtick.color": muted,
        "ytick.color": muted,
        "xtick.labelcolor": ink,
        "ytick.labelcolor": ink,
        "legend.frameon": False,
        "text.parse_math": False,  # a dollar sign in a name is one
    }
    with matplotlib.rc_context(), warnings.catch_warnings():
        # A name in a script that the font lacks is drawn as boxes.
        warnings.filterwarnings("ignore", message=r"Glyph \d+ ")
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(style | dict(settings or {}))
        yield


def plain_ticks(axis: Axes, *which: str) -> None:
    """Label logarithmic axes with a few plain numbers, such as 0.5, 1 and 20."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    for name in which:
        line = getattr(axis, f"{name}axis")
        low, high = getattr(axis, f"get_{name}lim")()
        decades = np.log10(high / low)
        subs: tuple[float, ...]
        subs = (1.0, 2.0, 5.0) if decades < 2 else (1.0, 3.0) if decades < 3 else (1.0,)
        if decades < 0.7:
            subs = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0)
        line.set_major_locator(LogLocator(base=10, subs=subs))
        line.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        line.set_minor_locator(NullLocator())
