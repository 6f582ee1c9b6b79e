"""Progress of long calls, in a terminal or a notebook."""

from __future__ import annotations

import html
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from milplib.errors import ParameterError
from milplib.escaping import terminal_safe

__all__ = ["Steps", "showing_progress", "terminal_bar"]

Steps = tuple[int, int | None, str]
"""Steps done, steps in all if known, and a short note."""

P = TypeVar("P")

_PERIOD = 0.1
"""Seconds between two updates of a notebook."""
_is_showing = False


@contextmanager
def showing_progress(
    title: str,
    *,
    progress: bool | None,
    on_progress: Callable[[P], None] | None,
    steps: Callable[[P], Steps],
) -> Iterator[Callable[[P], None]]:
    """Show the progress of a call while the block runs; yield the function that reports it.

    Parameters
    ----------
    title
        What the call does, such as ``"collecting"``.
    progress
        Whether to show a bar. None means in a notebook or if stderr is a terminal, unless the
        caller passed `on_progress`. Worker processes and inner calls never show one by themselves.
    on_progress
        The caller's own function.
    steps
        Function that describes a report in numbers.

    Raises
    ------
    ParameterError
        If `progress` or `on_progress` is of another type.

    Examples
    --------
    >>> seen = []
    >>> with showing_progress("counting", progress=None, on_progress=seen.append,
    ...                       steps=lambda done: (done, 2, "")) as report:
    ...     report(1)
    >>> seen
    [1]
    """
    global _is_showing
    if progress not in (None, True, False):
        raise ParameterError(f"progress is {progress!r}; it must be True, False or None")
    if on_progress is not None and not callable(on_progress):
        raise ParameterError(f"on_progress is {on_progress!r}; give a function")
    tell: Callable[[P], None] = on_progress or _nothing
    if not (progress or (progress is None and on_progress is None and _has_viewer())):
        yield tell
        return
    _is_showing = True
    try:
        with (_in_notebook if _notebook() else terminal_bar)(title) as show:

            def report(state: P) -> None:
                tell(state)
                show(steps(state))

            yield report
    finally:
        _is_showing = False


def _nothing(state: object) -> None:
    """Report nothing."""


def _has_viewer() -> bool:
    if _is_showing or multiprocessing.parent_process() is not None:
        return False
    return _notebook() is not None or bool(sys.stderr and sys.stderr.isatty())


def _notebook() -> Any:
    """Return IPython's module in the kernel of a notebook, else None."""
    ipython: Any = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return ipython if getattr(shell, "kernel", None) is not None else None


@contextmanager
def terminal_bar(title: str) -> Iterator[Callable[[Steps], None]]:
    """Show a bar on stderr during the block; yield the function that moves it."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=console.is_terminal,
    ) as bar:
        task = bar.add_task(terminal_safe(title), total=None, note="")

        def show(steps: Steps) -> None:
            done, total, note = steps
            bar.update(task, completed=done, total=total, note=terminal_safe(note))

        yield show


@contextmanager
def _in_notebook(title: str) -> Iterator[Callable[[Steps], None]]:
    # rich and tqdm need ipywidgets for a bar that moves in a notebook; a display that is updated
    # needs nothing but IPython.
    from IPython import display as shown

    html_of: Any = shown.HTML  # untyped
    display: Any = shown.display
    begin = time.monotonic()
    last: Steps = (0, None, "")
    shown_at = 0.0
    handle: Any = display(html_of(_bar(title, last, 0.0)), display_id=True)

    def show(steps: Steps) -> None:
        nonlocal last, shown_at
        last = steps
        now = time.monotonic()
        if now >= shown_at + _PERIOD:
            shown_at = now
            handle.update(html_of(_bar(title, steps, now - begin)))

    try:
        yield show
    finally:
        handle.update(html_of(_bar(title, last, time.monotonic() - begin)))


def _bar(title: str, steps: Steps, seconds: float) -> str:
    done, total, note = steps
    known = f' value="{done}" max="{total}"' if total else ""
    words = f"{title}: {done} of {total}" if total else title
    words += f", {note}" if note else ""
    return f"<progress{known}></progress> {html.escape(words)}, {seconds:.0f} s"
