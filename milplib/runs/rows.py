"""Counting of runs whose tasks make rows of a table, as evaluations and measurements do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from milplib.arguments import checked
from milplib.errors import InstanceError
from milplib.runs.kind import RunContents, RunFailure

__all__ = ["check_any_read", "rows_contents", "task_rows"]


def task_rows(tasks: Sequence[Mapping[str, Any]]) -> list[dict[str, object]]:
    """Collect the rows of tasks; if a task's worker died, its rows get the task's failure.

    Examples
    --------
    >>> task_rows([{"row": {"instance": "a.lp"}, "failure": "hang"}])
    [{'instance': 'a.lp', 'failure': 'hang'}]
    """
    rows: list[dict[str, object]] = []
    for task in tasks:
        died = {"failure": task["failure"]} if task.get("failure") else {}
        own_rows = task.get("rows", [task["row"]] if "row" in task else [])
        rows += [{**row, **died} for row in own_rows]
    return rows


def check_any_read(unread: Iterable[str | None], *, n_instances: int) -> None:
    """Check that some instance of a run could be read.

    Parameters
    ----------
    unread
        Reason why the instance of a result cannot be read; None if it can.
    n_instances
        Number of instances of the run.

    Raises
    ------
    InstanceError
        If no instance could be read.

    Examples
    --------
    >>> check_any_read([None, "cannot read b.lp"], n_instances=2)
    """
    reasons = list(unread)
    if all(reason is not None for reason in reasons):
        raise InstanceError(
            f"none of the {n_instances} instance files can be read; the first: {reasons[0]}"
        )


@checked
def rows_contents(
    rows: Iterable[Mapping[str, object]],
    *,
    done: int,
    name: Callable[[Mapping[str, object]], str],
) -> RunContents:
    """Count rows and list the failed ones.

    Parameters
    ----------
    rows
        Rows with ``failure`` and ``failure_detail``.
    done
        Number of tasks that made the rows.
    name
        Function that names a failed row.

    Examples
    --------
    >>> contents = rows_contents(
    ...     [{"instance": "a.lp", "failure": "hang"}],
    ...     done=1, name=lambda row: str(row["instance"]))
    >>> contents.results, contents.failures[0].kind
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
