"""Reports that an evaluation writes beside its results, loaded from entry points."""

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
"""Entry-point group of the reports. The name of an entry is the name of its file."""

ReportWriter = Callable[[Evaluation, Path], object]
"""Function that writes a report of results to a file; equal results yield equal bytes."""

_TAKEN = {*TABLES, TRACES, MANIFEST, ENVIRONMENT, UNFINISHED, LOCK}


def report_writers() -> dict[str, ReportWriter]:
    """Load the report writers of installed packages, by file name.

    Raises
    ------
    MilplibError
        If a writer cannot be loaded or called, or if its name is not a valid report name.

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
