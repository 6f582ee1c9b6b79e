"""Progress of a long command outside a terminal: a line on stderr now and then."""

from __future__ import annotations

import math
import os
import sys
import threading
import time
from datetime import timedelta
from types import TracebackType
from typing import Self, TextIO

from milplib.errors import ParameterError
from milplib.escaping import terminal_safe

__all__ = ["INTERVAL", "ProgressLines", "seconds_between_lines"]

INTERVAL = "MILPLIB_PROGRESS_SECONDS"
"""Environment variable with the seconds between two lines; 0 for none at all."""
_SECONDS = 30.0


def seconds_between_lines() -> float:
    """Return the seconds between two lines: 30, or what `INTERVAL` says.

    Raises
    ------
    ParameterError
        If the variable is not a number of seconds.
    """
    text = os.environ.get(INTERVAL, "").strip()
    try:
        seconds = float(text) if text else _SECONDS
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= threading.TIMEOUT_MAX:
        raise ParameterError(
            f"{INTERVAL} is '{text}': write the seconds between two lines of progress, such as "
            "30, or 0 for none"
        )
    return seconds


class ProgressLines:
    """Prints how far a job is, after every interval until the end of the block.

    A thread prints the lines, so that they also come while a single task takes long. A job that
    ends within the first interval prints none.

    Parameters
    ----------
    title
        What is done, such as ``"evaluating"``.
    seconds
        Seconds between two lines; 0 for none.
    stream
        Where to print. Default: stderr.
    """

    def __init__(self, title: str, *, seconds: float, stream: TextIO | None = None) -> None:
        self._title, self._seconds = title, seconds
        self._stream = stream
        self._state: tuple[int, int | None, str] = (0, None, "")
        self._begin = time.monotonic()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)

    def __enter__(self) -> Self:
        if self._seconds:
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end.set()
        if self._seconds:
            self._thread.join()

    def update(self, done: int, total: int | None, note: str = "") -> None:
        """Remember the number done, the total if it is known, and a note."""
        self._state = (done, total, note)

    def line(self, seconds: float) -> str:
        """Return the line after some seconds.

        Examples
        --------
        >>> lines = ProgressLines("evaluating", seconds=30)
        >>> lines.line(30)
        'milplib: evaluating for 0:00:30'
        >>> lines.update(3, 12, "1 failed")
        >>> lines.line(60)
        'milplib: evaluating for 0:01:00: 3 of 12 (25 %), 1 failed'
        """
        done, total, note = self._state
        parts = [note]
        if total is not None:
            parts = [f"{done} of {total}" + (f" ({done / total:.0%})" if total else ""), note]
        elif done:
            parts = [str(done), note]
        text = ", ".join(filter(None, parts)).replace("%)", " %)")
        passed = f"milplib: {self._title} for {timedelta(seconds=round(seconds))}"
        return terminal_safe(" ".join((f"{passed}: {text}" if text else passed).split()))

    def _run(self) -> None:
        while not self._end.wait(self._seconds):
            try:
                print(
                    self.line(time.monotonic() - self._begin),
                    file=self._stream or sys.stderr,
                    flush=True,
                )
            except (OSError, ValueError):  # nobody reads it: the work goes on
                return
