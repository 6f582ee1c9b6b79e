"""The reports that an evaluation writes beside its results, as installed packages declare them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

from milplib.errors import MilplibError
from milplib.evaluation.results import Evaluation
from milplib.evaluation.table import TABLES
from milplib.evaluation.traces import TRACES
from milplib.extensions import extensions
from milplib.runs.folder import LOCK, MANIFEST, UNFINISHED
from milplib.runs.record import ENVIRONMENT

__all__ = ["GROUP", "ReportWriter", "report_writers"]

GROUP = "milplib.reports"
"""Entry-point group of the reports; an entry's name is the name of the file."""

ReportWriter = Callable[[Evaluation, Path], object]
"""Write a report of results into a file; equal results give equal bytes."""

_TAKEN = {*TABLES, TRACES, MANIFEST, ENVIRONMENT, UNFINISHED, LOCK}


def report_writers() -> dict[str, ReportWriter]:
    """Load the functions that write reports, by file name.

    Raises
    ------
    MilplibError
        If one cannot be loaded or called, or its name is not one that a report can have.

    Examples
    --------
    >>> "report.html" in report_writers()
    True
    """
    writers = extensions(GROUP)
    for name, writer in writers.items():
        if name in _TAKEN or Path(name).name != name:
            raise MilplibError(
                f"'{name}' of {GROUP} is no name for a report: the entry point's name must be a "
                "file name that the evaluation does not use itself"
            )
        if not callable(writer):
            raise MilplibError(
                f"'{name}' of {GROUP} is a {type(writer).__name__}; it must be a function of the "
                "results and the path"
            )
    return cast(dict[str, ReportWriter], writers)
