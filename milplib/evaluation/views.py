"""Figures and the report of an evaluation in Python and in notebooks.

Both come from `milplib.report`, a layer above this one, through entry points.
"""

from __future__ import annotations

import html
import os
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from milplib.display import Shown
from milplib.errors import MissingPackageError, ParameterError
from milplib.extensions import entry_points_of, load_extension
from milplib.files import atomic_write

__all__ = ["EvaluationPlots", "ReportPage", "report_page"]

PLOTS = "milplib.plots"
"""Entry-point group of functions that return figures of an evaluation, by name."""
REPORTS = "milplib.reports"
PAGE = "report.html"
_HEIGHT = 600
_NAMES = {
    "profiles": "profiles",
    "ratios": "ratios",
    "times": "time-pairs",
    "nodes": "nodes-pairs",
    "seeds": "seeds",
    "gaps": "gaps",
    "policy_time": "policy-time",
    "matrix": "matrix-time",
}
"""Methods, and the names of the report's figures."""


class EvaluationPlots(Shown):
    """Figures of an evaluation as methods: ``results.plot.profiles()``.

    Each returns the matplotlib axes of a new figure: an `matplotlib.axes.Axes`, or an array of
    several. The figure is one of pyplot's, so notebooks display it and ``axes.figure.savefig``
    saves it.

    Raises
    ------
    ParameterError
        From a method, if the results have nothing to show in this figure.
    """

    def __init__(self, results: object) -> None:
        self._results = results

    def _facts(self) -> dict[str, object]:
        return {"methods": ", ".join(_NAMES)}

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *_NAMES})

    def __getattr__(self, name: str) -> Callable[[], Any]:
        if name not in _NAMES:
            raise AttributeError(f"there is no plot '{name}'; there are {', '.join(_NAMES)}")
        return partial(self._axes, name)

    def _axes(self, name: str) -> Any:
        plots: dict[str, Any] = _extension(PLOTS, "report")(self._results)
        if _NAMES[name] not in plots:
            raise ParameterError(
                f"the results have nothing to show in the plot '{name}'; in these they have: "
                f"{', '.join(known for known, of in _NAMES.items() if of in plots) or 'none'}"
            )
        return plots[_NAMES[name]].axes()


class ReportPage(Shown):
    """HTML report of an evaluation.

    Parameters
    ----------
    html
        The page, which loads nothing.
    """

    def __init__(self, html: str) -> None:
        self.html = html
        """The page."""

    def _facts(self) -> dict[str, object]:
        return {"kilobytes": len(self.html) // 1000}

    def _repr_html_(self) -> str:
        # A frame of its own keeps the page's styles from the notebook's, and runs no scripts.
        page = html.escape(self.html, quote=True)
        return (
            f'<iframe srcdoc="{page}" sandbox width="100%" height="{_HEIGHT}" '
            'style="border: 0" title="report of the evaluation"></iframe>'
        )

    def write(self, path: str | os.PathLike[str]) -> Path:
        """Write the page to a file.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        with atomic_write(path) as stream:
            stream.write(self.html.encode())
        return Path(path)


def report_page(results: object) -> ReportPage:
    """Make the report of results; see `milplib.evaluation.Evaluation.report`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / PAGE
        _extension(REPORTS, PAGE)(results, path)
        return ReportPage(path.read_text(encoding="utf-8"))


def _extension(group: str, name: str) -> Callable[..., Any]:
    point = entry_points_of(group).get(name)
    if point is None:
        raise MissingPackageError(
            f"no installed package declares '{name}' in {group}: install milplib again"
        )
    loaded: Any = load_extension(group, point)
    return loaded  # type: ignore[no-any-return]
