"""Solve in a fresh process as a row; failures are described in the row, not raised."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypedDict, TypeVar, cast

from milplib.errors import InstanceError, MilplibError
from milplib.execution import MOST_KILLS, FailureKind, WorkerDiedError
from milplib.execution.isolation import WorkerTimeoutError, run_isolated
from milplib.files import file_sha256
from milplib.formats.reader import read
from milplib.instance import Instance
from milplib.outcomes import SolveFailure, SolveStatus

__all__ = [
    "SOLVED",
    "SolveEnd",
    "SolveOutcome",
    "error_in_words",
    "failure_kind",
    "isolated_row",
    "limit_failure",
    "read_unchanged",
    "unread_reason",
]

Argument = TypeVar("Argument")


class SolveEnd(TypedDict):
    """How a solve ended: SCIP's status or a word of its own, and the kind of failure."""

    status: str
    failure: str


class SolveOutcome(SolveEnd, total=False):
    """Outcome of a solve, as a row of JSON values; a kind of run adds its numbers.

    These may be missing, as they are when the process of the solve died.
    """

    failure_detail: str
    time: float | None


Row = TypeVar("Row", bound=SolveOutcome)

SOLVED = frozenset(
    {
        SolveStatus.OPTIMAL,
        SolveStatus.INFEASIBLE,
        SolveStatus.UNBOUNDED,
        SolveStatus.INFEASIBLE_OR_UNBOUNDED,
        SolveStatus.GAP_LIMIT,
    }
)
"""SCIP statuses of a run that reached its goal."""

_LIMITS = {
    SolveStatus.TIME_LIMIT: SolveFailure.TIME_LIMIT,
    SolveStatus.MEMORY_LIMIT: SolveFailure.MEMORY_LIMIT,
    SolveStatus.INTERRUPTED: SolveFailure.INTERRUPTED,
}


def isolated_row(
    function: Callable[[Argument], Row],
    argument: Argument,
    *,
    time_limit: float,
    grace: float,
    memory_limit: float | None = None,
) -> Row:
    """Run a function that returns a row in a fresh process; its death or hang is a failed run.

    A process killed from outside says nothing about the run, which is repeated up to five times.

    Parameters
    ----------
    function, argument
        As for `milplib.execution.isolation.run_isolated`.
    time_limit, grace
        Seconds of the solve, and additional seconds before the process is killed.
    memory_limit
        Memory in MB above which the process is killed; None for no limit.

    Returns
    -------
    dict
        The row. If the process died: ``status``, ``failure``, ``failure_detail`` and ``time``.

    Examples
    --------
    >>> import os
    >>> row = isolated_row(os._exit, 3, time_limit=60, grace=60)
    >>> row["status"], row["failure"], row["failure_detail"]
    ('died', 'crash', 'the process ended by itself with exit code 3')
    """
    for attempt in range(1 + MOST_KILLS):
        begin = time.monotonic()
        try:
            return run_isolated(
                function, argument, time_limit=time_limit + grace, memory_limit=memory_limit
            )
        except WorkerTimeoutError:
            died: SolveOutcome = {
                "status": SolveStatus.KILLED,
                "failure": SolveFailure.TIME_LIMIT,
                "failure_detail": f"did not stop within {grace:g} s of its limit",
            }
            break
        except WorkerDiedError as error:
            is_full = error.kind == FailureKind.OUT_OF_MEMORY
            detail = str(error) + (f"; tried {attempt + 1} times" if attempt else "")
            died = {
                "status": SolveStatus.KILLED if is_full else SolveStatus.DIED,
                "failure": SolveFailure.MEMORY_LIMIT if is_full else SolveFailure.CRASH,
                "failure_detail": detail,
            }
            if error.kind != FailureKind.KILLED:
                break
    # Only status and failure are required of a row.
    return cast(Row, {**died, "time": time.monotonic() - begin})


def limit_failure(status: SolveStatus) -> SolveFailure:
    """Return the kind of failure of a SCIP status; empty if the instance is solved.

    Examples
    --------
    >>> [limit_failure(SolveStatus(s)) for s in ("infeasible", "timelimit", "nodelimit")]
    ['', 'timelimit', 'other limit']
    """
    return SolveFailure.NONE if status in SOLVED else _LIMITS.get(status, SolveFailure.OTHER_LIMIT)


def failure_kind(error: Exception, *, otherwise: SolveFailure = SolveFailure.CRASH) -> SolveFailure:
    """Return the kind of failure of a run's error; `otherwise` if no specific kind applies.

    Examples
    --------
    >>> failure_kind(InstanceError("no file")), failure_kind(KeyError("x"))
    ('unreadable', 'crash')
    """
    text = str(error)
    if isinstance(error, InstanceError):
        return SolveFailure.UNREADABLE
    if isinstance(error, MemoryError):
        return SolveFailure.MEMORY_LIMIT
    if text.startswith("SCIP: "):  # PySCIPOpt's message for a SCIP return code
        return SolveFailure.NUMERICAL if "LP solver" in text else SolveFailure.CRASH
    return otherwise


def error_in_words(error: Exception, *, path: Path, name: str) -> str:
    """Describe a run's error in one line, and the instance by its name in the results.

    Examples
    --------
    >>> error_in_words(InstanceError("cannot read data/a.lp"), path=Path("data/a.lp"), name="a")
    'cannot read a'
    """
    # Use the name in the results, because a row must not depend on the location of the files.
    text = str(error).replace(os.fspath(path), name)
    if not isinstance(error, MilplibError):
        text = f"{type(error).__name__}: {text}"
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        if trace is not None:
            code = trace.tb_frame.f_code
            text += f" (in {code.co_name}, {os.path.basename(code.co_filename)}:{trace.tb_lineno})"
    return " ".join(text.split()).encode("utf-8", "backslashreplace").decode()


def read_unchanged(path: Path, *, sha256: str, since: str) -> Instance:
    """Read an instance file, and check that it has not changed since it was listed.

    Raises
    ------
    InstanceError
        If the file cannot be read or has changed.
    """
    instance = read(path)
    if file_sha256(path) != sha256:
        raise InstanceError(f"{path} has changed since {since}")
    return instance


def unread_reason(outcome: SolveOutcome) -> str | None:
    """Return why the instance of a solve cannot be read; None if it can.

    Examples
    --------
    >>> unread_reason({"status": "optimal", "failure": ""}) is None
    True
    """
    is_unread = outcome["failure"] == SolveFailure.UNREADABLE
    return outcome.get("failure_detail", "") if is_unread else None
