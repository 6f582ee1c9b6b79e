"""Printing: results go to stdout, progress to stderr if it is a terminal."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from cyclopts import Parameter, Token
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from milplib.cli.progress_lines import ProgressLines, seconds_between_lines
from milplib.escaping import terminal_safe
from milplib.progress import Steps, terminal_bar

if TYPE_CHECKING:
    from milplib.evaluation import EvaluationProgress
    from milplib.execution import Execution

__all__ = [
    "GAP",
    "HERE",
    "Blocks",
    "ExecutionOptions",
    "Networks",
    "ProgressBar",
    "WholeNumber",
    "allow_modules_here",
    "complain",
    "evaluation_bar",
    "output",
    "print_json",
    "print_pairs",
    "progress_bar",
    "say",
]

GAP = 2
"""Number of spaces between columns."""
_BESIDE = 16
"""Least width beside a name; a value with less room stands below it."""


def _whole_number(hint: Any, tokens: Sequence[Token]) -> int:
    (token,) = tokens
    return int(token.value)


WholeNumber = Annotated[int, Parameter(converter=_whole_number)]
"""An integer option. The parser's own converter would round 1.5."""


Networks = Annotated[tuple[str, ...], Parameter(consume_multiple=True, negative="")]
"""Option of commands that load policies of a user's torch modules."""


Blocks = Annotated[tuple[str, ...], Parameter(consume_multiple=True, negative="")]
"""Option of commands that load policies that read a user's state functions."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class ExecutionOptions:
    """Options of a command that runs tasks in other processes or on a cluster.

    Parameters
    ----------
    workers
        Number of processes on this machine; use no more than cores. With 1 worker and no limit,
        everything runs in this process.
    cluster
        Address of a Dask scheduler, or ``local:N`` for a cluster of N processes on this machine
        (pip install 'milplib[dask]').
    memory_limit
        Kill a worker process that uses more than this many MB of memory.
    task_time_limit
        Kill a task after this many wall-clock seconds; a safety net.
    tasks_per_worker
        Replace a worker process by a fresh one after this many tasks.
    """

    workers: WholeNumber = 1
    cluster: str | None = None
    memory_limit: float | None = None
    task_time_limit: float | None = None
    tasks_per_worker: WholeNumber = 100

    def execution(self) -> Execution:
        """Return the options as the library takes them.

        Raises
        ------
        ParameterError
            If a number is outside its domain or options contradict each other.
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
"""Default options: everything runs in this process."""


def allow_modules_here(*names: str) -> None:
    """Let ``package.module:name`` name a module in the current folder.

    The import path changes as with ``python -m``, and only if a name has that form.
    """
    if any(":" in name for name in names) and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())


class _TextConsole(Console):
    """A console that prints names and messages as text: no markup, no escape sequences."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Render a text, with its control characters escaped."""
        return super().render_str(terminal_safe(text), **options)


def output() -> Console:
    """Return a console for stdout. Outside a terminal it never cuts or folds lines.

    There, it ignores ``COLUMNS``, too: readline sets that for the children of any program.
    """
    console = _TextConsole(highlight=False, soft_wrap=True, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = 10_000
    return console


def complain(message: str) -> None:
    """Print a problem that does not end the command, as one line on stderr."""
    _TextConsole(stderr=True, highlight=False, soft_wrap=True, markup=False, emoji=False).print(
        f"milplib: {' '.join(message.split())}"
    )


def print_json(content: object) -> None:
    """Print JSON without terminal formatting."""
    print(json.dumps(content, indent=2))


def print_pairs(pairs: Mapping[str, object], *, indent: int = 0) -> None:
    """Print names and values in two columns; long values continue below themselves."""
    console = output()
    names = max(map(cell_len, pairs), default=0)
    room = console.width - names - GAP - indent
    for name, value in pairs.items():
        label = Text(" " * indent + name + " " * (names - cell_len(name) + GAP))
        if room < _BESIDE:  # below the name, as there is no room beside it
            for line in Text(name).wrap(console, max(console.width - indent, 1), overflow="fold"):
                line.rstrip()
                console.print(Text(" " * indent) + line)
            label = Text(" " * (indent + GAP))
        hanging = " " * cell_len(label.plain)
        lines = Text(terminal_safe(str(value))).wrap(
            console, max(console.width - len(hanging), 1), overflow="fold"
        )
        for number, line in enumerate(lines or [Text("")]):
            line.rstrip()
            console.print(Text(hanging) + line if number else label + line)


def say(message: str, *, hanging: int = 0, style: str = "") -> None:
    """Print a sentence; break it between words at the end of a line, never inside a path.

    Parameters
    ----------
    message
        Sentence.
    hanging
        Indentation of the lines after the first.
    style
        Style, as rich names it.
    """
    console = output()
    lines = [""]
    for word in re.findall(r"\s*\S+", terminal_safe(message)):
        margin = hanging if len(lines) > 1 else 0
        if lines[-1] and margin + cell_len(lines[-1] + word) > console.width:
            lines.append(word.lstrip())
        else:
            lines[-1] += word
    for number, line in enumerate(lines):
        console.print(Text(" " * (hanging if number else 0) + line, style=style))


class ProgressBar(Protocol):
    """Progress that is shown, in a terminal or line by line."""

    def update(self, done: int, total: int | None, note: str = "") -> None:
        """Show the number done, the total if it is known, and a note."""


class _Bar:
    def __init__(self, show: Callable[[Steps], None]) -> None:
        self._show = show

    def update(self, done: int, total: int | None, note: str = "") -> None:
        self._show((done, total, note))


@contextmanager
def progress_bar(title: str) -> Iterator[ProgressBar]:
    """Show progress on stderr during the block: a bar in a terminal, else a line now and then."""
    seconds = seconds_between_lines()
    if not Console(stderr=True).is_terminal:
        with ProgressLines(title, seconds=seconds) as lines:
            yield lines
        return
    with terminal_bar(title) as show:
        yield _Bar(show)


@contextmanager
def evaluation_bar(title: str) -> Iterator[Callable[[EvaluationProgress], None]]:
    """Show the progress of an evaluation; yield its callback."""
    with progress_bar(title) as bar:

        def show(progress: EvaluationProgress) -> None:
            note = f"{progress.failed} failed" if progress.failed else ""
            bar.update(progress.done, progress.total, note)

        yield show
