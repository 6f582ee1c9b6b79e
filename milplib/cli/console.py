"""What the commands print with: results to stdout, progress to stderr, none of it in pipes."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter, Token
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

if TYPE_CHECKING:
    from milplib.evaluation import EvaluationProgress
    from milplib.execution import Execution

__all__ = [
    "HERE",
    "ExecutionOptions",
    "ProgressBar",
    "WholeNumber",
    "allow_modules_here",
    "complain",
    "evaluation_bar",
    "output",
    "print_json",
    "print_pairs",
    "progress_bar",
]


def _whole_number(kind: Any, tokens: Sequence[Token]) -> int:
    (token,) = tokens
    return int(token.value)


WholeNumber = Annotated[int, Parameter(converter=_whole_number)]
"""An integer option; the parser's own would round 1.5."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class ExecutionOptions:
    """The options of a command whose tasks may run elsewhere.

    Parameters
    ----------
    workers
        Number of processes on this machine, no more than it has cores. With 1 and no limit
        everything runs in this process.
    cluster
        Address of a Dask scheduler, or ``local:N`` for a cluster of N processes on this machine
        (pip install 'milplib[dask]').
    memory_limit
        Memory in MB of a worker process, which is killed above.
    task_time_limit
        Wall-clock seconds of a task, which is killed then: a safety net.
    tasks_per_worker
        Tasks after which a worker process is replaced by a fresh one.
    """

    workers: WholeNumber = 1
    cluster: str | None = None
    memory_limit: float | None = None
    task_time_limit: float | None = None
    tasks_per_worker: WholeNumber = 100

    def execution(self) -> Execution:
        """Give what the library takes.

        Raises
        ------
        ParameterError
            If a number is outside its domain, or options contradict each other.
        """
        from milplib.execution import Execution

        return Execution(
            workers=self.workers,
            cluster=self.cluster,
            memory_limit=self.memory_limit,
            task_time_limit=self.task_time_limit,
            tasks_per_worker=self.tasks_per_worker,
        )


HERE = ExecutionOptions()
"""The default: everything runs in this process."""


def allow_modules_here(*names: str) -> None:
    """Let ``package.module:name`` mean a module beside which the command is called.

    As ``python -m`` would; nothing changes unless one of the names has that form.
    """
    if any(":" in name for name in names) and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())


def output() -> Console:
    """Console for results on stdout; outside a terminal lines are never cut or folded."""
    console = Console(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = 10_000
    return console


def complain(message: str) -> None:
    """Print a line about something that went wrong, and that does not end the command."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(
        f"milplib: {' '.join(message.split())}", markup=False
    )


def print_json(content: object) -> None:
    """Print JSON and nothing else, whatever the terminal."""
    print(json.dumps(content, indent=2))


def print_pairs(pairs: Mapping[str, object]) -> None:
    """Print names and values in two columns."""
    console = output()
    width = max(map(len, pairs))
    for name, value in pairs.items():
        console.print(f"{name.ljust(width)}  {value}", markup=False)


class ProgressBar:
    """A bar that shows how many of a known number are done, and a few words beside it."""

    def __init__(self, progress: Progress, what: str) -> None:
        self._progress = progress
        self._task = progress.add_task(what, total=None, note="")

    def update(self, done: int, total: int | None, note: str = "") -> None:
        """Show that so many are done, of a number that may not be known."""
        self._progress.update(self._task, completed=done, total=total, note=note)


@contextmanager
def progress_bar(what: str) -> Iterator[ProgressBar]:
    """Show a progress bar on stderr while the block runs, if that is a terminal."""
    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    ) as progress:
        yield ProgressBar(progress, what)


@contextmanager
def evaluation_bar(what: str) -> Iterator[Callable[[EvaluationProgress], None]]:
    """Show how far an evaluation is; give what it calls after every pair."""
    with progress_bar(what) as bar:

        def show(progress: EvaluationProgress) -> None:
            note = f"{progress.failed} failed" if progress.failed else ""
            bar.update(progress.done, progress.total, note)

        yield show
