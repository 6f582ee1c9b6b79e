"""Counting runs whose tasks give rows of a table, as evaluations and measurements do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from milplib.runs.kind import RunContents, RunFailure

__all__ = ["rows_contents", "task_rows"]


def task_rows(tasks: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Collect the rows of tasks; a task whose worker died gives its failure to its rows.

    Examples
    --------
    >>> task_rows([{"row": {"instance": "a.lp"}, "failure": "hang"}])
    [{'instance': 'a.lp', 'failure': 'hang'}]
    """
    rows: list[dict[str, Any]] = []
    for task in tasks:
        died = {"failure": task["failure"]} if task.get("failure") else {}
        found = task.get("rows", [task["row"]] if "row" in task else [])
        rows += [{**row, **died} for row in found]
    return rows


def rows_contents(
    rows: Iterable[Mapping[str, Any]], *, done: int, name: Callable[[Mapping[str, Any]], str]
) -> RunContents:
    """Count rows and list the failed ones.

    Parameters
    ----------
    rows
        The rows, with ``failure`` and ``failure_detail``.
    done
        Number of tasks that they come from.
    name
        Names a failed row.

    Examples
    --------
    >>> found = rows_contents(
    ...     [{"instance": "a.lp", "failure": "hang"}], done=1, name=lambda row: row["instance"])
    >>> found.results, found.failures[0].kind
    (1, 'hang')
    """
    rows = list(rows)
    failures = tuple(
        RunFailure(
            name=name(row),
            kind=str(row["failure"]),
            detail=str(row.get("failure_detail", "")),
        )
        for row in rows
        if row.get("failure")
    )
    return RunContents(done=done, results=len(rows), failures=failures)
